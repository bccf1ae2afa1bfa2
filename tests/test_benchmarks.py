"""The benchmarks' own parts: what they skip, what they count, and the rivals that are written here."""

import gzip
import json
import re
from dataclasses import dataclass
from pathlib import Path

import choice
import claims
import data
import galaxies
import harness
import long_tail
import missing_class
import mixing_ratio
import numpy as np
import pandas as pd
import pytest
import regret
import report
import teaching
import torch
import translation
import zero_shot
from harness import BUDGETS, Part, Run, main, parse, run_cells
from rivals import refined_smote, refiner
from shared import wanted_rows

CELLS = [{"seed": seed, "method": method} for seed in (0, 1) for method in ("a", "b c")]
RUN = Run("")


def test_finished_cells_are_skipped_and_only_the_asked_for_are_run(tmp_path):
    ran = []

    def measure(budget, seed, method):
        assert budget is RUN
        ran.append((seed, method))
        return {"value": seed + 0.5}

    def run(*arguments):
        ran.clear()
        part = Part("x", dict.fromkeys(BUDGETS, RUN), lambda budget: CELLS, measure, str)
        return run_cells("x", parse("x", [part], argv=["--results", str(tmp_path), *arguments]), CELLS, measure, RUN)

    run("--only", "seed=1", "method=a", "method=b c")
    assert ran == [(1, "a"), (1, "b c")]
    assert len(run()) == 4
    assert ran == [(0, "a"), (0, "b c")]
    run()
    assert not ran
    run("--fresh", "--only", "method=a")
    assert ran == [(0, "a"), (1, "a")]
    with pytest.raises(SystemExit, match="--only names classifier; the cells of x have seed, method"):
        run("--only", "classifier=a")


def test_a_csv_cut_at_any_byte_is_completed_without_a_loss(tmp_path, capsys):
    measured = []

    def measure(budget, seed, method):
        measured.append((seed, method))
        return {"value": seed + 0.123, "curve": f'[1, "{method}",\n\n2.5]', "note": "" if seed else "x"}

    part = Part("x", dict.fromkeys(BUDGETS, RUN), lambda budget: CELLS, measure, str)

    def run():
        measured.clear()
        arguments = parse("x", [part], argv=["--results", str(tmp_path)])
        return run_cells("x", arguments, CELLS, measure, RUN)

    whole_frame, path = run(), tmp_path / "x-default.csv"
    whole = path.read_bytes()
    lines = whole.replace(b"\n\n2.5", b"||2.5").splitlines(keepends=True)
    ends = np.cumsum([len(line) for line in lines])
    assert len(lines) == 5
    for n in range(len(whole)):
        path.write_bytes(whole[:n])
        kept = int((ends <= n).sum())  # lines that are whole, the header among them
        capsys.readouterr()
        pd.testing.assert_frame_equal(run(), whole_frame)
        assert path.read_bytes() == whole
        assert len(measured) == 4 - max(0, kept - 1)
        assert ("is cut off and is left out" in capsys.readouterr().out) == (n not in (0, *ends))


def test_a_report_of_a_csv_that_is_cut_off_leaves_the_line_out_and_the_file_as_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(harness, "RESULTS", tmp_path)
    path = tmp_path / "x-full.csv"
    path.write_text("seed,value\n0,0.25\n1,0.7")
    budget, frame = harness.largest("x")
    assert (budget, frame.to_dict("list")) == ("full", {"seed": [0], "value": [0.25]})
    assert "x-full.csv is cut off and is left out" in capsys.readouterr().out
    assert path.read_text().endswith("0.7")


def test_a_new_csv_names_the_device_and_an_old_one_keeps_its_columns(tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "device_name", lambda: "A card")
    arguments = parse("x", [Part("x", dict.fromkeys(BUDGETS, RUN), str, str, str)], argv=["--results", str(tmp_path)])
    (tmp_path / "old-default.csv").write_text("seed,method,value,date\n0,a,1.5,2026-11-22\n")
    new, old = (run_cells(name, arguments, CELLS, lambda run, **cell: {"value": 2.5}, RUN) for name in ("new", "old"))
    assert set(new["device"]) == {"A card"}
    assert list(old) == ["seed", "method", "value", "date"]
    assert old["value"].tolist() == [1.5, 2.5, 2.5, 2.5]


