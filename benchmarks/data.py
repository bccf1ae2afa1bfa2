"""Real data for the benchmarks, and the imbalances they are put in.

    python benchmarks/data.py mnist-tail.npz

writes 3,000 long-tailed digits (500 … 20 a class) for ``skgan compare``, and

    python benchmarks/data.py digits

a new folder of scikit-learn's digits, 40 a class and 8 threes, for ``skgan sample``.

Looked for in ``$SKGAN_DATA`` first (``fashion-mnist.npz``, ``mnist-5k.npz``, ``mnist.npz`` or the four files of MNIST's
distribution, ``tables/<name>.csv``, ``select/<name>.csv``), then on OpenML, whose downloads scikit-learn caches; where neither
is to be had, a sentence says what to do. The tables of ``SELECT`` are looked for in ``$SKGAN_DATA`` alone: most of them are
cut, and OpenML has the whole tables. So is ``cifar10-jpeg.npz``: half of CIFAR-10 as JPEG files, one after another in one
array, and where each of them ends.
"""

import functools
import gzip
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from PIL import Image
from sklearn.datasets import fetch_openml, load_digits, load_sample_image
from torch.nn.functional import interpolate

TABLES = (
    *("abalone9-18", "car-good", "ecoli3", "flare-F", "german", "glass2", "kr-vs-k-zero_vs_eight", "page-blocks"),
    *("page-blocks0", "segment0", "vehicle1", "winequality-red-4", "yeast4"),
)


SELECT = (  # on which defaults are chosen; no source of them is in TABLES
    *("Sacramento", "attrition", "australian-cut", "bands", "breast", "bupa-cut", "credit_data", "crx", "diamonds"),
    *("hayes-roth", "hepatitis", "hpc_data", "hypothyroid", "leaf_id_flavia-lt", "led7digit-0-2-4-5-6-7-8-9_vs_1"),
    *("led7digit-lt", "magic-cut", "mammographic", "mlc_churn", "optdigits-8", "optdigits-lt", "pc1", "pd_speech"),
    *("penguins-cut", "phoneme", "scat", "sonar-cut", "spambase-cut", "tae", "texture-9", "texture-lt", "tic-tac-toe"),
    *("titanic", "wdbc-cut", "zoo-3"),
)
SOURCES = {  # table → what it was cut from, where another table was cut from that too
    "australian-cut": "crx",
    "led7digit-0-2-4-5-6-7-8-9_vs_1": "led7digit",
    "led7digit-lt": "led7digit",
    "optdigits-8": "optdigits",
    "optdigits-lt": "optdigits",
    "page-blocks0": "page-blocks",
    "texture-9": "texture",
    "texture-lt": "texture",
}


class Images(NamedTuple):
    """uint8 images, of shape (n, 28, 28) or (n, 3, H, W), and their labels."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def data_file(name: str) -> Path | None:
    """The file under ``$SKGAN_DATA``, if it is there."""
    folder = os.environ.get("SKGAN_DATA")
    path = Path(folder, name) if folder else None
    return path if path is not None and path.exists() else None


def _openml(name: str, **options):
    try:
        return fetch_openml(name, **options)
    except Exception as error:
        raise SystemExit(
            f"The data set {name!r} is neither under $SKGAN_DATA ({os.environ.get('SKGAN_DATA', 'not set')}) nor could it "
            f"be fetched from OpenML ({type(error).__name__}: {error}). Set SKGAN_DATA to a folder that holds it, or run "
            "once with a network connection."
        ) from error


def _openml_images(name: str) -> tuple[np.ndarray, np.ndarray]:
    bunch = _openml(name, version=1, as_frame=False)
    return bunch.data.reshape(-1, 28, 28).astype(np.uint8), bunch.target.astype(np.int64)


def fashion_mnist() -> Images:
    """Fashion-MNIST: 60,000 training and 10,000 test images (MIT licence)."""
    if path := data_file("fashion-mnist.npz"):
        with np.load(path) as file:
            return Images(*(file[k].astype(np.int64) if k[0] == "y" else file[k] for k in Images._fields))
    X, y = _openml_images("Fashion-MNIST")
    return Images(X[:60000], y[:60000], X[60000:], y[60000:])


IDX = {  # of MNIST as it is distributed, with or without .gz
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


@functools.lru_cache(maxsize=1)
def mnist() -> Images:
    """MNIST: 60,000 training and 10,000 test images (CC BY-SA 3.0), from npz with Keras' keys, from idx files, or OpenML."""
    files = {key: data_file(name) or data_file(f"{name}.gz") for key, name in IDX.items()}
    if path := data_file("mnist.npz"):
        with np.load(path) as file:
            parts = {key: file[key] for key in Images._fields}
    elif all(files.values()):
        parts = {key: read_idx(path) for key, path in files.items() if path}
    else:
        X, y = _openml_images("mnist_784")
        return Images(X[:60000], y[:60000], X[60000:], y[60000:])
    return Images(*(part.astype(np.int64) if key[0] == "y" else part for key, part in parts.items()))


