"""What `skgan compare` makes of files as people have them: separators, numbers, encodings, broken ones, identifiers."""

import contextlib
import io
import time
import zipfile

import numpy as np
import pandas as pd
import pytest

from skgan import _reading
from skgan._reading import load_data
from skgan._text_files import check_columns, header_of
from skgan.codecs._identifiers import holds_dates, holds_times, identifies_rows

N = 60
RNG = np.random.RandomState(0)
SMALL, LARGE = RNG.standard_normal(N).round(2), (1000 + 5000 * RNG.uniform(size=N)).round(2)
LABELS = np.where(RNG.uniform(size=N) < 0.3, "yes", "no")


def comma(values, thousands=""):
    """As Germans write them."""
    return [f"{v:,.2f}".replace(",", "_").replace(".", ",").replace("_", thousands) for v in values]


def written(path, separator=",", encoding="utf-8", ends="\n", **columns):
    """A file of these columns and y, its name and nothing of pandas."""
    columns = {**columns, "y": LABELS}
    lines = [separator.join(columns), *(separator.join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    path.write_bytes((ends.join(lines) + ends).encode(encoding))
    return path


def refusal(path, target="y", **options):
    with pytest.raises((ValueError, ImportError)) as caught:
        load_data(path, target, **options)
    return str(caught.value)


# Separators


@pytest.mark.parametrize(
    ("name", "separator", "words"),
    [
        ("a.csv", ";", "The columns of a.csv are divided by ';'."),
        ("A.CSV", "\t", "The columns of A.CSV are divided by tab."),
        ("a.tsv", "\t", "divided by tab."),
        ("a.txt", "   ", "divided by blanks."),
        ("a.csv", "|", "divided by '|'."),
    ],
)
def test_separators_are_found_and_said(tmp_path, name, separator, words):
    X, y, notes = load_data(written(tmp_path / name, separator, a=SMALL, b=LARGE), "y")
    np.testing.assert_array_equal(X, np.c_[SMALL, LARGE])
    assert (y == LABELS).all()
    assert len(notes) == 1
    assert notes[0].endswith(words)


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_plain_tables_need_no_note(tmp_path, ends):
    X, _, notes = load_data(written(tmp_path / "a.csv", ", ", ends=ends, a=SMALL, b=LARGE), "y")
    assert X.columns.tolist() == ["a", "b"]
    assert notes == []


def test_a_given_separator(tmp_path):
    path = written(tmp_path / "a.csv", "\t", a=SMALL, b=LARGE)
    for given in ("\\t", "tab", "\t"):
        assert load_data(path, "y", separator=given).X.shape == (N, 2)
    assert "a.csv has one column only if divided by ';': 'a\\tb\\ty'. Name another" in refusal(path, separator=";")
    assert "--sep must be one character, or tab; got '::'." in refusal(path, separator="::")


# Numbers


def test_decimal_commas_and_dots_between_thousands(tmp_path):
    whole = [f"{round(v):,}".replace(",", ".") for v in LARGE]
    path = written(
        tmp_path / "a.csv", ";", small=comma(SMALL), large=comma(LARGE, "."), whole=whole, gap=comma(LARGE, " ")
    )
    X, _, notes = load_data(path, "y")
    np.testing.assert_allclose(X, np.c_[SMALL, LARGE, LARGE.round(), LARGE])
    assert any(
        "with a decimal comma (12,5 is 12.5) in columns 'small', 'large', 'gap', 'whole'." in note for note in notes
    )


def test_decimal_points_beside_decimal_commas_stay_what_they_are(tmp_path):
    X, _, _ = load_data(written(tmp_path / "a.csv", ";", a=comma(SMALL), b=[f"{v:.3f}" for v in SMALL]), "y")
    np.testing.assert_allclose(X, np.c_[SMALL, SMALL])


def test_commas_between_thousands(tmp_path):
    path = written(tmp_path / "a.csv", a=[f'"{v:,.2f}"' for v in LARGE], b=[f'"{v:,.0f}"' for v in LARGE])
    X, _, notes = load_data(path, "y")
    np.testing.assert_allclose(X, np.c_[LARGE, LARGE.round()])
    assert notes == ["Numbers were read with commas between thousands (1,250 is 1250) in columns 'a', 'b'."]


def test_cells_that_are_no_numbers_are_told(tmp_path):
    some = SMALL.astype(str)
    some[[3, 7]] = "?"
    few, codes, mixed = some.copy(), np.array(["1", "2", "3"])[np.arange(N) % 3], some.copy()
    few[9] = "oops"
    codes[5] = "A"
    mixed[20:40] = "much"
    X, _, notes = load_data(written(tmp_path / "a.csv", some=some, few=few, codes=codes, mixed=mixed), "y")
    assert X["some"].dtype == X["few"].dtype == float
    assert X["some"].isna().sum() == 2
    assert X["few"].isna().sum() == 3
    assert X[["codes", "mixed"]].dtypes.eq("category").all()
    assert notes == [
        "Column 'some' is numbers but for 2 of its 60 cells ('?' in 2); these count as missing: correct them in the file, or "
        "leave the column out with --drop 'some'.",
        "Column 'few' is numbers but for 3 of its 60 cells ('?' in 2, 'oops' in 1); these count as missing: correct them in "
        "the file, or leave the column out with --drop 'few'.",
        "Column 'codes' is numbers but for 1 of its 60 cells ('A' in 1); it is taken as categories: correct these cells if "
        "the others are quantities.",
        "Column 'mixed' is numbers but for 22 of its 60 cells ('much' in 20, '?' in 2); it is taken as categories: correct "
        "these cells if the others are quantities.",
    ]


def test_times_of_day_become_seconds(tmp_path):
    hours, minutes = np.arange(N) % 24, np.arange(N) % 60
    path = written(
        tmp_path / "a.csv",
        short=[f"{h:02d}:{m:02d}" for h, m in zip(hours, minutes, strict=True)],
        long=[f"{h}:{m:02d}:10.5" for h, m in zip(hours, minutes, strict=True)],
        half=[f"{(h + 11) % 12 + 1}:{m:02d} {'AP'[h // 12]}M" for h, m in zip(hours, minutes, strict=True)],
    )
    X, _, notes = load_data(path, "y")
    seconds = 3600.0 * hours + 60 * minutes
    np.testing.assert_array_equal(X, np.c_[seconds, seconds + 10.5, seconds])
    assert "Column 'short' holds times of day and was turned into seconds since midnight." in notes


@pytest.mark.parametrize("format", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%y", "%d %B %Y", "%b %d, %Y", "%Y-%m-%dT%H:%M:%SZ"])
def test_dates_are_refused(tmp_path, format):
    path = written(tmp_path / "a.csv", ";", a=SMALL, when=pd.date_range("2024", periods=N, freq="3D").strftime(format))
    assert "Column 'when' holds dates: turn it into a number first" in refusal(path)
    assert "leave it out with --drop 'when'" in refusal(path)
    assert load_data(path, "y", drop=["when"]).X.columns.tolist() == ["a"]


# Encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_encodings(tmp_path, encoding):
    size = np.where(SMALL > 0, "größer – 5 €", "klein")
    X, _, notes = load_data(written(tmp_path / "a.csv", encoding=encoding, maß=size, b=LARGE), "y")
    assert X["maß"].tolist() == size.tolist()
    assert notes == (
        ["a.csv is not in UTF-8; it was read as cp1252 (Western European)."] if encoding == "cp1252" else []
    )


# What is broken


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "a.csv is empty."),
        (b"\n \n", "a.csv is empty."),
        (b"a,b,y\n", "a.csv has a header and no rows below it."),
        (b"a,b,y\n1,2,u\n\n1,2,3,v\n", "Line 4 of a.csv has 4 fields, and its header has 3: correct the line"),
        (b"a;b;y\n1;2;u\nv\n", "Line 3 of a.csv has 1 field, and its header has 3"),
        (b'a,b,y\n1,"2,u\n1,2,v\n', "Line 2, up to line 3, of a.csv has 2 fields"),
        (b"y\nu\nv\n", "Neither tab, ';', '|', ',' nor blanks divide the first line of a.csv into columns: 'y'."),
        (b"Report\n\na,b,y\n1,2,u\n", "'Report'. Name the separator with --sep, and delete lines above the header"),
        (b"a,a,y\n1,2,u\n", "The header of a.csv has the column 'a' more than once: rename one of them."),
        (b"1.5,2,u\n2.5,3,v\n", "The first line of a.csv seems to be data"),
        (b"PK\x03\x04......", "a.csv is no text but a zip or Excel file: save the table as CSV."),
        (bytes(range(256)), "a.csv is no text that can be read as utf-16-be"),
        (b"a,b,y\n1,2,\n3,4,\n", "Column 'y' of a.csv is blank in every row."),
        (b"a,b,y\n1,2,u\n3,4,u\n", "Column 'y' holds 'u' only: there must be two classes at least."),
        (b"a,b,y\n1,2,1.5\n3,4,2.5\n5,6,3.5", "Column 'y' holds 3 different numbers and no classes"),
    ],
)
def test_broken_text_is_refused_with_the_line(tmp_path, content, words):
    (tmp_path / "a.csv").write_bytes(content)
    assert words in refusal(tmp_path / "a.csv")


