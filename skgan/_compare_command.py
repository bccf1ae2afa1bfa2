"""``skgan compare``: does it help on these data?"""

import argparse
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import TimeSeriesSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgan._compare_images import embedding_for, stand_ins
from skgan._compared_rows import in_proportion
from skgan._comparison_plan import Plan, plan_of
from skgan._option_checks import check_for_table
from skgan._reading import load_data
from skgan._test_file import load_both
from skgan._tuning import checked_scorer
from skgan.classifier import CNNClassifier
from skgan.comparison import compare
from skgan.samplers import GANOverSampler, OverSamplerCV, checked_splits, default_estimator
from skgan.strategies import at_least

FOLDS = 5
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
    X, y, cv, how = _data(arguments)
    groups = _groups(arguments, len(y))
    images = np.ndim(X) > 2
    if not images:
        check_for_table(arguments)
    embed, note = embedding_for(X, arguments.embed, arguments.estimator, arguments.memory)
    name = arguments.estimator or ("cnn" if images and embed is None else "logistic")
    _check_folds(arguments, cv, X, y, groups)
    print(
        f"{len(y)} rows, {X.shape[1:]} each; classes: {_counted(y)}; classifier: {name}.{note and f' {note}'}\n",
        flush=True,
    )
    seconds = 0.0
    if embed is not None and arguments.dry_run:
        X, seconds = stand_ins(embed, X)
    elif embed is not None:
        X = embed.fit_transform(X)
    estimator = _estimator(name, X, embed is not None)
    samplers = _sampler(arguments, estimator)
    asked: dict[str, Any] = {
        "cv": cv,
        "scoring": arguments.scoring,
        "groups": groups,
        "memory": arguments.memory,
        "random_state": arguments.seed,
    }
    if arguments.dry_run:
        _tell_plan(plan_of(samplers, estimator, X, y, **asked), seconds, arguments.jobs)
        return
    result = compare(samplers, estimator, X, y, max_time=arguments.max_time, n_jobs=arguments.jobs, verbose=1, **asked)
    result.about = replace(result.about, file=_file(arguments), classifier=name, split=how or result.about.split)
    print(f"{result.formatted().to_string()}\n\n{result.verdict}\n{result.last_word}")
    for write, path, what in ((result.to_html, arguments.out, "Report"), (result.to_json, arguments.json, "JSON")):
        if path is not None:
            write(path)
            print(f"\n{what}: {path}")


def _groups(arguments: argparse.Namespace, n_rows: int) -> np.ndarray | None:
    if arguments.groups is None:
        return None
    groups = pd.read_csv(arguments.groups).iloc[:, 0].to_numpy()
    if len(groups) != n_rows:
        raise ValueError(f"{arguments.groups} has {len(groups)} groups, and there are {n_rows} rows.")
    return groups


def _data(arguments: argparse.Namespace) -> tuple[Any, np.ndarray, Any, str]:
    """Rows and labels, folds, and in words how these are cut, where ``compare`` cannot know it."""
    path, n_folds = arguments.data, arguments.folds or FOLDS
    given: dict[str, Any] = {"separator": arguments.sep, "drop": arguments.drop}
    cv: Any = n_folds
    how = ""
    if arguments.test is not None:
        (X, y, notes), n = load_both(path, arguments.test, arguments.target, arguments.size, **given)
        cv = [(np.arange(n), np.arange(n, len(y)))]
        how = f"one split: trained on {path.name} ({n} rows), judged on {arguments.test.name} ({len(y) - n} rows)"
    else:
        X, y, notes = load_data(path, arguments.target, arguments.size, time=arguments.time, **given)
        if arguments.time is not None:
            cv = TimeSeriesSplit(n_folds)
            how = f"{n_folds} folds in the order of {arguments.time!r}: trained on early rows, judged on the next later ones"
    for note in notes:
        print(note)
    if how:
        print(f"{how[0].upper()}{how[1:]}.")
    return X, y, cv, how


def _file(arguments: argparse.Namespace) -> str:
    return arguments.data.name if arguments.test is None else f"{arguments.data.name}, {arguments.test.name}"


def _tell_plan(plan: Plan, seconds: float, n_jobs: int | None) -> None:
    """What would be done, and how long it would take."""
    print(f"Lines: {'; '.join(plan.rows)}.{plan.missing}")
    if seconds:
        print(f"Embedding the images takes some {seconds:.0f} seconds.")
    of_fits = plan.seconds(n_jobs)
    print(f"{plan.told(of_fits).rstrip()} ({of_fits:.0f} seconds)")
    print("This was a dry run: nothing was compared, and nothing written.")


def _check_folds(arguments: argparse.Namespace, cv, X, y: np.ndarray, groups) -> None:
    """Refuse folds and scores that these classes do not allow, before images are embedded."""
    checked_scorer(arguments.scoring, y)
    if arguments.time is not None:
        _check_time(arguments, cv, X, y)
    if not isinstance(cv, int):
        return
    classes, counts = np.unique(y, return_counts=True)
    rarest, n = classes.tolist()[counts.argmin()], counts.min()
    if n < cv:
        fewer = f"use fewer folds (--folds {n}), or" if n > 1 else "no folds can have it:"
        raise ValueError(
            f"Class {rarest!r} has {n} {'row' if n == 1 else 'rows'}, and {cv} folds need "
            f"{cv} of it: {fewer} collect more rows of it, or leave the class out."
        )
    checked_splits(cv, X, y, groups, arguments.seed)


def _check_time(arguments: argparse.Namespace, cv, X, y: np.ndarray) -> None:
    """Refuse folds in time that lack a class on a side."""
    if len(y) <= cv.n_splits:
        raise ValueError(f"{len(y)} rows are too few for {cv.n_splits} folds in time: use fewer folds (--folds).")
    for number, (train, test) in enumerate(cv.split(X)):
        for rows, which in (
            (train, "early rows that fold {} is trained on"),
            (test, "later rows that fold {} is judged on"),
        ):
            missing = np.setdiff1d(y, y[rows]).tolist()
            if missing:
                raise ValueError(
                    f"Class {missing[0]!r} has none of the {len(rows)} {which.format(number + 1)}, in the order of "
                    f"{arguments.time!r}: use fewer folds than {cv.n_splits} (--folds), or leave the class out."
                )


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