def read_idx(path: Path) -> np.ndarray:
    """An array of bytes in the format of MNIST's files: two noughts, 8 for bytes, the number of axes, their lengths, values."""
    content = (gzip.decompress if path.suffix == ".gz" else bytes)(path.read_bytes())
    if content[:3] != b"\0\0\x08":
        raise SystemExit(f"{path} is no idx file of bytes: it begins with {content[:3]!r}, not with two noughts and 8.")
    n_axes = content[3]
    shape = np.frombuffer(content, ">u4", n_axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * n_axes).reshape(shape)


@functools.lru_cache(maxsize=1)
def cifar10() -> Images:
    """2,500 training and 500 test images of each class of CIFAR-10, (n, 3, 32, 32), sorted by class; they were kept as JPEG."""
    path = data_file("cifar10-jpeg.npz")
    if path is None:
        raise SystemExit(
            f"There is no cifar10-jpeg.npz under $SKGAN_DATA ({os.environ.get('SKGAN_DATA', 'not set')}). Set it to a "
            "folder that holds it."
        )
    with np.load(path) as file:
        sides = [(_decoded(file[f"jpeg_{side}"], file[f"end_{side}"]), file[f"y_{side}"]) for side in ("train", "test")]
    (x_train, y_train), (x_test, y_test) = sides
    return Images(x_train, y_train.astype(np.int64), x_test, y_test.astype(np.int64))


