"""Situations out of public bug reports of neighbouring libraries, each with the report that it goes back to.

A case raises nothing where skgan gives the right answer, or refuses in a sentence before any training.
"""

import io
import tempfile
import threading
import tracemalloc
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from imblearn.combine import SMOTEENN
from imblearn.ensemble import BalancedBaggingClassifier
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from scipy import sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from skgan import (
    CNNClassifier,
    ConditionalGANAugmenter,
    GANOverSampler,
    OverSamplerCV,
    PriorCorrectedClassifier,
    RecursiveAugmenter,
    cli,
)
from skgan.codecs import ImageCodec, TabularCodec
from skgan.datasets import load_image_folder
from skgan.presets import dcgan, mlp_gan, offspring

CASES: list = []


def reported(name: str, *reports: str):
    """Add a case to the suite.

    Parameters
    ----------
    name : str
        What it is about, in a few words.
    *reports : str
        Public reports of the same kind of fault, as "project #number"; none where a new user met it first.
    """

    def add(case: Callable[[], None]) -> Callable[[], None]:
        CASES.append(pytest.param(case, id=" ".join([name, *(f"({report})" for report in reports)])))
        return case

    return add


@pytest.mark.parametrize("case", CASES)
def test_reported_case(case):
    case()


# `skgan compare` on files as people have them: a new user's first hour


def compared(content: bytes | dict, *options: str, name: str = "data.csv") -> str:
    """What ``skgan compare`` prints, errors included, about a file of this content with the classes in y."""
    told = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(told), redirect_stderr(told):
        path = Path(folder) / name
        if isinstance(content, dict):
            np.savez(path, **content)
        else:
            path.write_bytes(content)
        target = [] if isinstance(content, dict) else ["--target", "y"]
        with suppress(SystemExit):
            cli.main(["compare", str(path), *target, "--folds", "2", "--max-steps", "2", "--net", "gaussian", *options])
    return told.getvalue()