@dataclass(frozen=True)
class OwnRun(Run):
    n_seeds: int
    folder: Path | None = None


def test_main_runs_the_parts_of_a_budget_and_prints_their_reports(tmp_path, monkeypatch, capsys):
    pictured = []

    def run(*arguments):
        pictured.clear()
        monkeypatch.setattr("sys.argv", ["x.py", "--results", str(tmp_path), *arguments])
        budgets = {name: OwnRun(f"{n} seeds", n) for n, name in enumerate(BUDGETS, 1)}
        main(
            *("one", budgets, lambda run: [{"seed": k} for k in range(run.n_seeds)], _measure_one, _report("one")),
            Part("two", budgets, lambda run: [{"method": "a"}], _measure_two, _report("two")),
            pictures=pictured.append,
            data=("folder", "own data"),
        )
        return capsys.readouterr().out.splitlines()[-1], sorted(path.name for path in tmp_path.iterdir())

    assert run() == ("two: 1 cells", ["one-default.csv", "two-default.csv"])
    assert [budget.n_seeds for budget in pictured] == [2]
    assert run("--only", "seed=1")[0] == "one: 2 cells"
    assert not pictured
    assert run("--quick", "--parts", "two") == ("two: 1 cells", ["one-default.csv", "two-default.csv", "two-quick.csv"])
    assert "one_cows-full.csv" in run("--full", "--folder", "/of/cows")[1]
    assert pd.read_csv(tmp_path / "one_cows-full.csv")["folder"].tolist() == ["/of/cows"] * 3
    run("--fresh", "--max-time", "0")
    assert not pictured
    with pytest.raises(SystemExit):
        run("--help")
    assert "quick    1 seeds [one]" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="--only names fold; the cells of one have seed"):
        run("--only", "fold=1")


def _measure_one(run, seed):
    return {"folder": run.folder}


def _measure_two(run, method):
    return {"value": 1.0}


def _report(name):
    """A report of the cells' number, with a picture that would end the test."""
    draw = harness.draws(lambda results: pytest.fail("A picture of docs was drawn from another folder's CSV."))
    return lambda results: draw(results) or f"{name}: {len(results)} cells"


def test_wanted_rows_bring_classes_to_a_share_of_the_largest():
    y = np.repeat([0, 1, 2], [10, 4, 1])
    assert np.bincount(wanted_rows(y), minlength=3).tolist() == [0, 6, 9]
    assert np.bincount(wanted_rows(y, 0.3), minlength=3).tolist() == [0, 0, 2]


def test_the_refiner_starts_from_mixtures_and_its_critic_sees_no_parent():
    rng = np.random.RandomState(0)
    X, y = rng.randint(0, 256, (40, 1, 8, 8), dtype=np.uint8), np.repeat([0, 1], [30, 10])
    X_new, y_new = refined_smote(X, y, seed=0, steps=3)
    assert np.bincount(y_new).tolist() == [30, 30]
    assert X_new.dtype == np.uint8
    net = refiner(max_steps=3, module__width=4)
    net.set_params(random_state=0).fit(X, y)
    with net.seeded():
        net.on_train_begin(net)
        child, parents = np.float32(rng.rand(2, 5, 1, 8, 8))
        logits = [
            net.critic(*map(torch.from_numpy, (np.zeros(5, int), parent)))(torch.from_numpy(child)).detach()
            for parent in (parents, 0 * parents)
        ]
    assert logits[0].tolist() == pytest.approx(logits[1].tolist(), abs=1e-4)


def test_the_report_has_every_method_and_finished_seeds_only():
    results = pd.DataFrame(
        [
            {"dataset": "mnist", "seed": s, "updates": 800, "method": m, "mean recall": 0.8 + 0.01 * i + 0.001 * s}
            | {"rarest three": 0.5, "geometric mean": 0.7, "seconds": 1.0}
            for i, m in enumerate(long_tail.METHODS)
            for s in range(3)
        ]
    )
    text = long_tail.report(results)
    assert "### mnist, 800 updates, 3 seeds" in text
    assert all(method in text for method in long_tail.METHODS)
    assert "### mnist, 800 updates, 2 seeds" in long_tail.report(results.drop(index=results.index[-1]))
    fewer = results[results["method"] != long_tail.GAN]
    former = results[results["method"] == long_tail.GAN].assign(method="what once was made")
    text = long_tail.report(pd.concat([results, fewer.assign(updates=4000), former.assign(updates=4000)]))
    of_800, of_4000 = (text.partition("### mnist, 4000 updates, 3 seeds")[i] for i in (0, 2))
    assert f"| {long_tail.GAN}  " in of_800
    assert f"| {long_tail.GAN}  " not in of_4000
    assert "| what once was made  " in of_4000
    assert "earlier version of the script: what once was made." in of_4000


