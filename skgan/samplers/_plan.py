"""Who is trained, copied, jittered: from the groups' sizes alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from skgan._warnings import warn

TOO_FEW = 5
"""Where no class has this many rows, nothing is trained: new rows are plain copies."""


@dataclass(frozen=True)
class Plan:
    """Groups by what their new rows come from."""

    trained: list[int]
    copied: list[int]
    jittered: list[int]

    @classmethod
    def of_classes(cls, wanted: list[int], sizes: np.ndarray, starts_from_one_row: Callable[[int], bool]) -> "Plan":
        """For classes of these sizes, of which some need new rows."""
        if sizes.max() < TOO_FEW:
            return cls([], wanted, [])
        single = [i for i in wanted if sizes[i] == 1 and not starts_from_one_row(i)]
        return cls([i for i in wanted if i not in single], [], single)

    @classmethod
    def of_conditions(cls, wanted: list[int], n_rows: int) -> "Plan":
        """For rows of which all are trained on together."""
        return cls([], wanted, []) if n_rows < TOO_FEW else cls(wanted, [], [])

    def warn(self, names: Sequence, largest: str) -> None:
        """Say what is not trained and why.

        Parameters
        ----------
        names : sequence
            Of the groups, by number.
        largest : str
            How large the largest group is, as a beginning of a sentence.
        """
        if self.copied:
            warn(
                f"{largest} to learn how rows vary: nothing was trained, and the new rows are plain copies. More real rows "
                "would help more than any sampler."
            )
        elif self.jittered:
            told = ", ".join(repr(names[i]) for i in self.jittered)
            warn(
                f"Class {told} has a single row: nothing can be learned of how it varies, so its new rows are slightly "
                "jittered copies of it. More real rows would help more than any sampler."
            )