def test_a_quotation_mark_that_is_not_closed(tmp_path):
    (tmp_path / "a.csv").write_text('a,b,y\n1,2,u\n1,"' + 50000 * "2,3\n")
    assert "Line 3 of a.csv cannot be read (field larger than" in refusal(tmp_path / "a.csv")


def test_npz_files(tmp_path):
    path, X = tmp_path / "A.NPZ", np.zeros((4, 2))

    def saved(**arrays):
        with path.open("wb") as file:
            np.savez(file, **arrays)
        return path

    assert load_data(saved(X=X, y=np.zeros((4, 1)))).y.shape == (4,)
    for name, arrays in (
        ("X", {"X": X.astype(object), "y": [0] * 4}),
        ("y", {"X": X, "y": np.array([0, "a"], object)}),
    ):
        assert f"{name} in A.NPZ is an object array, which NumPy stores as a pickle" in refusal(saved(**arrays))
    assert "y in A.NPZ has shape (3,): it must hold one label for each of the 4 rows" in refusal(
        saved(X=X, y=np.zeros(3))
    )
    assert "X in A.NPZ has shape (4,)" in refusal(saved(X=X[:, 0], y=np.zeros(4)))
    assert "--drop and --sep are for tables with named columns" in refusal(saved(X=X, y=np.zeros(4)), drop=["a"])
    for content in (b"", b"abc", b"PK\x03\x04abc"):
        path.write_bytes(content)
        assert "A.NPZ could not be read as an npz file; write it with numpy.savez." in refusal(path)
    with path.open("wb") as file:
        np.save(file, X)
    assert "A.NPZ holds one array without a name" in refusal(path)


