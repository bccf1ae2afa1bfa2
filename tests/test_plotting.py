"""Displays draw what they say, into axes given or their own, and leave pyplot alone."""

import io
import sys

import numpy as np
import pandas as pd
import pytest
from imblearn.pipeline import Pipeline
from matplotlib.figure import Figure
from matplotlib.text import Text
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from skgan import ConditionalGANAugmenter
from skgan.plotting import (
    MixingRatioDisplay,
    SampleGridDisplay,
    TrainingHistoryDisplay,
    plot_condition_sweep,
    plot_confusion_matrices,
    plot_differences,
)
from skgan.presets import mlp_gan, predictor_gan

NET = mlp_gan(alpha=1, max_steps=4, batch_size=8)


@pytest.mark.parametrize("ax", [None, "given"])
def test_samples_and_their_nearest_real_neighbours(images, make_image_sampler, ax, tmp_path):
    X, y = images
    sampler = make_image_sampler()
    sampler.fit_resample(X, y)
    display = SampleGridDisplay.from_sampler(sampler, X, y, n_columns=5)
    assert [(name, len(rows)) for name, rows in display.rows] == [
        ("1 real", 5),
        ("1 generated", 5),
        ("nearest real", 5),
    ]
    _real, made, nearest = (rows for _, rows in display.rows)
    everything = np.moveaxis(X[y == 1], 1, -1).astype(float)
    distance = np.abs(everything[:, None] - made[None].astype(float)) ** 2
    np.testing.assert_array_equal(nearest, everything[distance.sum((2, 3, 4)).argmin(0)])
    ax = ax and Figure().subplots()
    assert display.plot(ax) is display
    assert ax is None or display.ax_ is ax
    display.figure_.savefig(tmp_path / "grid.png")
    assert display._repr_png_().startswith(b"\x89PNG")
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_rows_of_different_lengths_and_grey_images():
    rng = np.random.RandomState(0)
    blocks = [("a", rng.uniform(size=(2, 6, 6)), rng.uniform(size=(9, 6, 6)))]
    display = SampleGridDisplay.from_images(blocks, kinds=("parent", "offspring"), nearest=True).plot()
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == [
        "a parent",
        "a offspring",
        "nearest parent",
    ]
    pixels = display.ax_.get_images()[0].get_array()
    assert np.ma.getmaskarray(pixels)[:6, 14:].all() or np.isnan(pixels[:6, 14:]).all()


def test_tables_have_no_pictures(table, make_sampler):
    sampler = make_sampler()
    sampler.fit_resample(*table)
    with pytest.raises(ValueError, match="fitted on a table"):
        SampleGridDisplay.from_sampler(sampler, *table)
    with pytest.raises(ValueError, match="fitted on a table"):
        plot_condition_sweep(sampler, [1.0])


def test_history(table, make_sampler):
    sampler = make_sampler(per_class=True)
    sampler.fit_resample(*table)
    display = TrainingHistoryDisplay.from_sampler(sampler).plot()
    assert len(display.ax_.get_lines()) == 2 * 2  # two losses, two classes
    assert len(display.accuracy_ax_.get_lines()) == 2
    idle = make_sampler(sampling_strategy={0: 60})
    idle.fit_resample(*table)
    with pytest.raises(ValueError, match="trained nothing"):
        TrainingHistoryDisplay.from_sampler(idle)


def test_ratios(table, tmp_path):
    display = MixingRatioDisplay([2, 0, 0.5, 1], [0.9, 0.7, 0.86, 0.88], [0.03, 0.03, 0.03, 0.03]).plot(name="ours")
    assert display.best_ == 2
    assert display.one_standard_error_ == 1
    display.figure_.savefig(tmp_path / "ratios.png")
    pipeline = Pipeline([("a", ConditionalGANAugmenter(net=NET, random_state=0)), ("c", LogisticRegression())])
    grid = {"a__mixing_ratio": [0, 0.5], "c__C": [0.1, 1.0]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(*table)
    display = MixingRatioDisplay.from_search(search)
    results = pd.DataFrame(search.cv_results_)
    assert display.ratios.tolist() == [0, 0.5]
    assert display.means.max() == results["mean_test_score"].max()
    best = results.loc[results[results["param_a__mixing_ratio"] == 0.5]["mean_test_score"].idxmax()]
    assert display.errors[1] == pytest.approx(pd.Series([best["split0_test_score"], best["split1_test_score"]]).sem())
    with pytest.raises(ValueError, match="no parameter 'ratio'; it has a__mixing_ratio, c__C"):
        MixingRatioDisplay.from_search(search, "ratio")
    search.cv_results_["param_c__C"] = ["a", "b", "a", "b"]
    with pytest.raises(ValueError, match="are no numbers"):
        MixingRatioDisplay.from_search(search, "c__C")


def test_a_sweep_of_conditions(tmp_path):
    rng = np.random.RandomState(0)
    net = predictor_gan(module__width=4, module__n_hidden=8, module__n_kernels=4, max_steps=2, batch_size=8)
    augmenter = ConditionalGANAugmenter(0.5, net=net, random_state=0)
    augmenter.fit_resample(rng.randint(0, 256, (20, 12, 12, 3), dtype=np.uint8), rng.uniform(size=20))
    display = plot_condition_sweep(augmenter, np.linspace(0, 1, 4), n_rows=2)
    assert [label.get_text() for label in display.ax_.get_xticklabels()] == ["0", "0.333", "0.667", "1"]
    assert [name for name, _ in display.rows] == ["draw 1", "draw 2"]
    display.figure_.savefig(tmp_path / "sweep.png")


NAMES = ["$0_to_$50", "$\\frac$", "a\\$b", "x^2 {y}", "$", "costs $5"]


def texts_of(figure):
    """What stands in a figure, as it is drawn."""
    figure.savefig(io.BytesIO(), format="svg")
    found = []
    for text in figure.findobj(Text):
        raw, is_math = text._preprocess_math(text.get_text())
        assert not is_math, raw
        found.append(raw)
    return found


def test_names_with_signs_of_mathematics_are_drawn_as_they_are():
    rng = np.random.RandomState(0)
    images = rng.rand(3, 4, 4)
    table = pd.DataFrame({"over nothing": 0.1, "low": 0.0, "high": 0.2}, index=NAMES)
    history = pd.DataFrame({"class": np.repeat(NAMES, 2), "step": [1, 2] * 6, "generator_loss": 0.5})
    history["discriminator_accuracy"] = 0.5
    matrix = np.eye(6, dtype=int)
    ratio = MixingRatioDisplay([0, 1], [0.5, 0.6], [0.1, 0.1])
    drawn = [
        (SampleGridDisplay([(name, images) for name in NAMES]).plot().figure_, NAMES),
        (SampleGridDisplay.from_images([(NAMES[0], images, images)]).plot().figure_, [f"{NAMES[0]} real"]),
        (plot_differences(table, NAMES[0]).figure, NAMES),
        (TrainingHistoryDisplay(history).plot().figure_, [f"generator loss ({name})" for name in NAMES]),
        (TrainingHistoryDisplay(history).plot().figure_, [f"discriminator accuracy ({NAMES[0]}) (right)"]),
        (plot_confusion_matrices(dict.fromkeys(NAMES, matrix), NAMES), NAMES),
        (plot_confusion_matrices({NAMES[0]: matrix}), [NAMES[0], "3"]),
    ]
    drawn += [(ratio.plot(name=name).figure_, [name]) for name in NAMES]
    for figure, names in drawn:
        assert set(names) <= set(texts_of(figure))
