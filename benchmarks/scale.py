"""How seconds and memory of a fit grow with rows, columns, classes and pixels.

    python benchmarks/scale.py [--quick | --full]

Each size is a ``fit_resample`` in a process of its own, with few training steps, so that what grows is the work around the
training (and, for images, a step itself). Seconds are of one core. Writes docs/images/scale.png.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from harness import DOCS, Run, draws, main
from overhead.costs import told_by

AXES = {  # axis: what it is, in words
    "rows": "rows of 20 columns, default net, 20 steps",
    "columns": "columns of 1,000 rows, default net, 20 steps",
    "classes": "classes of 5 rows, one net, 20 steps",
    "nets": "classes of 5 rows, a net each, 20 steps",
    "pixels": "pixels along a side, 150 coloured images, 3 steps",
}
MEASURED = ("seconds", "MB")
LEAST = {"seconds": 0.2, "MB": 20.0}
"""Below these a value is mostly what any fit takes, and says nothing of growth."""


@dataclass(frozen=True)
class ScaleRun(Run):
    sizes: dict[str, tuple[int, ...]]
    n_runs: int


SIZES = {
    "rows": (1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000),
    "columns": (10, 30, 100, 300, 1000, 3000, 10_000),
    "classes": (2, 5, 10, 30, 100, 300, 1000),
    "nets": (2, 5, 10, 30, 100, 300, 1000),
    "pixels": (8, 16, 32, 64, 128),
}
BUDGETS = {
    "quick": ScaleRun(
        "up to 30,000 rows, 1,000 columns, 100 classes, 32 pixels, once (3 minutes)",
        {
            axis: tuple(size for size in sizes if size <= top)
            for (axis, sizes), top in zip(SIZES.items(), (30_000, 1000, 100, 100, 32), strict=True)
        },
        1,
    ),
    "default": ScaleRun("up to a million rows, 10,000 columns, 1,000 classes, 128 pixels, once (20 minutes)", SIZES, 1),
    "full": ScaleRun("the same three times", SIZES, 3),
}


def cells(run: ScaleRun) -> Iterator[dict]:
    for seed in range(run.n_runs):
        for axis, sizes in run.sizes.items():
            for size in sizes:
                yield {"axis": axis, "size": size, "repeat": seed}


def measure(run: ScaleRun, axis: str, size: int, **_) -> dict:
    return told_by("one_size.py", axis, str(size))


def power_law(sizes: pd.Series, values: pd.Series, least: float) -> tuple[float, float]:
    """a and b of value = a · sizeᵇ by least squares of the logarithms, over the largest sizes whose values say something.

    nan where there are fewer than two of them.
    """
    told = (values >= least) & (sizes >= sizes.max() / 100)
    if told.sum() < 2:
        return np.nan, np.nan
    b, log_a = np.polyfit(np.log(sizes[told]), np.log(values[told]), 1)
    return float(np.exp(log_a)), float(b)


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md."""
    rows = []
    for axis, part in results.groupby("axis", sort=False):
        medians = part.groupby("size")[list(MEASURED)].median().reset_index()
        line = {"growing": AXES[str(axis)], "largest": f"{medians['size'].max():,}"}
        for name in MEASURED:
            b = power_law(medians["size"], medians[name], LEAST[name])[1]
            line[f"{name} there"] = f"{medians[name].iloc[-1]:,.3g}"
            line[f"{name} grow with size to the"] = "–" if np.isnan(b) else f"{b:.2f}"
        rows.append(line)
    table = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
    return (
        f"{table}\n\nPower laws are fitted to the sizes down to a hundredth of the largest, where values are above "
        f"{LEAST['seconds']:g} s or {LEAST['MB']:g} MB; 1 is linear. Images have the square of their side in pixels.\n\n"
        "![growth](images/scale.png)"
    )


def report_with_picture(results: pd.DataFrame) -> str:
    """As ``report``; draws the picture too."""
    draw(results)
    return report(results)


@draws
def draw(results: pd.DataFrame) -> None:
    """A column an axis: seconds above, memory below, each with its power law."""
    figure, panels = plt.subplots(2, len(AXES), figsize=(3 * len(AXES), 5.5), layout="constrained")
    for column, (axis, words) in enumerate(AXES.items()):
        part = results[results["axis"] == axis]
        medians = part.groupby("size")[list(MEASURED)].median().reset_index()
        for panel, name in zip(panels[:, column], MEASURED, strict=True):
            a, b = power_law(medians["size"], medians[name], LEAST[name])
            panel.loglog(part["size"], part[name], "o", color="C0")
            if not np.isnan(b):
                panel.loglog(medians["size"], a * medians["size"] ** b, "-", color="C1", label=f"∝ size^{b:.2f}")
                panel.legend(fontsize=8)
            panel.grid(alpha=0.3)
        panels[0, column].set_title(words.replace(", ", "\n", 1), fontsize=8)
        panels[1, column].set_xlabel(axis if axis != "nets" else "classes")
    panels[0, 0].set_ylabel("seconds of one core")
    panels[1, 0].set_ylabel("MB above data and imports")
    figure.savefig(DOCS / "images" / "scale.png", dpi=80)
    plt.close(figure)


if __name__ == "__main__":
    main("scale", BUDGETS, cells, measure, report)