def table_of(separator: str = ",", **columns) -> bytes:
    """60 rows of two numbers, of which b tells the class, then these columns, and y."""
    rng = np.random.RandomState(0)
    rare = np.arange(60) % 3 == 0
    numbers = {"a": rng.standard_normal(60).round(3), "b": (rng.standard_normal(60) + 2 * rare).round(3)}
    columns = {**numbers, "y": np.where(rare, "yes", "no"), **columns}
    lines = [separator.join(columns), *(separator.join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    return "\n".join(lines).encode()


@reported("compare: semicolons and decimal commas")
def semicolons():
    told = compared(table_of(";").replace(b".", b","))
    assert "60 rows, (2,) each" in told
    assert "Numbers were read with a decimal comma (12,5 is 12.5) in columns 'a', 'b'." in told


@reported("compare: the wrong separator")
def wrong_separator():
    assert "has one column only if divided by ','" in compared(table_of(";"), "--sep", ",")


@reported("compare: commas between thousands")
def thousands():
    told = compared(table_of(income=[f'"{1000 + 37 * i * i % 9000:,.2f}"' for i in range(60)]))
    assert "60 rows, (3,) each" in told
    assert "Numbers were read with commas between thousands (1,250 is 1250) in column 'income'." in told


@reported("compare: a question mark among numbers")
def question_mark():
    told = compared(table_of(age=["?", *np.linspace(20, 60, 59).round(2)]))
    assert "Column 'age' is numbers but for 1 of its 60 cells ('?' in 1); these count as missing" in told
    assert "There is no row of SMOTE: values of X are missing" in told


@reported("compare: times of day")
def times_of_day():
    told = compared(table_of(at=[f"{i % 24}:{i:02d}" for i in range(60)]))
    assert "Column 'at' holds times of day and was turned into seconds since midnight." in told


@reported("compare: latin-1")
def latin_1():
    told = compared(table_of(größe=["groß", "klein"] * 30).decode().encode("latin-1"))
    assert "60 rows, (3,) each" in told
    assert "data.csv is not in UTF-8; it was read as cp1252 (Western European)." in told


@reported("compare: UTF-16")
def utf_16():
    assert "60 rows, (3,) each" in compared(table_of(größe=["groß", "klein"] * 30).decode().encode("utf-16"))


@reported("compare: upper-case extension")
def upper_case_extension():
    assert "60 rows, (2,) each" in compared(table_of(), name="DATA.CSV")


@reported("compare: a line with one field too many")
def ragged_line():
    content = table_of() + b"\n1,2,yes,4"
    assert "Line 62 of data.csv has 4 fields, and its header has 3" in compared(content)


@reported("compare: files without rows")
def no_rows():
    assert "data.csv is empty." in compared(b"")
    assert "data.csv has a header and no rows below it." in compared(b"a,y\n")


@reported("compare: object arrays in an npz file")
def object_arrays():
    told = compared({"X": np.zeros((4, 2)), "y": np.array(["u", None, "v", "u"], dtype=object)}, name="data.npz")
    assert "y in data.npz is an object array, which NumPy stores as a pickle" in told


@reported("compare: a score that text labels do not allow")
def score_of_text_labels():
    told = compared(table_of(), "--scoring", "f1")
    assert "pos_label=1 is not a valid label" in told
    assert "Take 'f1_macro', or name the classes 0 and 1" in told


@reported("compare: true and false with blanks")
def true_false_and_blanks():
    told = compared(table_of(y=["", *(i % 3 == 0 for i in range(1, 60))]), "--scoring", "f1")
    assert "1 row without a y was left out." in told
    assert "classes: False (40), True (19)" in told
    assert "GANOverSampler (gaussian)" in told


@reported("compare: identifiers and columns to leave out")
def identifiers():
    told = compared(table_of(customer_id=range(500, 560), note=[f"call {i}" for i in range(60)]), "--drop", "a")
    assert "60 rows, (1,) each" in told
    assert "Column 'customer_id' is named like an identifier" in told
    assert "Column 'note' holds a text of its own in 60 of 60 rows" in told


# Probabilities after resampling, rows that are new, weights, and files of more than 8 bits


def rare_rows(n: int = 6000) -> tuple[np.ndarray, np.ndarray]:
    """Rows of which one in twenty is of class 1, and overlaps the others."""
    rng = np.random.RandomState(0)
    y = (rng.uniform(size=n) < 0.05).astype(int)
    return rng.standard_normal((n, 2)) + 1.5 * y[:, None], y


def over_sampled():
    return make_pipeline(RandomOverSampler(random_state=0), LogisticRegression())


@reported("PriorCorrectedClassifier around a search", "imbalanced-learn #1128", "imbalanced-learn #427")
def corrected_search():
    X, y = rare_rows()
    search = GridSearchCV(over_sampled(), {"logisticregression__C": [1.0]}, cv=2)
    corrected = PriorCorrectedClassifier(search).fit(X[:2000], y[:2000])
    bare = PriorCorrectedClassifier(over_sampled()).fit(X[:2000], y[:2000])
    np.testing.assert_allclose(corrected.predict_proba(X), bare.predict_proba(X))
    assert abs(corrected.predict_proba(X[2000:])[:, 1].mean() - 0.05) < 0.01
    assert PriorCorrectedClassifier(search, prior="uniform").fit(X, y).predict(X).mean() < 0.4


@reported("PriorCorrectedClassifier: nested, calibrated, bagged, balanced and weighted", "imbalanced-learn #427")
def corrected_whatever_it_is():
    X, y = rare_rows()
    for estimator in (
        make_pipeline("passthrough", over_sampled()),
        CalibratedClassifierCV(over_sampled(), cv=2),
        BaggingClassifier(over_sampled(), 3, random_state=0),
        BalancedBaggingClassifier(LogisticRegression(), n_estimators=3, random_state=0),
        LogisticRegression(class_weight="balanced"),
        make_pipeline(RandomUnderSampler(random_state=0), LogisticRegression(class_weight={1: 3})),
    ):
        corrected = PriorCorrectedClassifier(estimator).fit(X[:2000], y[:2000])
        assert abs(corrected.predict_proba(X[2000:])[:, 1].mean() - 0.05) < 0.01
    voting = VotingClassifier([("a", over_sampled()), ("b", LogisticRegression())], voting="soft")
    with pytest.raises(ValueError, match=r"VotingClassifier has RandomOverSampler .* give resampled_prior="):
        PriorCorrectedClassifier(voting).fit(X, y)


@reported("OverSamplerCV of a sampler that drops rows as well")
def chosen_sampler_that_drops_rows():
    X, y = (part[:400] for part in rare_rows())
    choice = OverSamplerCV([SMOTEENN(smote=SMOTE(k_neighbors=3))], cv=2, random_state=0)
    X_new, y_new = choice.fit_resample(X, y)
    given = (X_new[:, None] == X).all(axis=2).any(axis=1)
    assert (choice.is_synthetic_ == ~given).all()
    assert choice.sampling_strategy_ == {klass: int((y_new[~given] == klass).sum()) for klass in (0, 1)}


@reported("CNNClassifier: weights of rows, and a misspelt keyword", "skorch #84")
def weights_of_rows():
    X, y = np.random.RandomState(0).rand(60, 8, 8), np.arange(60) % 3
    classifier = CNNClassifier(max_updates=20, random_state=0)
    assert 2 not in classifier.fit(X, y, sample_weight=(y != 2).astype(float)).predict(X)
    with pytest.raises(TypeError, match="no keyword 'sample_weigth': did you mean sample_weight"):
        classifier.fit(X, y, sample_weigth=np.ones(60))


@reported("CNNClassifier.predict of missing and infinite pixels")
def missing_pixels():
    X, y = np.random.RandomState(0).rand(30, 8, 8), np.arange(30) % 2
    classifier = CNNClassifier(max_updates=1, random_state=0).fit(X, y)
    for value in (np.nan, np.inf):
        X[3, 2, 2] = value
        for method in (classifier.predict, classifier.predict_proba, classifier.features):
            with pytest.raises(ValueError, match="NaN or infinity in 1 of 30 images"):
                method(X)


@reported("a folder of files of 16 bits, and of floats", "pytorch/vision #2218")
def deep_files():
    image = pytest.importorskip("PIL.Image")
    ramp = np.linspace(0, 1, 64).reshape(8, 8)
    for suffix, dtype, unit in (("png", np.uint16, 1), ("tif", np.float32, 65535)):
        with tempfile.TemporaryDirectory() as folder:
            for name, low in (("dark", 1000), ("bright", 41000)):
                (Path(folder) / name).mkdir()
                image.fromarray(((low + 4000 * ramp) / unit).astype(dtype)).save(Path(folder) / name / f"0.{suffix}")
            X, y = load_image_folder(folder)
            assert y.tolist() == ["bright", "dark"]
            assert X[1].max() < 25 < 150 < X[0].min()
            kept, _ = load_image_folder(folder, dtype="keep")
            assert kept.dtype == dtype
            np.testing.assert_array_equal(kept[1, 0], ((1000 + 4000 * ramp) / unit).astype(dtype))


# torch's settings and generators around a fit


def rows_of_a_gan(**params):
    """New rows of a table of two classes, made by a small GAN with dropout."""
    X, y = np.random.RandomState(0).randn(40, 3), np.repeat([0, 1], [30, 10])
    net = mlp_gan(alpha=1, max_steps=3, module__dropout=0.2)
    return GANOverSampler(net=net, random_state=0, **params).fit_resample(X, y)[0][40:]


@reported("a default dtype, no_grad, inference_mode or autocast around fit_resample", "pytorch #2138")
def settings_of_torch():
    expected = rows_of_a_gan()
    for setting in (torch.no_grad, torch.inference_mode, lambda: torch.autocast("cpu")):
        torch.set_default_dtype(torch.float64)
        try:
            with setting():
                before = torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")
                rows = rows_of_a_gan()
                after = torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")
            assert torch.get_default_dtype() == torch.float64
        finally:
            torch.set_default_dtype(torch.float32)
        assert after == before
        np.testing.assert_array_equal(rows, expected)


@reported("another thread that draws from torch's global stream during a fit", "pytorch #2138")
def another_thread_draws():
    expected = rows_of_a_gan()
    torch.manual_seed(0)
    stream, drawn, over = [torch.randn(16) for _ in range(200)], [], threading.Event()
    torch.manual_seed(0)

    def draw():
        while not over.wait(0.0005) and len(drawn) < len(stream):
            drawn.append(torch.randn(16))

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        rows = rows_of_a_gan()
    finally:
        over.set()
        thread.join()
    np.testing.assert_array_equal(rows, expected)
    assert drawn
    assert all(torch.equal(one, other) for one, other in zip(drawn, stream, strict=False))


@reported("an accelerator that is not there", "pytorch #2138")
def missing_accelerator():
    if not torch.backends.mps.is_available():
        with pytest.warns(UserWarning, match="device='mps' was asked for, but torch sees no MPS device here"):
            np.testing.assert_array_equal(rows_of_a_gan(device="mps"), rows_of_a_gan())
    with pytest.raises(ValueError, match="device='meta' is a device that nothing can be trained on; use 'auto', 'cpu'"):
        rows_of_a_gan(device="meta")


# Values: 540 rows of class 0 and 60 of class 1

Y = np.r_[np.zeros(540, int), np.ones(60, int)]


def new_rows(X, y=Y, *, net="gaussian", **params):
    """What a sampler adds to X."""
    sampler = GANOverSampler(net=net, random_state=0, **params)
    X_new, _ = sampler.fit_resample(X, y)
    return X_new.iloc[len(y) :] if isinstance(X_new, pd.DataFrame) else X_new[len(y) :]


def within(values, low: float, high: float) -> bool:
    """Whether all values lie in a range, and are not all the same."""
    values = np.asarray(values, dtype=float)
    return bool(low <= values.min() < values.max() <= high)


def rng() -> np.random.RandomState:
    return np.random.RandomState(0)


@reported("A1: images whose channels have different ranges", "phelber/EuroSAT #1")
def bands_of_different_ranges():
    r = rng()
    X = np.stack([r.rand(600, 16, 16) - 0.5, 3000 * r.rand(600, 16, 16)], 1).astype(np.float32)
    for net in (offspring(max_steps=2), dcgan(max_steps=2, module__width=4)):
        made = new_rows(X, net=net, shares={"net": 1})
        assert made.dtype == np.float32
        for channel in (0, 1):
            assert within(made[:, channel], X[:, channel].min(), X[:, channel].max())


@reported("A2: series of features", "imbalanced-learn #1102")
def series():
    r = rng()
    X = np.stack([20 + 10 * r.rand(600, 12), r.rand(600, 12)], 2)
    with pytest.warns(UserWarning, match=r"images of one channel, 12×2 pixels.*codec=ImageCodec\(channels='last'\)"):
        new_rows(X, net=offspring(max_steps=2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = new_rows(X, net=offspring(max_steps=2), shares={"net": 1}, codec=ImageCodec(channels="last"))
    assert made.shape == (480, 12, 2)
    assert within(made[:, :, 0], 20, 30)
    assert within(made[:, :, 1], 0, 1)


@reported("A3: flat rows with the channels last")
def flat_rows_with_channels_last():
    r = rng()
    images = r.rand(600, 16, 16, 3) * [1, 10, 100]
    codec = ImageCodec(image_shape=(16, 16, 3), channels="last")
    made = new_rows(images.reshape(600, -1), net=offspring(max_steps=2), shares={"net": 1}, codec=codec)
    made = made.reshape(-1, 16, 16, 3)
    for channel in range(3):
        assert within(made[..., channel], 0, 10**channel)
    assert codec.fit(images.reshape(600, -1)).layout_.data_shape == (3, 16, 16)


@reported("B1: rounding noise for most rows, and numbers for the rare ones", "SDV #294")
def noise_and_numbers():
    r = rng()
    column = np.where(Y, r.uniform(5, 49, 600), 1e-14 * r.randn(600))
    for net in ("gaussian", offspring(max_steps=5), mlp_gan(alpha=1, max_steps=100)):
        made = new_rows(np.c_[column, r.randn(600)], net=net)[:, 0]
        assert within(made, 5, 49)
        assert len(np.unique(made)) > 40


@reported("B2: classes on three scales", "SDV #294")
def classes_on_three_scales():
    r = rng()
    y = np.repeat([0, 1, 2], [400, 120, 80])
    scales = [1e-9 * (1 + 0.1 * r.randn(600)), 10 + r.uniform(-1, 1, 600), 1000 + r.uniform(-1, 1, 600)]
    X = np.c_[np.choose(y, scales), r.randn(600)]
    X_new, y_new = GANOverSampler(net="gaussian", random_state=0).fit_resample(X, y)
    for klass, low, high in ((1, 9, 11), (2, 999, 1001)):
        made = X_new[600:][y_new[600:] == klass, 0]
        assert within(made, low, high)
        assert len(np.unique(made)) > 40


@reported("B3: p-values and concentrations over many decades", "SDV #294")
def many_decades():
    r = rng()
    X = np.c_[np.where(Y, 10 ** r.uniform(-60, -20, 600), r.rand(600)), 10 ** r.uniform(-12, -3, 600)]
    made = np.log10(new_rows(X))
    assert within(made[:, 0], -60, -20)
    assert np.ptp(np.percentile(made[:, 0], [5, 95])) > 25
    assert np.ptp(np.percentile(made[:, 1], [5, 95])) > 6
    assert len(np.unique(made[:, 0])) > 200


@reported("B4: whole numbers that are floats because some are missing", "SDV #1433")
def ages_with_blanks():
    r = rng()
    ages = np.where(r.rand(600) < 0.1, np.nan, r.randint(18, 90, 600))
    made = new_rows(pd.DataFrame({"age": ages, "price": r.randint(100, 900, 600) / 100}))
    there = made["age"].dropna()
    assert (there == there.round()).all()
    assert within(there, 18, 89)
    assert (made["price"] == made["price"].round(2)).all()


@reported("D1: numbers held as objects", "SDV #1433", "SDV #315")
def numbers_as_objects():
    r = rng()
    a = r.randn(600)
    frame = pd.DataFrame({"a": a, "b": -a + 0.1 * r.randn(600)}).astype(object)
    frame["cents"] = [Decimal(int(i)) / 100 for i in r.randint(0, 9999, 600)]
    frame["gaps"] = np.where(r.rand(600) < 0.2, None, r.rand(600).astype(object))
    made = new_rows(frame)
    assert made.dtypes.map(pd.api.types.is_object_dtype).all()
    assert np.corrcoef(made["a"].astype(float), made["b"].astype(float))[0, 1] < -0.9
    assert {type(value) for value in made["cents"]} == {Decimal}
    assert max(-value.as_tuple().exponent for value in made["cents"]) <= 2
    assert {type(value) for value in made["gaps"]} == {float, type(None)}
    for name in frame:
        assert len(set(made[name].dropna()) - set(frame[name].dropna())) > 100
    frame["some"] = np.where(Y, "n/a", r.rand(600).astype(object))
    with pytest.raises(ValueError, match=r"Column 'some' holds numbers in 540 of 600 cells.*row 540 has 'n/a'"):
        new_rows(frame)


@reported("E1: infinity in objects, complex columns", "SDV #315")
def infinity_and_complex():
    X = rng().randn(600, 3).astype(object)
    X[7, 1] = np.inf
    with pytest.raises(ValueError, match=r"contains infinity.*\n.*row 7, column 1"):
        new_rows(X)
    frame = pd.DataFrame(rng().randn(600, 2), columns=["a", "b"])
    with pytest.raises(ValueError, match=r"Complex data not supported.\nRow 0, column 'z' holds"):
        new_rows(frame.assign(z=frame["a"] + 1j))


# Labels


@reported("F1: one-hot labels of every kind", "imbalanced-learn #410", "imbalanced-learn #489")
def one_hot_labels():
    X, y = rng().randn(600, 3), np.where(Y, "rare", "usual")
    every = [np.eye(2, dtype=kind)[Y] for kind in (int, bool, float)]
    every += [pd.get_dummies(pd.Series(y)), pd.get_dummies(pd.Series(y), dtype=float)]
    samplers = [
        GANOverSampler(net="gaussian", random_state=0),
        ConditionalGANAugmenter(0.5, net="gaussian", random_state=0),
        RecursiveAugmenter(ConditionalGANAugmenter(net="gaussian"), n_rounds=2, random_state=0),
        OverSamplerCV([RandomOverSampler()], random_state=0),
    ]
    for labels in every:
        for sampler in samplers:
            y_new = sampler.fit_resample(X, labels)[1]
            assert type(y_new) is type(labels)
            assert y_new.shape[1:] == (2,)
            assert len(y_new) > 600
            if isinstance(labels, pd.DataFrame):
                pd.testing.assert_frame_equal(y_new.iloc[:600], labels)
            else:
                assert y_new.dtype == labels.dtype
                np.testing.assert_array_equal(y_new[:600], labels)
            assert (np.asarray(y_new).sum(axis=1) == 1).all()


@reported("F2: missing labels, and labels of two types")
def missing_and_mixed_labels():
    X = rng().randn(600, 3)
    text = pd.Series(np.where(Y, "a", "b")).where(np.arange(600) != 5)
    for y in (text, text.astype(object), text.astype("category")):
        with pytest.raises(ValueError, match="Input y contains NaN: rows without a label cannot be over-sampled"):
            new_rows(X, y)
    with pytest.raises(ValueError, match=r"labels of the types int, str.*all of one type"):
        new_rows(X, [1 if k else "a" for k in Y])


@reported("F3: numbers and booleans as objects in y")
def objects_in_y():
    X = rng().randn(600, 3)
    for y in (Y.astype(object), Y.astype(bool).astype(object)):
        y_new = GANOverSampler(net="gaussian", random_state=0).fit_resample(X, y)[1]
        assert y_new.dtype == object
        assert type(y_new[-1]) is type(y[-1])
        assert sum(map(bool, y_new)) == 540


@reported("F4: two columns of class codes")
def two_columns_of_classes():
    X, r = rng().randn(600, 3), rng()
    y = r.choice([0, 3, 7], (600, 2))
    with pytest.raises(ValueError, match=r"whole numbers in several columns.*target='continuous'"):
        ConditionalGANAugmenter(0.5, net="mlp_gan", random_state=0).fit_resample(X, y)
    with pytest.raises(ValueError, match="Multilabel and multioutput targets are not supported"):
        new_rows(X, y)


@reported("F5: labels in a list, big-endian, and near 2**64")
def labels_keep_their_type():
    X = rng().randn(600, 3)
    for y in (list(Y), Y.tolist(), Y.astype(">i4"), Y.astype(np.uint64) + np.uint64(2**64 - 9)):
        y_new = GANOverSampler(net="gaussian", random_state=0).fit_resample(X, y)[1]
        assert type(y_new) is type(y)
        assert getattr(y_new, "dtype", None) == getattr(y, "dtype", None)
        assert {(type(label), label) for label in y_new} == {(type(label), label) for label in y}


@reported("F6: totals that are floats")
def float_totals():
    X = rng().randn(600, 3)
    assert len(new_rows(X, sampling_strategy={1: 100.0})) == 40
    for wrong in (60.5, float("nan"), True):
        with pytest.raises(ValueError, match="must give each class a number of rows of at least 0"):
            new_rows(X, sampling_strategy={1: wrong})


# Containers


@reported("H2: cells, names and shapes that no codec takes")
def unusual_containers():
    frame = pd.DataFrame(rng().randn(600, 2), columns=["a", "b"])
    with pytest.raises(ValueError, match="Column 'c' holds a list in row 0"):
        new_rows(frame.assign(c=[[1]] * 600))
    intervals = pd.arrays.IntervalArray.from_tuples([(int(k), k + 2) for k in rng().randint(0, 3, 600)])
    made = new_rows(frame.assign(c=intervals))
    assert made["c"].dtype == intervals.dtype
    levels = pd.DataFrame({("a", "x"): rng().randint(0, 3, 600), ("a", "y"): rng().rand(600)})
    assert set(new_rows(levels, categorical_features=[("a", "x")])[("a", "x")]) <= {0, 1, 2}
    images = [np.zeros((8, 8)), *[np.zeros((8, 9))] * 599]
    with pytest.raises(ValueError, match="X is a list whose rows have different shapes"):
        new_rows(images)
    sampler = GANOverSampler(net="gaussian", random_state=0)
    sampler.fit_resample(frame, Y)
    with pytest.raises(TypeError, match="The number of rows is given for each class"):
        sampler.sample(5)


@reported("H3: columns of Arrow, and integers beyond float64")
def arrow_columns():
    frame = pd.DataFrame({"a": rng().randn(600)})
    kinds = {
        "null": pd.array([None] * 600, dtype=pd.ArrowDtype(pa.null())),
        "dictionary": pd.array(["x", "y"] * 300, dtype=pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))),
        "binary": pd.array([b"x", b"y"] * 300, dtype=pd.ArrowDtype(pa.binary())),
    }
    frame = frame.assign(**kinds)
    made = new_rows(frame)
    assert (made.dtypes == frame.dtypes).all()
    assert made["null"].isna().all()
    assert set(made["dictionary"]) == {"x", "y"}
    with pytest.raises(ValueError, match=r"Column 'huge' holds numbers beyond ±1.8e308"):
        new_rows(frame.assign(huge=np.array([10**400 + i for i in range(600)], dtype=object)))
    with pytest.raises(ValueError, match="an axis of length 0 holds no pixels"):
        new_rows(np.zeros((600, 1, 0, 8)))


@reported("H4: one rule for the index, and a copy always")
def index_and_copies():
    levels = pd.MultiIndex.from_product([["a", "b"], range(300)])
    frame, y = pd.DataFrame({"a": rng().randn(600)}, index=levels), pd.Series(Y, index=levels, name="t")
    samplers = [
        GANOverSampler(sampling_strategy={1: 60}, net="gaussian"),
        GANOverSampler(net="gaussian"),
        ConditionalGANAugmenter(0, net="gaussian"),
        ConditionalGANAugmenter(0.5, net="gaussian"),
        OverSamplerCV([None]),
    ]
    for sampler in samplers:
        X_new, y_new = sampler.fit_resample(frame, y)
        assert X_new.index.equals(pd.RangeIndex(len(X_new)))
        assert y_new.index.equals(X_new.index)
        X_new.iloc[0, 0], y_new.iloc[0] = 99.0, 7
        assert frame.iloc[0, 0] != 99
        assert y.iloc[0] == 0
        array = frame.to_numpy()
        assert not np.shares_memory(sampler.fit_resample(array, Y)[0], array)


@reported("H5: counts of words", "smote_variants #43")
def counts_of_words():
    r = rng()
    weights = 1 / np.arange(1, 1001)
    words = np.array([f"w{i}" for i in range(1000)])
    texts = [" ".join(r.choice(words, r.randint(20, 45), p=weights / weights.sum())) for _ in range(600)]
    X = TfidfVectorizer().fit_transform(texts)
    made = new_rows(X, net="auto", max_steps=50)
    real, new = ((rows > 0).sum(axis=1).mean() for rows in (X, made))
    assert type(made) is type(X)
    assert 0.6 * real < new < 1.5 * real


@reported("H6: memory of a sparse table")
def memory_of_a_sparse_table():
    X = sparse.random(4_000, 400, density=0.01, format="csr", random_state=0)
    codec = TabularCodec()
    tracemalloc.start()
    try:
        encoded = codec.fit(X).transform(X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.5 * encoded.nbytes


@reported("identifiers and dates as text are named", "SDV #315")
def identifiers_are_named():
    frame = pd.DataFrame({"a": rng().randn(600), "customer_id": rng().permutation(600)})
    frame["seen"] = pd.date_range("2020", periods=600).strftime("%Y-%m-%d")
    with pytest.warns(UserWarning, match=r"Column 'customer_id' is named.*Column 'seen'.*Drop such columns"):
        new_rows(frame)
