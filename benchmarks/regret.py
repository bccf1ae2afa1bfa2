"""How much is lost by a choice: ImbalancedClassifierCV beside always SMOTE, always corrected, and the best there was.

    OMP_NUM_THREADS=1 SKGAN_DATA=… python benchmarks/regret.py [--quick | --full] [--jobs 2]

The 35 tables of ``data.SELECT``, cut to 1,500 rows, with four classifiers, in stratified halves: each half is once the training
side and once the test side. A cell runs ``ImbalancedClassifierCV`` on the training side, refits each of its candidates there,
and scores them all on the test side.
"""

import copy
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from data import SELECT
from harness import CACHE, Run, main
from shared import filled, folds, model_of
from sklearn.metrics import balanced_accuracy_score

from skgan import ImbalancedClassifierCV
from skgan._decision import all_scores, learned_shares, name_of
from skgan._statistics import chosen_by, with_error

CLASSIFIERS = ("logistic regression", "k-NN", "random forest", "gradient boosting")
SAMPLERS = ("nothing", "class weights", "copies", "SMOTE", "GANOverSampler")
RULES = ("as it is", "corrected", "tuned decision")
CANDIDATES = tuple(f"{sampler}, {rule}" for sampler in SAMPLERS for rule in RULES)
MANY_CLASSES = ("leaf_id_flavia-lt", "led7digit-lt", "optdigits-lt", "texture-lt")
ALWAYS = {
    "always nothing": "nothing, as it is",
    "always corrected": "nothing, corrected",
    "always SMOTE": "SMOTE, as it is",
    "always GANOverSampler": "GANOverSampler, as it is",
}
CHOICE = "ImbalancedClassifierCV"
RULES_TRIED = {  # column of the CSV → how it is called
    "paired": CHOICE,
    "unpaired": f"{CHOICE}, if the standard error were that of the best score",
    "highest mean": f'{CHOICE}(rule="best")',
}


@dataclass(frozen=True)
class RegretRun(Run):
    tables: tuple[str, ...]
    classifiers: tuple[str, ...]
    n_repeats: int  # of both halves
    steps: int | None = None  # of the GAN; None is its own
    left_out: tuple[tuple[str, str], ...] = ()  # tables with a classifier


BUDGETS = {
    "quick": RegretRun(
        "2 tables, logistic regression and k-NN, 30 steps of the GAN (1 minute)",
        ("hepatitis", "penguins-cut"),
        CLASSIFIERS[:2],
        n_repeats=1,
        steps=30,
    ),
    "default": RegretRun(
        "35 tables, 4 classifiers, both halves once; no boosting of ten classes and more (40 minutes on two cores)",
        tuple(SELECT),
        CLASSIFIERS,
        n_repeats=1,
        left_out=tuple((name, CLASSIFIERS[-1]) for name in MANY_CLASSES),
    ),
    "full": RegretRun("35 tables, 4 classifiers, both halves 5 times", tuple(SELECT), CLASSIFIERS, 5),
}


class Kept(ImbalancedClassifierCV):
    """Keeps what the search has found, so that no training is done twice; the GAN's steps may be cut."""

    steps: int | None = None

    def _candidates(self, X, rarest, estimator):
        candidates = super()._candidates(X, rarest, estimator)
        candidates["GANOverSampler"].set_params(max_steps=self.steps)
        return candidates

    def _cross_fitted(self, combined, judge, splits):
        self.kept = combined, *super()._cross_fitted(combined, judge, splits)
        return self.kept[1:]


def cells(run: RegretRun) -> Iterator[dict]:
    # Neighbours are of different training sides: two processes do not wait for the same generator.
    for name in run.tables:
        for classifier in (c for c in run.classifiers if (name, c) not in run.left_out):
            for split in range(2 * run.n_repeats):
                yield {"data": name, "classifier": classifier, "split": split}


def measure(run: RegretRun, data: str, classifier: str, split: int) -> dict:
    X, y, splits = folds(data, 2, run.n_repeats, 1500)
    train, test = splits[split]
    X_train, X_test = filled(X.iloc[train].reset_index(drop=True), X.iloc[test].reset_index(drop=True))
    model = Kept(model_of(classifier), memory=CACHE.location, random_state=split)
    model.steps = run.steps
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X_train, y[train])
        combined, found, seconds = model.kept
        scores = dict.fromkeys(CANDIDATES, np.nan)
        for sampler, one in found.items():
            fitted = copy.copy(model)
            if not model.best_name_.startswith(f"{sampler},"):
                fitted.best_estimator_ = combined[sampler].fit(X_train, y[train])
            fitted.resampled_prior_ = learned_shares(fitted.best_estimator_, y[train]) if one.known else None
            for rule in one.scores():
                fitted.class_weights_ = one.weights(rule)
                scores[f"{_short(sampler)}, {rule}"] = balanced_accuracy_score(y[test], fitted.predict(X_test))
        pairs, inner = all_scores(found)
        there = list(range(len(pairs)))
        places = (
            chosen_by("one_standard_error", inner, there, paired=True),
            *(chosen_by(rule, inner, there) for rule in ("one_standard_error", "best")),
        )
        names = {tried: name_of(pairs[place]) for tried, place in zip(RULES_TRIED, places, strict=True)}
    return {
        **{tried: _short(name) for tried, name in names.items()},
        **scores,
        "seconds of the search": sum(seconds.values()) * len(inner[0]),
    }


def _short(name: str) -> str:
    return name.replace("SMOTENC", "SMOTE").replace("SMOTEN", "SMOTE")


def report(results: pd.DataFrame) -> str:
    """Markdown: the regret of each way to choose, by classifier and over all, in points of balanced accuracy."""
    results = results.copy()
    for tried, name in RULES_TRIED.items():
        results[name] = [row[row[tried]] for _, row in results.iterrows()]
    ways = {**{name: name for name in RULES_TRIED.values()}, **ALWAYS}
    lost = []
    for (data, classifier), part in results.groupby(["data", "classifier"], sort=False):
        halves = [part[part["split"] % 2 == side] for side in (0, 1)]
        if not all(len(half) for half in halves):
            continue
        regrets = [regret(one, other, ways) for one, other in (halves, halves[::-1])]
        lost.append({"data": data, "classifier": classifier, **pd.DataFrame(regrets).mean()})
    if not lost:
        return "No table has both halves yet."
    frame = pd.DataFrame(lost)
    groups = [
        *frame.groupby("classifier", sort=False),
        ("all", frame.groupby("data", sort=False).mean(numeric_only=True)),
    ]
    lines = [
        {"classifier": name, "tables": len(part), **{way: with_error(100 * part[way]) for way in ways}}
        for name, part in groups
    ]
    told = ", ".join(f"{name} {n}" for name, n in results["paired"].value_counts().items())
    note = (
        "Points of balanced accuracy that are lost against the best candidate, mean ± standard error over tables. The best is "
        "picked on the test rows of one half of the splits, and it and the others are scored on those of the other half; both "
        "ways round, averaged. A negative number is a gain: what was best on one half need not be on the other."
    )
    return f"{note}\n\n{pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)}\n\nChosen: {told}."


def regret(picked_on: pd.DataFrame, measured_on: pd.DataFrame, ways: dict[str, str]) -> dict[str, float]:
    """Score of the candidate that is best on some splits, less that of each way to choose, on other splits."""
    best = picked_on[list(CANDIDATES)].mean().idxmax()
    return {way: float((measured_on[best] - measured_on[column]).mean()) for way, column in ways.items()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    main("regret", BUDGETS, cells, measure, report)
