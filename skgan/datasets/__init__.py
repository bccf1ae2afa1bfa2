"""A user's own images as arrays, and real and new rows for a training loop of one's own."""

from skgan.datasets._folders import load_image_folder
from skgan.datasets._resampled import ResampledDataset

__all__ = ["ResampledDataset", "load_image_folder"]
