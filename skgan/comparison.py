"""compare(): does a sampler help on these data? A table, and a verdict in plain words."""

import html
import inspect
import textwrap
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, confusion_matrix
from sklearn.preprocessing import label_binarize
from tqdm import tqdm

from skgan._about import About
from skgan._compared_rows import AUGMENTED, sampler_of
from skgan._comparison_plan import plan_of
from skgan._decision import OutOfFold, response_of, would_choose
from skgan._folds import Cell, cross_validated
from skgan._generated import GeneratedRows, look_at
from skgan._kept_fits import Measured
from skgan._one_split import resampled_scores
from skgan._report import page
from skgan._report_json import as_json
from skgan._scratch import scratch_folder
from skgan._statistics import with_error
from skgan._tuning import Judge
from skgan._verdict import CORRECTED, RANKING, paired, verdict_of
from skgan._warnings import warn
from skgan._whole import written_whole
from skgan.samplers import NOTHING, share_memory


@dataclass(repr=False)
class Comparison:
    """What :func:`compare` found.

    Attributes
    ----------
    table : DataFrame
        A line per row of the comparison: score and its standard error; difference to nothing, and its 95 % interval (low,
        high); average precision; seconds of a fit (a generator that two rows share is counted in the first of them).
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
    about : About
        Data, classifier, folds, seed, date and versions.
    scoring : str
        What "score" is.
    generated : dict
        Name of each sampler of skgan → :class:`skgan._generated.GeneratedRows` of the first fold.
    choice : str
        What :class:`skgan.ImbalancedClassifierCV` would choose by these folds, of sampler and decision rule, such as "nothing,
        corrected". No fit is done for it. Rows with augmentation are another classifier and are left out.
    """

    table: pd.DataFrame
    folds: pd.DataFrame
    verdict: str
    complete: bool
    confusion_matrices: dict[str, np.ndarray]
    classes: np.ndarray
    about: About
    scoring: str = "balanced_accuracy"
    generated: dict[str, GeneratedRows] = field(default_factory=dict)
    choice: str = ""

    def __repr__(self) -> str:
        """The table and the verdict as text."""
        words = (textwrap.fill(part, 110) for part in (self.verdict, self.last_word) if part)
        return "\n\n".join([self.formatted().to_string(), *words])

    def _repr_html_(self) -> str:
        """The same in a notebook."""
        words = (f"<p>{html.escape(part)}</p>" for part in (self.verdict, self.last_word) if part)
        return f"{self.formatted().to_html()}{''.join(words)}"

    @property
    def last_word(self) -> str:
        """The choice as a sentence."""
        rule = "which takes the cheapest within a standard error of the best"
        return f"ImbalancedClassifierCV, {rule}, would choose: {self.choice}." if self.choice else ""

    def plot(self, ax: Any = None) -> Any:
        """Differences to nothing with their intervals, one line a row; returns the axes. Needs matplotlib."""
        from skgan.plotting import plot_differences

        return plot_differences(self.table, self.scoring, ax)

    def to_html(self, path: Any) -> None:
        """Write one page that needs no network. Needs matplotlib.

        Verdict, what was compared and with what, table, differences, confusion matrices, and of skgan's samplers what they
        made: rows beside their parents or nearest real rows, columns of real rows against new ones, copy ratio, share of
        near-copies, how well a classifier tells new rows from real ones, the filter's report, losses.

        Parameters
        ----------
        path : str or path
            Replaced where it exists, when the page is whole; a failure leaves what was there.
        """
        _write(path, page(self))

    def to_json(self, path: Any) -> None:
        """Write the figures of the page as one JSON object; NaN is null. The user guide lists the keys.

        Parameters
        ----------
        path : str or path
            As of ``to_html``.
        """
        _write(path, as_json(self))

    def formatted(self) -> pd.DataFrame:
        """The table as text: mean ± standard error, and differences with their intervals."""
        rows = {
            name: {
                self.scoring.replace("_", " "): with_error(
                    self.folds.loc[self.folds["row"] == name, "score"], digits=3
                ),
                "over nothing": "" if name == NOTHING else _difference(row),
                RANKING: "" if np.isnan(row[RANKING]) else f"{row[RANKING]:.3f}",
                "seconds a fit": f"{row['seconds']:.1f}",
            }
            for name, row in self.table.iterrows()
        }
        return pd.DataFrame(rows).T


