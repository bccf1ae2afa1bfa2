"""compare(): does a sampler help on these data? A table, and a verdict in plain words."""

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from imblearn.pipeline import Pipeline, make_pipeline
from joblib import Parallel, delayed
from scipy import stats
from sklearn.base import clone
from sklearn.metrics import average_precision_score, confusion_matrix, get_scorer
from sklearn.preprocessing import label_binarize
from tqdm import tqdm

from skgan._compat import safe_indexing
from skgan._report import GeneratedRows, look_at, page
from skgan._torch import draw_seeds
from skgan.augment import Rotation, Scale, Translation
from skgan.prior import PriorCorrectedClassifier
from skgan.samplers import GANOverSampler, OverSamplerCV
from skgan.samplers._base import GenerativeSamplerMixin
from skgan.samplers._cv import NOTHING, auto_samplers, checked_splits, rarest_class

CORRECTED, WEIGHTS, AUGMENTED = "nothing, prior-corrected", "class weights", " + augmentation"
RANKING = "average precision"
ENOUGH = 0.99
"""A score of nothing above which there is little left to win."""


@dataclass
class Comparison:
    """What :func:`compare` found.

    Attributes
    ----------
    table : DataFrame
        A line per row of the comparison: score and its standard error; difference to nothing, and its 95 % interval (low,
        high); average precision; seconds of a fold (a generator that two rows share is counted in the first of them).
    folds : DataFrame
        A line per row and fold: score, average precision, seconds.
    verdict : str
        In plain words, with its numbers.
    complete : bool
        False where ``max_time`` ended it before the last fold.
    confusion_matrices : dict
        Row → ndarray of shape (n_classes, n_classes), summed over the folds.
    classes : ndarray
        The classes, sorted.
    scoring : str
        What "score" is.
    generated : dict
        Name of each sampler of skgan → :class:`skgan._report.GeneratedRows` of the first fold.
    """

    table: pd.DataFrame
    folds: pd.DataFrame
    verdict: str
    complete: bool
    confusion_matrices: dict[str, np.ndarray] = field(repr=False)
    classes: np.ndarray = field(repr=False)
    scoring: str = "balanced_accuracy"
    generated: dict[str, GeneratedRows] = field(default_factory=dict, repr=False)

    def plot(self, ax=None):
        """Differences to nothing with their intervals, one line a row; returns the axes. Needs matplotlib."""
        from skgan.plotting import plot_differences

        return plot_differences(self.table, self.scoring, ax)

    def to_html(self, path) -> None:
        """Write one page that needs no network. Needs matplotlib.

        Verdict, table, differences, confusion matrices, and of skgan's samplers what they made: rows beside their parents or
        nearest real rows, copy and filter reports, losses.

        Parameters
        ----------
        path : str or path
            Overwritten where it exists.
        """
        Path(path).write_text(page(self), encoding="utf-8")

    def formatted(self) -> pd.DataFrame:
        """The table as text: mean ± standard error, and differences with their intervals."""
        rows = {
            name: {
                self.scoring.replace("_", " "): f"{row['score']:.3f} ± {row['standard error']:.3f}",
                "over nothing": f"{row['over nothing']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"
                if name != NOTHING
                else "",
                RANKING: "" if np.isnan(row[RANKING]) else f"{row[RANKING]:.3f}",
                "seconds a fold": f"{row['seconds']:.1f}",
            }
            for name, row in self.table.iterrows()
        }
        return pd.DataFrame(rows).T


