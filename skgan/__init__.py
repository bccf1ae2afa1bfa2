"""skgan: generative models as a drop-in for SMOTE."""

from importlib.metadata import version

from skgan.classifier import CNNClassifier
from skgan.samplers import GANOverSampler
from skgan.strategies import at_least

__version__ = version("skgan")
__all__ = ["CNNClassifier", "GANOverSampler", "at_least"]