def _write(path, text: str) -> None:
    with written_whole(path) as half:
        half.write_text(text, encoding="utf-8")


def _difference(row: pd.Series) -> str:
    interval = "" if np.isnan(row["low"]) else f" ({row['low']:+.3f} to {row['high']:+.3f})"
    return f"{row['over nothing']:+.3f}{interval}"


def compare(
    samplers: Any,
    estimator: Any,
    X: Any,
    y: Any,
    *,
    cv: Any = 5,
    scoring: Any = "balanced_accuracy",
    groups: Any = None,
    max_time: float | None = None,
    n_jobs: int | None = None,
    memory: Any = None,
    random_state: int | np.random.RandomState | None = None,
    verbose: int | None = 0,
) -> Comparison:
    """Cross-validate an estimator behind each sampler, and beside everything that costs nothing.

    Rows that are always there: nothing; nothing with the probabilities corrected to equal classes, where the estimator has
    probabilities; class weights, where it has them; copies; SMOTE (SMOTENC, SMOTEN), where it works on such rows, and else
    the verdict says why not. For a :class:`skgan.CNNClassifier` on images all of them again with ``augment="auto"``. The free
    row to beat on photographs is "nothing, prior-corrected + augmentation".

    Parameters
    ----------
    samplers : sampler, list, dict of name → sampler, or None
        None is :class:`skgan.GANOverSampler`, and before a classifier with augmentation also as many offspring as real rows of
        each class, by :class:`skgan.ConditionalGANAugmenter`. Rows of the latter, which leaves the classes as unequal as they
        are, have corrected probabilities, where the estimator has any.
    estimator : classifier
        Cloned for every fit.
    X, y
        As for the samplers.
    cv : int, splitter or iterable, default=5
        An int means shuffled, stratified folds, which keep groups together where ``groups`` are given. One split, such as
        ``[(train, test)]``, has a test side alone to tell a difference by: its interval is a bootstrap over these rows.
    scoring : str or callable, default="balanced_accuracy"
        What decides.
    groups : array-like of shape (n,) or None, default=None
        Rows of one group stay on one side of every fold.
    max_time : float or None, default=None
        Seconds after which no further fold is begun; at least two are run.
    n_jobs : int or None, default=None
        Fits at once, in processes.
    memory : str, path, joblib.Memory or None, default=None
        A folder for trainings and finished fits: the same call, with the same ``random_state``, goes on after those of a call
        that was interrupted, killed, or cut by ``max_time``. None keeps nothing.
    random_state : int, RandomState or None, default=None
        Of the folds, and of samplers and estimators whose own is None.
    verbose : int, default=0
        1 says beforehand how long it takes, by a few updates on these rows, and shows progress and the time left on the
        standard error stream.

    Returns
    -------
    Comparison

    Notes
    -----
    The interval of a difference is that of the corrected resampled t-test (Nadeau & Bengio, "Inference for the generalization
    error", Machine Learning 52, 2003): variance × (1 / k + n_test / n_train), because folds share their training rows. Of one
    split it is the bootstrap's, over test rows drawn with replacement within each class.

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
    plan = plan_of(
        *(samplers, estimator, X, y),
        cv=cv,
        scoring=scoring,
        groups=groups,
        memory=memory,
        random_state=random_state,
    )
    rows, splits, judge = dict(plan.rows), plan.splits, plan.judge
    if verbose:
        print(plan.told(plan.seconds(n_jobs)))
    measure = partial(_measured, scorer=judge.scorer, classes=judge.classes, shown=tuple(plan.own))
    with scratch_folder() if memory is None else nullcontext(memory) as folder:
        for row in rows.values():  # rows that differ in what follows the sampler only train its generator once a fold
            share_memory(row, folder)
        fits = partial(
            cross_validated, X=plan.X, y=plan.y, splits=splits, measure=measure, n_jobs=n_jobs, kept=plan.kept
        )
        cells, complete = _all_cells(rows, plan.own, fits, len(splits), max_time, verbose)
    values = [{"row": cell.name, "fold": fold, **cell.measured.values, "seconds": cell.seconds} for fold, cell in cells]
    folds = pd.DataFrame(values)
    name = scoring if isinstance(scoring, str) else scoring.__name__ if inspect.isfunction(scoring) else "score"
    resampled = None
    if len(splits) == 1:
        resampled = resampled_scores(judge, splits[0][1], {cell.name: cell.measured.response for _, cell in cells})
    table = _table(folds, plan.share, name, resampled)
    own = [row for row in plan.own if row in rows]
    words = verdict_of(table, folds, own, plan.share, name, resampled) + plan.missing
    if not complete:
        words += f" Cut by max_time={max_time:g}: {folds['fold'].nunique()} of {len(splits)} folds."
    matrices = {row: sum(cell.measured.confusion for _, cell in cells if cell.name == row) for row in rows}
    generated = {
        cell.name: cell.measured.generated
        for _, cell in cells
        if cell.measured.generated is not None and not cell.name.endswith(AUGMENTED)
    }
    choice = would_choose(_out_of_fold(list(rows), cells, judge, splits)) if len(splits) > 1 else ""
    return Comparison(table, folds, words, complete, matrices, judge.classes, plan.about, name, generated, choice)


def _out_of_fold(rows: list[str], cells: list[tuple[int, Cell]], judge: Judge, splits) -> dict[str, OutOfFold]:
    """What the fits said of held-out rows, of the rows that ImbalancedClassifierCV would have: it corrects by itself."""
    tests = [splits[fold][1] for fold, cell in cells if cell.name == NOTHING]
    said = {
        row: [cell.measured.response for _, cell in cells if cell.name == row]
        for row in rows
        if not row.endswith((CORRECTED, AUGMENTED))
    }
    return {row: OutOfFold(judge, responses, tests) for row, responses in said.items()}


def _all_cells(
    rows: dict[str, Any], own: list[str], fits, n_splits: int, max_time, verbose
) -> tuple[list[tuple[int, Cell]], bool]:
    """(fold, cell) of every row that never fails, and whether all folds were run; rows that fail are taken out of ``rows``."""
    begin, done, complete = time.perf_counter(), list[tuple[int, Cell]](), True
    # By all fits so far: those of a fold differ, and tqdm's own forecast follows the latest
    with tqdm(total=n_splits * len(rows), unit="fit", smoothing=0, disable=not verbose) as bar:
        for fold, cells in fits(rows):
            if max_time is not None and fold > 1 and time.perf_counter() - begin > max_time:
                complete = False
                break
            for cell in cells:
                bar.update()
                if cell.error is None:
                    done.append((fold, cell))
                    continue
                del rows[cell.name]
                bar.total -= n_splits - fold - 1
                if cell.name == NOTHING or not any(row in rows for row in own):
                    raise ValueError(
                        f"The row {cell.name!r} failed in fold {fold}, and without it there is nothing to compare. "
                        f"{type(cell.error).__name__}: {cell.error}"
                    ) from cell.error
                warn(
                    f"The row {cell.name!r} failed in fold {fold} and is left out: {type(cell.error).__name__}: {cell.error}"
                )
    return [(fold, cell) for fold, cell in done if cell.name in rows], complete


def _measured(name, fold, fitted, training, test, *, scorer, classes, shown) -> Measured:
    """Of one fit on one fold; of the first fold also what the caller's samplers made."""
    X_test, y_test = test
    response = response_of(fitted, training[1], test, scorer)
    values = {"score": float(scorer(fitted, X_test, y_test)), RANKING: np.nan}
    if response.probability is not None:
        truth = label_binarize(y_test, classes=classes)
        probability = response.probability
        values[RANKING] = average_precision_score(truth, probability[:, 1] if truth.shape[1] == 1 else probability)
    matrix = confusion_matrix(y_test, response.predicted, labels=classes)
    made = (
        look_at(sampler_of(fitted), training[0], training[1], X_test, y_test) if fold == 0 and name in shown else None
    )
    return Measured(values, matrix, made, response)


def _table(folds: pd.DataFrame, share: float, scoring: str, resampled: pd.DataFrame | None) -> pd.DataFrame:
    wide = folds.pivot(index="fold", columns="row", values="score")
    lines = {}
    for name, part in folds.groupby("row", sort=False):
        difference = wide[name] - wide[NOTHING]
        low, high = paired(wide, name, NOTHING, share, scoring, resampled)
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