def test_parquet_files(tmp_path, monkeypatch):
    path = tmp_path / "a.parquet"
    path.write_bytes(b"abc")

    def fails(error):
        def read(_):
            raise error

        monkeypatch.setattr(pd, "read_parquet", read)
        return refusal(path)

    assert fails(OSError("no footer")) == "a.parquet could not be read as a Parquet file: no footer"
    assert "Reading a.parquet needs pyarrow: pip install pyarrow." in fails(ImportError("no engine"))
    frame = pd.DataFrame({"lists": [[1]] * N, "spelled": comma(SMALL), 3: LARGE, "y": LABELS})
    monkeypatch.setattr(pd, "read_parquet", lambda _: frame)
    assert "Column 'lists' holds lists and no single values: leave it out with --drop 'lists'." in refusal(path)
    X, _, _ = load_data(path, "y", drop=["lists"])
    np.testing.assert_allclose(X[["spelled", "3"]], np.c_[SMALL, LARGE])


def test_columns_to_drop_must_be_there(tmp_path):
    path = written(tmp_path / "a.csv", age=SMALL, b=LARGE)
    assert "There is no column 'ago'; there are 'age', 'b', 'y'. Did you mean 'age'?" in refusal(path, drop=["ago"])
    assert "--drop y would leave out the column of the classes." in refusal(path, drop=["y"])