def test_the_first_table_leaves_out_lines_without_cells(monkeypatch):
    lines = [("random", 0.8), ("random + augmentation", 0.9), ("GANOverSampler", 0.7)]
    lines += [(method, 0.6) for method in long_tail.COMPARED - {"random", "random + augmentation"}]
    cells = [
        {"dataset": "mnist", "seed": 0, "updates": 800, "method": method, "mean recall": value, "date": "2026-11-22"}
        for method, value in lines
    ]
    monkeypatch.setattr(report, "largest", lambda name: ("full", pd.DataFrame(cells)))
    text = report.long_tails(report.MORE_LINES)
    assert "| random " in text
    assert "| GANOverSampler " in text
    assert "| 70.0 " in text
    assert "ConditionalGANAugmenter" not in text


def test_simulated_galaxies_follow_their_law():
    images, y = galaxies.simulate(150, 0)
    assert images.shape == (150, 3, 50, 50)
    assert images.dtype == np.uint8
    measured, expected = galaxies.measured(images), galaxies.law(y)
    for k, least in enumerate((0.85, 0.6, 0.85)):
        assert np.corrcoef(measured[:, k], expected[:, k])[0, 1] > least
    slopes, r2 = galaxies.slopes(y, images)
    assert (np.sign(slopes[[0, 0, 1, 2, 2], [0, 1, 1, 0, 1]]) == [1, -1, -1, 1, 1]).all()
    assert r2[0] > 0.7


def test_gradients_accumulate_as_published_and_are_reset_otherwise(images):
    X, y = images

    def weights(klass, updates):
        net = klass("mlp_300", max_updates=updates, batch_size=30, lr=1e-2, callbacks__schedule=None, random_state=0)
        return net.fit(X, y).module_[-1].weight.detach().numpy()

    one, two = (weights(mixing_ratio.AccumulatingClassifier, n) for n in (1, 2))
    np.testing.assert_array_equal(one, weights(mixing_ratio.CNNClassifier, 1))
    assert not np.array_equal(two, weights(mixing_ratio.CNNClassifier, 2))


def test_repeated_rows_are_as_many_as_the_ratio_says():
    X, y = mixing_ratio.training_set("digits", 20, mixing_ratio.REPEATED, 1.25, 0, 1)
    assert np.bincount(y).tolist() == [45] * 10
    assert len(np.unique(X.reshape(len(X), -1), axis=0)) <= 200


def test_two_textures_come_from_regions_apart():
    photos = data.two_textures(5, 24, seed=1)
    assert photos.x_train.shape == photos.x_test.shape == (10, 3, 24, 24)
    assert photos.x_train.dtype == np.uint8
    assert pd.Series(photos.y_train).value_counts().tolist() == [5, 5]
    np.testing.assert_array_equal(photos.x_test, data.two_textures(5, 24, seed=1).x_test)
    for (top, bottom, left, right), (top2, bottom2, left2, right2) in data.REGIONS.values():
        assert bottom <= top2 or bottom2 <= top or right <= left2 or right2 <= left
        assert min(bottom - top, right - left, bottom2 - top2, right2 - left2) > 56  # the largest crop fits


def test_harm_is_counted_over_cells_with_every_method():
    cells = [
        {
            "data": name,
            "classifier": "k-NN",
            "fold": 0,
            "method": method,
            "balanced accuracy": accuracy,
            "average precision": 0.5,
        }
        for name, accuracies in (("one", (0.5, 0.6, 0.7, 0.4, 0.5, 0.5)), ("two", (0.5, 0.6)))
        for method, accuracy in zip(choice.METHODS, accuracies, strict=False)
    ]
    text = choice.report(
        pd.DataFrame(cells).assign(**{"log-loss": 0.2, "chosen": "", "seconds": 1.0, "date": "2026-11-22"})
    )
    lines = {
        line.split("|")[2].strip(): line.split("|")
        for line in text.split("By classifier")[0].splitlines()
        if "|" in line
    }
    assert lines["SMOTE"][1].strip() == "1"  # the second data set is not finished
    assert lines["SMOTE"][3].strip() == "+10.0"
    assert lines["SMOTE"][6].strip() == "100 %"
    assert lines[choice.GUARDED][6].strip() == "0 %"


