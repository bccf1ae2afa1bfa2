"""The page of :func:`skgan.compare`: one HTML file."""

import html

import numpy as np

from skgan._report_generated import cards, picture, section, table


def page(result) -> str:
    """One page that needs no network, with a text for every picture.

    Parameters
    ----------
    result : Comparison
    """
    lines = result.formatted()
    differences = "; ".join(f"{name} {text}" for name, text in lines["over nothing"].items() if text)
    return _PAGE.format(
        verdict=html.escape(f"{result.verdict} {result.last_word}"),
        about=_about(result),
        table=table(lines),
        reading=_reading(result),
        differences=picture(result.plot().figure, f"Differences to nothing: {differences}"),
        matrices=_matrices(result),
        generated="\n".join(section(name, rows) for name, rows in result.generated.items()),
    )


def _about(result) -> str:
    about = result.about
    lines = {
        "Data": about.file,
        "Rows": f"{about.rows} of {' × '.join(map(str, about.shape))} {'columns' if len(about.shape) == 1 else 'values'}",
        "Classes": ", ".join(f"{name} ({n})" for name, n in about.class_counts.items()),
        "Classifier": about.classifier,
        "Metric": result.scoring.replace("_", " "),
        "Folds": about.split,
        "Random seed": "none was set" if about.seed is None else about.seed,
        "Date": about.date.replace("T", " "),
        "Versions": ", ".join(f"{name} {version}" for name, version in about.versions.items()),
    }
    shown = "".join(f"<dt>{k}</dt><dd>{html.escape(str(v))}</dd>" for k, v in lines.items() if v is not None)
    return f"<dl>{shown}</dl>"


def _reading(result) -> str:
    """How the columns of the table are to be read."""
    metric = html.escape(result.scoring.replace("_", " "))
    over = (
        f'Difference in {metric} to the line "nothing", with the 95 % interval of a bootstrap over the test rows, class by '
        "class: it says nothing of how the result would change with other training rows."
        if result.folds["fold"].nunique() == 1
        else f'Mean ± standard error over folds; difference in {metric} to the line "nothing", with the 95 % interval of the '
        "corrected resampled t-test."
    )
    return f"{over} An interval that holds 0 may be chance. Average precision judges the ranking alone, whatever the threshold."


def _matrices(result) -> str:
    """One a line of the table."""
    from skgan.plotting import plot_confusion_matrices

    shown = []
    for name, matrix in result.confusion_matrices.items():
        recall = ", ".join(
            f"{klass} {share:.2f}"
            for klass, share in zip(result.classes, np.diag(matrix) / matrix.sum(axis=1), strict=True)
        )
        figure = plot_confusion_matrices({"": matrix}, result.classes)
        text = f"{name}: {np.trace(matrix)} of {matrix.sum()} rows on the diagonal, recall of the classes {recall}"
        shown.append((name, picture(figure, text)))
    return cards(shown, f"{min(60, max(16, 1.6 * len(result.classes))):g}rem")


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Does a sampler help?</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 0 auto; padding: 1rem; color: #1a1a1a;
  overflow-wrap: anywhere; }}
p, dl {{ max-width: 60rem; }}
.verdict {{ font-size: 1.2rem; background: #eef4fb; border-left: 4px solid #1f77b4; padding: .8rem 1rem; }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; font-size: .95rem; }}
dt {{ color: #555; }}
dd {{ margin: 0; }}
.wide {{ overflow-x: auto; margin: 1rem 0; }}
.wide img {{ max-width: none; }}
table {{ border-collapse: collapse; white-space: nowrap; }}
th, td {{ text-align: right; padding: .3rem .55rem; border-bottom: 1px solid #ddd; }}
tbody th {{ text-align: left; }}
img {{ max-width: 100%; height: auto; }}
.cards {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, var(--least)), 1fr)); gap: 1rem; }}
figure {{ margin: 0; }}
figcaption {{ font-size: .9rem; }}
.cards figure {{ display: flex; flex-direction: column-reverse; justify-content: flex-end; }}
.cards img {{ max-width: min(100%, 30rem); }}
summary {{ cursor: pointer; font-weight: 600; margin: 1rem 0 .5rem; }}
</style></head><body>
<h1>Does a sampler help?</h1>
<p class="verdict">{verdict}</p>
{about}
<h2>Every line</h2>
{table}
<p>{reading}</p>
<h2>Differences</h2>
<div class="wide">{differences}</div>
<h2>Confusion matrices, rows of all test sides</h2>
{matrices}
{generated}
</body></html>
"""
