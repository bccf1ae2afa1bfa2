"""What :func:`skgan.compare` found, as plain JSON."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from skgan._columns_beside import pairs_of
from skgan._generated import QUANTILE, GeneratedRows
from skgan._verdict import RANKING
from skgan.samplers import NOTHING

FORMAT = 1
"""Raised when a key changes its meaning or goes."""


def as_json(result) -> str:
    """One JSON object; NaN and infinity are null.

    Parameters
    ----------
    result : Comparison
    """
    lines = result.table.rename(columns={RANKING: "average_precision", "standard error": "standard_error"})
    differences = lines.loc[lines.index != NOTHING, ["over nothing", "low", "high"]]
    found = {
        "format": FORMAT,
        "about": asdict(result.about),
        "scoring": result.scoring,
        "classes": result.classes.tolist(),
        "verdict": result.verdict,
        "last_word": result.last_word,
        "choice": result.choice,
        "complete": result.complete,
        "table": _records(lines.drop(columns=["over nothing", "low", "high"]).rename_axis("row").reset_index()),
        "differences": [
            {"row": name, "over": NOTHING, "difference": line["over nothing"], "low": line["low"], "high": line["high"]}
            for name, line in differences.iterrows()
        ],
        "folds": _records(result.folds.rename(columns={RANKING: "average_precision"})),
        "confusion_matrices": {name: matrix.tolist() for name, matrix in result.confusion_matrices.items()},
        "generators": {name: _generator(made) for name, made in result.generated.items()},
    }
    return json.dumps(_plain(found), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _generator(made: GeneratedRows) -> dict[str, Any]:
    return {
        "copy_ratio": made.copy_ratio,
        "origins": made.origins,
        "near_copies": {
            "of_new_rows": made.near_copies[0],
            "of_unseen_rows": made.near_copies[1],
            "unseen_rows": made.n_unseen,
            "quantile": QUANTILE,
        },
        "told_apart": {
            "auc_new_from_unseen": made.told_apart[0],
            "auc_training_from_unseen": made.told_apart[1],
            "rows_of_each": made.n_told,
        },
        "filter_report": None if made.filter_report is None else _records(made.filter_report),
        "classes": [
            {"class": name, "columns": _records(columns), "pairs": _records(pairs_of(real, new))}
            for name, real, new, columns in made.beside
        ],
    }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return frame.astype(object).to_dict("records")


def _plain(value: Any) -> Any:
    """Numbers and text of Python's own; None where a number is not finite."""
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
