"""Mixing ratios: the MNIST report's experiments, as published and corrected, and a grid that trains once per fold.

    OMP_NUM_THREADS=2 python benchmarks/mixing_ratio.py [--parts mixing_ratio mixing_grid recursive stopped] [--quick | --full]

One MLP GAN per class (Liu & Hu, "GAN-based image data augmentation", 2020), trained on n real rows a class, and the library's
default net beside it, shared by all classes. The classifier is the report's (300 sigmoid units, Adam 2e-4, weight decay 1e-4,
batches of 100, 20 passes). "As published" its gradients are never reset between steps, as in the report's code; "corrected"
they are. More rows are more updates, so every ratio has a control: the real rows repeated to the same size. These are the
report's experiments 1 and 2.

``recursive``, its experiment 3: does a generator get better by training on its own rows? From 250 real rows a digit, every
round trains one MLP GAN (α 4) per class anew on the current set, adds a tenth of its size, and goes on. Each round's generators
are judged as the report does, by the report's classifier on 1,000 of their rows a class (corrected), and so are sets with all
rows added so far. The control adds the same number in one round.

``stopped`` trains the classifier as long as the report does: up to 200 passes, ended by the loss on a development set (half of
the test rows; the other half judges), with the weights of the best pass.
"""

import functools
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import torch
from data import fashion_mnist, mnist, mnist_5k
from harness import CACHE, DOCS, RESULTS, Part, Run, draws, largest, main, with_error
from imblearn.pipeline import Pipeline
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from skorch.callbacks import EarlyStopping

from skgan import CNNClassifier, ConditionalGANAugmenter, RecursiveAugmenter
from skgan._whole import written_whole
from skgan.plotting import MixingRatioDisplay
from skgan.presets import MLP_GAN_AS_PUBLISHED, mlp_gan, offspring


@dataclass(frozen=True)
class RatioRun(Run):
    sets: tuple[tuple[str, int], ...]  # data set, rows a class
    n_seeds: int
    epochs: int  # of the GANs
    trials: int  # of a classifier
    alone: bool = True  # experiment 1: classifiers on synthetic rows only


SIZES = (250, 500, 1000, 2000)  # of the report
BUDGETS = {
    "quick": RatioRun(
        "8×8 digits, one seed, 5 epochs of the GANs (2 minutes)",
        sets=(("digits", 100),),
        n_seeds=1,
        epochs=5,
        trials=1,
        alone=False,
    ),
    "default": RatioRun(
        "MNIST, 250 a digit, 3 seeds, 100 epochs of the GANs, 3 trials of a classifier (45 minutes)",
        sets=(("mnist", 250),),
        n_seeds=3,
        epochs=100,
        trials=3,
    ),
    "full": RatioRun(
        "5,000 images of MNIST (250), Fashion-MNIST (500, 1,000, 2,000) and all of MNIST (mnist-60k: 250 to 2,000), 3 seeds, "
        "2,000 epochs, 5 trials, as published",
        sets=(("mnist", 250), *(("fashion", n) for n in SIZES[1:]), *(("mnist-60k", n) for n in SIZES)),
        n_seeds=3,
        epochs=2000,
        trials=5,
    ),
}
ALPHAS = (1, 2, 4, 6)
RATIOS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
MODES = ("as published", "corrected")
EPOCHS = 20  # of the classifier
OURS = "offspring, shared"
LONGER = "MLP GAN, α 4, twice the epochs"
REPORT, REPEATED, TWICE, ALONE = "MLP GAN, α 4", "real rows repeated", "2s real", "synthetic only"


def cells(run: RatioRun) -> Iterator[dict]:
    """Experiment 2 in both modes and its controls, experiment 1, and s real + s synthetic beside 2s real."""
    lines: dict[tuple, None] = {}  # without repetitions: the half of one size may be another
    for dataset, n in run.sets:
        half = n // 2  # of MNIST-5k's training half there are no 500 a digit
        of_set = [
            *((n, net, ratio) for net in (REPORT, OURS) for ratio in RATIOS),
            *((n, REPEATED, ratio) for ratio in RATIOS[1:]),
            *((n, LONGER, ratio) for ratio in (1.0, 2.0)),
            *((n, f"MLP GAN, α {alpha}", ALONE) for alpha in ALPHAS if run.alone),
            *((half, *line) for line in ((REPORT, 0.0), (REPORT, 1.0), (TWICE, 1.0))),
        ]
        lines |= dict.fromkeys((dataset, *line) for line in of_set)
    for seed in range(run.n_seeds):
        for dataset, size, net, ratio in lines:
            for mode in MODES:
                yield {"dataset": dataset, "n": size, "net": net, "ratio": ratio, "mode": mode, "seed": seed}


