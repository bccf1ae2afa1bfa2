"""Displays in notebooks."""

from io import BytesIO
from typing import Any


class ShownInNotebooks:
    """A notebook shows the figure of a display, which pyplot does not know and would not show."""

    figure_: Any

    def _repr_png_(self) -> bytes | None:
        if "figure_" not in vars(self) or self.figure_.canvas.manager is not None:  # not drawn yet, or pyplot's
            return None
        picture = BytesIO()
        self.figure_.savefig(picture, format="png")
        return picture.getvalue()
