"""Situations out of public bug reports of neighbouring libraries, each with the report that it goes back to.

A case raises nothing where skgan gives the right answer, or refuses in a sentence before any training.
"""

import io
import tempfile
import threading
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from imblearn.combine import SMOTEENN
from imblearn.ensemble import BalancedBaggingClassifier
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from skgan import CNNClassifier, GANOverSampler, OverSamplerCV, PriorCorrectedClassifier, cli
from skgan.datasets import load_image_folder
from skgan.presets import mlp_gan

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