def compare(
    samplers,
    estimator,
    X,
    y,
    *,
    cv=5,
    scoring="balanced_accuracy",
    groups=None,
    max_time=None,
    n_jobs=None,
    random_state=None,
    verbose=0,
) -> Comparison:
    """Cross-validate an estimator behind each sampler, and beside everything that costs nothing.

    Rows that are always there: nothing; nothing with the probabilities corrected to equal classes, where the estimator has
    probabilities; class weights, where it has them; copies; SMOTE (SMOTENC, SMOTEN), where it works on such rows. For a
    :class:`skgan.CNNClassifier` on images all of them again with traditional augmentation (shift, rotation, scale).

    Parameters
    ----------
    samplers : sampler, list, dict of name → sampler, or None
        None is :class:`skgan.GANOverSampler`.
    estimator : classifier
        Cloned for every fit.
    X, y
        As for the samplers.
    cv : int, splitter or iterable, default=5
        An int means shuffled, stratified folds, which keep groups together where ``groups`` are given.
    scoring : str or callable, default="balanced_accuracy"
        What decides.
    groups : array-like of shape (n,) or None, default=None
        Rows of one group stay on one side of every fold.
    max_time : float or None, default=None
        Seconds after which no further fold is begun; at least two are run.
    n_jobs : int or None, default=None
        Fits at once, in processes.
    random_state : int, RandomState or None, default=None
        Of the folds, and of samplers and estimators whose own is None.
    verbose : int, default=0
        1 shows progress and the time left on the standard error stream.

    Returns
    -------
    Comparison

    Notes
    -----
    The interval of a difference is that of the corrected resampled t-test (Nadeau & Bengio, "Inference for the generalization
    error", Machine Learning 52, 2003): variance × (1 / k + n_test / n_train), because folds share their training rows.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from imblearn.over_sampling import BorderlineSMOTE
    >>> from skgan import compare
    >>> X, y = make_classification(400, weights=[0.85], class_sep=3, flip_y=0, random_state=0)
    >>> result = compare(BorderlineSMOTE(), LogisticRegression(), X, y, random_state=0)
    >>> "nothing" in result.table.index, result.complete
    (True, True)
    """
    fold_seed, seed = draw_seeds(random_state, 2)
    GANOverSampler().fit(X, y)  # refuses rows and labels that no sampler takes, in sentences
    labels = np.asarray(y)
    scorer = get_scorer(scoring) if isinstance(scoring, str) else scoring
    splits = checked_splits(cv, X, labels, groups, fold_seed)
    rows, own = _rows(samplers, estimator, X, rarest_class(labels, splits), seed)
    begin, cells, complete = time.perf_counter(), [], True
    classes = np.unique(labels)
    matrices = {name: np.zeros((len(classes),) * 2, int) for name in rows}
    generated: dict[str, GeneratedRows] = {}
    with TemporaryDirectory() as folder:
        _share_trainings(rows, folder)
        bar = tqdm(total=len(splits) * len(rows), unit="fit", disable=not verbose)
        for fold, (train, test) in enumerate(splits):
            if max_time is not None and fold > 1 and time.perf_counter() - begin > max_time:
                complete = False
                break
            jobs = [(row, scorer, X, labels, train, test, not fold and name in own) for name, row in rows.items()]
            done = Parallel(n_jobs=n_jobs, return_as="generator")(delayed(_cell)(*job) for job in jobs)
            for name, (values, matrix, made, error) in zip(list(rows), done, strict=True):
                bar.update()
                if error is None:
                    cells.append({"row": name, "fold": fold, **values})
                    matrices[name] += matrix
                    if made is not None and not name.endswith(AUGMENTED):
                        generated[name] = made
                    continue
                del rows[name], matrices[name]
                bar.total -= len(splits) - fold - 1
                if name == NOTHING or own == [name]:
                    raise ValueError(
                        f"The row {name!r} failed in fold {fold}, and without it there is nothing to compare."
                    ) from error
                own = [other for other in own if other != name]
                warnings.warn(
                    f"The row {name!r} failed in fold {fold} and is left out: {type(error).__name__}: {error}",
                    UserWarning,
                    stacklevel=2,
                )
        bar.close()
    folds = pd.DataFrame(cells)
    folds = folds[folds["row"].isin(rows)].reset_index(drop=True)
    share = float(np.mean([len(test) / len(train) for train, test in splits]))
    table = _table(folds, share)
    name = scoring if isinstance(scoring, str) else getattr(scoring, "__name__", "score")
    words = _verdict(table, folds, own, share, name)
    if not complete:
        words += f" Cut by max_time={max_time:g}: {folds['fold'].nunique()} of {len(splits)} folds."
    return Comparison(table, folds, words, complete, matrices, classes, name, generated)


