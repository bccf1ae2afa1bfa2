"""Numbers that stand in a table as text: thousands, decimal commas, cells that are none, times of day."""

from collections import Counter
from collections.abc import Callable

import pandas as pd

from skgan.codecs._identifiers import NUMBER

# Each takes cells with blanks and apostrophes between thousands already taken out.
POINT = rf"(?:{NUMBER}|[+-]?[0-9]{{1,3}}(?:,[0-9]{{3}})+(?:\.[0-9]*)?)"
COMMA = r"[+-]?(?:[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+)?(?:,[0-9]+(?:[eE][+-]?[0-9]+)?)?"
DOTTED = r"[+-]?(?:[1-9][0-9]{0,2}(?:\.[0-9]{3})+|[0-9]{1,3})"
GAPS = r"(?<=[0-9])[ \u00a0\u202f'\u2019](?=[0-9]{3}(?:[^0-9]|$))"
UNKNOWN = {"", "?", "-", "--", ".", "..", "*", "na", "n.a.", "missing", "unknown", "#value!", "#div/0!"}
"""How tables say that there is no value, besides what pandas knows."""
MOST = 0.9
"""Share of numbers from which on a column is one of numbers, whatever its other cells say."""
FEW = 20
"""So many different numbers beside words may be codes."""
TIME_PARTS = r"(\d+):(\d+)(?::(\d+(?:\.\d+)?))? ?([AaPp])?"


def read_numbers(
    frame: pd.DataFrame, comma: bool, raw: Callable[[list[str]], pd.DataFrame] | None
) -> tuple[pd.DataFrame, list[str]]:
    """The table with columns of numbers in place of columns of text that spell numbers, and notes on them.

    Parameters
    ----------
    frame : DataFrame
    comma : bool
        What a comma is where no column tells: a decimal mark, or else one between thousands.
    raw : callable or None
        Returns columns, by name, as they stand in the file: in a table of decimal commas, what looks like 1.234 is 1234.
    """
    texts = {name: _cells(frame[name]) for name in frame if _may_spell_numbers(frame[name])}
    styles = {name: _style(cells) for name, cells in texts.items()}
    told = [styles[name] for name, cells in texts.items() if styles[name] and _any(cells, ",")]
    if told:
        comma = told.count("comma") > len(told) / 2
    spelled: dict[str, list[str]] = {"comma": [], "point": []}
    notes, frame = list[str](), frame.copy()
    for name, cells in texts.items():
        style = styles[name] or ("comma" if comma else "point")
        numbers, note = _column(name, cells, style)
        notes += note
        if numbers is not None:
            frame[name] = numbers.reindex(frame.index)
            if _any(cells, ",") or (style == "comma" and _any(cells, ".")):
                spelled[style].append(name)
    if told and comma and raw is not None:
        floats = [name for name in frame if name not in texts and pd.api.types.is_float_dtype(frame[name].dtype)]
        for name, column in raw(floats).items() if floats else ():
            cells = _cells(column)
            if _any(cells, ".") and cells.str.fullmatch(DOTTED).all():
                frame[name] = _to_numbers(cells, "comma").reindex(frame.index)
                spelled["comma"].append(str(name))
    for style, what in (
        ("comma", "a decimal comma (12,5 is 12.5)"),
        ("point", "commas between thousands (1,250 is 1250)"),
    ):
        if spelled[style]:
            notes.append(f"Numbers were read with {what} in {_listed(spelled[style])}.")
    return frame, notes


def seconds_of_day(column: pd.Series) -> pd.Series:
    """Seconds since midnight of times such as 13:45, 07:05:10 and 1:45 PM; NaN where there is none."""
    parts = column.astype("object").map(str, na_action="ignore").str.strip().str.extract(TIME_PARTS)
    hours, minutes, seconds = (parts[i].astype(float) for i in range(3))
    half = parts[3].str.upper()
    hours = hours.where(half.isna(), hours % 12 + 12 * (half == "P"))
    return 3600 * hours + 60 * minutes + seconds.fillna(0.0)


def _may_spell_numbers(column: pd.Series) -> bool:
    return pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype)


def _cells(column: pd.Series) -> pd.Series:
    """The cells that are not missing, as text without what only parts thousands."""
    return column.dropna().astype(str).str.strip().str.replace(GAPS, "", regex=True)


def _any(cells: pd.Series, sign: str) -> bool:
    return bool(cells.str.contains(sign, regex=False).any())


def _style(cells: pd.Series) -> str | None:
    """Whether more cells are numbers with a decimal "comma" or with a decimal "point"; None where as many are."""
    point, comma = (cells.str.fullmatch(pattern).sum() for pattern in (POINT, COMMA))
    return None if point == comma else "comma" if comma > point else "point"


def _column(name: str, cells: pd.Series, style: str) -> tuple[pd.Series | None, list[str]]:
    """The numbers in a column of text, by row, and a note on cells that are none; None where it is no column of numbers."""
    are = cells.str.fullmatch(COMMA if style == "comma" else POINT) & (cells != "")
    others = Counter(cells[~are])
    if are.all() or not are.any():
        return (_to_numbers(cells, style) if len(cells) and are.all() else None), []
    share, few = are.mean(), cells[are].nunique() <= FEW
    examples = ", ".join(f"{text!r} in {n}" for text, n in others.most_common(3))
    left = f"Column {name!r} is numbers but for {(~are).sum()} of its {len(cells)} cells ({examples}); "
    if set(map(str.lower, others)) <= UNKNOWN or (share >= MOST and not few):
        return _to_numbers(cells[are], style), [
            f"{left}these count as missing: correct them in the file, or leave the column out with --drop {name!r}."
        ]
    if share < 0.5 or (few and share < MOST):
        return None, []
    return None, [f"{left}it is taken as categories: correct these cells if the others are quantities."]


def _to_numbers(cells: pd.Series, style: str) -> pd.Series:
    plain = cells.str.replace("." if style == "comma" else ",", "", regex=False)
    return pd.to_numeric(plain.str.replace(",", ".", regex=False))


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:5]))
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"column{'s' if len(names) > 1 else ''} {shown}{more}"