def test_teaching_is_reported_by_rows_and_seed_by_seed():
    cells = [
        {"seed": seed, "rows": rows, **{f"{n} steps": 0.9 + 0.01 * seed - 0.02 * i for n in teaching.STEPS}}
        | {"rank correlation": 0.5, "best architecture": 0.9, "architectures": 20}
        for seed in range(2)
        for i, rows in enumerate(teaching.ROWS)
    ]
    text = teaching.report(pd.DataFrame(cells))
    assert all(rows in text for rows in teaching.ROWS)
    assert "+4.0 ± 0.0 points ahead of real ones, seed by seed; in 2 of 2 seeds" in text
    made = [make((1, 8, 8), 10)(torch.zeros(2, 1, 8, 8)) for make in teaching.architectures(20)]
    assert {tuple(logits.shape) for logits in made} == {(2, 10)}


@pytest.mark.parametrize("dataset", zero_shot.ATTRIBUTES)
def test_attributes_tell_classes_apart_and_unseen_ones_share_them(dataset):
    vectors = np.array([zero_shot.ATTRIBUTES[dataset][klass] for klass in range(10)])
    assert len(np.unique(vectors, axis=0)) == 10
    for unseen in zero_shot.UNSEEN[dataset]:
        seen = np.delete(vectors, unseen, axis=0)
        told = vectors[list(unseen)].max(0) > 0
        # "Has a shaft" is the boot's alone: all that is left of it is that it is on the feet
        assert ((seen.max(0) > 0) | ~told).mean() >= 0.8


def test_the_nearest_attributes():
    rng = np.random.RandomState(0)
    attributes = {"a": (0, 0), "b": (0, 1), "c": (1, 0), "d": (1, 1)}
    y = np.repeat(list("abcd"), 30)
    X = (np.array([attributes[klass] for klass in y]) + 0.1 * rng.standard_normal((120, 2))).astype(np.float32)
    seen = y != "d"
    baseline = zero_shot.NearestAttributes().fit(X[seen], y[seen], attributes)
    assert (baseline.classes_[baseline.decision_function(X).argmax(1)] == y).mean() > 0.95


def test_the_other_camera_brightens_and_blurs():
    X = np.zeros((2, 9, 9), np.uint8)
    X[:, 4, 4] = 100
    seen = translation.by_camera(X)
    assert seen.dtype == np.uint8
    assert seen[0, 4, 5] > 0
    assert seen[0].sum() > X[0].sum()
    np.testing.assert_array_equal(seen[0], seen[1])


def test_regret_picks_the_best_on_one_half_and_measures_it_on_the_other():
    scores = {"nothing, as it is": (0.5, 0.6), "nothing, corrected": (0.8, 0.6), "SMOTE, as it is": (0.7, 0.9)}
    cells = [
        {"data": data, "classifier": "k-NN", "split": split}
        | {"paired": "nothing, corrected", "unpaired": "nothing, corrected", "highest mean": "SMOTE, as it is"}
        | dict.fromkeys(regret.CANDIDATES, 0.5)
        | {name: values[split] for name, values in scores.items()}
        for data in ("one", "two")
        for split in (0, 1)
    ]
    # On split 0 corrected is the best, .6 on split 1; on split 1 SMOTE is, .7 on split 0.
    assert regret.regret(*(pd.DataFrame([cell]) for cell in cells[:2]), {"SMOTE": "SMOTE, as it is"})["SMOTE"] < -0.29
    text = regret.report(pd.DataFrame(cells))
    line = next(line.split("|") for line in text.splitlines() if line.startswith("| all"))
    assert [value.strip() for value in line[2:10]] == [
        *("2", "-5.0 ± 0.0", "-5.0 ± 0.0", "-15.0 ± 0.0", "10.0 ± 0.0", "-5.0 ± 0.0", "-15.0 ± 0.0", "15.0 ± 0.0"),
    ]
    assert "Chosen: nothing, corrected 4." in text
    cut = next(line for line in regret.report(pd.DataFrame(cells[:3])).splitlines() if line.startswith("| all"))
    assert cut.split("|")[2].strip() == "1"  # the second table has one half only