def _decoded(files: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The RGB images of JPEG files that stand one after another, (n, 3, H, W)."""
    parts = np.split(files, ends[:-1])
    images = [np.asarray(Image.open(io.BytesIO(part.tobytes())).convert("RGB")) for part in parts]
    return np.ascontiguousarray(np.stack(images).transpose(0, 3, 1, 2))


def photograph_tail(seed: int, ratio: float, n_most: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """Training images of CIFAR-10's long tail: ``n_most`` of class 0, 1 / ``ratio`` of that of class 9."""
    return tail_rows(seed, ratio, n_most, *cifar10()[:2])


def tail_rows(seed: int, ratio: float, n_most: int, X, y) -> tuple[np.ndarray, np.ndarray]:
    """The long tail of ten classes' rows X, geometric from ``n_most`` to ``n_most / ratio``."""
    counts = [int(n_most * ratio ** (-k / 9)) for k in range(10)]
    return long_tail(X, y, counts, np.random.RandomState(seed))


def mnist_5k(seed: int) -> Images:
    """500 images of each MNIST digit (CC BY-SA 3.0), split in two stratified halves by the seed."""
    if path := data_file("mnist-5k.npz"):
        with np.load(path) as file:
            X, y = file["x"], file["y"].astype(np.int64)
    else:
        X, y = _openml_images("mnist_784")
        rows = np.concatenate([np.flatnonzero(y == digit)[:500] for digit in range(10)])
        X, y = X[rows], y[rows]
    rng = np.random.RandomState(seed)
    halves = [np.array_split(rng.permutation(np.flatnonzero(y == digit)), 2) for digit in range(10)]
    train, test = (rng.permutation(np.concatenate(side)) for side in zip(*halves, strict=True))
    return Images(X[train], y[train], X[test], y[test])


def table(name: str) -> tuple[pd.DataFrame, pd.Series]:
    """One of the KEEL, UCI and R tables (CC BY 4.0, MIT); text columns become category columns, y is a string."""
    if path := data_file(f"tables/{name}.csv") or data_file(f"select/{name}.csv"):
        frame = pd.read_csv(path)
    elif name in SELECT:
        folder = os.environ.get("SKGAN_DATA", "not set")
        raise SystemExit(
            f"There is no select/{name}.csv under $SKGAN_DATA ({folder}). Set it to a folder that holds it."
        )
    else:
        bunch = _openml(name, as_frame=True)
        frame = bunch.data.assign(target=bunch.target)
    y = frame.pop("target").astype(str)
    text = [column for column in frame if not pd.api.types.is_numeric_dtype(frame[column])]
    return frame.astype(dict.fromkeys(text, "category")), y


def long_tail(X, y, counts: Sequence[int], rng: np.random.RandomState, order: Sequence[int] | None = None):
    """Keep ``counts[k]`` random rows of class ``order[k]`` (of class k without an order)."""
    classes = np.unique(y) if order is None else np.asarray(order)
    kept = [rng.choice(np.flatnonzero(y == c), n, replace=False) for c, n in zip(classes, counts, strict=True)]
    rows = rng.permutation(np.concatenate(kept))
    return X[rows], y[rows]


def single_class_imbalance(X, y, klass, kept: float, rng: np.random.RandomState):
    """Keep the fraction ``kept`` of one class's rows (at least one) and all rows of the others."""
    of_class = np.flatnonzero(y == klass)
    dropped = rng.permutation(of_class)[max(1, round(kept * len(of_class))) :]
    rows = np.setdiff1d(np.arange(len(y)), dropped)
    return X[rows], y[rows]


REGIONS = {  # of scikit-learn's china.jpg: class → top, bottom, left, right of the training part, then of the test part
    "pagoda": ((90, 225, 150, 250), (235, 330, 160, 265)),
    "leaves": ((330, 427, 370, 520), (200, 427, 570, 640)),
}


def two_textures(n: int, size: int, seed: int) -> Images:
    """n crops of a pagoda and n of leaves for training and for test, uint8, (2 n, 3, size, size).

    Both parts of one photograph, but of regions apart; of 28 to 56 px, mirrored at random, brought to one mean brightness, and
    tinted at random, so that colour tells nothing. One pagoda is told from another by what a roof looks like.
    """
    photo = torch.tensor(load_sample_image("china.jpg")).permute(2, 0, 1).float() / 255
    rng = np.random.RandomState(seed)
    sides: list[list[np.ndarray]] = [[], []]
    labels = [name for name in REGIONS for _ in range(n)]
    for name in labels:
        for side, (top, bottom, left, right) in zip(sides, REGIONS[name], strict=True):
            edge = rng.randint(28, 57)
            y, x = rng.randint(top, bottom - edge + 1), rng.randint(left, right - edge + 1)
            crop = photo[:, y : y + edge, x : x + edge]
            crop = interpolate(crop[None], (size, size), mode="bilinear")[0]
            grey = crop.mean(0, keepdim=True)
            tint = torch.tensor(rng.uniform(0.7, 1.3, (3, 1, 1)), dtype=torch.float32)
            image = (0.45 + (0.3 * crop + 0.7 * grey - grey.mean()) * rng.uniform(0.7, 1.2)) * tint
            image = image.flip(2) if rng.uniform() < 0.5 else image
            side.append((255 * image.clamp(0, 1)).byte().numpy())
    order = rng.permutation(len(labels))
    y = np.array(labels)
    return Images(np.stack(sides[0])[order], y[order], np.stack(sides[1]), y)


def _smooth_noise(rng: np.random.RandomState, cells: int, size: int) -> np.ndarray:
    """A random field (size, size) of mean 0 with about this many spots along a side."""
    coarse = torch.tensor(rng.standard_normal((1, 1, cells, cells)), dtype=torch.float32)
    return interpolate(coarse, (size, size), mode="bicubic", align_corners=False)[0, 0].numpy()


def blood_cells(counts: Sequence[int], seed: int, size: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Simulated blood cells on a pink smear, uint8 (n, 3, size, size): red cells, cells with a lobed nucleus, platelets."""
    rng = np.random.RandomState(seed)
    y = rng.permutation(np.repeat(np.arange(3), counts))
    down, across = np.indices((size, size)) / size
    images = np.empty((len(y), 3, size, size), np.uint8)
    for image, kind in zip(images, y, strict=True):
        canvas = (
            np.array([236, 208, 214])[:, None, None]
            + 6 * _smooth_noise(rng, 6, size)
            + rng.normal(0, 3, (3, size, size))
        )

        def disc(top, left, radius, squeeze=1.0):
            distance = np.hypot((down - top) * squeeze, (across - left) / squeeze)
            return 1 / (1 + np.exp((distance - radius) * 60))

        def paint(mask, colour):
            nonlocal canvas
            canvas = canvas + 0.85 * mask * (np.array(colour)[:, None, None] - canvas)

        top, left = rng.uniform(0.4, 0.6, 2)
        if kind == 0:
            squeeze = rng.uniform(0.85, 1.15)
            paint(disc(top, left, rng.uniform(0.22, 0.3), squeeze), (205, 120, 130))
            paint(0.5 * disc(top, left, 0.1, squeeze), (230, 180, 185))
        elif kind == 1:
            paint(disc(top, left, rng.uniform(0.32, 0.42)), (200, 185, 215))
            for angle in rng.uniform(0, 2 * np.pi, 3):
                paint(
                    disc(top + 0.13 * np.sin(angle), left + 0.13 * np.cos(angle), rng.uniform(0.1, 0.14)), (95, 60, 140)
                )
        else:
            for _ in range(rng.randint(3, 7)):
                paint(disc(*rng.uniform(0.25, 0.75, 2), rng.uniform(0.04, 0.08)), (140, 95, 160))
        image[:] = canvas.clip(0, 255)
    return images, y


def from_above(counts: Sequence[int], seed: int, size: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Simulated ground seen from above, uint8 (n, 3, size, size): fields, wood, a shore, houses; in any orientation."""
    rng = np.random.RandomState(seed)
    y = rng.permutation(np.repeat(np.arange(4), counts))
    down, across = np.indices((size, size)) / size
    images = np.empty((len(y), 3, size, size), np.uint8)
    for image, kind in zip(images, y, strict=True):
        angle = rng.uniform(0, 2 * np.pi)
        along = across * np.cos(angle) + down * np.sin(angle)
        fine, coarse = _smooth_noise(rng, size // 2, size), _smooth_noise(rng, 5, size)
        if kind == 0:
            tone = np.array([[150, 140, 80], [120, 150, 70], [170, 150, 110]][rng.randint(3)])[:, None, None]
            canvas = tone + 14 * np.sin(2 * np.pi * rng.uniform(6, 10) * along) + 4 * fine
        elif kind == 1:
            canvas = np.array([50, 90, 50])[:, None, None] + 22 * fine + 8 * coarse
        elif kind == 2:
            sand = 1 / (1 + np.exp(-(along - along.mean() + 0.06 * coarse) * 40))
            canvas = np.array([60, 100, 140])[:, None, None] + sand * np.array([130, 80, 10])[:, None, None] + 3 * fine
        else:
            canvas = np.array([110, 125, 95])[:, None, None] + 8 * coarse + np.zeros((3, size, size))
            for _ in range(rng.randint(4, 9)):
                top, left = rng.randint(0, size - 7, 2)
                high, wide = rng.randint(4, 8, 2)
                roof = np.array([[190, 90, 70], [200, 195, 190], [120, 110, 115]][rng.randint(3)])
                canvas[:, top : top + high, left : left + wide] = roof[:, None, None]
            canvas += rng.normal(0, 4, (3, size, size))
        image[:] = canvas.clip(0, 255)
    return images, y


COMPARED = (500, 500, 500, 450, 400, 300, 180, 100, 50, 20)

SAMPLED = dict.fromkeys(range(10), 40) | {3: 8}


def write_folder(folder: Path) -> None:
    """As many of scikit-learn's digits as ``SAMPLED`` says, the first of each, as PNG files in class folders."""
    digits = load_digits()
    for digit, n in SAMPLED.items():
        (folder / str(digit)).mkdir(parents=True)
        for i in np.flatnonzero(digits.target == digit)[:n]:
            Image.fromarray((digits.images[i] * 15).astype(np.uint8)).save(folder / str(digit) / f"{i:04}.png")


def write_tail(path: Path) -> None:
    """As many of MNIST's digits as ``COMPARED`` says, as X and y of an npz file."""
    whole = mnist_5k(0)
    X, y = long_tail(
        np.concatenate([whole.x_train, whole.x_test]),
        np.concatenate([whole.y_train, whole.y_test]),
        COMPARED,
        np.random.RandomState(0),
    )
    np.savez_compressed(path, X=X, y=y)


if __name__ == "__main__":
    writers = {".npz": write_tail, "": write_folder}
    if len(sys.argv) != 2 or (to := Path(sys.argv[1])).suffix not in writers:
        raise SystemExit("Usage: python benchmarks/data.py FILE.npz, or python benchmarks/data.py FOLDER")
    writers[to.suffix](to)
    n = sum(COMPARED if to.suffix else SAMPLED.values())
    print(f"Wrote {n} images to {to}")
