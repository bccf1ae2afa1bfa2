"""``skgan compare``: does it help on these data?"""

import argparse
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgan._compare_images import embedding_for
from skgan._compared_rows import in_proportion
from skgan._option_checks import check_for_table
from skgan._reading import load_data
from skgan._tuning import checked_scorer
from skgan.classifier import CNNClassifier
from skgan.comparison import compare
from skgan.samplers import GANOverSampler, OverSamplerCV, checked_splits, default_estimator
from skgan.strategies import at_least

ESTIMATORS = {
    "logistic": None,  # default_estimator's own
    "forest": lambda: RandomForestClassifier(random_state=0),
    "boosting": lambda: HistGradientBoostingClassifier(random_state=0),
    "knn": KNeighborsClassifier,
    "cnn": lambda: CNNClassifier(max_updates=300),
}


EMBEDDED_LOGISTIC = LogisticRegression(C=0.001, max_iter=500)
"""A strong penalty: embeddings have more columns than most classes have rows (benchmarks/embeddings.py)."""


def run_compare(arguments: argparse.Namespace) -> None:
    """Read the data, compare, print, and write the page."""
    if arguments.out is not None:
        import skgan.plotting  # noqa: F401  without matplotlib the page is refused now, not after an hour of work
    X, y, notes = load_data(
        arguments.data, arguments.target, arguments.size, separator=arguments.sep, drop=arguments.drop
    )
    for note in notes:
        print(note)
    groups = None
    if arguments.groups is not None:
        groups = pd.read_csv(arguments.groups).iloc[:, 0].to_numpy()
        if len(groups) != len(y):
            raise ValueError(f"{arguments.groups} has {len(groups)} groups, and there are {len(y)} rows.")
    images = np.ndim(X) > 2
    if not images:
        check_for_table(arguments)
    embed, note = embedding_for(X, arguments.embed, arguments.estimator)
    name = arguments.estimator or ("cnn" if images and embed is None else "logistic")
    _check_folds(arguments, X, y, groups)
    print(
        f"{len(y)} rows, {X.shape[1:]} each; classes: {_counted(y)}; classifier: {name}.{note and f' {note}'}\n",
        flush=True,
    )
    if embed is not None:
        X = embed.fit_transform(X)
    estimator = _estimator(name, X, embed is not None)
    result = compare(
        _sampler(arguments, estimator),
        estimator,
        X,
        y,
        cv=arguments.folds,
        scoring=arguments.scoring,
        groups=groups,
        max_time=arguments.max_time,
        n_jobs=arguments.jobs,
        random_state=arguments.seed,
        verbose=1,
    )
    print(f"{result.formatted().to_string()}\n\n{result.verdict}\n{result.last_word}")
    if arguments.out is not None:
        result.to_html(arguments.out)
        print(f"\nReport: {arguments.out}")


def _check_folds(arguments: argparse.Namespace, X, y: np.ndarray, groups) -> None:
    """Refuse folds and scores that these classes do not allow, before images are embedded."""
    checked_scorer(arguments.scoring, y)
    classes, counts = np.unique(y, return_counts=True)
    rarest, n = classes.tolist()[counts.argmin()], counts.min()
    if n < arguments.folds:
        fewer = f"use fewer folds (--folds {n}), or" if n > 1 else "no folds can have it:"
        raise ValueError(
            f"Class {rarest!r} has {n} {'row' if n == 1 else 'rows'}, and {arguments.folds} folds need "
            f"{arguments.folds} of it: {fewer} collect more rows of it, or leave the class out."
        )
    checked_splits(arguments.folds, X, y, groups, arguments.seed)


def _estimator(name: str, X, embedded: bool):
    """The classifier, behind what makes numbers of the rows."""
    make = ESTIMATORS[name]
    if name == "cnn":
        return make()
    steps = [StandardScaler()] if embedded else [step for _, step in default_estimator(X).steps[:-1]]
    last = EMBEDDED_LOGISTIC if embedded else default_estimator(X).steps[-1][1]
    return make_pipeline(*steps, last if make is None else make())


def _sampler(arguments: argparse.Namespace, estimator) -> dict[str, Any]:
    """The line of new rows, by its name."""
    net = arguments.net
    if arguments.sampler == "OverSamplerCV":
        return {"OverSamplerCV": OverSamplerCV(estimator=estimator, scoring=arguments.scoring)}
    name = "GANOverSampler" if net == "auto" else f"GANOverSampler ({net})"
    samplers = {name: GANOverSampler(sampling_strategy=at_least(1.0), net=net, max_steps=arguments.max_steps)}
    if isinstance(estimator, CNNClassifier) and net == "auto":
        samplers["ConditionalGANAugmenter"] = in_proportion().set_params(max_steps=arguments.max_steps)
    return samplers


def _counted(y: np.ndarray) -> str:
    classes, counts = np.unique(y, return_counts=True)
    shown = [f"{k} ({n})" for k, n in zip(classes.tolist(), counts.tolist(), strict=True)]
    return ", ".join(shown[:12]) + (f" … {len(shown)} in all" if len(shown) > 12 else "")
