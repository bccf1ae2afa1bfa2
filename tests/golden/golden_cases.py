"""What the golden rows are made of: every preset in every situation, trained for a few steps on a few rows."""

import warnings
from collections.abc import Callable, Iterator
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from skgan import ConditionalGANAugmenter, DomainOverSampler, GANOverSampler, at_least, presets
from skgan.filters import ClassifierFilter, NeighbourFilter

SMALL: dict[str, dict[str, Any]] = {
    "autoencoder": {"module__width": 4, "module__n_features": 8, "module__hidden": (8,)},
    "cyclegan": {"module__width": 4, "module__n_blocks": 1, "pool_size": 8},
    "dagan": {"module__width": 4, "module__n_features": 8, "module__code_dim": 4},
    "dcgan": {"module__width": 4, "module__n_features": 8},
    "flow": {"module__width": 8},
    "gaussian": {},
    "genclass": {"module__width": 4, "module__alpha": 1, "attributes": np.eye(3)},
    "gtn": {"module__width": 4, "module__alpha": 1, "unroll_steps": 4, "inner_batch_size": 9, "learner__width": 2},
    "mlp_gan": {"alpha": 1},
    "offspring": {"module__width": 4, "module__n_features": 8, "n_candidates": 4},
    "photo_gan": {"module__width": 4},
    "predictor_gan": {"module__width": 4, "module__n_hidden": 8, "module__n_kernels": 4},
    # In its third step a unit of a LeakyReLU is so near 0 that the kind of processor decides its side, and 1e-4 of a row.
    "predictor_mlp_gan": {"alpha": 1, "max_steps": 2},
    "progan": {"module__width": 4, "module__max_width": 8},
    "relativistic_gan": {"module__width": 4, "module__n_features": 8},
    "vae": {"module__width": 4, "module__n_features": 8, "module__hidden": (8,)},
    "vae_gan": {"module__width": 4, "module__n_features": 8, "module__hidden": (8,), "module__alpha": 1},
    "wgan_gp": {"module__width": 4, "module__n_features": 8, "n_critic": 2},
}
OF_PARENTS = ("cyclegan", "dagan", "offspring")
COUNTS = (14, 7, 5)
ROWS = 6
"""Rows of each class that are kept."""


def net(name: str, **params):
    """The preset, small and with three steps of training."""
    steps = {} if name == "gaussian" else {"max_steps": 3, "batch_size": 8}
    return getattr(presets, name)(**{**steps, **SMALL[name], **params})


def labels() -> np.ndarray:
    """Classes of 14, 7 and 5 rows, in no order."""
    return np.random.RandomState(1).permutation(np.repeat(np.arange(len(COUNTS)), COUNTS))


def images() -> np.ndarray:
    """uint8 images of 8 px: a blob whose place is the class's."""
    rng, y = np.random.RandomState(0), labels()
    grid = np.arange(8)
    at = 2 + 2 * y[:, None] + rng.standard_normal((len(y), 1))
    row, column = (np.exp(-((grid - at) ** 2) / 4) for _ in range(2))
    return (255 * row[:, :, None] * column[:, None, :] * rng.uniform(0.6, 1, (len(y), 1, 1))).astype(np.uint8)


def rows() -> np.ndarray:
    """Four numbers a row, with the class in the mean."""
    return np.random.RandomState(2).standard_normal((sum(COUNTS), 4)).astype(np.float32) + labels()[:, None]


def frame() -> pd.DataFrame:
    """Numbers with NaN, whole numbers, categories, and a bool."""
    X, rng = rows(), np.random.RandomState(3)
    number = X[:, 0].astype(float)
    number[rng.permutation(len(X))[:5]] = np.nan
    return pd.DataFrame(
        {
            "number": number,
            "count": np.round(3 * X[:, 1]).astype(int),
            "town": pd.Categorical(rng.choice(["Bonn", "Kiel", "Ulm"], len(X))),
            "flag": X[:, 2] > 1,
        }
    )


def as_numbers(rows: Any) -> np.ndarray:
    """Rows of any container as one float array (n, …); categories as their codes."""
    if not isinstance(rows, pd.DataFrame):
        return np.asarray(rows, dtype=np.float64)
    columns = [c.cat.codes if isinstance(c.dtype, pd.CategoricalDtype) else c for _, c in rows.items()]
    return np.stack([column.to_numpy(dtype=np.float64) for column in columns], axis=1)


def first_of_each(X: Any, y: Any) -> np.ndarray:
    """The first rows of every class, flat, with the label as the last column."""
    X, y = as_numbers(X), np.asarray(y, dtype=np.float64)
    flat = np.concatenate([X.reshape(len(X), -1), y.reshape(len(y), -1)], axis=1)
    kept = np.concatenate([np.flatnonzero(y == k)[:ROWS] for k in np.unique(y)]) if y.ndim == 1 else np.arange(len(y))
    return flat[kept[: 3 * ROWS]].astype(np.float32)


