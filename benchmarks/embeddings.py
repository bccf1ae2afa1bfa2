"""CIFAR-10's long tail by a pretrained network's embedding: do new rows help beside the correction of the frequencies?

    OMP_NUM_THREADS=1 SKGAN_DATA=… python benchmarks/embeddings.py [--quick | --full]

Photographs are embedded once at 96 px by EfficientNet-Lite0 (1,280 columns) and kept in the benchmarks' cache. The tail has
2,000 images of the first class and 1 / ratio of that of the last; samplers work on the embeddings. "half" brings each class
to the geometric mean of its own size and the largest, "balance" to the largest. Corrected: argmax of the probabilities
divided by the class frequencies of the rows that the classifier was trained on.

Nothing is chosen on test rows: the penalty of the logistic regression (part "embeddings_penalty") and the line that is
recommended are those of the best mean on validation rows, 200 a class of the training images that the tail leaves out.

Part "embeddings_grey" has digits and clothes, which are no photographs: is a CNN from scratch better there?
"""

import functools
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from data import Images, cifar10, fashion_mnist, long_tail, mnist_5k, tail_rows
from harness import CACHE, Part, Run, main, with_error
from imblearn.over_sampling import SMOTE, RandomOverSampler
from shared import COUNTS
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgan import CNNClassifier, GANOverSampler, ImageEmbedding, halfway
from skgan.embedding import efficientnet_lite0

SIZE = 96
N_VALID = 200  # rows of a class
STRENGTH = 0.001  # C, of PENALTIES the best mean over ratios, seeds and both lines on validation rows
PENALTIES = (0.0003, 0.001, 0.003, 0.01)
NOTHING, WEIGHTS, COPIES, SMOTED = "nothing", "class weights", "copies", "SMOTE"
GAUSSIAN, BLEND = 'GANOverSampler(net="gaussian")', "GANOverSampler()"
MLP_GAN, OFFSPRING = 'GANOverSampler(net="mlp_gan")', 'GANOverSampler(net="offspring")'
FREE = (NOTHING, WEIGHTS)
SAMPLERS = (COPIES, SMOTED, GAUSSIAN, BLEND)
TRAINED = (MLP_GAN, OFFSPRING)  # for minutes
AMOUNTS = ("half", "balance")
RULES = ("as predicted", "corrected")
CLASSIFIERS = ("logistic regression", "k-NN")


@dataclass(frozen=True)
class EmbeddingRun(Run):
    ratios: tuple[int, ...]
    n_seeds: int
    samplers: tuple[str, ...]
    n_trained_seeds: int = 0  # of the nets that train for minutes
    classifiers: tuple[str, ...] = CLASSIFIERS[:1]
    n_most: int = 2000  # rows of the largest class
    n_train: int = 2500  # images of a class that the tail and the validation rows are cut from
    n_test: int = 500  # test images of a class


QUICK = {"ratios": (100,), "n_seeds": 1, "n_most": 500, "n_train": 700, "n_test": 100}
BUDGETS = {
    "quick": EmbeddingRun(
        "ratio 100, 1 seed, 500 rows of the largest class, 4 samplers, 100 test images a class (3 minutes)",
        **QUICK,
        samplers=SAMPLERS[:3],
    ),
    "default": EmbeddingRun(
        "ratios 100 and 10, 5 seeds, mlp_gan and offspring 2 (an hour on one core, of which 5 minutes are embedding)",
        ratios=(100, 10),
        n_seeds=5,
        samplers=SAMPLERS,
        n_trained_seeds=2,
    ),
    "full": EmbeddingRun(
        "ratios 100, 30 and 10, 10 seeds, and k-NN",
        ratios=(100, 30, 10),
        n_seeds=10,
        samplers=SAMPLERS,
        classifiers=CLASSIFIERS,
    ),
}