# Columns that name the rows


@pytest.mark.parametrize(
    ("values", "name", "words"),
    [
        ([f"row {i}" for i in range(N)], "x", "holds a text of its own in 60 of 60 rows"),
        (np.array([f"row {max(i, 1)}" for i in range(N)]), 3, "holds a text of its own in 59 of 60 rows"),
        (pd.Categorical([f"row {i}" for i in range(N)]), "x", "holds a text of its own"),
        (np.arange(N) * 7, "x", "counts the rows: its 60 integers are all different and increase from row to row"),
        (RNG.permutation(N + 20)[:N], "x", "numbers the rows: its 60 integers are all different and lie between"),
        *(
            (RNG.permutation(9999)[:N], name, "is named like an identifier")
            for name in ("id", "user_id", "userId", "id_2")
        ),
        ([None, *RNG.permutation(9999)[:N].astype(float)], "Customer ID", "60 of 60 rows have an integer of their own"),
        (pd.array([None, *RNG.permutation(9999)[:N]], dtype="Int64"), "ID", "is named like an identifier"),
        (["2024-01-02", "2023-05-06"] * 30, "x", "holds dates as text"),
        (["13:45", "07:05"] * 30, "x", "holds times of day as text"),
        (SMALL.cumsum().round(6).astype(str), "x", "holds numbers as text"),
    ],
)
def test_columns_that_name_the_rows(values, name, words):
    assert words in identifies_rows(pd.Series(values), name)
    values = pd.Series(values).iloc[:19]
    assert identifies_rows(values, name) is None  # so few may all differ by accident


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (np.linspace(0, 1, N), "id"),
        (np.arange(N, dtype=float), "x"),
        (RNG.permutation(9999)[:N], "income"),
        *((RNG.permutation(9999)[:N], name) for name in ("paid", "grid", "humid", "acid", "identity", "bid")),
        (np.arange(N) // 3, "patient_id"),
        (np.arange(N) // 3, "x"),
        (RNG.randint(0, 12, N), "id"),
        ([f"shop {i % 40}" for i in range(N)], "shop_id"),
        (["40-49", "20-24", "0-2"] * 20, "age"),
        (["1.2.3", "4:3", "12:5"] * 20, "x"),
        (np.arange(N) % 2 == 0, "id"),
        (np.array([*SMALL, None], dtype=object), "id"),
        (pd.arrays.SparseArray(np.arange(N) % 5), "id"),
        (pd.Categorical(LARGE), "x"),
        ([None] * N, "id"),
    ],
)
def test_columns_that_tell_something(values, name):
    assert identifies_rows(pd.Series(values), name) is None
    if isinstance(values, np.ndarray):
        assert identifies_rows(values, name) is None


def test_dates_and_times_of_few_rows():
    assert holds_dates(pd.Series(["2024-01-02", None]))
    assert holds_dates(pd.Series(pd.to_datetime(["2024-01-02"])))
    assert holds_times(np.array(["1:02 pm", "23:59:59.5"]))
    assert not holds_dates(pd.Series([20240102]))
    assert not holds_dates(pd.Series([], dtype=object))


def test_a_hundred_thousand_rows_take_no_time():
    text, integers = pd.Series([f"row {i}" for i in range(100_000)]), np.random.RandomState(0).permutation(100_000)
    begin = time.perf_counter()
    assert identifies_rows(text, "x")
    assert identifies_rows(integers, 0)
    assert time.perf_counter() - begin < 1.0


# Files that claim more than they hold