def _rows(samplers, estimator, X, rarest: int, seed: int) -> tuple[dict[str, Any], list[str]]:
    """Name → unfitted estimator, and the names of those with the caller's samplers."""
    candidates = {name.removesuffix(" to 100%"): s for name, s in auto_samplers(X, rarest, amounts=(1.0,)).items()}
    own = {name: sampler for name, sampler in candidates.items() if isinstance(sampler, GANOverSampler)}
    free = {name: sampler for name, sampler in candidates.items() if name not in own and sampler is not None}
    if samplers is not None:
        if hasattr(samplers, "fit_resample"):
            samplers = [samplers]
        own = dict(samplers) if isinstance(samplers, Mapping) else {type(s).__name__: s for s in samplers}
        wrong = [name for name, s in own.items() if not hasattr(s, "fit_resample") or isinstance(s, type)]
        if wrong:
            raise TypeError(f"samplers must hold samplers such as GANOverSampler(); {wrong[0]} is {own[wrong[0]]!r}.")
    plain = {NOTHING: clone(estimator)}
    if hasattr(estimator, "predict_proba"):
        plain[CORRECTED] = PriorCorrectedClassifier(clone(estimator), prior="uniform")
    weighted = [name for name in estimator.get_params() if name == "class_weight" or name.endswith("__class_weight")]
    if weighted:
        plain[WEIGHTS] = clone(estimator).set_params(**dict.fromkeys(weighted, "balanced"))
    resampled = {name: make_pipeline(sampler, clone(estimator)) for name, sampler in {**free, **own}.items()}
    rows = {**plain, **resampled}
    if np.ndim(X) > 2 and "augment" in estimator.get_params(deep=False):
        transforms = [Translation(0.08), Rotation(10), Scale(0.1)]
        rows |= {name + AUGMENTED: _augmented(row, transforms) for name, row in rows.items()}
    names = [name for name in rows if name.removesuffix(AUGMENTED) in own]
    return {name: _seeded(row, seed) for name, row in rows.items()}, names


def _augmented(row, transforms):
    row = clone(row)
    inner = row.steps[-1][1] if isinstance(row, Pipeline) else getattr(row, "estimator", row)
    inner.set_params(augment=transforms)
    return row


def _seeded(row, seed: int):
    """The same seed wherever a random_state is None."""
    unset = [name for name, value in row.get_params().items() if name.endswith("random_state") and value is None]
    return clone(row).set_params(**dict.fromkeys(unset, seed))


def _share_trainings(rows: dict[str, Any], folder: str) -> None:
    """Rows that differ in what follows the sampler only train its generator once a fold."""
    for row in rows.values():
        sampler: Any = row.steps[0][1] if isinstance(row, Pipeline) else None
        if isinstance(sampler, GenerativeSamplerMixin | OverSamplerCV) and sampler.memory is None:
            sampler.set_params(memory=folder)


def _cell(
    row, scorer, X, y, train: np.ndarray, test: np.ndarray, look: bool
) -> tuple[dict[str, float], Any, GeneratedRows | None, Exception | None]:
    """One fit: score, average precision and seconds; the confusion matrix; what its sampler made; and what went wrong."""
    begin = time.perf_counter()
    classes = np.unique(y)
    X_train, X_test, y_test = safe_indexing(X, train), safe_indexing(X, test), y[test]
    try:
        fitted = clone(row).fit(X_train, y[train])
        values = {"score": float(scorer(fitted, X_test, y_test)), RANKING: np.nan}
        if hasattr(fitted, "predict_proba"):
            truth = label_binarize(y_test, classes=classes)
            probability = fitted.predict_proba(X_test)
            values[RANKING] = average_precision_score(truth, probability[:, 1] if truth.shape[1] == 1 else probability)
        matrix = confusion_matrix(y_test, fitted.predict(X_test), labels=classes)
    except Exception as error:  # one row must not end the comparison of the others
        return {}, None, None, error
    values["seconds"] = time.perf_counter() - begin
    made = look_at(fitted.steps[0][1], X_train, y[train], X_test, y_test) if look else None
    return values, matrix, made, None