def cells(run: EmbeddingRun) -> Iterator[dict]:
    for seed in range(run.n_seeds):
        samplers = run.samplers + (TRAINED if seed < run.n_trained_seeds else ())
        methods = [(method, "") for method in FREE] + [(method, amount) for method in samplers for amount in AMOUNTS]
        for ratio in run.ratios:
            for method, amount in methods:
                for classifier in run.classifiers if method != WEIGHTS else CLASSIFIERS[:1]:
                    keys = {"ratio": ratio, "seed": seed, "classifier": classifier}
                    yield {**keys, "method": method, "amount": amount}


@functools.lru_cache(maxsize=1)
def embedded(n_train: int, n_test: int) -> Images:
    """So many images of each class as rows of 1,280 columns; an image is embedded once for all runs."""
    images = cifar10()
    train, test = (
        np.concatenate([np.flatnonzero(y == klass)[:n] for klass in range(10)])
        for y, n in ((images.y_train, n_train), (images.y_test, n_test))
    )
    embed = ImageEmbedding(efficientnet_lite0(), size=SIZE, memory=CACHE, verbose=1).fit(images.x_train[:1])
    rows = [embed.transform(X) for X in (images.x_train[train], images.x_test[test])]
    return Images(rows[0], images.y_train[train], rows[1], images.y_test[test])


@functools.lru_cache(maxsize=1)
def split(run: EmbeddingRun, ratio: int, seed: int) -> tuple[tuple, dict[str, tuple]]:
    """The tail's X and y, and those of the validation and of the test rows."""
    whole = embedded(run.n_train, run.n_test)
    tail, y = tail_rows(seed, ratio, run.n_most, np.arange(len(whole.y_train)), whole.y_train)
    left = np.setdiff1d(np.arange(len(whole.y_train)), tail)
    rng = np.random.RandomState(seed)
    valid = [rng.choice(left[whole.y_train[left] == k], N_VALID, replace=False) for k in range(10)]
    rows = np.concatenate(valid)
    judged = {"valid": (whole.x_train[rows], whole.y_train[rows]), "test": (whole.x_test, whole.y_test)}
    return (whole.x_train[tail], y), judged


@functools.lru_cache(maxsize=1)
def resampled(
    run: EmbeddingRun, ratio: int, seed: int, method: str, amount: str
) -> tuple[np.ndarray, np.ndarray, float]:
    """The rows that a classifier is trained on, and the seconds that it took to make them."""
    (X, y), _ = split(run, ratio, seed)
    if method in FREE:
        return X, y, 0.0
    begin = time.perf_counter()
    X, y = sampler_of(method, amount, y, seed).fit_resample(X, y)
    return X, y, time.perf_counter() - begin


def sampler_of(method: str, amount: str, y: np.ndarray, seed: int):
    counts = np.bincount(y)
    strategy = halfway if amount == "half" else "not majority"
    if method == COPIES:
        return RandomOverSampler(sampling_strategy=strategy, random_state=seed)
    if method == SMOTED:
        return SMOTE(sampling_strategy=strategy, k_neighbors=min(5, int(counts.min()) - 1), random_state=seed)
    net = {GAUSSIAN: "gaussian", MLP_GAN: "mlp_gan", OFFSPRING: "offspring"}.get(method, "auto")
    return GANOverSampler(sampling_strategy=strategy, net=net, memory=CACHE, random_state=seed)


def recalls(classifier, X, y, judged: dict[str, tuple], weighted: bool = False) -> dict[str, float]:
    """Mean recall of the classifier, trained on X and y, on each of the judged sets, by both rules."""
    fitted = make_pipeline(StandardScaler(), classifier).fit(X, y)
    learned = np.ones(10) if weighted else np.bincount(y, minlength=10) / len(y)
    values = {}
    for name, (rows, labels) in judged.items():
        probability = fitted.predict_proba(rows)
        for rule, weights in zip(RULES, (1.0, 1 / learned), strict=True):
            values[f"{name} {rule}"] = balanced_accuracy_score(labels, (probability * weights).argmax(1))
    return values


