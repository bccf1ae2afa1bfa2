"""Warnings of skgan, so that they can be filtered by their kind."""

__all__ = ["LongTrainingWarning"]


class LongTrainingWarning(Warning):
    """A training will take more than a minute, by the time of its first steps.

    It is told while the training goes on. ``warnings.simplefilter("ignore", LongTrainingWarning)`` silences it, and
    ``"error"`` makes it end the training.
    """
