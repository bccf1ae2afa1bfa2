"""Warnings of skgan, so that they can be filtered by their kind."""

__all__ = ["CollapsedTrainingWarning", "LongTrainingWarning"]


class CollapsedTrainingWarning(UserWarning):
    """After its training a GAN makes rows that hardly differ from each other, while real rows of the class do."""


class LongTrainingWarning(Warning):
    """A training will take more than a minute, by the time of its first steps.

    It is told while the training goes on. ``warnings.simplefilter("ignore", LongTrainingWarning)`` silences it, and
    ``"error"`` makes it end the training.
    """
