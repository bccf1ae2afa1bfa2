"""The page of :func:`skgan.compare`: what a generator made, and everything else, in one HTML file."""

import base64
import html
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.neighbors import NearestNeighbors

from skgan._compat import safe_indexing
from skgan.metrics import copy_ratio
from skgan.samplers import BaseGenerativeSampler

CLASSES, COLUMNS = 5, 10
"""Classes of which rows are shown, the rarest, and rows of each."""
JUDGED = 1000
"""Unseen real rows, and as many generated ones, that the copy ratio is taken over."""


@dataclass
class GeneratedRows:
    """What one generator made, and how near it keeps to the rows that it was trained on.

    Attributes
    ----------
    kinds : (str, str)
        ("parent", "offspring") or ("nearest real", "generated").
    blocks : list of (str, array or DataFrame, array or DataFrame)
        Class, and of both kinds as many rows: images in the user's layout, or rows of a table.
    history : DataFrame
        The sampler's ``training_history_``.
    filter_report : DataFrame or None
        The sampler's, where it has a row filter.
    copy_ratio : float
        Median distance of generated rows to the nearest training row, over that of unseen real rows of the same classes; NaN
        where it cannot be measured.
    """

    kinds: tuple[str, str]
    blocks: list[tuple[str, Any, Any]] = field(repr=False)
    history: pd.DataFrame = field(repr=False)
    filter_report: pd.DataFrame | None = field(repr=False)
    copy_ratio: float


def look_at(sampler, X, y: np.ndarray, X_test, y_test: np.ndarray) -> GeneratedRows | None:
    """Rows of a fitted sampler beside those it was trained on; None for samplers that train nothing.

    Parameters
    ----------
    sampler : any sampler
        After ``fit_resample(X, y)``.
    X, y, X_test, y_test
        Training rows, and rows that it did not see.
    """
    if not isinstance(sampler, BaseGenerativeSampler) or not len(sampler.training_history_):
        return None
    made = {klass: n for klass, n in sampler.sampling_strategy_.items() if n}
    rarest = sorted(made, key=lambda klass: int((y == klass).sum()))[:CLASSES]
    encoded = _flat(sampler.codec_.transform(X))
    blocks = [(str(klass), *_beside(sampler, X, y, encoded, klass)) for klass in rarest]
    kinds = ("parent", "offspring") if sampler.has_parents_ else ("nearest real", "generated")
    return GeneratedRows(
        kinds,
        blocks,
        sampler.training_history_,
        vars(sampler).get("filter_report_"),
        _copy_ratio(sampler, encoded, X_test, y_test, list(made)),
    )


def _beside(sampler, X, y: np.ndarray, encoded: np.ndarray, klass) -> tuple[Any, Any]:
    """Rows that new ones were made from, or else come nearest to, and the new ones; of a sparse X as dense rows."""
    if sampler.has_parents_:
        rows, _, parents = sampler.sample_with_parents({klass: COLUMNS}, offspring_only=True)
        return _dense(parents), _dense(rows)
    rows = sampler.sample({klass: COLUMNS})[0]
    of_class = np.flatnonzero(y == klass)
    new = _flat(sampler.codec_.transform(rows))
    found = NearestNeighbors(n_neighbors=1).fit(encoded[of_class]).kneighbors(new, return_distance=False)[:, 0]
    nearest = of_class[found]
    return _dense(safe_indexing(X, nearest)), _dense(rows)


def _copy_ratio(sampler, encoded: np.ndarray, X_test, y_test: np.ndarray, classes: list) -> float:
    """Over as many generated rows of each class as there are unseen real ones of it."""
    seen = np.flatnonzero(np.isin(y_test, classes))
    seen = seen[np.linspace(0, len(seen) - 1, min(len(seen), JUDGED)).astype(int)]
    counts = {klass: int((y_test[seen] == klass).sum()) for klass in classes}
    counts = {klass: n for klass, n in counts.items() if n}
    with_parents = sampler.has_parents_
    made = (sampler.sample_with_parents(counts, offspring_only=True) if with_parents else sampler.sample(counts))[0]
    held_out = safe_indexing(X_test, seen)
    try:
        return copy_ratio(encoded, *(_flat(sampler.codec_.transform(rows)) for rows in (held_out, made)))
    except ValueError:  # unseen rows with categories that no training row has, or mostly copies of training rows
        return float("nan")


def _dense(rows):
    return rows.toarray() if sparse.issparse(rows) else rows


def _flat(encoded) -> np.ndarray:
    return encoded.reshape(len(encoded), -1).astype(np.float32)