def test_every_figure_of_the_pages_is_that_of_its_csv():
    assert not report.differences()


def test_a_figure_that_differs_is_named_with_its_page_and_section(monkeypatch, capsys):
    readme = report.ROOT / "README.md"
    monkeypatch.setattr(report, "pages", lambda: {readme: readme.read_text().replace("| 68.5 ", "| 68.4 ")})
    monkeypatch.setattr(claims, "CLAIMS", (("README.md", "as good as {embedded_half}"),))
    monkeypatch.setattr("sys.argv", ["report.py", "--check"])
    with pytest.raises(
        SystemExit, match=r"README\.md: the section 'Does it help\?'.*\nREADME\.md: it should say: as good as \.7"
    ):
        report.main()


def test_reports_are_text_alone_without_pictures(monkeypatch):
    drawn = []
    draw = harness.draws(drawn.append)
    with harness.without_pictures():
        draw(1)
    draw(2)
    assert drawn == [2]


def test_the_commands_on_the_reports_pages_exist():
    pages = [harness.DOCS / "reports.md", *sorted((harness.DOCS / "reports").glob("*.md"))]
    assert len(pages) == 6
    page = "\n".join(path.read_text() for path in pages)
    commands = re.findall(r"`(?:python benchmarks/)?(\w+)\.py((?: --parts(?: \w+)+)?)", page)
    assert len(commands) > 25
    for script, parts in commands:
        source = (harness.RESULTS.parent / f"{script}.py").read_text()
        assert script == "report" or "main(" in source
        assert all(f'"{part}"' in source for part in parts.split()[1:])


def test_the_full_sizes_have_each_cell_once():
    cells = [tuple(cell.values()) for cell in mixing_ratio.cells(mixing_ratio.BUDGETS["full"])]
    assert len(cells) == len(set(cells))
    assert {(name, n) for name, n, *_ in cells} >= {("mnist-60k", n) for n in (250, 500, 1000, 2000)}


def test_what_the_rare_class_is_taken_for():
    matrix = [[8, 2], [7, 3]]
    lines = [("nothing", 99), ("wgan_gp", 10), ("wgan_gp", 90)]
    results = pd.DataFrame(
        [{"method": m, "level": level, "seed": 0, "confusion": json.dumps(matrix)} for m, level in lines]
    )
    text = missing_class.taken_for(results, 1)
    assert re.search(r"\| nothing, 99 % +\| +7 \| +3 \|", text)
    assert re.search(r"\| wgan_gp, 10 % +\| +7 \| +3 \|", text)
    assert "wgan_gp, 90 %" not in text
    assert re.search(r"\| +0 \| +8 \| +2 \|", text)


@pytest.mark.parametrize("kind", ["npz", "idx", "gz"])
def test_all_of_mnist_is_read_from_files(kind, tmp_path, monkeypatch):
    arrays = {
        "x_train": np.arange(3 * 28 * 28).reshape(3, 28, 28).astype(np.uint8),
        "y_train": np.array([5, 0, 4], np.uint8),
        "x_test": np.zeros((2, 28, 28), np.uint8),
        "y_test": np.array([7, 2], np.uint8),
    }
    if kind == "npz":
        np.savez(tmp_path / "mnist.npz", **arrays)
    else:
        for key, name in data.IDX.items():
            head = bytes((0, 0, 8, arrays[key].ndim)) + np.array(arrays[key].shape, ">u4").tobytes()
            content = head + arrays[key].tobytes()
            packed = kind == "gz"
            (tmp_path / f"{name}{'.gz' * packed}").write_bytes(gzip.compress(content) if packed else content)
    monkeypatch.setenv("SKGAN_DATA", str(tmp_path))
    data.mnist.cache_clear()
    images = data.mnist()
    data.mnist.cache_clear()
    for key, array in arrays.items():
        np.testing.assert_array_equal(getattr(images, key), array)
    assert images.y_train.dtype == np.int64


def test_a_file_that_is_no_idx_file(tmp_path):
    path = tmp_path / "train-labels-idx1-ubyte"
    path.write_bytes(b"<html>")
    with pytest.raises(SystemExit, match="is no idx file of bytes: it begins with b'<ht'"):
        data.read_idx(path)