def report_gan(alpha: int, n: int, epochs: int):
    """The report's GAN, trained for so many passes over n rows."""
    return mlp_gan(alpha, **MLP_GAN_AS_PUBLISHED, max_steps=epochs * n // MLP_GAN_AS_PUBLISHED["batch_size"])


class AccumulatingClassifier(CNNClassifier):
    """As published: gradients are never reset, so that every step moves along the sum of all gradients so far."""

    def _zero_grad_optimizer(self, *args, **kwargs):
        pass


CLASSIFIERS = dict(zip(MODES, (AccumulatingClassifier, CNNClassifier), strict=True))


def classifier(mode: str, seed: int) -> CNNClassifier:
    return CLASSIFIERS[mode](
        "mlp_300",
        lr=2e-4,
        batch_size=100,
        max_epochs=EPOCHS,
        optimizer__weight_decay=1e-4,
        callbacks__schedule=None,  # the report has no schedule
        random_state=seed,
    )


@functools.lru_cache(maxsize=2)
def data(dataset: str, n: int, seed: int):
    """n training rows a class, as many others, and test images."""
    rng = np.random.RandomState(seed)
    if dataset == "digits":
        X, y = load_digits(return_X_y=True)
        X, order = (16 * X.reshape(-1, 8, 8)).clip(0, 255).astype(np.uint8), rng.permutation(len(X))
        X, y, X_test, y_test = X[order[:1300]], y[order[:1300]], X[order[1300:]], y[order[1300:]]
    else:
        X, y, X_test, y_test = (
            mnist_5k(seed) if dataset == "mnist" else mnist() if dataset == "mnist-60k" else fashion_mnist()
        )
    of_class = [rng.permutation(np.flatnonzero(y == k)) for k in range(10)]
    rows, more = (np.concatenate([rows[first : first + n] for rows in of_class]) for first in (0, n))
    return X[rows], y[rows], X[more], y[more], X_test, y_test


def augmenter(net: str, n: int, epochs: int, seed: int, **params) -> ConditionalGANAugmenter:
    own = net == OURS
    if own:
        made = offspring()
    elif net == LONGER:
        made = report_gan(4, n, 2 * epochs)
    else:
        made = report_gan(int(net.rpartition(" ")[2]), n, epochs)
    return ConditionalGANAugmenter(net=made, per_class=not own, memory=CACHE.location, random_state=seed, **params)


def training_set(dataset, n, net, ratio, seed, epochs):
    X, y, X_more, y_more, _, _ = data(dataset, n, seed)
    if ratio == ALONE:  # 1,000 a class, whatever n is
        return augmenter(net, n, epochs, seed, n_synthetic=min(10_000, 40 * n), keep_real=False).fit_resample(X, y)
    if net == TWICE:
        return np.concatenate([X, X_more]), np.concatenate([y, y_more])
    if net == REPEATED:
        whole, part = divmod(float(ratio) + 1, 1)
        rows = np.tile(np.arange(len(X)), int(whole))
        some = np.concatenate([np.flatnonzero(y == k)[: round(part * n)] for k in range(10)])
        rows = np.concatenate([rows, some]).astype(int)
        return X[rows], y[rows]
    return augmenter(net, n, epochs, seed, mixing_ratio=float(ratio)).fit_resample(X, y)


def measure(run: RatioRun, dataset: str, n: int, net: str, ratio, mode: str, seed: int) -> dict:
    begin = time.perf_counter()
    X, y = training_set(dataset, n, net, ratio, seed, run.epochs)
    seconds = time.perf_counter() - begin
    *_, X_test, y_test = data(dataset, n, seed)
    fitted = [classifier(mode, trial).fit(X, y) for trial in range(run.trials)]
    if seed == 0 and mode == "as published" and (net == TWICE or (net == REPORT and ratio == 1.0)):  # figure 4
        losses = [batch["train_loss"] for epoch in fitted[0].history for batch in epoch["batches"]]
        with written_whole(_curve(dataset, n, net)) as half:
            pd.DataFrame({"loss": losses}).to_csv(half, index=False)
    accuracy = [(net.predict(X_test) == y_test).mean() for net in fitted]
    return {"accuracy": np.mean(accuracy), "rows": len(X), "seconds": seconds}


def _curve(dataset: str, n: int, net: str) -> Path:
    return RESULTS / f"mixing_ratio-curve-{dataset}-{n}-{'2s-real' if net == TWICE else 's-real-s-synthetic'}.csv"


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md."""
    text = []
    with suppress(FileNotFoundError):
        text.append(report_grid(largest("mixing_grid")[1]))
    note = "Accuracy in percent, mean ± standard error over seeds (each the mean of its trials)."
    for (dataset, n), part in results.groupby(["dataset", "n"], sort=False):
        for mode, cells in part.groupby("mode", sort=False):
            mixed = cells[~cells["ratio"].isin([ALONE]) & (cells["net"] != TWICE)]
            table = {
                net: {
                    f"ratio {float(ratio):g}": with_error(100 * cell["accuracy"])
                    for ratio, cell in sorted(of_net.groupby("ratio"), key=lambda pair: float(pair[0]))
                }
                for net, of_net in mixed.groupby("net", sort=False)
                if len(of_net["ratio"].unique()) > 1
            }
            if table:
                frame = pd.DataFrame(table).T.rename_axis("rows added to the real ones").fillna("–")
                text += [f"### {dataset}, {n} a class, {mode}", frame.to_markdown(disable_numparse=True)]
            alone = cells[(cells["ratio"] == ALONE) | (cells["net"] == TWICE)]
            if len(alone):
                lines = [
                    f"{net if net != TWICE else 'twice as many real rows'} {with_error(100 * cell['accuracy'])}"
                    for net, cell in alone.groupby("net", sort=False)
                ]
                text.append(
                    f"Synthetic rows only (1,000 a class), and twice the real rows, {mode}: {'; '.join(lines)}."
                )
        picture(dataset, n, part)
        text.append(f"![accuracy against the ratio](images/{picture_name(dataset, n)})")
    return "\n\n".join([*text, note])


def picture_name(dataset: str, n: int) -> str:
    """File of the curves."""
    return f"mixing-ratio-{dataset}-{n}.png"


@draws
def picture(dataset: str, n: int, results: pd.DataFrame) -> None:
    """Accuracy against the ratio in both modes, and the loss curves of s real + s synthetic beside 2s real."""
    figure = Figure(figsize=(13, 3.6), layout="constrained")
    axes = figure.subplots(1, 3)
    for axis, mode in zip(axes, MODES, strict=False):
        cells = results[(results["mode"] == mode) & (results["ratio"] != ALONE) & (results["net"] != TWICE)]
        for net, of_net in cells.groupby("net", sort=False):
            by = of_net.assign(ratio=of_net["ratio"].astype(float)).groupby("ratio")["accuracy"]
            if len(by) > 1:
                MixingRatioDisplay(by.mean().index, by.mean(), by.sem().fillna(0)).plot(axis, name=net)
        lines = [line for line in axis.get_legend_handles_labels()[1] if line in set(cells["net"])]
        handles = dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
        axis.legend([handles[line] for line in lines], lines, fontsize=7)
        axis.set(title=f"{dataset}, {n} a class, {mode}", ylabel="accuracy")
    curves = {label: _curve(dataset, n, net) for net, label in ((REPORT, "s real + s synthetic"), (TWICE, "2s real"))}
    if all(path.exists() for path in curves.values()):
        for label, path in curves.items():
            axes[2].plot(pd.read_csv(path)["loss"], label=label, linewidth=0.8)
        axes[2].set(title=f"training loss, s = {n} a class, as published", xlabel="update")
        axes[2].legend(fontsize=7)
    else:
        axes[2].set_axis_off()
    figure.savefig(DOCS / "images" / picture_name(dataset, n), dpi=70)


# A grid that trains once per fold


@dataclass(frozen=True)
class GridRun(Run):
    n_seeds: int


GRID_BUDGETS = {
    "quick": GridRun("8×8 digits, 1 seed (1 minute)", n_seeds=1),
    "default": GridRun("8×8 digits, 3 seeds (4 minutes)", n_seeds=3),
    "full": GridRun("as default", n_seeds=3),
}
GRID = [0, 0.25, 0.5, 1, 2, 4]


def grid_cells(run: GridRun) -> Iterator[dict]:
    for seed in range(run.n_seeds):
        yield {"seed": seed}


class TimedClassifier(CNNClassifier):
    """Adds up the seconds that it is fitted for."""

    seconds = 0.0

    def fit(self, X, y, **params):
        begin = time.perf_counter()
        super().fit(X, y, **params)
        TimedClassifier.seconds += time.perf_counter() - begin
        return self


def measure_grid(run: GridRun, seed: int) -> dict:
    """Ratios in a grid of five folds with ``memory``, the same without, and one ratio alone: trainings and wall time."""
    X, y, *_ = data("digits", 100, seed)
    values: dict = {}
    scores = []
    for name, ratios, cached in (("one ratio", [1], True), ("six ratios", GRID, True), ("without memory", GRID, False)):
        with TemporaryDirectory() as folder:
            sampler = ConditionalGANAugmenter(
                net=report_gan(2, 800, 10), memory=folder if cached else None, random_state=seed
            )
            net = TimedClassifier("mlp_300", batch_size=100, max_epochs=5, random_state=seed)
            pipeline = Pipeline([("sampler", sampler), ("classifier", net)])
            search = GridSearchCV(pipeline, {"sampler__mixing_ratio": ratios}, cv=StratifiedKFold(5))
            TimedClassifier.seconds, begin = 0.0, time.perf_counter()
            search.fit(X, y)
            values[f"{name}: seconds"] = time.perf_counter() - begin
            values[f"{name}: of classifiers"] = TimedClassifier.seconds
            if cached:
                values[f"{name}: trainings"] = len(list(Path(folder).rglob("*.safetensors")))
        scores.append(search.cv_results_["mean_test_score"])
    return {**values, "equal scores": bool((scores[1] == scores[2]).all())}


def report_grid(results: pd.DataFrame) -> str:
    """Markdown of the cached grid."""
    mean = results.mean(numeric_only=True)
    trainings = ", ".join(map(str, results["six ratios: trainings"]))
    bound = 1.3 * mean["one ratio: seconds"] + mean["six ratios: of classifiers"]
    return (
        f"Six ratios × five folds and the refit, 8×8 digits, {len(results)} seed(s): {trainings} trainings with `memory` (one "
        f"fewer where ratio 0 wins); {mean['six ratios: seconds']:.1f} s (without: {mean['without memory: seconds']:.1f} s; "
        f"one ratio: {mean['one ratio: seconds']:.1f} s; 1.3 × that and the classifiers' own time: {bound:.1f} s); scores "
        f"equal to those without: {'yes' if results['equal scores'].all() else 'no'}."
    )


# Stopped on a development set


STOPPED = ((REPEATED, 0.0), (REPORT, 4.0), (REPEATED, 4.0))
PASSES, PATIENCE = 200, 10


def stopped_cells(run: RatioRun) -> Iterator[dict]:
    for seed in range(run.n_seeds):
        for dataset, n in run.sets:
            for net, ratio in STOPPED:
                for mode in MODES:
                    yield {"dataset": dataset, "n": n, "net": net, "ratio": ratio, "mode": mode, "seed": seed}


def measure_stopped(run: RatioRun, dataset: str, n: int, net: str, ratio: float, mode: str, seed: int) -> dict:
    X, y = training_set(dataset, n, net, ratio, seed, run.epochs)
    *_, X_test, y_test = data(dataset, n, seed)
    aside = np.random.RandomState(seed).permutation(len(X_test)) < len(X_test) // 2
    everything = np.concatenate([X, X_test[aside]])

    def split(dataset, y=None):
        subsets = (range(len(X)), range(len(X), len(everything)))
        return tuple(torch.utils.data.Subset(dataset, rows) for rows in subsets)

    fitted = classifier(mode, 0).set_params(
        max_epochs=PASSES,
        train_split=split,
        callbacks=[("stop", EarlyStopping(patience=PATIENCE, load_best=True, sink=lambda text: None))],
    )
    fitted.fit(everything, np.concatenate([y, y_test[aside]]))
    accuracy = (fitted.predict(X_test[~aside]) == y_test[~aside]).mean()
    return {"accuracy": accuracy, "passes": len(fitted.history), "rows": len(X)}


def report_stopped(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md."""
    lines = []
    for (dataset, n, mode), part in results.groupby(["dataset", "n", "mode"], sort=False):
        wide = 100 * part.pivot(index="seed", columns=["net", "ratio"], values="accuracy").dropna()
        for net, ratio in STOPPED:
            lines.append(
                {
                    "data": f"{dataset}, {n} a class, {mode}",
                    "training set": f"real + {ratio:g} × {net}" if ratio else "real",
                    "accuracy": with_error(wide[net, ratio]),
                    "more than real": with_error(wide[net, ratio] - wide[STOPPED[0]], "+") if ratio else "",
                    "passes": f"{part[(part['net'] == net) & (part['ratio'] == ratio)]['passes'].mean():.0f}",
                }
            )
    note = f"At most {PASSES} passes, ended {PATIENCE} after the best loss on the development set, whose weights count."
    return f"{pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)}\n\n{note}"


# Recursive training


@dataclass(frozen=True)
class RecursiveRun(Run):
    dataset: str
    n: int  # real rows a class
    n_seeds: int
    n_rounds: int
    epochs: int  # of the GANs


RECURSIVE_BUDGETS = {
    "quick": RecursiveRun(
        "8×8 digits, 1 seed, 2 rounds, 5 epochs of the GANs (1 minute)",
        dataset="digits",
        n=100,
        n_seeds=1,
        n_rounds=2,
        epochs=5,
    ),
    "default": RecursiveRun(
        "MNIST, 3 seeds, 4 rounds, 100 epochs (30 minutes)", dataset="mnist", n=250, n_seeds=3, n_rounds=4, epochs=100
    ),
    "full": RecursiveRun(
        "MNIST, 3 seeds, 10 rounds, 2,000 epochs, as published",
        dataset="mnist",
        n=250,
        n_seeds=3,
        n_rounds=10,
        epochs=2000,
    ),
}
GROWTH = 0.1


def recursive_cells(run: RecursiveRun) -> Iterator[dict]:
    for seed in range(run.n_seeds):
        for rounds in range(1, run.n_rounds + 1):
            for kind in ("rounds", "at once"):
                yield {"kind": kind, "rounds": rounds, "seed": seed}


def measure_recursive(run: RecursiveRun, kind: str, rounds: int, seed: int) -> dict:
    """Rounds before this one come from the cache, so a cell costs one round."""
    X, y, _, _, X_test, y_test = data(run.dataset, run.n, seed)
    net = report_gan(4, run.n, run.epochs)
    augmenter = ConditionalGANAugmenter(net=net, per_class=True, memory=CACHE.location)
    growth = GROWTH if kind == "rounds" else (1 + GROWTH) ** rounds - 1
    sampler = RecursiveAugmenter(augmenter, rounds if kind == "rounds" else 1, growth, random_state=seed)
    X_all, y_all = sampler.fit_resample(X, y)
    made = sampler.augmenter_.sample(dict.fromkeys(range(10), min(1000, 10 * run.n)))
    accuracy = [
        np.mean([(classifier("corrected", trial).fit(*rows).predict(X_test) == y_test).mean() for trial in range(3)])
        for rows in (made, (X_all, y_all))
    ]
    return {"synthetic only": accuracy[0], "real and added": accuracy[1], "rows": len(X_all)}


def report_recursive(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md."""
    rows = [
        {
            "rounds": rounds,
            **{
                f"{column}, {name}": with_error(100 * cell.loc[cell["kind"] == kind, column])
                for column in ("synthetic only", "real and added")
                for kind, name in (("rounds", "recursive"), ("at once", "at once"))
            },
            "rows": cell["rows"].iloc[0],
        }
        for rounds, cell in results.groupby("rounds", sort=False)
    ]
    picture_recursive(results)
    table = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
    note = f"Accuracy in percent, mean ± standard error over {results['seed'].nunique()} seed(s), each of 3 trials."
    return f"{table}\n\n{note}\n\n![accuracy after each round](images/recursive.png)"


@draws
def picture_recursive(results: pd.DataFrame) -> None:
    """Accuracy after each round, in rounds and at once."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    for axis, column in zip(figure.subplots(1, 2), ("synthetic only", "real and added"), strict=True):
        for kind, cells in results.groupby("kind", sort=False):
            by = cells.groupby("rounds")[column]
            axis.errorbar(by.mean().index, by.mean(), by.sem().fillna(0), marker="o", capsize=3, label=kind)
        axis.set(title=column, xlabel="rounds", ylabel="accuracy")
        axis.legend()
    figure.savefig(DOCS / "images" / "recursive.png", dpi=70)


if __name__ == "__main__":
    main(
        *("mixing_ratio", BUDGETS, cells, measure, report),
        Part("mixing_grid", GRID_BUDGETS, grid_cells, measure_grid, report_grid),
        Part("stopped", BUDGETS, stopped_cells, measure_stopped, report_stopped),
        Part("recursive", RECURSIVE_BUDGETS, recursive_cells, measure_recursive, report_recursive),
    )
