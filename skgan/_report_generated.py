"""The part of the page that shows what one generator made."""

import base64
import html
from io import BytesIO

import numpy as np
import pandas as pd

from skgan._columns_beside import pairs_of
from skgan._generated import COLUMNS, QUANTILE, GeneratedRows

PAIRS, SCATTERED = 6, 3
"""Pairs of columns in the table, those that differ most, and pictures of those that are numbers."""
WIDE_TABLE = 12
"""Columns of rows that are shown."""


def section(name: str, made: GeneratedRows) -> str:
    """Rows, how near they are to real ones, filter report, columns, losses."""
    parts = [
        f"<h2>What {html.escape(name)} made, first fold</h2>",
        _grid(made),
        "<h3>New or copied?</h3>",
        *_nearness(made),
    ]
    if made.filter_report is not None:
        report = made.filter_report.assign(acceptance=made.filter_report["acceptance"].map("{:.0%}".format))
        parts.append(f"<h3>Row filter</h3>{table(report, index=False)}")
    if made.beside:
        parts.append(
            "<h3>Columns, real against new</h3><p>Real training rows against new rows that are no copies on purpose. Of many "
            "columns those that differ most. The difference is the largest between the two distribution functions, of "
            "categories half the sum of the differences of their shares: 0 is the same, 1 has nothing in common. Few rows "
            "differ by chance.</p>"
        )
        parts += [_columns(*one, is_open=i == 0) for i, one in enumerate(made.beside)]
    parts.append(f"<h3>Training</h3>{_losses(made.history)}")
    return "\n".join(parts)


def picture(figure, text: str) -> str:
    """An image inside the page, with its content in words."""
    file = BytesIO()
    figure.savefig(file, format="png", dpi=110)
    return f'<img src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}" alt="{html.escape(text)}">'


def table(frame: pd.DataFrame, **options) -> str:
    """In a box of its own, that scrolls where it is wide."""
    return f'<div class="wide">{frame.to_html(border=0, **options)}</div>'


def cards(figures: list[tuple[str, str]], width: str = "15rem") -> str:
    """Pictures with captions, as many beside each other as there is room for."""
    if not figures:
        return ""
    inner = "".join(f"<figure>{image}<figcaption>{html.escape(name)}</figcaption></figure>" for name, image in figures)
    return f'<div class="cards" style="--least: {width}">{inner}</div>'


def _grid(made: GeneratedRows) -> str:
    from skgan.plotting import SampleGridDisplay

    classes = ", ".join(name for name, _, _ in made.blocks)
    first, second = made.kinds
    if np.ndim(made.blocks[0][1]) > 2:
        blocks = [(name, _channels_last(one), _channels_last(other)) for name, one, other in made.blocks]
        figure = SampleGridDisplay.from_images(blocks, n_columns=COLUMNS, kinds=made.kinds).plot().figure_
        image = picture(figure, f"For each of the classes {classes}: {first} images above {second} images.")
        return f'<div class="wide">{image}</div>'
    lines = [
        {"class": name, "row": kind, **pd.DataFrame(rows).iloc[i, :WIDE_TABLE]}
        for name, *both in made.blocks
        for i in range(3)
        for kind, rows in zip(made.kinds, both, strict=True)
    ]
    below = "parent" if first == "parent" else "nearest real row of its class"
    shown = table(pd.DataFrame(lines), index=False, float_format="{:.4g}".format)
    return f"<p>Each {second} row stands below its {below}.</p>{shown}"


def _channels_last(images) -> np.ndarray:
    """(n, H, W) or (n, H, W, 3)."""
    images = np.asarray(images)
    if images.ndim == 4 and images.shape[1] in (1, 3) and images.shape[3] not in (1, 3):
        images = np.moveaxis(images, 1, -1)
    return images[..., 0] if images.ndim == 4 and images.shape[-1] == 1 else images