def page(result) -> str:
    """One page that needs no network, with a text for every picture.

    Parameters
    ----------
    result : Comparison
    """
    from skgan.plotting import plot_confusion_matrices

    best = result.table["score"].idxmax()
    shown = {name: result.confusion_matrices[name] for name in dict.fromkeys((result.table.index[0], best))}
    matrices = "; ".join(
        f"{name}: {np.trace(m)} of {m.sum()} rows on the diagonal, recall of the classes "
        + ", ".join(f"{k} {r:.2f}" for k, r in zip(result.classes, np.diag(m) / m.sum(axis=1), strict=True))
        for name, m in shown.items()
    )
    table = result.formatted()
    differences = "; ".join(f"{name} {text}" for name, text in table["over nothing"].items() if text)
    return _PAGE.format(
        verdict=html.escape(f"{result.verdict} {result.last_word}"),
        table=table.to_html(border=0),
        n_folds=result.folds["fold"].nunique(),
        metric=html.escape(result.scoring.replace("_", " ")),
        differences=_picture(result.plot().figure, f"Differences to nothing: {differences}"),
        matrices=_picture(plot_confusion_matrices(shown, result.classes), f"Confusion matrices. {matrices}"),
        generated="\n".join(_section(name, rows) for name, rows in result.generated.items()),
    )


def _section(name: str, made: GeneratedRows) -> str:
    """What one generator made: rows, copy and filter report, curves."""
    from skgan.plotting import TrainingHistoryDisplay

    ratio = made.copy_ratio
    copies = (
        "The copy ratio could not be measured: unseen rows hold categories that training rows do not, or repeat these."
        if np.isnan(ratio)
        else f"Copy ratio {ratio:.2f}: the distance from a generated row to the nearest training row, over that from an unseen "
        "real row (medians). Near 0 they are copies, near 1 as new as real rows, far above 1 off the data."
    )
    parts = [f"<h2>What {html.escape(name)} made, first fold</h2>", _grid(made), f"<p>{copies}</p>"]
    if made.filter_report is not None:
        report = made.filter_report.assign(acceptance=made.filter_report["acceptance"].map("{:.0%}".format))
        parts.append(f'<h3>Row filter</h3><div class="wide">{report.to_html(border=0, index=False)}</div>')
    figure = TrainingHistoryDisplay(made.history).plot().figure_
    told = [
        f"{str(name).replace('_', ' ')} {made.history[name].iloc[0]:.3g} at first, {made.history[name].iloc[-1]:.3g} at last"
        for name in made.history
        if str(name).endswith("loss")
    ]
    text = f"Losses over {made.history['step'].max()} steps: {', '.join(told) or 'none'}"
    parts.append(f"<h3>Training</h3>{_picture(figure, text)}")
    return "\n".join(parts)


def _grid(made: GeneratedRows) -> str:
    from skgan.plotting import SampleGridDisplay

    classes = ", ".join(name for name, _, _ in made.blocks)
    first, second = made.kinds
    if np.ndim(made.blocks[0][1]) > 2:
        blocks = [(name, _channels_last(one), _channels_last(other)) for name, one, other in made.blocks]
        figure = SampleGridDisplay.from_images(blocks, n_columns=COLUMNS, kinds=made.kinds).plot().figure_
        return _picture(figure, f"For each of the classes {classes}: {first} images above {second} images.")
    lines = [
        {"class": name, "row": kind, **pd.DataFrame(rows).iloc[i, :12]}
        for name, *both in made.blocks
        for i in range(3)
        for kind, rows in zip(made.kinds, both, strict=True)
    ]
    shown = pd.DataFrame(lines).to_html(border=0, index=False, float_format="{:.4g}".format)
    below = "parent" if first == "parent" else "nearest real row of its class"
    return f'<p>Each {second} row stands below its {below}.</p><div class="wide">{shown}</div>'


def _channels_last(images) -> np.ndarray:
    """(n, H, W) or (n, H, W, 3)."""
    images = np.asarray(images)
    if images.ndim == 4 and images.shape[1] in (1, 3) and images.shape[3] not in (1, 3):
        images = np.moveaxis(images, 1, -1)
    return images[..., 0] if images.ndim == 4 and images.shape[-1] == 1 else images


def _picture(figure, text: str) -> str:
    """An image inside the page, with its content in words."""
    file = BytesIO()
    figure.savefig(file, format="png", dpi=110)
    return f'<img src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}" alt="{html.escape(text)}">'


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Does a sampler help?</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; color: #1a1a1a; }}
.verdict {{ font-size: 1.2rem; background: #eef4fb; border-left: 4px solid #1f77b4; padding: .8rem 1rem; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; white-space: nowrap; }}
th, td {{ text-align: right; padding: .3rem .55rem; border-bottom: 1px solid #ddd; }}
tbody th {{ text-align: left; }}
img {{ max-width: 100%; height: auto; }}
</style></head><body>
<h1>Does a sampler help?</h1>
<p class="verdict">{verdict}</p>
<h2>Every row, {n_folds} folds</h2>
<div class="wide">{table}</div>
<p>Mean ± standard error over folds; difference in {metric} to the line "nothing", with the 95 % interval of the corrected
resampled t-test. An interval that holds 0 may be chance. Average precision judges the ranking alone, whatever the
threshold.</p>
<h2>Differences</h2>
{differences}
<h2>Confusion matrices, rows of all test sides</h2>
{matrices}
{generated}
</body></html>
"""
