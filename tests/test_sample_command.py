"""``skgan sample``: what it writes, what it says before and after, and that it writes nothing when it fails."""

import csv
import os
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from skgan import _option_checks, _sample_files, cli
from skgan.datasets import load_image_folder
from skgan.samplers import BaseGenerativeSampler, RowFactory

STEPS = ("--max-steps", "2")


def save(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array)).save(path, **options)


@pytest.fixture
def photos(tmp_path):
    """12 images of 10×8 px (width × height) in colour of "Große Katze", and 5 of "v1.5", one of them in a folder inside."""
    rng = np.random.RandomState(0)
    for name, n in (("Große Katze", 12), ("v1.5", 4), ("v1.5/more", 1)):
        for i in range(n):
            save(tmp_path / "photos" / name / f"IMG {i}.png", rng.randint(0, 256, (8, 10, 3), np.uint8))
    return tmp_path / "photos"


def sampled(capsys, *arguments) -> str:
    """What it prints on success."""
    assert cli.main(["sample", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def refused(capsys, *arguments) -> str:
    with pytest.raises(SystemExit) as stop:
        cli.main(["sample", *map(str, arguments)])
    assert stop.value.code == 2
    return capsys.readouterr().err


def listed(out):
    with (out / "synthetic.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_small_classes_are_filled_up_to_the_largest(photos, tmp_path, capsys):
    out = tmp_path / "new"
    told = sampled(capsys, photos, "--out", out, "--max-steps", "20")
    assert not list(tmp_path.glob(".*"))
    lines = listed(out)
    files = sorted(path for path in out.rglob("*.png"))
    assert sorted(str(path.relative_to(out)) for path in files) == sorted(line["file"] for line in lines)
    assert [line["class"] for line in lines] == ["v1.5"] * 7
    assert {line["origin"] for line in lines} == {"net", "copy"}
    for line in lines:
        parent = photos / line["parent_1"]
        assert line["parent_2"] == ""
        assert re.fullmatch(rf"v1\.5/{line['origin']}-\d\d\d\d-of-{parent.stem}\.png", line["file"])
        with Image.open(out / line["file"]) as new, Image.open(parent) as real:
            assert (new.size, new.mode, new.format) == ((10, 8), "RGB", "PNG")
            assert (np.asarray(new) == np.asarray(real)).all() == (line["origin"] == "copy")
    assert "17 images of 10×8 px, in colour" in told
    assert re.search(r"^v1\.5 +5 +7$", told, re.MULTILINE)
    assert re.search(r"^Große Katze +12 +0$", told, re.MULTILINE)
    assert "OffspringNet (--net auto), 20 steps" in told
    assert told.index("20 steps") < told.index("step 20/20") < told.index("Wrote 7 images")
    assert "no folder for 'Große Katze', which got no new image" in told
    assert re.search(r"Wrote 7 images \((net|copy): \d, (net|copy): \d\) into ", told)


def test_the_same_seed_gives_the_same_files_and_another_seed_others(photos, tmp_path, capsys):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        sampled(capsys, photos, "--out", tmp_path / name, *STEPS, "--seed", seed)
    a, b, c = (
        {path.name: path.read_bytes() for path in sorted((tmp_path / name).rglob("*.*")) if path.is_file()}
        for name in "abc"
    )
    assert a == b
    assert a != c


@pytest.mark.parametrize(
    ("options", "counts"),
    [
        (("--ratio", "0.5"), (6, 2)),
        (("--per-class", "3"), (3, 3)),
        (("--balance", "0.75"), (0, 4)),
    ],
)
def test_amounts(photos, tmp_path, capsys, options, counts):
    sampled(capsys, photos, "--out", tmp_path / "new", "--net", "offspring", *STEPS, *options)
    classes = [line["class"] for line in listed(tmp_path / "new")]
    assert (classes.count("Große Katze"), classes.count("v1.5")) == counts


def test_with_the_real_images_the_folder_is_complete(photos, tmp_path, capsys):
    out = tmp_path / "new"
    (tmp_path / "new").mkdir()
    told = sampled(capsys, photos, "--out", out, "--real", "--net-only", *STEPS)
    assert "real: 17, net: 7" in told
    assert "no folder for" not in told
    _, y = load_image_folder(out)
    assert np.unique(y, return_counts=True)[1].tolist() == [12, 12]
    real = [line for line in listed(out) if line["origin"] == "real"]
    assert len(real) == 17
    for line in real[-2:]:
        with Image.open(out / line["file"]) as written, Image.open(photos / line["parent_1"]) as image:
            np.testing.assert_array_equal(np.asarray(written), np.asarray(image))


def test_rows_made_from_noise_have_no_parents(photos, tmp_path, capsys):
    sampled(capsys, photos, "--out", tmp_path / "new", "--net", "mlp_gan", *STEPS)
    for i, line in enumerate(listed(tmp_path / "new"), 1):
        assert (line["file"], line["parent_1"], line["parent_2"]) == (f"v1.5/net-{i:04}.png", "", "")


def test_16_bits_stay_16_bits_and_all_else_becomes_8(tmp_path, capsys):
    ramp = np.linspace(0, 1, 64).reshape(8, 8)
    for kind, dtype, white in (("deep", np.uint16, 60000), ("float", np.float32, 1)):
        for i in range(8):
            save(tmp_path / kind / "ab"[i > 5] / f"{i}.tif", (white * np.roll(ramp, i)).astype(dtype))
        told = sampled(capsys, tmp_path / kind, "--out", tmp_path / f"{kind} new", *STEPS)
        assert f"grey, {16 if kind == 'deep' else 8} bits" in told
        for path in (tmp_path / f"{kind} new").rglob("*.png"):
            with Image.open(path) as image:
                values = np.asarray(image)
                assert (values.ndim, values.max() > 255) == (2, kind == "deep")
    X, _ = load_image_folder(tmp_path / "deep new", dtype="keep")
    assert X.dtype == np.uint16
    assert X.max() <= 60000


def test_files_as_cameras_and_people_leave_them(photos, tmp_path, capsys):
    """Turned, of another size and mode, broken."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90°
    save(photos / "v1.5" / "turned.jpg", np.zeros((20, 8, 3), np.uint8), exif=exif)
    save(photos / "v1.5" / "grey.gif", np.full((5, 5), 9, np.uint8))
    (photos / "v1.5" / "broken.png").write_bytes(b"no image")
    (photos / "later").mkdir()
    assert "different sizes" in refused(capsys, photos, "--out", tmp_path / "new")
    assert cli.main(["sample", *map(str, (photos, "--out", tmp_path / "new", "--size", "6x9", "--real", *STEPS))]) == 0
    told = capsys.readouterr()
    assert re.search(r"^Note: 1 of 20 files could not be read and are left out: .*broken\.png", told.err, re.MULTILINE)
    assert "19 images of 9×6 px" in told.out
    assert "No image could be read of 'later': nothing is made of them." in told.out
    X, _ = load_image_folder(tmp_path / "new")
    assert X.shape == (24, 3, 6, 9)
    sampled(capsys, photos, "--out", tmp_path / "grey", "--size", "6", "--mode", "L", *STEPS)
    assert load_image_folder(tmp_path / "grey")[0].shape[1:] == (1, 6, 6)


@pytest.mark.parametrize("n", [1, 3])
def test_classes_of_a_few_photographs(photos, tmp_path, capsys, n):
    rng = np.random.RandomState(1)
    for i in range(n):
        save(photos / "rare" / f"{i}.png", rng.randint(0, 256, (8, 10, 3), np.uint8))
    sampled(capsys, photos, "--out", tmp_path / "new", *STEPS)
    parents = [line["parent_1"] for line in listed(tmp_path / "new") if line["class"] == "rare"]
    assert len(parents) == 12 - n
    assert {parent.partition("/")[0] for parent in parents} == {"rare"}


def test_where_nothing_can_be_trained_copies_are_announced(tmp_path, capsys):
    for name, n in (("a", 3), ("b", 1)):
        for i in range(n):
            save(tmp_path / "few" / name / f"{i}.png", np.full((8, 8), 9 * i, np.uint8))
    assert cli.main(["sample", str(tmp_path / "few"), "--out", str(tmp_path / "new")]) == 0
    assert re.search(r"^Note: The largest class has 3 rows.* plain copies", capsys.readouterr().err, re.MULTILINE)
    assert [line["origin"] for line in listed(tmp_path / "new")] == ["copy", "copy"]


def test_parents_of_long_names_and_two_parents(photos, tmp_path, capsys, monkeypatch):
    for i, path in enumerate(sorted(photos.rglob("*.png"))):
        path.rename(path.with_name("ö" * 100 + f"{i}.png"))
    make = RowFactory.make

    def mixed(self, *arguments, **options):
        made = make(self, *arguments, **options)
        made.parents[:] = [12, 13]
        return made._replace(origin=np.full(len(made.y), "mixture"))

    monkeypatch.setattr(RowFactory, "make", mixed)
    sampled(capsys, photos, "--out", tmp_path / "new", *STEPS)
    first = listed(tmp_path / "new")[0]
    assert first["file"] == f"v1.5/mixture-0001-of-{'ö' * 20}-and-{'ö' * 20}.png"
    assert sorted(len(Path(first[name]).name) for name in ("parent_1", "parent_2")) == [106, 106]


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), OSError("No space left on device.")])
def test_nothing_is_left_of_a_run_that_stops(photos, tmp_path, capsys, monkeypatch, failure):
    written, write = [], _sample_files.write_png

    def failing(path, image):
        write(path, image)
        written.append(path)
        if len(written) == 3:
            raise failure

    monkeypatch.setattr(_sample_files, "write_png", failing)
    arguments = [str(photos), "--out", str(tmp_path / "new"), *STEPS]
    if isinstance(failure, OSError):
        assert "No space left on device." in refused(capsys, *arguments)
    else:
        assert cli.main(["sample", *arguments]) == 130
        assert "Interrupted: nothing was written." in capsys.readouterr().err
    assert len(written) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--ratio", "0"), "--ratio must be a number above 0, got 0"),
        (("--ratio", "-1"), "--ratio must be a number above 0, got -1"),
        (("--ratio", "nan"), "--ratio must be a number above 0, got nan"),
        (("--ratio", "0.01"), "No class would get a new image"),
        (("--balance", "0"), "--balance must be a number above 0"),
        (("--per-class", "0"), "--per-class must be a number above 0"),
        (("--ratio", "1", "--per-class", "3"), "not allowed with argument"),
        (("--max-steps", "0"), "--max-steps must be a number above 0"),
        (("--max-time", "-1"), "--max-time must be a number above 0"),
        (("--net", "ofspring"), "Did you mean 'offspring'?"),
        (("--size", "0"), "size must be"),
        (("--size", "big"), "--size takes pixels, such as 64, or 48x64 for height × width; got 'big'"),
        (("--target", "y"), "--target, --sep and --drop are for tables"),
        (("--seed", "-1"), "--seed must be"),
    ],
)
def test_options_are_refused_in_a_sentence_before_any_work(photos, tmp_path, capsys, monkeypatch, options, words):
    monkeypatch.setattr(BaseGenerativeSampler, "train", lambda *_: pytest.fail("it trains"))
    assert words in refused(capsys, photos, "--out", tmp_path / "new", *options)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_folders_are_refused_in_a_sentence_before_any_work(photos, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(BaseGenerativeSampler, "train", lambda *_: pytest.fail("it trains"))
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for out, words in (
        (tmp_path / "file", "is a file; name a folder"),
        (tmp_path / "full", "is not empty"),
        (photos / "new", "lies inside of"),
        (photos, "is not empty"),
        (tmp_path / "nowhere" / "new", "There is no folder"),
        (".", "is the current folder"),
        (tmp_path / "new.csv", "Images are written into a folder, or as arrays into an .npz file"),
        (tmp_path / "nowhere" / "new.npz", "There is no folder"),
    ):
        assert words in refused(capsys, photos, "--out", out)
    (tmp_path / "lone" / "cat").mkdir(parents=True)
    save(tmp_path / "lone" / "cat" / "0.png", np.zeros((8, 8), np.uint8))
    for data, words in (
        (tmp_path / "nowhere", "There is no file or folder"),
        (photos / "v1.5" / "IMG 0.png", "no folder of class folders"),
        (tmp_path / "lone", "has images of one class only, 'cat'"),
        (photos / "v1.5" / "more", "holds no class folders"),
    ):
        assert words in refused(capsys, data, "--out", tmp_path / "new")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "cannot be written" in refused(capsys, photos, "--out", tmp_path / "new")
    assert (tmp_path / "full" / "file").read_text() == (tmp_path / "file").read_text() == "mine"
    assert not (tmp_path / "new").exists()


def test_balanced_classes_need_another_amount(photos, tmp_path, capsys):
    for i in range(7):
        save(photos / "v1.5" / f"x{i}.png", np.full((8, 10, 3), i, np.uint8))
    assert "Ask for more with --ratio or --per-class" in refused(capsys, photos, "--out", tmp_path / "new")


@pytest.fixture
def table(tmp_path):
    rng = np.random.RandomState(0)
    frame = pd.DataFrame(
        {
            "id": np.arange(40),
            "a": rng.standard_normal(40).round(3),
            "outcome": ["yes"] * 10 + ["no"] * 30,
            "kind": rng.choice(["u", "v"], 40),
        }
    )
    frame.to_csv(tmp_path / "data.csv", index=False)
    return tmp_path / "data.csv"


def test_rows_of_a_table(table, tmp_path, capsys):
    out = tmp_path / "new.csv"
    told = sampled(capsys, table, "--target", "outcome", "--out", out, "--balance", "0.5", "--net", "mlp_gan", *STEPS)
    frame = pd.read_csv(out)
    assert list(frame) == ["a", "kind", "outcome", "skgan_origin"]
    assert frame["outcome"].tolist() == ["yes"] * 5
    assert frame["skgan_origin"].tolist() == ["net"] * 5
    assert set(frame["kind"]) <= {"u", "v"}
    assert "Column 'id'" in told
    assert "40 rows of 2 columns" in told
    assert "Wrote 5 rows (net: 5)" in told
    options = ("--target", "outcome", "--real", "--ratio", "0.1", "--net", "mlp_gan", *STEPS)
    sampled(capsys, table, "--out", tmp_path / "all.csv", *options)
    whole = pd.read_csv(tmp_path / "all.csv")
    assert (whole["skgan_origin"].iloc[:40] == "real").all()
    columns = ["a", "kind", "outcome"]
    pd.testing.assert_frame_equal(whole[columns].iloc[:40], pd.read_csv(table)[columns])
    assert whole["outcome"].iloc[40:].tolist() == ["no"] * 3 + ["yes"]


def test_tables_are_refused_in_a_sentence_before_any_work(table, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(BaseGenerativeSampler, "train", lambda *_: pytest.fail("it trains"))
    np.savez(tmp_path / "data.npz", X=np.zeros((4, 2)), y=np.arange(4) % 2)
    pd.read_csv(table).assign(skgan_origin=["real", "net"] * 20).to_csv(tmp_path / "again.csv", index=False)
    out, target = ("--out", tmp_path / "new.csv"), ("--target", "outcome")
    for arguments, words in (
        ((table, *target, "--out", table), "is there already"),
        ((table, *target, "--out", tmp_path / "new"), "name a file that ends in .csv, .parquet or .npz"),
        ((table, *target, "--out", tmp_path / "new.xlsx"), "name a file that ends in .csv, .parquet or .npz"),
        (
            (table, *target, "--out", tmp_path / "new.npz"),
            "column 'kind' holds categories: write a .csv or a .parquet file",
        ),
        ((table, *target, "--out", tmp_path / "nowhere" / "new.csv"), "There is no folder"),
        ((table, *target, *out, "--size", "8"), "--size and --mode are for images"),
        ((table, *out), "Name the column of the classes with --target"),
        ((tmp_path / "data.npz", *out), "takes a folder of class folders or a table"),
        ((tmp_path / "again.csv", *target, *out), "--drop skgan_origin"),
        ((tmp_path / "nowhere.csv", *out), "There is no file or folder"),
    ):
        assert words in refused(capsys, *arguments)
    assert not (tmp_path / "new.csv").exists()


def test_images_as_arrays(photos, tmp_path, capsys):
    sampled(capsys, photos, "--out", tmp_path / "folder", *STEPS)
    told = sampled(capsys, photos, "--out", tmp_path / "new.npz", *STEPS)
    assert "Wrote 7 images" in told
    assert "synthetic.csv" not in told
    with np.load(tmp_path / "new.npz") as new:
        lines = listed(tmp_path / "folder")
        assert new["y"].tolist() == [line["class"] for line in lines]
        assert new["origin"].tolist() == [line["origin"] for line in lines]
        assert new["files"][new["parents"][:, 0]].tolist() == [line["parent_1"] for line in lines]
        assert new["X"].dtype == np.uint8
        for image, line in zip(new["X"], lines, strict=True):
            with Image.open(tmp_path / "folder" / line["file"]) as written:
                np.testing.assert_array_equal(np.asarray(written), image.transpose(1, 2, 0))
    sampled(capsys, photos, "--out", tmp_path / "all.npz", "--real", *STEPS)
    with np.load(tmp_path / "all.npz") as new:
        assert new["X"].shape == (24, 3, 8, 10)
        assert (new["origin"][:17] == "real").all()
        assert (new["parents"][:17] == -1).all()
        copies = np.flatnonzero(new["origin"] == "copy")
        np.testing.assert_array_equal(new["X"][copies], new["X"][new["parents"][copies, 0]])
    assert not list(tmp_path.glob(".*"))


@pytest.fixture
def typed(tmp_path):
    """A Parquet file whose types pandas alone would not keep."""
    rng = np.random.RandomState(0)
    columns = {
        "a": pa.array(rng.standard_normal(40), pa.float32()),
        "n": pa.array([None if i % 9 == 0 else i % 7 for i in range(40)], pa.int16()),
        "text": pa.array([["u", "v", None][i % 3] for i in range(40)], pa.string()),
        "kind": pa.array([["x", "y"][i % 2] for i in range(40)], pa.dictionary(pa.int8(), pa.string())),
        "flag": pa.array([i % 3 == 0 for i in range(40)], pa.bool_()),
        "number": pa.array([f"{i % 11},5" for i in range(40)], pa.string()),
        "outcome": pa.array([1] * 10 + [0] * 30, pa.int8()),
    }
    parquet.write_table(pa.table(columns), tmp_path / "typed.parquet")
    return tmp_path / "typed.parquet"


def test_parquet_keeps_the_types_of_the_table(typed, table, tmp_path, capsys):
    out = tmp_path / "new.parquet"
    sampled(capsys, typed, "--target", "outcome", "--out", out, "--real", *STEPS)
    given, new = parquet.read_schema(typed), parquet.read_schema(out)
    assert set(new.names) == {*given.names, "skgan_origin"}
    for name in set(given.names) - {"number"}:
        assert new.field(name).type == given.field(name).type, name
    assert pa.types.is_floating(new.field("number").type) or pa.types.is_string(new.field("number").type)
    rows = parquet.read_table(out).slice(0, 40)
    for name in set(given.names) - {"number"}:
        assert rows[name].to_pylist() == parquet.read_table(typed)[name].to_pylist(), name
    sampled(capsys, table, "--target", "outcome", "--out", tmp_path / "text.parquet", *STEPS)
    of_text = pd.read_parquet(tmp_path / "text.parquet")
    assert list(of_text) == ["a", "kind", "outcome", "skgan_origin"]
    assert set(of_text["kind"]) <= {"u", "v"}


def test_a_table_of_numbers_as_arrays(typed, tmp_path, capsys):
    drop = ("--drop", "text", "--drop", "kind", "--drop", "number")
    out = tmp_path / "new.npz"
    sampled(capsys, typed, "--target", "outcome", "--out", out, "--real", *drop, *STEPS)
    with np.load(out) as new:
        assert new["columns"].tolist() == ["a", "n", "flag"]
        assert (new["X"].shape, new["y"].shape, new["origin"].shape, new["parents"].shape) == (
            *((60, 3), (60,), (60,), (60, 2)),
        )
        assert np.isnan(new["X"][0, 1])
        assert new["origin"][:40].tolist() == ["real"] * 40


def test_parquet_without_pyarrow_is_refused_before_any_work(table, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(_option_checks, "find_spec", lambda name: None)
    said = refused(capsys, table, "--target", "outcome", "--out", tmp_path / "new.parquet")
    assert "which pyarrow writes (the extra 'parquet'): pip install pyarrow" in said


@pytest.mark.parametrize("images", [True, False])
def test_a_dry_run_tells_the_plan_and_a_forecast_and_writes_nothing(photos, table, tmp_path, capsys, images):
    before = sorted(tmp_path.rglob("*"))
    data = (
        (photos, "--out", tmp_path / "new") if images else (table, "--target", "outcome", "--out", tmp_path / "new.csv")
    )
    told = sampled(capsys, *data, "--dry-run")
    assert re.search(r"v1\.5 +5 +7" if images else r"yes +10 +20", told)
    assert re.search(r"OffspringNet \(--net auto\), \d+ steps\. The new (images|rows) come from: net", told)
    assert re.search(
        r"^Forecast of time and memory: about [\d.]+ (s|min), [\d,]+ MB\. Nothing was written into ", told, re.M
    )
    assert "step " not in told
    assert sorted(tmp_path.rglob("*")) == before


def test_what_the_users_filters_and_warnings_are_stays(photos, tmp_path, capsys):
    before, shown = list(warnings.filters), warnings.showwarning
    sampled(capsys, photos, "--out", tmp_path / "new", *STEPS)
    assert (warnings.filters, warnings.showwarning) == (before, shown)
