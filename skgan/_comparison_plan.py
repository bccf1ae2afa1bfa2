"""A comparison before its first fit: everything is checked, and how long it takes can be told."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skgan._about import About, about_of
from skgan._compared_rows import compared_rows, estimated_seconds, without_smote
from skgan._kept_fits import KeptFits
from skgan._random import draw_seeds
from skgan._tuning import Judge
from skgan.samplers import GANOverSampler, checked_splits, checked_table, rarest_class


@dataclass(frozen=True)
class Plan:
    """What is compared, on which rows and folds.

    Attributes
    ----------
    X, y
        Checked.
    estimator : classifier
    judge : Judge
    splits : list of (training rows, test rows)
    rows : dict of str → estimator
        The lines of the comparison, unfitted.
    own : list of str
        Those with the caller's samplers.
    kept : KeptFits or None
    about : About
    missing : str
        Why there is no line of SMOTE.
    """

    X: Any
    y: np.ndarray
    estimator: Any
    judge: Judge
    splits: list[tuple[np.ndarray, np.ndarray]]
    rows: dict[str, Any]
    own: list[str]
    kept: KeptFits | None
    about: About
    missing: str

    @property
    def share(self) -> float:
        """Test rows ÷ training rows of a fold."""
        return float(np.mean([len(test) / len(train) for train, test in self.splits]))

    def seconds(self, n_jobs: int | None) -> float:
        """Of all fits: by a few updates of the classifier, and a second of each training."""
        return estimated_seconds(self.rows, self.estimator, self.X, self.y, len(self.splits), n_jobs)

    def told(self, seconds: float) -> str:
        """How many fits there are, and how long they take."""
        minutes = seconds / 60
        time_needed = "about a minute" if minutes < 1.5 else f"some {float(f'{minutes:.1g}'):g} minutes"
        if minutes < 0.5:
            time_needed = "less than a minute"
        n_kept = 0 if self.kept is None else self.kept.count()
        there = f" {n_kept} of them are there from an earlier call." if n_kept else ""
        n, n_rows = len(self.splits), len(self.rows)
        folds = "one split" if n == 1 else f"{n} folds"
        return f"{n_rows} rows in {folds} are {n * n_rows} fits: {time_needed} on this machine.{there}\n"


def plan_of(
    samplers, estimator, X, y, *, cv=5, scoring="balanced_accuracy", groups=None, memory=None, random_state=None
) -> Plan:
    """Check the arguments of :func:`skgan.compare`, and set up its lines and folds; nothing is fitted or written."""
    fold_seed, seed = draw_seeds(random_state, 2)
    checked = checked_table(GANOverSampler(), X, y)  # refuses rows and labels that no sampler takes, in sentences
    X, labels = checked.X, checked.y
    judge = Judge(scoring, X, labels)
    splits = checked_splits(cv, X, labels, groups, fold_seed, least=1)
    rarest = rarest_class(labels, splits)
    rows, own = compared_rows(samplers, estimator, X, rarest, seed)
    kept = None
    if memory is not None:
        asked = {name: (judge.scorer, name in own) for name in rows}
        kept = KeptFits(memory, rows, X, labels, splits, asked)
    about = about_of(X, labels, estimator, cv, groups, len(splits), random_state)
    return Plan(X, labels, estimator, judge, splits, rows, own, kept, about, without_smote(list(rows), rarest))