def measure(run: EmbeddingRun, ratio: int, seed: int, classifier: str, method: str, amount: str) -> dict:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nets warn of classes with few rows
        X, y, seconds = resampled(run, ratio, seed, method, amount)
        model = KNeighborsClassifier(15) if classifier == "k-NN" else logistic(STRENGTH)
        weighted = method == WEIGHTS
        if weighted:
            model.set_params(class_weight="balanced")
        return {**recalls(model, X, y, split(run, ratio, seed)[1], weighted), "seconds of the sampler": seconds}


def logistic(strength: float) -> LogisticRegression:
    return LogisticRegression(C=strength, max_iter=500)


def penalty_cells(run: EmbeddingRun) -> Iterator[dict]:
    for seed in range(min(run.n_seeds, 2)):
        for ratio in run.ratios:
            for strength in PENALTIES:
                for method in (NOTHING, SMOTED):
                    yield {"ratio": ratio, "seed": seed, "C": strength, "method": method}


def measure_penalty(run: EmbeddingRun, ratio: int, seed: int, C: float, method: str) -> dict:
    X, y, _ = resampled(run, ratio, seed, method, "balance" if method == SMOTED else "")
    return recalls(logistic(C), X, y, {"valid": split(run, ratio, seed)[1]["valid"]})


def penalty_report(results: pd.DataFrame) -> str:
    """Mean recall on validation rows by C."""
    table = 100 * results.pivot_table(
        index="C", columns=["ratio", "method"], values=[f"valid {rule}" for rule in RULES]
    )
    lines = {
        strength: {
            f"{method}, {rule}, ratio {ratio}": f"{table.loc[strength, (f'valid {rule}', ratio, method)]:.1f}"
            for ratio in sorted(results["ratio"].unique(), reverse=True)
            for method, rule in ((NOTHING, "corrected"), (SMOTED, "as predicted"))
        }
        for strength in sorted(table.index)
    }
    frame = pd.DataFrame(lines).T.rename_axis("C")
    note = f"Mean recall in percent on validation rows, {results['seed'].nunique()} seeds."
    return f"{frame.to_markdown(disable_numparse=True)}\n\n{note}"


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md: a table a ratio, and what the validation rows recommend."""
    results = results.fillna({"amount": ""})
    line = results["method"] + np.where(results["amount"] == "", "", ", " + results["amount"])
    long = results.assign(line=line).melt(
        ["ratio", "seed", "classifier", "line"],
        [f"{side} {rule}" for side in ("valid", "test") for rule in RULES],
        "column",
    )
    long[["side", "rule"]] = long["column"].str.split(" ", n=1, expand=True)
    long["value"] *= 100
    parts = []
    for ratio in sorted(results["ratio"].unique(), reverse=True):
        part = long[(long["ratio"] == ratio) & (long["side"] == "test")]
        wide = part.pivot_table(index="seed", columns=["classifier", "line", "rule"], values="value")
        seconds = results[results["ratio"] == ratio].groupby(line, sort=False)["seconds of the sampler"].min()
        rows = [_line(wide, name, seconds[name]) for name in seconds.index]
        table = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
        parts.append(f"### Ratio {ratio}\n\n{table}")
    return "\n\n".join([*parts, _note(results), _recommended(long)])


def _line(wide: pd.DataFrame, name: str, seconds: float) -> dict[str, str]:
    """Of one method and amount: both rules by each classifier, and the better one's difference to nothing, corrected."""
    row = {"training rows": name}
    for classifier in wide.columns.unique("classifier"):
        base = wide[classifier, NOTHING, "corrected"]
        scores = {rule: wide[classifier, name, rule] for rule in RULES if (classifier, name, rule) in wide}
        for rule in RULES:
            row[f"{classifier}, {rule}"] = with_error(scores[rule].dropna()) if scores else ""
        if classifier != CLASSIFIERS[0]:
            continue
        for rule in RULES:
            row[f"{rule}, over {NOTHING}, corrected"] = with_error((scores[rule] - base).dropna(), "+")
        row["seeds"] = str(scores[RULES[0]].count())
    return row | {"seconds": f"{seconds:.0f}"}


