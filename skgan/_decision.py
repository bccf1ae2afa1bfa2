"""Decision rules: how a class is taken from probabilities, and what each rule scores on rows held out of a fit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skgan._compat import HasMethods
from skgan._statistics import chosen_by
from skgan._tuning import Judge, scaled
from skgan.prior import PriorCorrectedClassifier, reweighted
from skgan.samplers._learned import Learned, Rows

AS_IT_IS, CORRECTED, TUNED = "as it is", "corrected", "tuned decision"


def has_probabilities(estimator) -> bool:
    """Whether it has ``predict_proba``, fitted or not."""
    return HasMethods(["predict_proba"]).is_satisfied_by(estimator)


@dataclass(frozen=True)
class Response:
    """What one fit said of the rows held out of it.

    Attributes
    ----------
    predicted : ndarray of shape (n,)
        Labels.
    probability : ndarray of shape (n, n_classes) or None
        As the classifier gives them; None where it has none.
    prior : ndarray of shape (n_classes,)
        Shares of the classes in the rows given to the fit, before any sampler.
    learned : ndarray of shape (n_classes,) or None
        Shares that the probabilities stand for; None where they are not known.
    score : float
        Of the classifier as it is, where it has no probabilities.
    """

    predicted: np.ndarray
    probability: np.ndarray | None
    prior: np.ndarray
    learned: np.ndarray | None
    score: float


def response_of(fitted, y_train: np.ndarray, test: tuple[Any, np.ndarray], scorer) -> Response:
    """Of a fitted classifier or pipeline, on rows that it has not seen."""
    X, y = test
    classes, counts = np.unique(y_train, return_counts=True)
    if not np.array_equal(fitted.classes_, classes):
        raise ValueError(f"its sampler left the classes {fitted.classes_.tolist()} of {classes.tolist()}")
    prior = counts / counts.sum()
    if not has_probabilities(fitted):
        return Response(fitted.predict(X), None, prior, None, float(scorer(fitted, X, y)))
    probability = np.asarray(fitted.predict_proba(X), dtype=np.float64)
    if not np.isfinite(probability).all():
        raise ValueError("its probabilities are not finite")
    return Response(fitted.predict(X), probability, prior, learned_shares(fitted, y_train), np.nan)


def learned_shares(fitted, y_train: np.ndarray) -> np.ndarray | None:
    """Shares of the classes that a fitted classifier's probabilities stand for; None where that cannot be told."""
    classes, codes, counts = np.unique(y_train, return_inverse=True, return_counts=True)
    try:
        learned = Learned(fitted=True, corrected=PriorCorrectedClassifier).counts(
            fitted, Rows(counts.astype(float), classes.tolist(), codes)
        )
    except ValueError:
        return None
    return learned / learned.sum() if (learned > 0).all() else None


class OutOfFold:
    """What the fits of one candidate said of rows held out of them: scores of every rule without a further fit.

    Probabilities are brought to the frequencies of the training rows where it is known which ones they stand for (Saerens,
    Latinne & Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities", Neural Computation 14, 2002,
    eq. 2.4), so that weights of one fit are of use to another.

    Parameters
    ----------
    judge : Judge
    responses : sequence of Response
        One a fold.
    tests : sequence of ndarray
        Places of the rows that they speak of.
    """

    def __init__(self, judge: Judge, responses: Sequence[Response], tests: Sequence[np.ndarray]):
        self.judge, self.responses, self.tests = judge, responses, tests
        self.known = all(r.learned is not None for r in responses)
        self.probability: list[Any] = [_calibrated(r) if self.known else r.probability for r in responses]

    def scores(self) -> dict[str, np.ndarray]:
        """Rule → scores of shape (n_folds,); of the tuned rule with weights that the other folds' rows have tuned."""
        if any(r.probability is None for r in self.responses):
            return {AS_IT_IS: np.array([r.score for r in self.responses])}
        weights = {}
        if self.known:
            weights[CORRECTED] = [1 / r.prior for r in self.responses]
        if len(self.responses) > 1:
            weights[TUNED] = [self.tuned(left_out=fold) for fold in range(len(self.responses))]
        answers = {AS_IT_IS: [r.predicted for r in self.responses]}
        for rule, of_folds in weights.items():
            answers[rule] = [
                self.judge.classes[(p * w).argmax(axis=1)] for p, w in zip(self.probability, of_folds, strict=True)
            ]
        return {
            rule: np.array(
                [self.judge.score(*fold) for fold in zip(self.tests, predicted, self.probability, strict=True)]
            )
            for rule, predicted in answers.items()
        }

    def weights(self, rule: str) -> np.ndarray | None:
        """Weights of the classes on calibrated probabilities, for a fit on all rows; None where its own prediction is meant."""
        if rule == AS_IT_IS:
            return None
        return scaled(-np.log(self.judge.shares)) if rule == CORRECTED else self.tuned()

    def tuned(self, left_out: int | None = None) -> np.ndarray:
        """Weights that are best for the rows of all folds, or of all others, less the rows of the fold that is left out."""
        taken = [k for k in range(len(self.tests)) if k != left_out]
        rows = np.concatenate([self.tests[k] for k in taken])
        probability = np.concatenate([self.probability[k] for k in taken])
        if left_out is not None:  # repeated folds have the same rows once more
            unseen = ~np.isin(rows, self.tests[left_out])
            rows, probability = rows[unseen], probability[unseen]
        starts = [np.ones(len(self.judge.classes))]
        if self.known:
            ratios = [np.log(self.responses[k].learned / self.responses[k].prior) for k in taken]
            starts = [np.exp(np.mean(ratios, axis=0)), 1 / self.judge.shares]
        return self.judge.tuned(rows, probability, starts)


def _calibrated(response: Response) -> np.ndarray | None:
    if response.probability is None:
        return None
    return reweighted(response.probability, response.prior / response.learned, response.prior)


def all_scores(found: Mapping[str, OutOfFold]) -> tuple[list[tuple[str, str]], np.ndarray]:
    """(Candidate, rule) from the cheapest on, and their scores of shape (n, n_folds)."""
    lines = {(name, rule): scores for name, one in found.items() for rule, scores in one.scores().items()}
    return list(lines), np.stack(list(lines.values()))


def name_of(pair: tuple[Any, str]) -> str:
    """Such as "nothing, corrected"."""
    return ", ".join(pair)


def would_choose(found: Mapping[str, OutOfFold], rule: str = "one_standard_error") -> str:
    """The name of the candidate that :class:`skgan.ImbalancedClassifierCV` chooses of these, such as "nothing, corrected"."""
    pairs, scores = all_scores(found)
    there = np.flatnonzero(np.isfinite(scores).all(axis=1)).tolist()
    return name_of(pairs[chosen_by(rule, scores, there, paired=True)]) if there else ""
