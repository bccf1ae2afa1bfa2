"""Pictures of real beside generated images, of training, and of confusion matrices. Needs matplotlib (``skgan[plot]``)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.metrics import ConfusionMatrixDisplay


def plot_real_beside_generated(
    real: Sequence[np.ndarray],
    generated: Sequence[np.ndarray],
    names: Sequence[str],
    n_columns: int = 10,
    kinds: tuple[str, str] = ("real", "generated"),
) -> Figure:
    """Two rows of images per class: real above, generated below; or parents above their offspring.

    Parameters
    ----------
    real, generated : sequence of arrays of shape (n, H, W) or (n, H, W, 3)
        One array per class.
    names : sequence of str
        One name per class.
    n_columns : int, default=10
        Images a row; fewer real ones leave the rest of the row empty.
    kinds : (str, str), default=("real", "generated")
        What the two rows are called.
    """
    low = min(float(images.min()) for images in real)
    high = max(float(images.max()) for images in real)
    figure = Figure(figsize=(0.8 * n_columns + 1.4, 1.7 * len(names) + 0.4), layout="constrained")
    axes = figure.subplots(2 * len(names), n_columns, squeeze=False)
    for k, name in enumerate(names):
        for row, (kind, images) in enumerate(zip(kinds, (real[k], generated[k]), strict=True)):
            for column in range(n_columns):
                axis = axes[2 * k + row, column]
                axis.set(xticks=[], yticks=[])
                if column < len(images):
                    axis.imshow(images[column], cmap="gray_r", vmin=low, vmax=high)
                else:
                    axis.set_axis_off()
            axes[2 * k + row, 0].set_ylabel(f"{name}\n{kind}", rotation=0, ha="right", va="center")
    return figure


def plot_training_history(history: pd.DataFrame) -> Figure:
    """Losses and discriminator accuracy against the step, from a sampler's ``training_history_``."""
    figure = Figure(figsize=(7, 5), layout="constrained")
    losses, accuracy = figure.subplots(2, 1, sharex=True)
    groups = history.groupby("class", sort=False) if "class" in history else [(None, history)]
    for name, rows in groups:
        suffix = "" if name is None else f" ({name})"
        for column in (str(c) for c in history if str(c).endswith("loss")):
            losses.plot(rows["step"], rows[column], label=column.replace("_", " ") + suffix)
        if "discriminator_accuracy" in rows:
            accuracy.plot(rows["step"], rows["discriminator_accuracy"], label=f"discriminator accuracy{suffix}")
    losses.set(ylabel="loss")
    losses.legend()
    accuracy.axhline(0.5, color="0.7", linewidth=1)
    accuracy.set(xlabel="step", ylabel="discriminator accuracy", ylim=(0, 1.02))
    return figure


def plot_confusion_matrices(matrices: Mapping[str, np.ndarray]) -> Figure:
    """One confusion matrix per name, in rows of up to three."""
    n_columns = min(3, len(matrices))
    n_rows = -(-len(matrices) // n_columns)
    figure = Figure(figsize=(3.6 * n_columns, 3.8 * n_rows), layout="constrained")
    axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for axis in axes[len(matrices) :]:
        axis.set_axis_off()
    for axis, (name, matrix) in zip(axes, matrices.items(), strict=False):
        ConfusionMatrixDisplay(matrix).plot(ax=axis, colorbar=False, cmap="Blues", text_kw={"fontsize": 6})
        axis.set_title(name, fontsize=10)
    return figure