def interval(differences, share: float) -> tuple[float, float]:
    """95 % interval of a mean difference over folds whose test side is this share of their training side."""
    values = np.asarray(differences, dtype=float)
    k = len(values)
    half = stats.t.ppf(0.975, k - 1) * np.sqrt((1 / k + share) * values.var(ddof=1)) if k > 1 else np.inf
    return float(values.mean() - half), float(values.mean() + half)


def _table(folds: pd.DataFrame, share: float) -> pd.DataFrame:
    wide = folds.pivot(index="fold", columns="row", values="score")
    lines = {}
    for name, part in folds.groupby("row", sort=False):
        difference = wide[name] - wide[NOTHING]
        low, high = interval(difference, share)
        lines[name] = {
            "score": part["score"].mean(),
            "standard error": part["score"].sem(),
            "over nothing": difference.mean(),
            "low": low,
            "high": high,
            RANKING: part[RANKING].mean(),
            "seconds": part["seconds"].mean(),
        }
    return pd.DataFrame(lines).T


def _verdict(table: pd.DataFrame, folds: pd.DataFrame, own: list[str], share: float, scoring: str) -> str:
    """Who wins, over what, and by how much."""
    wide = folds.pivot(index="fold", columns="row", values="score")
    free = [name for name in table.index if name not in own]
    best_free, best_own = table.loc[free, "score"].idxmax(), table.loc[own, "score"].idxmax()
    best = table["score"].idxmax()
    nothing, metric = table.loc[NOTHING, "score"], scoring.replace("_", " ")

    def points(name: str, over: str = NOTHING) -> str:
        difference = wide[name] - wide[over]
        low, high = interval(difference, share)
        return (
            f"{100 * difference.mean():+.1f} points of {metric} (95 % interval {100 * low:+.1f} to {100 * high:+.1f})"
        )

    if nothing >= ENOUGH:
        return f"Nothing is needed: without any new row the {metric} is {nothing:.3f}."
    if not (table["low"] > 0).any():
        return (
            f"No sampler helps: no row is better than nothing ({nothing:.3f} {metric}) by more than chance. The best, {best}, "
            f"is at {points(best)}."
        )
    if table.loc[best_own, "low"] <= 0:
        text = f"{best_own} does not help here: {points(best_own)}; {best_free} does: {points(best_free)}."
    elif interval(wide[best_own] - wide[best_free], share)[0] > 0:
        text = f"{best_own} helps here: {points(best_own)} over nothing, "
        text += (
            "which is the best of what costs nothing."
            if best_free == NOTHING
            else f"and {points(best_own, best_free)} over the best of what costs nothing, {best_free}."
        )
    else:
        text = (
            f"{best_own} is better than nothing, {points(best_own)}, but by no more than chance better than {best_free}, which "
            f"costs nothing: {points(best_free)}. Take {best_free}."
        )
    if CORRECTED in table.index and CORRECTED not in (best, best_free):
        behind = table.loc[best, "score"] - table.loc[CORRECTED, "score"]
        if behind <= table.loc[best, "standard error"]:
            text += " A prior correction of the probabilities, without new rows, gives the same."
    changes = {name: table.loc[name, RANKING] - table.loc[NOTHING, RANKING] for name in dict.fromkeys((best, best_own))}
    if all(np.isfinite(change) for change in changes.values()):
        told = [
            f"{name} {'unchanged' if abs(change) < 0.005 else f'{100 * change:+.1f} points of average precision'}"
            for name, change in changes.items()
        ]
        text += f" Ranking: {', '.join(told)}."
    return text
