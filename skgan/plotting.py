"""Displays, as scikit-learn's: made ``from_…`` a fitted object, drawn by ``.plot(ax=)``. Needs matplotlib.

Figures are made without pyplot, so that nothing opens a window; ``display.figure_.savefig(path)`` saves one.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.neighbors import NearestNeighbors

from skgan._names import as_text
from skgan._notebook import ShownInNotebooks
from skgan._statistics import simplest_of_the_best

try:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
except ImportError as error:
    raise ImportError('Pictures and reports need matplotlib: pip install "matplotlib>=3.8".') from error


class _Display(ShownInNotebooks):
    """``figure_`` and ``ax_``, of the axes given or of a figure of its own."""

    ax_: Axes

    def _axes(self, ax, width: float, height: float) -> Axes:
        self.ax_ = Figure(figsize=(width, height), layout="compressed").subplots() if ax is None else ax
        self.figure_ = self.ax_.figure
        return self.ax_


class SampleGridDisplay(_Display):
    """Rows of images: real ones, generated ones, and under each generated one its nearest real neighbour.

    Parameters
    ----------
    rows : sequence of (str, array of shape (n, H, W) or (n, H, W, 3))
        Name and images of every row; fewer images than in the longest row leave the rest of it empty.

    Attributes
    ----------
    figure_, ax_ : the figure and axes of the last ``plot``
    """

    def __init__(self, rows: Sequence[tuple[str, np.ndarray]]):
        self.rows = rows

    @classmethod
    def from_sampler(
        cls, sampler: Any, X: Any, y: Any, *, classes: Any = None, n_columns: int = 10, random_state: int | None = None
    ) -> Any:
        """Of a fitted image sampler: per class parents and offspring, where the net starts from real rows; else real rows,
        generated rows, and the latter's nearest real neighbours.

        Parameters
        ----------
        sampler : GANOverSampler or ConditionalGANAugmenter
            After ``fit_resample(X, y)`` on images, with y of classes.
        X, y
            What it was fitted on.
        classes : list or None, default=None
            None: those that had new rows made.
        n_columns : int, default=10
        random_state : int or None, default=None
            As in ``sampler.sample``.

        Raises
        ------
        ValueError
            For a sampler of tables.
        """
        if not sampler.codec_.is_image:
            raise ValueError("SampleGridDisplay shows images, and this sampler was fitted on a table.")
        if classes is None:
            classes = [klass for klass, n in sampler.sampling_strategy_.items() if n]
        y, blocks = np.asarray(y), []
        for klass in classes:
            if sampler.has_parents_:
                made, _, shown = sampler.sample_with_parents({klass: n_columns}, random_state, offspring_only=True)
                shown = _images(sampler, shown)
            else:
                made, shown = sampler.sample({klass: n_columns}, random_state)[0], _images(sampler, X)[y == klass]
            blocks.append((str(klass), shown, _images(sampler, made)))
        how: dict[str, Any] = {"kinds": ("parent", "offspring")} if sampler.has_parents_ else {"nearest": True}
        return cls.from_images(blocks, n_columns=n_columns, **how)

    @classmethod
    def from_images(
        cls,
        blocks: Sequence[tuple[str, np.ndarray, np.ndarray]],
        *,
        n_columns: int = 10,
        kinds: tuple[str, str] = ("real", "generated"),
        nearest: bool = False,
    ) -> Any:
        """Of images: one block (name, first, second) per class, such as real beside generated, or parents beside offspring.

        Parameters
        ----------
        blocks : sequence of (str, array, array)
            Images of shape (n, H, W) or (n, H, W, 3).
        n_columns : int, default=10
        kinds : (str, str), default=("real", "generated")
            What the two are called.
        nearest : bool, default=False
            Add a row with the nearest of the first to each of the second.
        """
        rows = []
        for name, first, second in blocks:
            rows += [(f"{name} {kinds[0]}", first[:n_columns]), (f"{name} {kinds[1]}", second[:n_columns])]
            if nearest:
                index = NearestNeighbors(n_neighbors=1).fit(first.reshape(len(first), -1).astype(float))
                found = index.kneighbors(second[:n_columns].reshape(len(rows[-1][1]), -1).astype(float))[1][:, 0]
                rows.append((f"nearest {kinds[0]}", first[found]))
        return cls(rows)

    def plot(self, ax: Any = None) -> Self:
        """Draw the grid into one axes; returns the display."""
        images = [np.asarray(images) for _, images in self.rows]
        height, width = images[0].shape[1:3]
        n_columns, gap = max(map(len, images)), max(1, height // 14)
        low = min(float(row.min()) for row in images if len(row))
        high = max(float(row.max()) for row in images if len(row))
        coloured = images[0].ndim == 4
        canvas = np.full((len(images) * (height + gap), n_columns * (width + gap), *((3,) if coloured else ())), np.nan)
        for i, row in enumerate(images):
            for j, image in enumerate(row):
                top, left = i * (height + gap), j * (width + gap)
                canvas[top : top + height, left : left + width] = (image - low) / ((high - low) or 1.0)
        ax = self._axes(ax, 0.65 * n_columns + 1.5, 0.65 * len(images) * height / width + 0.3)
        ax.imshow(np.nan_to_num(canvas, nan=1.0) if coloured else canvas, cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[])
        ax.set_yticks(np.arange(len(images)) * (height + gap) + height / 2, [as_text(name) for name, _ in self.rows])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        return self


class TranslationDisplay(SampleGridDisplay):
    """Images as they are, turned into another class (or domain), and turned back."""

    @classmethod
    def from_sampler(cls, sampler: Any, X: Any, to: Any, *, n_columns: int = 10) -> Any:  # type: ignore[override]
        """Of a sampler that was fitted with ``cyclegan()``.

        Parameters
        ----------
        sampler : GANOverSampler or ConditionalGANAugmenter
            After ``fit_resample`` on images.
        X : images
            Of the donor of ``to``, in the layout of ``fit_resample``'s X; the first are shown.
        to : class or domain
        n_columns : int, default=10
        """
        original = X[:n_columns]
        there = sampler.translate(original, to)
        back = sampler.translate(there, to, back=True)
        names = ("original", f"as {to}", "and back")
        return cls([(n, _images(sampler, rows)) for n, rows in zip(names, (original, there, back), strict=True)])


class TrainingHistoryDisplay(_Display):
    """Losses, and the discriminator's accuracy on an axis of its own, against the step.

    Parameters
    ----------
    history : DataFrame
        As a sampler's ``training_history_``.

    Attributes
    ----------
    figure_, ax_ : the figure and axes of the last ``plot``
    accuracy_ax_ : the axes of the accuracy
    """

    def __init__(self, history: pd.DataFrame):
        self.history = history

    @classmethod
    def from_sampler(cls, sampler: Any) -> Any:
        """Of a sampler after ``fit_resample``.

        Raises
        ------
        ValueError
            Where nothing was trained.
        """
        if not len(sampler.training_history_):
            raise ValueError("This sampler trained nothing, so there is no history: no class needed new rows.")
        return cls(sampler.training_history_)

    def plot(self, ax: Any = None) -> Self:
        """Draw the curves; returns the display."""
        ax = self._axes(ax, 7.5, 4)
        self.accuracy_ax_ = ax.twinx()
        groups = self.history.groupby("class", sort=False) if "class" in self.history else [(None, self.history)]
        for name, rows in groups:
            suffix = "" if name is None else f" ({as_text(name)})"
            for column in (str(c) for c in self.history if str(c).endswith("loss")):
                ax.plot(rows["step"], rows[column], label=column.replace("_", " ") + suffix)
            if "discriminator_accuracy" in rows:
                label = f"discriminator accuracy{suffix} (right)"
                self.accuracy_ax_.plot(
                    rows["step"], rows["discriminator_accuracy"], color="0.6", linestyle=":", label=label
                )
        ax.set(xlabel="step", ylabel="loss")
        self.accuracy_ax_.set(ylabel="discriminator accuracy", ylim=(0, 1.02))
        lines = [*ax.get_lines(), *self.accuracy_ax_.get_lines()]
        ax.legend(lines, [str(line.get_label()) for line in lines], fontsize=8)
        return self


class MixingRatioDisplay(_Display):
    """Score against the amount of synthetic data, with standard errors, the best, and the least within one error of it.

    Parameters
    ----------
    ratios : array of shape (n,)
        Synthetic ÷ real rows, or any other amount.
    means, errors : arrays of shape (n,)
        Mean score and its standard error over folds.

    Attributes
    ----------
    best_ : float
        The ratio of the best mean.
    one_standard_error_ : float
        The smallest ratio whose mean is at least the best mean less its error: the one to take where less will do.
    figure_, ax_ : the figure and axes of the last ``plot``
    """

    def __init__(self, ratios: Any, means: Any, errors: Any):
        order = np.argsort(ratios)
        self.ratios, self.means, self.errors = (np.asarray(values, float)[order] for values in (ratios, means, errors))
        best = int(np.nanargmax(self.means))
        self.best_ = float(self.ratios[best])
        self.one_standard_error_ = float(self.ratios[simplest_of_the_best(self.means, self.errors[best])])

    @classmethod
    def from_search(cls, search: Any, parameter: str | None = None) -> Any:
        """Of a fitted search; where other parameters were searched too, each ratio has its best candidate.

        Parameters
        ----------
        search : GridSearchCV or RandomizedSearchCV
            With one metric.
        parameter : str or None, default=None
            Its parameter, such as "augment__mixing_ratio"; None is the one that ends with "mixing_ratio" or "n_synthetic".

        Raises
        ------
        ValueError
            Where the search has no such parameter, or its values are no numbers.
        """
        results = pd.DataFrame(search.cv_results_)
        names = [str(c).removeprefix("param_") for c in results if str(c).startswith("param_")]
        if parameter is None:
            parameter = next((n for n in names if n.endswith(("mixing_ratio", "n_synthetic"))), None)
        if parameter not in names:
            raise ValueError(f"The search has no parameter {parameter or 'mixing_ratio'!r}; it has {', '.join(names)}.")
        try:
            results["amount"] = results[f"param_{parameter}"].astype(float)
        except (TypeError, ValueError) as error:
            raise ValueError(f"The values of {parameter} are no numbers, so they have no place on an axis.") from error
        best = results.loc[results.groupby("amount")["mean_test_score"].idxmax()]
        errors = best["std_test_score"] / np.sqrt(max(1, search.n_splits_ - 1))  # that std is the population's
        return cls(best["amount"], best["mean_test_score"], errors)

    def plot(self, ax: Any = None, *, name: str | None = None) -> Self:
        """Draw the curve; returns the display."""
        ax = self._axes(ax, 6, 4)
        line = ax.errorbar(self.ratios, self.means, self.errors, marker="o", capsize=3, label=name and as_text(name))[0]
        for ratio, marker, label in (
            (self.best_, "*", "best"),
            (self.one_standard_error_, "s", "least within one standard error of it"),
        ):
            at = self.means[self.ratios == ratio][0]
            ax.plot(ratio, at, marker, markersize=13, color=line.get_color(), fillstyle="none", label=label)
        ax.set(xlabel="synthetic ÷ real rows", ylabel="score")
        ax.legend(fontsize=8)
        return self


def plot_condition_sweep(sampler: Any, conditions: Any, *, n_rows: int = 3, ax: Any = None) -> SampleGridDisplay:
    """Images at chosen conditions, one column each, and n_rows draws of the noise.

    Parameters
    ----------
    sampler : ConditionalGANAugmenter
        Fitted on images with real-valued labels.
    conditions : array-like of shape (n,) or (n, k)
        Such as ``np.linspace(low, high, 8)``.
    n_rows : int, default=3
    ax : matplotlib axes or None, default=None

    Raises
    ------
    ValueError
        For a sampler of tables.
    """
    if not sampler.codec_.is_image:
        raise ValueError("plot_condition_sweep shows images, and this sampler was fitted on a table.")
    rows = [(f"draw {i + 1}", _images(sampler, sampler.sample_at(conditions, random_state=i))) for i in range(n_rows)]
    display = SampleGridDisplay(rows).plot(ax)
    points = np.asarray(conditions, dtype=float).reshape(len(rows[0][1]), -1)
    left, right = display.ax_.get_images()[0].get_extent()[:2]
    names = [", ".join(f"{value:.3g}" for value in point) for point in points]
    display.ax_.set_xticks([(j + 0.45) * (right - left) / len(points) for j in range(len(points))], names)
    return display


def _images(sampler, X) -> np.ndarray:
    """(n, H, W) or (n, H, W, 3) of rows in the sampler's layout."""
    last = np.moveaxis(sampler.codec_.transform(X), 1, -1)
    return last if last.shape[-1] == 3 else last[..., 0]


