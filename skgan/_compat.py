"""The only file that imports private names of imbalanced-learn and scikit-learn."""

from imblearn.utils._validation import ArraysTransformer, check_target_type
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import _num_samples as num_samples
from sklearn_compat.utils.validation import validate_data

__all__ = [
    "ArraysTransformer",
    "HasMethods",
    "Interval",
    "StrOptions",
    "check_target_type",
    "num_samples",
    "safe_indexing",
    "validate_data",
]
