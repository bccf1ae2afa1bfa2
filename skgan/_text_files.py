"""Tables in text files: encoding, separator and header, which the csv module reads without pandas."""

import csv
import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

TEXT, PARQUET, NPZ = (".csv", ".tsv", ".tab", ".txt"), (".parquet", ".pq"), ".npz"
SEPARATORS = {"\t": "tab", ";": "';'", "|": "'|'", ",": "','"}
"""From the rarest inside of values on: a table with semicolons may have commas in every number."""
BLANKS = " "
MARKS = {b"\xff\xfe\x00\x00": "utf-32", b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
OTHERS = {b"PK": "a zip or Excel file", b"\x1f\x8b": "a gzip file", b"PAR1": "a Parquet file"}
"""First bytes of files that are no text, whatever their name says."""
MOST, LONGEST = 20, 50
"""Names in a sentence, and letters of each."""
MOST_COMPARED = 10_000
"""Names among which one that was mistyped is looked for."""


def check_path(path: Path, separator: str | None, drop: Sequence[str]) -> None:
    """Refuse a path where there is nothing, or nothing that can be read."""
    suffix = path.suffix.lower()
    if not path.exists():
        raise ValueError(f"There is no file or folder {str(path)!r}.")
    if (path.is_dir() or suffix == ".npz") and (drop or separator is not None):
        raise ValueError(f"--drop and --sep are for tables with named columns, and {path.name} is none.")
    if not path.is_dir() and suffix not in (".npz", *TEXT, *PARQUET):
        raise ValueError(
            f"{path.name} is none of {', '.join(TEXT)}, .parquet and .npz, and no folder of class folders: save the table as "
            "CSV."
        )


def check_columns(
    path: Path, columns: Sequence[str], target: str | None, drop: Sequence[str], time: str | None = None
) -> None:
    """Refuse names of columns that are not there."""
    there = f"there are {listed(columns)}."
    if target is None:
        raise ValueError(f"Name the column of the classes with --target; {there}")
    for name in (target, *drop, *([] if time is None else [time])):
        if name in columns:
            continue
        near = difflib.get_close_matches(name[:LONGEST], columns[:MOST_COMPARED], n=3, cutoff=0.4)
        hint = f" Did you mean {' or '.join(map(shown, near))}?" if near else ""
        if sum(map(_is_number, columns)) > len(columns) / 2:
            hint += (
                f" The first line of {path.name} seems to be data: put a line with the names of the columns above it."
            )
        raise ValueError(f"There is no column {shown(name)}; {there}{hint}")
    if target in drop:
        raise ValueError(f"--drop {target[:LONGEST]} would leave out the column of the classes.")
    if time is not None and (time == target or time in drop):
        other = "--target" if time == target else "--drop"
        raise ValueError(
            f"--time {time[:LONGEST]} names a column of {other}: name the one that has the time of each row."
        )


def shown(name: str) -> str:
    """A name in a sentence, in quotes and not longer than one reads."""
    return repr(name) if len(name) <= LONGEST else f"{name[:LONGEST]!r}…"


def listed(names: Sequence[str]) -> str:
    """The first names of a list, and how many there are."""
    return ", ".join(map(shown, names[:MOST])) + (f" … {len(names)} in all" if len(names) > MOST else "")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def header_of(path: Path, separator: str | None) -> list[str]:
    """The names of the columns, as pandas has them."""
    encoding = encoding_of(path)
    separator = given_separator(separator) or found_separator(path, encoding)
    with path.open(encoding=encoding, newline="") as file:
        try:
            names: list[str] = next((fields for fields in _fields(file, separator) if fields), [])
        except csv.Error as error:
            raise _not_closed(path, 1, error) from error
    _check_header(path, names, separator)
    return [name.strip() or f"Unnamed: {i}" for i, name in enumerate(names)]


def given_separator(text: str | None) -> str | None:
    """The option ``--sep`` as one character."""
    separator = None if text is None else {"\\t": "\t", "tab": "\t"}.get(text, text)
    if separator is not None and len(separator) != 1:
        raise ValueError(f"--sep must be one character, or tab; got {separator!r}.")
    return separator


def encoding_of(path: Path) -> str:
    """UTF-8, or what the first bytes say, or else a Western European one."""
    with path.open("rb") as file:
        head = file.read(4096)
    if not head.strip():
        raise ValueError(f"{path.name} is empty.")
    for start, what in OTHERS.items():
        if head.startswith(start):
            raise ValueError(f"{path.name} is no text but {what}: save the table as CSV.")
    marked = next((encoding for start, encoding in MARKS.items() if head.startswith(start)), None)
    tried: tuple[str, ...] = ("utf-8", "cp1252", "latin-1") if marked is None else (marked,)
    if marked is None and b"\0" in head:  # of Latin letters, every other byte of UTF-16
        tried = ("utf-16-be" if head[:1] == b"\0" else "utf-16-le",)
    for encoding in tried:
        try:
            with path.open(encoding=encoding, newline="") as file:
                while text := file.read(1 << 20):
                    if "\0" in text:
                        raise ValueError(f"{path.name} is no text: it holds zero bytes. Save the table as CSV.")
        except UnicodeError:
            continue
        return encoding
    raise ValueError(f"{path.name} is no text that can be read as {' or '.join(tried)}: save it as UTF-8.")


def _not_closed(path: Path, line: int, error: csv.Error) -> ValueError:
    return ValueError(f"Line {line} of {path.name} cannot be read ({error}): a quotation mark that is not closed?")


def _fields(lines: Iterator[str], separator: str) -> Any:
    if separator == BLANKS:
        return csv.reader((line.strip() for line in lines), delimiter=BLANKS, skipinitialspace=True)
    return csv.reader(lines, delimiter=separator, skipinitialspace=True)


def found_separator(path: Path, encoding: str) -> str:
    """What divides most of the first lines into as many columns as the header has."""
    with path.open(encoding=encoding, newline="") as file:
        lines = list(islice(file, 200))
    best, share = None, 0.0
    for separator in (*SEPARATORS, BLANKS):
        try:
            counts = [len(fields) for fields in _fields(iter(lines), separator) if fields]
        except csv.Error:  # not divided by it, a long line is a field that the csv module does not take
            continue
        if not counts or counts[0] < 2 or (separator == BLANKS and best is not None):
            continue
        same = counts.count(counts[0]) / len(counts)
        if same > share:
            best, share = separator, same
    if best is None:
        raise ValueError(
            f"Neither tab, ';', '|', ',' nor blanks divide the first line of {path.name} into columns: "
            f"{lines[0].strip()[:80]!r}. Name the separator with --sep, and delete lines above the header; a table needs a "
            "column of classes and others to learn from."
        )
    return best


def check_lines(path: Path, encoding: str, separator: str) -> None:
    """Refuse lines of another number of fields: what follows would stand in the wrong columns."""
    header: list[str] | None = None
    first, rows = 1, 0
    with path.open(encoding=encoding, newline="") as file:
        reader = _fields(file, separator)
        try:
            for fields in reader:
                if header is None:
                    header = fields or None
                    _check_header(path, fields, separator)
                elif fields and len(fields) != len(header):
                    on = f", up to line {reader.line_num}," if reader.line_num > first else ""
                    raise ValueError(
                        f"Line {first}{on} of {path.name} has {counted(len(fields), 'field')}, and its header has "
                        f"{len(header)}: correct the line (only a value that holds the separator {separator!r} or a line break "
                        "stands in quotation marks, one before and one after it), or name another separator with --sep."
                    )
                else:
                    rows += bool(fields)
                first = reader.line_num + 1
        except csv.Error as error:
            raise _not_closed(path, first, error) from error
    if not rows:
        raise ValueError(f"{path.name} has a header and no rows below it.")


def _check_header(path: Path, fields: list[str], separator: str) -> None:
    if len(fields) == 1:
        raise ValueError(
            f"{path.name} has one column only if divided by {separator!r}: {fields[0][:80]!r}. Name another separator with "
            "--sep, or leave --sep out."
        )
    twice = [name for name, n in Counter(name.strip() for name in fields).items() if n > 1 and name]
    if twice:
        raise ValueError(
            f"The header of {path.name} has the column {shown(twice[0])} more than once: rename one of them."
        )


def counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
