"""The only file that imports private names of imbalanced-learn and scikit-learn."""

from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils._param_validation import validate_parameter_constraints as _validate
from sklearn.utils.validation import _num_samples as num_samples
from sklearn.utils.validation import validate_data


class Number(Interval):
    """scikit-learn's interval of numbers, which takes True for 1; this one does not."""

    def is_satisfied_by(self, val: Any) -> bool:
        return not isinstance(val, bool | np.bool_) and super().is_satisfied_by(val)


def validate_parameter_constraints(constraints: dict[str, list[Any]], params: dict[str, Any], caller_name: str) -> None:
    """scikit-learn's: refuse parameters that satisfy none of their constraints; others are not looked at."""
    _validate(constraints, params, caller_name=caller_name)


def has_parameters(value: Any) -> bool:
    """Whether this is an object, or class, with scikit-learn's parameters."""
    return hasattr(value, "get_params")


__all__ = [
    "HasMethods",
    "Number",
    "StrOptions",
    "has_parameters",
    "num_samples",
    "safe_indexing",
    "validate_data",
    "validate_parameter_constraints",
]
