"""Help for searches over samplers."""

from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV, ParameterGrid, ParameterSampler, RandomizedSearchCV, check_cv
from sklearn.pipeline import Pipeline

from skgan._compat import num_samples, safe_indexing
from skgan._parallel import Call, results_of
from skgan._statistics import simplest_of_the_best
from skgan.samplers import BaseGenerativeSampler, describe, resamples


def prefit_generators(
    search: Any, X: Any, y: Any, *, groups: Any = None, n_jobs: int | None = None, **params: Any
) -> None:
    """Train the generators that a search needs, one joblib task per fold, before the search only samples.

    The sampler's ``memory`` keeps them; ``search.fit(X, y)`` then finds every one. Worth it with several workers: they would
    otherwise wait for each other on the first fold.

    Parameters
    ----------
    search : GridSearchCV or RandomizedSearchCV
        Around a pipeline with a :class:`skgan.GANOverSampler` or :class:`skgan.ConditionalGANAugmenter` that has
        ``memory`` and ``random_state``.
    X, y
        As for ``search.fit``.
    groups : array-like of shape (n,) or None, default=None
        For a ``cv`` that keeps groups together.
    n_jobs : int or None, default=None
        Workers; None is 1, or what a surrounding ``joblib.parallel_config`` says.
    **params
        Metadata of shape (n, …) for the sampler's ``fit_resample``, such as ``condition``.

    Raises
    ------
    ValueError
        Where nothing could be kept or found again: no sampler of skgan, no ``memory``, no ``random_state``, a ``cv`` or a
        random search that draws anew each time, or a search that gives its candidates parts of the rows.

    Examples
    --------
    >>> from skgan import prefit_generators
    >>> prefit_generators(search, X, y, n_jobs=2)  # doctest: +SKIP
    >>> search.fit(X, y)  # doctest: +SKIP
    """
    parts = _parts(search)
    cv = check_cv(search.cv, y, classifier=is_classifier(search.estimator))
    splits, again = ([train for train, _ in cv.split(X, y, groups)] for _ in range(2))
    if not all(np.array_equal(one, two) for one, two in zip(splits, again, strict=True)):
        raise ValueError(
            f"cv={search.cv!r} splits differently each time: give it a random_state, so that the search sees these folds."
        )
    if search.refit:
        splits.append(np.arange(num_samples(X)))
    names = [f"fold {fold}" for fold in range(len(splits) - bool(search.refit))] + ["all rows"] * bool(search.refit)
    calls = [
        Call(f"the training on {name}", _train_fold, (parts, X, y, rows, params))
        for name, rows in zip(names, splits, strict=True)
    ]
    for _ in results_of(calls, n_jobs):
        pass


def _parts(search) -> list[list[Any]]:
    """The steps up to the sampler, of every candidate that has them different."""
    parts = {}
    for candidate in _candidates(search):
        pipeline = clone(search.estimator).set_params(**candidate)
        steps = pipeline.steps if isinstance(pipeline, Pipeline) else []
        estimators = [step for _, step in steps if step not in (None, "passthrough")]
        at = next((i for i, step in enumerate(estimators) if isinstance(step, BaseGenerativeSampler)), None)
        if at is None:
            continue  # a candidate that puts another sampler, or none, in its place
        for name in ("memory", "random_state"):
            if estimators[at].get_params(deep=False)[name] is None:
                raise ValueError(
                    f"prefit_generators trains what the search then finds in the sampler's cache, and the sampler has {name}="
                    "None: set memory to a folder and random_state to an int."
                )
        parts[repr(describe(estimators[: at + 1]))] = estimators[: at + 1]
    if not parts:
        raise ValueError(
            "prefit_generators needs a search over an imbalanced-learn Pipeline with a GANOverSampler or a "
            f"ConditionalGANAugmenter as one of its steps; got {search.estimator!r}."
        )
    return list(parts.values())


def _train_fold(parts: list[list[Any]], X, y, rows: np.ndarray, params: dict[str, Any]) -> None:
    """Bring these rows to every sampler, as its pipeline would, and let it train."""
    X, y = safe_indexing(X, rows), safe_indexing(y, rows)
    params = {name: safe_indexing(value, rows) for name, value in params.items()}
    for part in parts:
        X_part, y_part = X, y
        *before, sampler = map(clone, part)
        for step in before:
            if resamples(step):
                X_part, y_part = step.fit_resample(X_part, y_part)
            else:
                X_part = step.fit_transform(X_part, y_part)
        sampler.train(X_part, y_part, **params)  # the rows are the search's business


def _candidates(search) -> list[dict[str, Any]]:
    if isinstance(search, GridSearchCV):
        return list(ParameterGrid(search.param_grid))
    if isinstance(search, RandomizedSearchCV):
        if search.random_state is None:
            raise ValueError(
                "RandomizedSearchCV with random_state=None draws other candidates each time; give it an int."
            )
        return list(ParameterSampler(search.param_distributions, search.n_iter, random_state=search.random_state))
    raise ValueError(
        f"prefit_generators takes a GridSearchCV or a RandomizedSearchCV, whose candidates all see whole folds; got a "
        f"{type(search).__name__}."
    )


def one_standard_error(cv_results: dict[str, Any]) -> int:
    """A ``refit=`` callable: the simplest candidate within one standard error of the best.

    Candidates come in the order of the grid, so "simplest" is the first: write the values from the simplest on, such as
    ``[0, 0.25, 0.5, 1]`` (Breiman et al., "Classification and regression trees", 1984, section 3.4.3).

    Parameters
    ----------
    cv_results : dict
        As a search of one metric gives it.

    Returns
    -------
    int
        Index of the candidate.

    Raises
    ------
    ValueError
        Where every candidate failed, and for searches of several metrics.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skgan.model_selection import one_standard_error
    >>> X, y = make_classification(random_state=0)
    >>> grid = {"C": [0.001, 0.01, 0.1, 1, 10]}
    >>> search = GridSearchCV(LogisticRegression(), grid, refit=one_standard_error).fit(X, y)
    >>> search.best_params_
    {'C': 0.001}
    """
    if "mean_test_score" not in cv_results:
        raise ValueError("one_standard_error chooses by one metric: give the search one scoring, not several.")
    mean = np.asarray(cv_results["mean_test_score"], dtype=float)
    if np.isnan(mean).all():
        raise ValueError("Every candidate failed or scored NaN: there is no best one to choose from.")
    splits = [key for key in cv_results if key.startswith("split") and key.endswith("_test_score")]
    spread = np.asarray(cv_results["std_test_score"])[np.nanargmax(mean)]  # the population's
    return simplest_of_the_best(mean, spread / np.sqrt(max(1, len(splits) - 1)))