def plot_differences(table: pd.DataFrame, scoring: str = "score", ax: Any = None) -> Axes:
    """Each row's difference to nothing with its interval, from the table of :func:`skgan.compare`."""
    if ax is None:
        ax = Figure(figsize=(7, 0.4 * len(table) + 1.2), layout="constrained").subplots()
    at = np.arange(len(table))[::-1]
    difference = table["over nothing"]
    errors = np.stack([difference - table["low"], table["high"] - difference])
    ax.errorbar(difference, at, xerr=np.nan_to_num(errors, posinf=0.0), fmt="o", capsize=3)
    ax.axvline(0, color="0.6", linewidth=1)
    ax.set_yticks(at, list(map(as_text, table.index)))
    ax.set(xlabel=f"{as_text(scoring).replace('_', ' ')}, difference to nothing (95 % interval)")
    return ax


def plot_confusion_matrices(matrices: Mapping[str, np.ndarray], classes: Any = None) -> Figure:
    """One confusion matrix per name, in rows of up to three; ``classes`` names the labels."""
    n_columns = min(3, len(matrices))
    n_rows = -(-len(matrices) // n_columns)
    figure = Figure(figsize=(3.6 * n_columns, 3.8 * n_rows), layout="constrained")
    axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for axis in axes[len(matrices) :]:
        axis.set_axis_off()
    for axis, (name, matrix) in zip(axes, matrices.items(), strict=False):
        labels = [as_text(k) for k in (range(len(matrix)) if classes is None else classes)]
        ConfusionMatrixDisplay(matrix, display_labels=labels).plot(
            ax=axis, colorbar=False, cmap="Blues", text_kw={"fontsize": max(6, 14 - len(matrix))}
        )
        axis.set_title(as_text(name), fontsize=10)
    return figure
