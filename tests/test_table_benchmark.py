"""The benchmark of imbalanced tables: its cuts, decisions and statistics, and cells that are measured in several processes."""

import numpy as np
import pandas as pd
import pytest
import table_reports
import table_scores
import tables
from harness import BUDGETS, Part, Run, parse, run_cells
from shared import cut, filled
from sklearn.metrics import balanced_accuracy_score


def half_more(run, seed):
    return {"value": seed + 0.5}


@pytest.mark.parametrize("more", [(), pytest.param(("--jobs", "2"), marks=pytest.mark.slow)])
def test_cells_are_measured_until_the_time_is_over(tmp_path, more):
    def run(end, *arguments):
        part = Part("x", dict.fromkeys(BUDGETS, Run("")), lambda budget: [], half_more, str)
        parsed = parse("x", [part], argv=["--results", str(tmp_path), *arguments, *more])
        return run_cells("x", parsed, [{"seed": seed} for seed in range(5)], half_more, Run(""), end)

    assert run(0.0).empty
    assert len(run(float("inf"), "--only", "seed=3")) == 1
    values = run(float("inf"))
    assert sorted(values["seed"]) == [0, 1, 2, 3, 4]
    assert (values["value"] == values["seed"] + 0.5).all()


def test_a_cut_keeps_the_shares_of_classes_and_the_rows_of_small_ones():
    y = np.repeat([0, 1, 2, 3], [700, 250, 46, 4])
    rows = cut(y, 100)
    assert np.bincount(y[rows]).tolist() == [70, 25, 6, 4]
    np.testing.assert_array_equal(rows, cut(y, 100))


def test_missing_values_are_filled_from_the_training_side():
    X = pd.DataFrame({"a": [1.0, np.nan, 3.0, 8.0], "b": pd.Categorical(["u", "v", "v", None])})
    train, test = filled(X, pd.DataFrame({"a": [np.nan], "b": pd.Categorical([None], categories=["u", "v"])}))
    assert train["a"].tolist() == [1, 3, 3, 8]
    assert train["b"].tolist() == ["u", "v", "v", "v"]
    assert test.iloc[0].tolist() == [3, "v"]


def test_half_way_is_the_geometric_mean():
    assert tables.half_way(np.repeat([0, 1, 2], [100, 25, 1])) == {0: 100, 1: 50, 2: 10}


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_tuned_decision_is_no_worse_on_its_rows_than_the_corrected_one(n_classes):
    rng = np.random.RandomState(0)
    y = rng.choice(n_classes, 300, p=[0.8, *np.full(n_classes - 1, 0.2 / (n_classes - 1))])
    P = rng.dirichlet(np.ones(n_classes), 300) + 0.3 * np.eye(n_classes)[y]
    P = (P * np.bincount(y)) / (P * np.bincount(y)).sum(1, keepdims=True)
    tuned = balanced_accuracy_score(y, (P * table_scores.class_weights(P, y)).argmax(1))
    assert tuned >= balanced_accuracy_score(y, (P / np.bincount(y)).argmax(1))
    if n_classes == 2:  # every threshold is tried
        thresholds = np.concatenate([[0], P[:, 1]])
        best = max(balanced_accuracy_score(y, P[:, 1] > threshold) for threshold in thresholds)
        assert tuned == pytest.approx(best)


def test_a_perfect_classifier_scores_one_after_correction():
    y = np.array([0, 0, 0, 1])
    P, prior = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.6, 0.4]]), np.array([0.75, 0.25])
    values = table_scores.scores(P, y, prior, prior)
    assert values[table_scores.PREDICTED] == 0.5
    assert values[table_scores.CORRECTED] == values[table_scores.RANKING] == 1


def test_p_values_after_holm():
    assert table_reports.holm(pd.Series({"a": 0.03, "b": 0.01, "c": 0.5})).round(6).to_dict() == {
        "b": 0.03,
        "a": 0.06,
        "c": 0.5,
    }


def cells(gains):
    """A method's gain over nothing on every fold of four tables, two of which are of one source."""
    names = {"page-blocks": 60, "page-blocks0": 60, "yeast4": 51, "zoo-3": 5}
    measures = {f"{c}: {m}": 0.5 for c in ("k-NN", "MLP") for m in table_scores.MEASURES if m != table_scores.DECISION}
    return pd.DataFrame(
        [
            {"table": name, "fold": fold, "method": method, "rows": 900, "rare rows": rare, "test share": 0.5}
            | {key: value + gain * (key.endswith("accuracy") or "corrected" in key) for key, value in measures.items()}
            | {f"{c}: {table_scores.DECISION}": np.nan for c in ("k-NN", "MLP")}
            | {"seconds": 1.0, "date": "2026-11-26"}
            for name, rare in names.items()
            for fold in range(3)
            for method, gain in gains.items()
        ]
    )


def test_the_report_counts_a_source_once_and_names_the_worst_table():
    results = cells({"nothing": 0.0, "copies": 0.05, "SMOTE": 0.1, "GANOverSampler": 0.2})
    worse = (results["table"] == "yeast4") & (results["method"] == "GANOverSampler")
    for classifier in ("k-NN", "MLP"):
        results.loc[worse, f"{classifier}: {table_scores.PREDICTED}"] = 0.43
    text = table_reports.report(results)
    assert "4 tables of 3 sources, 3 stratified folds each, 2 classifiers" in text
    line = next(line for line in text.splitlines() if line.startswith("| GANOverSampler "))
    assert [cell.strip() for cell in line.split("|")[3:]][:2] == ["61.0", "+1.0 ± 9.0"]
    assert "2 / 0 / 1" in line
    assert "-17.0 (yeast4)" in line
    assert "25%, 2 beyond chance" in line
    assert "fewer than 15 rows (zoo-3)" in text
    assert "| nothing, prior-corrected" in text
    assert "`GANOverSampler()`" in table_reports.brief(results)


def test_the_report_waits_for_folds_that_every_method_has_finished():
    results = cells({"nothing": 0.0, "copies": 0.05, "SMOTE": 0.1})
    assert "1 stratified folds each" in table_reports.report(
        results[(results["fold"] == 0) | (results["method"] != "SMOTE")]
    )
    assert "compared with: SMOTE" in table_reports.report(results[results["method"] != "SMOTE"])
