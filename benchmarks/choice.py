"""Does a sampler that is chosen by cross-validation do harm? OverSamplerCV beside doing nothing and SMOTE.

    OMP_NUM_THREADS=1 python benchmarks/choice.py [--quick | --full]

Every table of benchmarks/tables.py with each of its five classifiers, and both long-tailed image sets with a CNN. The choice is
made by three folds inside the training side, with the same classifier. Log-loss is that of ``PriorCorrectedClassifier``.
"""

import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from data import TABLES
from harness import CACHE, Run, main
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from shared import CLASSIFIERS, SMALLER_TABLES, folds, model_of, smote, tail
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import average_precision_score, balanced_accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold

from skgan import CNNClassifier, OverSamplerCV, PriorCorrectedClassifier
from skgan.samplers import FlatRows

IMAGES = ("mnist", "fashion")
UPDATES = 400


@dataclass(frozen=True)
class ChoiceRun(Run):
    tables: tuple[str, ...]
    n_folds: int
    image_sets: tuple[str, ...]
    n_seeds: int


BUDGETS = {
    "quick": ChoiceRun("1 table, 1 fold (1 minute)", tables=("glass2",), n_folds=1, image_sets=(), n_seeds=0),
    "default": ChoiceRun(
        "11 tables, 3 folds, and both image sets, 1 seed (2 hours on one core)",
        tables=SMALLER_TABLES,
        n_folds=3,
        image_sets=IMAGES,
        n_seeds=1,
    ),
    "full": ChoiceRun(
        "13 tables, 5 folds, and both image sets, 5 seeds", tables=TABLES, n_folds=5, image_sets=IMAGES, n_seeds=5
    ),
}
GUARDED, CALIBRATED = "OverSamplerCV, guarded", ", calibrated"
METHODS = ("nothing", "SMOTE", "OverSamplerCV", GUARDED, f"nothing{CALIBRATED}", f"OverSamplerCV{CALIBRATED}")
IMAGE_METHODS = METHODS[:4]
LIMIT = -0.01
"""Harm: a loss of more than a point."""


def cells(run: ChoiceRun) -> Iterator[dict]:
    for name in run.tables:
        for fold in range(run.n_folds):
            for classifier in CLASSIFIERS:
                for method in METHODS:
                    yield {"data": name, "classifier": classifier, "fold": fold, "method": method}
    for name in run.image_sets:
        for seed in range(run.n_seeds):
            for method in IMAGE_METHODS:
                yield {"data": name, "classifier": "CNN", "fold": seed, "method": method}


def split(data: str, fold: int, n_folds: int):
    """Training and test side."""
    if data in IMAGES:
        X, y, whole = tail(data, fold)
        return X[:, None], y, whole.x_test[:, None], whole.y_test
    X, y, splits = folds(data, max(n_folds, 3), 1)
    train, test = splits[fold]
    return X.iloc[train].reset_index(drop=True), y[train], X.iloc[test], y[test]


def sampler_of(method: str, data: str, X, y, model, seed: int):
    """None for nothing."""
    if method.startswith("nothing"):
        return None
    if method.startswith("OverSamplerCV"):
        guard = "average_precision" if method == GUARDED else None
        return OverSamplerCV(estimator=model, guard=guard, memory=CACHE.location, random_state=seed)
    if data in IMAGES:
        return FlatRows(SMOTE(k_neighbors=min(5, int(np.bincount(y).min()) - 1), random_state=seed))
    return smote(X, y, seed)


