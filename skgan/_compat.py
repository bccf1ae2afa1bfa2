"""The only file that imports private names of imbalanced-learn and scikit-learn."""

from imblearn.utils._validation import ArraysTransformer, check_target_type
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn_compat.utils.validation import validate_data

__all__ = ["ArraysTransformer", "HasMethods", "Interval", "StrOptions", "check_target_type", "validate_data"]
