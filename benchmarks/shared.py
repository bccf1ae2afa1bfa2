"""What several benchmarks use: the long tails and their augmentation, the tables' folds and classifiers, seeded torch."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd
import torch
from data import TABLES, Images, fashion_mnist, long_tail, mnist_5k, table
from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler

from skgan._random import sub_seed
from skgan.augment import Flip, Rotation, Scale, Translation
from skgan.codecs import ImageCodec
from skgan.nets import OffspringNet
from skgan.samplers._blends import BlendMaker, MixtureMaker
from skgan.samplers._makers import CopyMaker, NetMaker
from skgan.samplers._training import Generator


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Run a block on torch's generators, seeded, and give them back as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def wanted_rows(y: np.ndarray, ratio: float = 1.0) -> np.ndarray:
    """Labels of the rows that bring every class to this share of the largest."""
    counts = np.bincount(y)
    return np.repeat(np.arange(len(counts)), (round(ratio * counts.max()) - counts).clip(0))


# Images

COUNTS = {
    "mnist": (250, 180, 110, 70, 45, 30, 20, 12, 8, 5),
    "fashion": (4000, 2000, 1000, 750, 500, 350, 200, 100, 60, 40),
}
TRADITIONAL = [Translation(0.08), Rotation(10), Scale(0.1)]
AUGMENT = {"mnist": TRADITIONAL, "fashion": [*TRADITIONAL, Flip()]}


@functools.lru_cache(maxsize=2)
def tail(dataset: str, seed: int) -> tuple[np.ndarray, np.ndarray, Images]:
    """The long-tailed training set and the whole data set it was cut from."""
    rng = np.random.RandomState(seed)
    whole = mnist_5k(seed) if dataset == "mnist" else fashion_mnist()
    order = rng.permutation(10) if dataset == "mnist" else None
    return *long_tail(whole.x_train, whole.y_train, COUNTS[dataset], rng, order), whole


def flat_resampled(sampler, X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Images through a sampler of rows."""
    flat, y = sampler.fit_resample(X.reshape(len(X), -1), y)
    return flat.reshape(-1, *X.shape[1:]), y


def rows_of(net: OffspringNet, shares, X: np.ndarray, y: np.ndarray, y_new: np.ndarray, seed: int) -> np.ndarray:
    """Images (n, H, W) of the classes ``y_new``, from parents in (X, y).

    ``shares`` are the weights of a trained net's rows, of mixtures and of copies.
    """
    codec, encoded = ImageCodec(value_range="dtype").fit(X), X[:, None]
    generator = Generator(net, net.export(), (encoded, y))
    made = np.empty((len(y_new), *encoded.shape[1:]), np.float32)
    for klass in np.unique(y_new):
        where, members = np.flatnonzero(y_new == klass), np.flatnonzero(y == klass)
        makers = {
            "net": NetMaker(generator, klass, ""),
            "mixture": MixtureMaker(encoded, members, codec),
            "copy": CopyMaker(encoded, members),
        }
        weights = {name: weight for name, weight in zip(makers, shares, strict=True) if weight}
        blend = BlendMaker({name: makers[name] for name in weights}, weights)
        made[where] = blend.block(sub_seed(seed, int(klass)), len(where)).rows
    return codec.inverse_transform(made)


# Tables

SMALLER_TABLES = tuple(name for name in TABLES if not name.startswith("page-blocks"))
CLASSIFIERS = {
    "logistic regression": lambda: LogisticRegression(max_iter=1000),
    "k-NN": KNeighborsClassifier,
    "MLP": lambda: MLPClassifier((64,), max_iter=150, random_state=0),
    "random forest": lambda: RandomForestClassifier(100, random_state=0, n_jobs=1),
    "gradient boosting": lambda: HistGradientBoostingClassifier(random_state=0),
}


@functools.lru_cache(maxsize=2)
def folds(name: str, n_folds: int, n_repeats: int, max_rows: int | None = None):
    """X, y as integers, and the (train, test) rows of each fold; a larger table is cut to about ``max_rows`` first."""
    X, y = table(name)
    labels = LabelEncoder().fit_transform(y)
    if max_rows is not None and len(X) > max_rows:
        rows = cut(labels, max_rows)
        X, labels = X.iloc[rows].reset_index(drop=True), labels[rows]
    splitter = RepeatedStratifiedKFold(n_splits=n_folds, n_repeats=n_repeats, random_state=0)
    return X, labels, list(splitter.split(X, labels))


def cut(y: np.ndarray, n_rows: int, least: int = 6) -> np.ndarray:
    """Rows of a stratified cut, the same in every run; no class falls below ``least`` rows unless it had fewer."""
    counts = np.bincount(y)
    kept = np.minimum(counts, np.maximum(least, np.round(counts * n_rows / len(y)).astype(int)))
    order = np.random.RandomState(0).permutation(len(y))
    return np.sort(np.concatenate([order[y[order] == klass][:n] for klass, n in enumerate(kept)]))


def filled(X: pd.DataFrame, X_test: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both sides with missing values replaced by the training side's median, or its most frequent category."""
    if not (X.isna().any(axis=None) or X_test.isna().any(axis=None)):
        return X, X_test
    is_text = [isinstance(dtype, pd.CategoricalDtype) for dtype in X.dtypes]
    values = {c: X[c].mode()[0] if text else X[c].median() for c, text in zip(X, is_text, strict=True)}
    return X.fillna(values), X_test.fillna(values)


def encoded(classifier) -> Pipeline:
    """The classifier behind one-hot and standardised columns."""
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), make_column_selector(dtype_include="category")),
        remainder="passthrough",
    )
    return make_pipeline(encode, StandardScaler(), classifier)


def model_of(classifier: str) -> Pipeline:
    """One of ``CLASSIFIERS`` behind one-hot and standardised columns."""
    return encoded(CLASSIFIERS[classifier]())


def smote(X: pd.DataFrame, y: np.ndarray, seed: int):
    """SMOTE for numbers, SMOTENC for both kinds of columns, SMOTEN for categories."""
    k = min(5, int(np.bincount(y).min()) - 1)
    categorical = [i for i, dtype in enumerate(X.dtypes) if isinstance(dtype, pd.CategoricalDtype)]
    if not categorical:
        return SMOTE(k_neighbors=k, random_state=seed)
    if len(categorical) == X.shape[1]:
        return SMOTEN(k_neighbors=k, random_state=seed)
    return SMOTENC(categorical, k_neighbors=k, random_state=seed)
