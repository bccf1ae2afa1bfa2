"""What one split of the rows can tell: scores of test rows drawn again and again, with replacement."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from skgan._decision import Response
from skgan._tuning import Answers, Judge

RESAMPLES = 500


def resampled_scores(judge: Judge, test: np.ndarray, responses: Mapping[str, Response]) -> pd.DataFrame | None:
    """Scores of every row of a comparison on the same resamples of the test rows; a line a resample, a column a row.

    Rows are drawn with replacement within each class (Efron & Tibshirani, "An introduction to the bootstrap", 1993, chapter
    8), so that no class is missing.

    Parameters
    ----------
    judge : Judge
    test : ndarray of shape (n,)
        Places of the test rows.
    responses : dict of str → Response

    Returns
    -------
    DataFrame or None
        None for scores that are no name of scikit-learn's, and for those that need more than was kept of a fit.
    """
    rng = np.random.RandomState(0)
    codes = judge.codes[test]
    of_class = [np.flatnonzero(codes == k) for k in np.unique(codes)]
    drawn = np.stack([np.concatenate([rng.choice(rows, len(rows)) for rows in of_class]) for _ in range(RESAMPLES)])
    if judge.kind is not None:
        counts = np.bincount(codes)
        gains = np.full(len(test), 1 / len(test)) if judge.kind == "rows" else 1 / (len(of_class) * counts[codes])
        right = {name: gains * (response.predicted == judge.y[test]) for name, response in responses.items()}
        return pd.DataFrame({name: of_rows[drawn].sum(axis=1) for name, of_rows in right.items()})
    if not judge.named:
        return None
    try:
        scores = {name: [_score(judge, test[rows], rows, one) for rows in drawn] for name, one in responses.items()}
    except (TypeError, AttributeError):  # a score of probabilities, and a classifier that has none
        return None
    return pd.DataFrame(scores)


def _score(judge: Judge, places: np.ndarray, rows: np.ndarray, response: Response) -> float:
    probability = None if response.probability is None else response.probability[rows]
    answers = Answers(judge.classes, response.predicted[rows], probability)
    return float(judge.scorer(answers, np.zeros((len(rows), 1)), judge.y[places]))