def _note(results: pd.DataFrame) -> str:
    neighbours = "; k-NN with 15 neighbours" if results["classifier"].nunique() > 1 else ""
    return (
        "Mean recall in percent on test images, mean ± standard error over seeds; differences are paired by seed. Logistic "
        f"regression on standardised columns with C = {STRENGTH}{neighbours}. Seconds: of the sampler, the shortest of the "
        "seeds, because other programs ran beside; two lines of one net share its training, which is in the first. The "
        "backbone was trained on ImageNet, whose classes overlap CIFAR-10's: compare lines with each other, not with networks "
        f"that are trained from scratch. `python benchmarks/embeddings.py`, {results['date'].max()}."
    )


def _recommended(long: pd.DataFrame) -> str:
    """What the mean over seeds and ratios on validation rows recommends, beside the best line on test rows."""
    of_logistic = long[long["classifier"] == CLASSIFIERS[0]]
    cells = of_logistic.groupby(["line", "rule"])["value"]
    whole = of_logistic[cells.transform("size") == cells.size().max()]  # lines that every seed has
    means = whole.pivot_table(index=["line", "rule"], columns=["side", "ratio"], values="value")
    chosen = means["valid"].mean(axis=1).idxmax()
    told = []
    for ratio in sorted(long["ratio"].unique(), reverse=True):
        best = means["test", ratio].idxmax()
        told.append(
            f"at ratio {ratio} it has {means.loc[chosen, ('test', ratio)]:.1f} on test images, and the best line there, "
            f"{', '.join(best)}, {means.loc[best, ('test', ratio)]:.1f}"
        )
    best_on_valid = f"**{', '.join(chosen)}**"
    return f"The best mean of both rules and all lines with all seeds on validation rows: {best_on_valid}; {'; '.join(told)}."


def grey_cells(run: EmbeddingRun) -> Iterator[dict]:
    for seed in range(min(run.n_seeds, 3)):
        for dataset in ("mnist", "fashion"):
            for method in ("embedding", "CNN"):
                yield {"dataset": dataset, "seed": seed, "method": method}


def measure_grey(run: EmbeddingRun, dataset: str, seed: int, method: str) -> dict:
    whole = mnist_5k(seed) if dataset == "mnist" else fashion_mnist()
    rng = np.random.RandomState(seed)
    X, y = long_tail(whole.x_train, whole.y_train, COUNTS["mnist"], rng)
    test, labels = long_tail(whole.x_test, whole.y_test, [150] * 10, rng)
    if method == "CNN":
        probability = CNNClassifier(max_updates=300, random_state=seed).fit(X, y).predict_proba(test)
    else:
        embed = ImageEmbedding(efficientnet_lite0(), size=SIZE, memory=CACHE).fit(X)
        fitted = make_pipeline(StandardScaler(), logistic(0.01)).fit(embed.transform(X), y)
        probability = fitted.predict_proba(embed.transform(test))
    rules = zip(RULES, (1.0, len(y) / np.bincount(y)), strict=True)
    return {rule: balanced_accuracy_score(labels, (probability * weights).argmax(1)) for rule, weights in rules}


def grey_report(results: pd.DataFrame) -> str:
    """Mean recall of both ways on grey images that are no photographs."""
    rows = [
        {"data": dataset, "classifier": method, **{rule: with_error(100 * part[rule]) for rule in RULES}}
        for (dataset, method), part in results.groupby(["dataset", "method"], sort=False)
    ]
    return (
        f"{pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)}\n\nMean recall in percent on 150 test images a "
        f"class, mean ± standard error over {results['seed'].nunique()} seeds; 250 … 5 training images a class. CNN: "
        "`cnn_2conv`, 300 updates. Embedding: logistic regression, C = 0.01."
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    grey = Part("embeddings_grey", BUDGETS, grey_cells, measure_grey, grey_report)
    penalty = Part("embeddings_penalty", BUDGETS, penalty_cells, measure_penalty, penalty_report)
    main("embeddings", BUDGETS, cells, measure, report, penalty, grey)
