"""The one place that warns."""

import sys
import warnings

_LIBRARIES = {"skgan", "sklearn", "sklearn_compat", "imblearn", "skorch", "joblib", "torch", "contextlib"}


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line of the user's code that led here: frames of skgan and of the libraries around it are skipped."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _LIBRARIES:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