def measure(run: ChoiceRun, data: str, classifier: str, fold: int, method: str) -> dict:
    X, y, X_test, y_test = split(data, fold, run.n_folds)
    counts = np.bincount(y)
    model = CNNClassifier(max_updates=UPDATES, random_state=fold) if data in IMAGES else model_of(classifier)
    sampler, chosen = sampler_of(method, data, X, y, model, fold), ""
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if method.endswith(CALIBRATED) and sampler is not None:  # calibrated is what was chosen, not the choice itself
            sampler.fit_resample(X, y)
            sampler = sampler.best_sampler_
        pipeline = model if sampler is None else make_pipeline(sampler, model)
        resampled = None if method != "SMOTE" else np.full(len(counts), counts.max())
        corrected = PriorCorrectedClassifier(pipeline, resampled_prior=resampled)
        if method.endswith(CALIBRATED):
            parts = StratifiedKFold(3, shuffle=True, random_state=fold)  # some tables are sorted
            corrected = CalibratedClassifierCV(corrected, method="temperature", cv=parts, ensemble=False).fit(X, y)
            probability = corrected.predict_proba(X_test)
        else:
            probability = corrected.fit(X, y).estimator_.predict_proba(X_test)
        if method in ("OverSamplerCV", GUARDED):
            chosen = corrected.estimator_[0].best_name_
    right = corrected.predict_proba(X_test).clip(1e-6)
    # Of two classes the rare one's: the common one's is near 1 whatever is done.
    ranked = [counts.argmin()] if len(counts) == 2 else list(range(len(counts)))
    return {
        "balanced accuracy": balanced_accuracy_score(y_test, probability.argmax(1)),
        "average precision": average_precision_score(np.eye(len(counts))[y_test][:, ranked], probability[:, ranked]),
        "log-loss": log_loss(y_test, right / right.sum(axis=1, keepdims=True), labels=range(len(counts))),
        "seconds": time.perf_counter() - begin,
        "chosen": chosen,
    }


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md: by classifier, over everything, and what was chosen."""
    keys = ["data", "classifier"]
    done = results.groupby([*keys, "fold"])["method"].transform("nunique")
    wanted = np.where(results["data"].isin(IMAGES), len(IMAGE_METHODS), len(METHODS))
    finished = results[done == wanted]
    cells = finished.groupby([*keys, "method"], sort=False)[["balanced accuracy", "average precision", "log-loss"]]
    cells = cells.mean().unstack("method")
    methods = [m for m in METHODS[1:] if m in cells["log-loss"]]
    rows = []
    groups = [*cells.groupby(level="classifier", sort=False), ("everything", cells)]
    for name, part in groups:
        for method in methods:
            accuracy, precision = (
                (part[m][method] - part[m]["nothing"]).dropna() for m in ("balanced accuracy", "average precision")
            )
            scored = not method.endswith(CALIBRATED)  # thresholds are those of the real frequencies
            rows.append(
                {
                    "classifier": name,
                    "cells": len(part),
                    "sampler": method,
                    "balanced accuracy": f"{100 * accuracy.mean():+.1f}" if scored else "",
                    "average precision": f"{100 * precision.mean():+.1f}",
                    "log-loss": f"{100 * (part['log-loss'][method] / part['log-loss']['nothing'] - 1).mean():+.1f} %",
                    "no harm": f"{100 * ((accuracy >= LIMIT) & (precision >= LIMIT)).mean():.0f} %" if scored else "",
                    "… to accuracy": f"{100 * (accuracy >= LIMIT).mean():.0f} %" if scored else "",
                    "… to precision": f"{100 * (precision >= LIMIT).mean():.0f} %",
                }
            )
    frame = pd.DataFrame(rows)
    whole = frame[frame["classifier"] == "everything"].drop(columns="classifier")
    each = frame[(frame["classifier"] != "everything") & frame["sampler"].isin(("SMOTE", "OverSamplerCV", GUARDED))]
    told = "; ".join(
        f"{method}: " + ", ".join(f"{name} {n}" for name, n in part["chosen"].value_counts().items())
        for method, part in finished[finished["chosen"].fillna("") != ""].groupby("method", sort=False)
    )
    note = (
        f"A cell is a data set with a classifier, its mean over {finished['fold'].nunique()} folds (one seed of image sets). "
        "Points over doing nothing; log-loss with `PriorCorrectedClassifier`, relative to that of doing nothing. Harm is a "
        'loss of more than a point. Guarded: `guard="average_precision"`. Calibrated: `CalibratedClassifierCV(…, '
        'method="temperature")` around it all.'
    )
    return f"{note}\n\n{_markdown(whole)}\n\nBy classifier:\n\n{_markdown(each)}\n\nChosen: {told}."


def _markdown(frame: pd.DataFrame) -> str:
    return frame.to_markdown(index=False, disable_numparse=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main("choice", BUDGETS, cells, measure, report)
