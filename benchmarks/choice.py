"""Does a sampler that is chosen by cross-validation do harm? OverSamplerCV beside doing nothing and SMOTE.

    OMP_NUM_THREADS=1 python benchmarks/choice.py [--quick | --full]

Every table of benchmarks/tables.py with each of its five classifiers, and both long-tailed image sets with a CNN. The choice is
made by three folds inside the training side, with the same classifier. Log-loss is that of ``PriorCorrectedClassifier``.
"""

import functools
import time
import warnings

import numpy as np
import pandas as pd
import tables
import torch
from harness import CACHE, parse_budget, run_cells
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from long_tail import tail
from sklearn.metrics import average_precision_score, balanced_accuracy_score, log_loss

from skgan import CNNClassifier, OverSamplerCV, PriorCorrectedClassifier
from skgan.samplers._cv import FlatRows

IMAGES = ("mnist", "fashion")
UPDATES = 400
BUDGETS = {
    "quick": "1 table, 1 fold (1 minute)",
    "default": "11 tables, 3 folds, and both image sets, 1 seed (75 minutes on one core)",
    "full": "13 tables, 5 folds, and both image sets, 5 seeds",
}
RUNS = {  # tables, folds, image sets, seeds
    "quick": (("glass2",), 1, (), 0),
    "default": (tables.RUNS["default"][0], 3, IMAGES, 1),
    "full": (tables.TABLES, 5, IMAGES, 5),
}
METHODS = ("nothing", "SMOTE", "OverSamplerCV")
MEASURES = ("balanced accuracy", "average precision", "log-loss")
LIMIT = -0.01
"""Harm: a loss of more than a point."""


def split(data: str, fold: int, n_folds: int):
    """Training and test side."""
    if data in IMAGES:
        X, y, whole = tail(data, fold)
        return X[:, None], y, whole.x_test[:, None], whole.y_test
    X, y, splits = tables.folds(data, max(n_folds, 3), 1)
    train, test = splits[fold]
    return X.iloc[train].reset_index(drop=True), y[train], X.iloc[test], y[test]


def sampler_of(method: str, data: str, X, y, model, seed: int):
    if method == "OverSamplerCV":
        return OverSamplerCV(estimator=model, memory=CACHE.location, random_state=seed)
    if data in IMAGES:
        return FlatRows(SMOTE(k_neighbors=min(5, int(np.bincount(y).min()) - 1), random_state=seed))
    return tables.smote(X, y, seed)


def measure(data: str, classifier: str, fold: int, n_folds: int) -> dict:
    X, y, X_test, y_test = split(data, fold, n_folds)
    counts = np.bincount(y)
    values: dict[str, float | str] = {}
    for method in METHODS:
        model = CNNClassifier(max_updates=UPDATES, random_state=fold) if data in IMAGES else tables.model_of(classifier)
        if method != "nothing":
            model = make_pipeline(sampler_of(method, data, X, y, model, fold), model)
        resampled = None if method != "SMOTE" else np.full(len(counts), counts.max())
        begin = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            corrected = PriorCorrectedClassifier(model, resampled_prior=resampled).fit(X, y)
            probability = corrected.estimator_.predict_proba(X_test)
            right = corrected.predict_proba(X_test).clip(1e-6)
        truth = np.eye(len(counts))[y_test]
        # Of two classes the rare one's: the common one's is near 1 whatever is done.
        ranked = [counts.argmin()] if len(counts) == 2 else list(range(len(counts)))
        values |= {
            f"{method}: balanced accuracy": balanced_accuracy_score(y_test, probability.argmax(1)),
            f"{method}: average precision": average_precision_score(truth[:, ranked], probability[:, ranked]),
            f"{method}: log-loss": log_loss(
                y_test, right / right.sum(axis=1, keepdims=True), labels=range(len(counts))
            ),
            f"{method}: seconds": time.perf_counter() - begin,
        }
        if method == "OverSamplerCV":
            values["chosen"] = corrected.estimator_[0].best_name_
    return values


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md: by classifier, over everything, and what was chosen."""
    cells = results.groupby(["data", "classifier"], sort=False).mean(numeric_only=True)
    differences = pd.DataFrame(
        {
            f"{method}: {measure}": cells[f"{method}: {measure}"] - cells[f"nothing: {measure}"]
            for method in METHODS[1:]
            for measure in MEASURES[:2]
        }
    )
    loss = pd.DataFrame({m: cells[f"{m}: log-loss"] / cells["nothing: log-loss"] - 1 for m in METHODS[1:]})
    rows = []
    for name, part in [*differences.groupby(level="classifier", sort=False), ("everything", differences)]:
        for method in METHODS[1:]:
            of_method = part[[f"{method}: {measure}" for measure in MEASURES[:2]]]
            rows.append(
                {
                    "classifier": name,
                    "cells": len(part),
                    "sampler": method,
                    **{
                        f"{measure}, points over nothing": f"{100 * of_method[f'{method}: {measure}'].mean():+.1f}"
                        for measure in MEASURES[:2]
                    },
                    "log-loss, corrected": f"{100 * loss.loc[part.index, method].mean():+.1f} %",
                    "cells without harm": f"{100 * (of_method >= LIMIT).all(axis=1).mean():.0f} %",
                    "… in balanced accuracy": f"{100 * (of_method.iloc[:, 0] >= LIMIT).mean():.0f} %",
                    "… in average precision": f"{100 * (of_method.iloc[:, 1] >= LIMIT).mean():.0f} %",
                }
            )
    table = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
    chosen = results["chosen"].value_counts()
    told = ", ".join(f"{name} {n}" for name, n in chosen.items())
    return (
        f"A cell is a data set with a classifier, its mean over {results['fold'].nunique()} folds (one seed of image sets). "
        f"Harm is a loss of more than a point.\n\n{table}\n\nChosen, of {len(results)}: {told}."
    )


if __name__ == "__main__":
    arguments = parse_budget(__doc__.splitlines()[0], BUDGETS)
    names, n_folds, image_sets, n_seeds = RUNS[arguments.budget]
    torch.set_num_threads(1)
    cells = [
        {"data": name, "classifier": classifier, "fold": fold}
        for name in names
        for fold in range(n_folds)
        for classifier in tables.CLASSIFIERS
    ]
    cells += [{"data": name, "classifier": "CNN", "fold": seed} for name in image_sets for seed in range(n_seeds)]
    print(report(run_cells("choice", arguments, cells, functools.partial(measure, n_folds=n_folds))))