def npz_of(path, member, **arrays):
    """An npz file, with bytes of one's own as the member X.npy."""
    with path.open("wb") as file:
        np.savez(file, **arrays)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("X.npy", member)
    return path


def header(shape, descr="<f8"):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})
    return file.getvalue()


HUGE = (5_000_000_000_000, 1)


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (header(HUGE), "X in a.npz is to have shape (5000000000000, 1) and 4e+13 bytes of float64, and 0 bytes follow"),
        (header((4, 2)) + bytes(63), "X in a.npz is to have shape (4, 2) and 64 bytes of float64, and 63 bytes follow"),
        (header((-4, 2)) + bytes(64), "X in a.npz is to have shape (-4, 2)"),
        (header((4, 2), "<U200000000"), "and 0 bytes follow"),
        (header((4,), "|O"), "X in a.npz is an object array"),
        (header((4, 2))[:40], "X in a.npz could not be read ("),
        (b"no array", "X in a.npz could not be read ("),
        (b"", "X in a.npz could not be read ("),
        (b"\x93NUMPY\x01\x00\x76\x00" + b"(" * 118, "X in a.npz could not be read ("),
        (b"\x93NUMPY\x09\x00\x76\x00", "X in a.npz could not be read ("),
    ],
    ids=range(10),
)
def test_arrays_that_are_not_what_they_claim(member, words, tmp_path):
    said = refusal(npz_of(tmp_path / "a.npz", member, y=np.zeros(4)))
    assert words in said
    assert len(said) < 400


def test_an_array_larger_than_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(_reading, "machine_memory", lambda: 1000)
    np.savez_compressed(tmp_path / "a.npz", X=np.zeros((100, 2)), y=np.zeros(100))
    assert "X in a.npz takes 1.49e-06 GiB, more than the 9.31e-07 GiB of this machine's memory" in refusal(
        tmp_path / "a.npz"
    )


def test_a_file_of_one_array_is_not_read(tmp_path):
    (tmp_path / "a.npz").write_bytes(header(HUGE))
    assert "a.npz holds one array without a name" in refusal(tmp_path / "a.npz")


def test_damaged_npz_files_end_in_a_sentence(tmp_path):
    np.savez_compressed(tmp_path / "whole.npz", X=RNG.rand(8, 2), y=np.arange(8) % 2)
    whole, path = (tmp_path / "whole.npz").read_bytes(), tmp_path / "a.npz"
    for place in range(0, len(whole), 3):
        for content in (whole[:place], whole[:place] + bytes([whole[place] ^ 0x5A]) + whole[place + 1 :]):
            path.write_bytes(content)
            with contextlib.suppress(ValueError):
                load_data(path)


@pytest.mark.parametrize(("target", "drop"), [("clas", []), (None, []), ("y", ["clas"]), ("column_000001", [])])
def test_a_sentence_on_many_columns_is_short(target, drop, tmp_path):
    names = [f"column_{i:06}" for i in range(360_000)]  # 5 MB
    names += ["y", "column_000001"] if target == "column_000001" else ["y", "class"]
    path = tmp_path / "a.csv"
    path.write_text(",".join(names) + "\n" + "1," * (len(names) - 1) + "1\n")
    begin = time.perf_counter()
    with pytest.raises(ValueError, match=r"Name the column|There is no column|more than once") as caught:
        check_columns(path, header_of(path, None), target, drop)
    assert len(str(caught.value)) < 1000
    assert time.perf_counter() - begin < 10


def test_a_sentence_on_long_columns_is_short(tmp_path):
    path = written(tmp_path / "a.csv", **{100_000 * "a": SMALL, 100_000 * "b": LARGE})
    for target in ("z", 100_000 * "z", None):
        assert len(refusal(path, target)) < 1000
    assert len(refusal(path, "y", drop=[100_000 * "c"])) < 1000
    np.savez(tmp_path / "a.npz", **{f"array{i}": SMALL for i in range(300)})
    assert len(refusal(tmp_path / "a.npz")) < 1000
