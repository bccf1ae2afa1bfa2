"""Public functions and methods say what they take and return."""

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

UNITS = [
    *("augment", "callbacks", "checks", "classifier", "codecs", "comparison", "datasets", "embedding", "exceptions"),
    *("filters", "imbalanced", "losses", "metrics", "model_selection", "modules", "nets", "penalties", "plotting"),
    *("presets", "prior", "samplers", "strategies", "zero_shot"),
]


def functions(kind: type) -> Iterator[Any]:
    """Public ones of a class, and of its bases that are skgan's."""
    for base in kind.__mro__:
        if not base.__module__.startswith("skgan"):
            continue
        for name, value in vars(base).items():
            inside = value.fget if isinstance(value, property) else inspect.unwrap(getattr(value, "__func__", value))
            written = inspect.isfunction(inside) and inside.__module__.startswith("skgan")
            if written and (not name.startswith("_") or name == "__init__") and inside.__name__ != "<lambda>":
                yield inside


def unannotated(function: Any) -> list[str]:
    """Names in its own signature: that of a net has skorch's parameters too."""
    code, said = function.__code__, function.__annotations__
    n = code.co_argcount + code.co_kwonlyargcount + sum(bool(code.co_flags & flag) for flag in (0x04, 0x08))
    names = [name for name in code.co_varnames[:n] if name not in ("self", "cls")]
    checked = function.__name__ == "__init__" and names  # mypy takes an __init__ without a return to say None
    return [name for name in names if name not in said] + ["return"] * ("return" not in said and not checked)


@pytest.mark.parametrize("unit", UNITS)
def test_every_public_name_is_annotated(unit):
    module = importlib.import_module(f"skgan.{unit}")
    names = vars(module).get("__all__") or [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and inspect.getmodule(value) is module and callable(value)
    ]
    told = {}
    for name in names:
        value = getattr(module, name)
        found = (
            functions(value) if inspect.isclass(value) else [inspect.unwrap(value)] if inspect.isfunction(value) else []
        )
        for function in found:
            if missing := unannotated(function):
                told[f"{function.__module__}.{function.__qualname__}"] = missing
    assert told == {}