def resampled(sampler, X, y, **side) -> np.ndarray:
    """New rows that ``fit_resample`` stacks under the originals."""
    X_all, y_all = sampler.fit_resample(X, y, **side)
    keep = np.flatnonzero(sampler.is_synthetic_)
    return first_of_each(X_all.iloc[keep] if isinstance(X_all, pd.DataFrame) else X_all[keep], np.asarray(y_all)[keep])


def everything(sampler, name: str, X, y, to) -> dict[str, np.ndarray]:
    """What each way to ask a fitted sampler for rows returns."""
    made = {"fit_resample": resampled(sampler, X, y), "sample": first_of_each(*sampler.sample({to: 7, 0: 4}))}
    if name in OF_PARENTS:
        rows, y_made, parents = sampler.sample_with_parents({to: 7, 0: 4})
        made["with_parents"] = np.concatenate(
            [first_of_each(rows, y_made), first_of_each(parents, y_made)[:, :-1]], axis=1
        )
    if name == "cyclegan":
        some = X.iloc[:5] if isinstance(X, pd.DataFrame) else X[:5]
        for back in (False, True):
            made[f"translate {back}"] = first_of_each(sampler.translate(some, to, back=back), np.zeros(5))
    return made


def of_classes(name: str, X, y, **params) -> dict[str, np.ndarray]:
    """A sampler that brings every class to 1.5 times the largest."""
    params = {"net": net(name), "sampling_strategy": at_least(1.5), "random_state": 0, **params}
    return everything(GANOverSampler(**params), name, X, y, 2)


def of_images(name: str):
    return of_classes(name, images(), labels())


def of_a_table(name: str):
    return of_classes(name, rows(), labels())


def of_a_mixed_frame(name: str):
    return of_classes(name, frame(), labels())


def of_conditions(name: str) -> dict[str, np.ndarray]:
    """Real-valued y; and a class with a condition beside it."""
    X = rows() if name in ("flow", "gaussian", "mlp_gan", "predictor_mlp_gan") else images()
    condition = (rows()[:, :2] / 3).astype(np.float64)
    made = {}
    sampler = ConditionalGANAugmenter(1.0, net=net(name), random_state=0)
    made["fit_resample"] = resampled(sampler, X, condition)
    made["sample"] = first_of_each(*sampler.sample(9))
    made["sample_at"] = first_of_each(sampler.sample_at(condition[:5]), np.zeros(5))
    both = ConditionalGANAugmenter(1.0, net=net(name), random_state=0)
    made["beside classes"] = resampled(both, X, labels(), condition=condition[:, 0])
    return made


def per_class(name: str):
    params = {"attributes": None} if name == "genclass" else {}
    return of_classes(
        name, rows() if name in ("flow", "mlp_gan") else images(), labels(), net=net(name, **params), per_class=True
    )


def with_a_filter(name: str):
    row_filter = NeighbourFilter() if name in OF_PARENTS else ClassifierFilter()
    return of_classes(name, rows() if name in ("flow", "mlp_gan") else images(), labels(), row_filter=row_filter)


def with_memory(name: str) -> dict[str, np.ndarray]:
    with TemporaryDirectory() as folder:
        return [of_classes(name, images(), labels(), memory=folder) for _ in range(2)][1]


def of_domains(name: str) -> dict[str, np.ndarray]:
    """Scarce rows of one camera; their y is carried over."""
    camera = np.where(labels() == 0, 1, 0)
    sampler = DomainOverSampler(net=net(name), random_state=0)
    return {"fit_resample": resampled(sampler, images(), labels(), domain=camera)}


def of_tiny_classes(name: str) -> dict[str, np.ndarray]:
    """A class of one row beside the others; and classes that are all too small to train on."""
    y = labels()
    one = np.concatenate([np.flatnonzero(y != 2), np.flatnonzero(y == 2)[:1]])
    few = np.concatenate([np.flatnonzero(y == k)[: 4 - k] for k in range(3)])
    made = {}
    for what, kept in (("one row", one), ("all tiny", few)):
        sampler = GANOverSampler(net=net(name), random_state=0)
        made[what] = resampled(sampler, images()[kept], y[kept])
    return made


SITUATIONS: dict[str, Callable[[str], dict[str, np.ndarray]]] = {
    "images": of_images,
    "table": of_a_table,
    "mixed frame": of_a_mixed_frame,
    "conditions": of_conditions,
    "per class": per_class,
    "filter": with_a_filter,
    "memory": with_memory,
    "domains": of_domains,
    "tiny classes": of_tiny_classes,
}


def cases() -> Iterator[tuple[str, str]]:
    """Situation and preset."""
    for situation in SITUATIONS:
        for name in SMALL:
            yield situation, name


def make(situation: str, name: str) -> dict[str, np.ndarray] | None:
    """The rows of a case by what was asked; None where the sampler refuses the combination in a sentence."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return SITUATIONS[situation](name)
        except ValueError:
            return None