def _nearness(made: GeneratedRows) -> list[str]:
    """Copy ratio, near-copies, and a classifier that tells new rows from real ones."""
    n = sum(made.origins.values())
    origins = ", ".join(f"{origin} {100 * of / n:.0f} %" for origin, of in made.origins.items())
    copies = (
        "The copy ratio could not be measured: all unseen rows hold categories that training rows do not, or most repeat these."
        if np.isnan(made.copy_ratio)
        else f"Copy ratio {made.copy_ratio:.2f}: the distance from a generated row to the nearest training row, over that from "
        "an unseen real row (medians). Near 0 they are copies, near 1 as new as real rows, far above 1 off the data."
    )
    of_new, of_unseen = made.near_copies
    near = (
        "The share of near-copies could not be measured: there are no such rows, or all unseen rows hold categories that "
        "training rows do not."
        if np.isnan(of_new)
        else f"Near-copies: {of_new:.0%} of the new rows, {of_unseen:.0%} of {made.n_unseen} unseen real rows. A near-copy is "
        f"at most as far from its nearest training row as the nearest {QUANTILE:.0%} of unseen real rows are from theirs."
    )
    new, real = made.told_apart
    told = (
        "Whether a classifier tells new rows from real ones was not measured: there are too few rows of a kind."
        if np.isnan(new)
        else f"Told from real rows: a random forest tells new rows from unseen real ones with an area under the ROC curve of "
        f"{new:.2f}, and training rows from unseen real ones with {real:.2f} ({made.n_told} rows of each, five folds). 0.5 is "
        "guessing, 1 is always right."
    )
    on_purpose = (
        f"Where the new rows come from: {origins}. Rows of the origin copy are real rows once more, and jitter is a copy with "
        "a little noise, both on purpose: near-copies and the classifier below are about the others."
    )
    return [f"<p>{html.escape(words)}</p>" for words in (on_purpose, copies, near, told)]


def _columns(klass: str, real: pd.DataFrame, new: pd.DataFrame, columns: pd.DataFrame, *, is_open: bool) -> str:
    """Of one class, column by column and pair by pair."""
    from skgan._report_figures import column_figure, pair_figure

    figures = [
        (f"{name}: differs by {difference:.2f}", picture(*column_figure(real[name], new[name])))
        for name, difference in columns.itertuples(index=False)
    ]
    parts = [cards(figures)]
    pairs = pairs_of(real, new)
    if len(pairs):
        mean = (pairs["real"] - pairs["new"]).abs().mean()
        parts.append(
            "<p>How pairs of these columns go together: Spearman's correlation of numbers, Cramér's V of categories, and the "
            "correlation ratio of a number's ranks in categories (0 is not at all, 1 wholly). The difference is "
            f"{mean:.2f} in the mean over {len(pairs)} pairs; those that differ most:</p>"
        )
        parts.append(table(pairs.head(PAIRS), index=False, float_format="{:.2f}".format))
        of_numbers = pairs.loc[pairs["measure"] == "correlation"].head(SCATTERED)
        parts.append(
            cards(
                [
                    (
                        f"{pair['one']} and {pair['other']}",
                        picture(*pair_figure(*(rows[[pair["one"], pair["other"]]] for rows in (real, new)))),
                    )
                    for _, pair in of_numbers.iterrows()
                ]
            )
        )
    summary = f"Class {html.escape(klass)}: {len(real)} real and {len(new)} new rows"
    return f"<details{' open' if is_open else ''}><summary>{summary}</summary>{''.join(parts)}</details>"


def _losses(history: pd.DataFrame) -> str:
    """The curves; in words where there is none to draw."""
    from skgan.plotting import TrainingHistoryDisplay

    losses = [str(name) for name in history if str(name).endswith("loss") and history[name].notna().any()]
    if not losses:
        return "<p>This training has no losses.</p>"
    told = ", ".join(
        f"{name.replace('_', ' ')} {history[name].dropna().iloc[0]:.3g} at first, {history[name].dropna().iloc[-1]:.3g} at last"
        for name in losses
    )
    text = f"Losses over {history['step'].max()} steps: {told}"
    lines = history.groupby("class")["step"].nunique() if "class" in history else history["step"].agg(["nunique"])
    if lines.max() < 2:
        return f"<p>{html.escape(text)}.</p>"
    return f'<div class="wide">{picture(TrainingHistoryDisplay(history).plot().figure_, text)}</div>'
