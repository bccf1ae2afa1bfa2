"""skgan: generative models as a drop-in for SMOTE."""

from importlib.metadata import version

from skgan.classifier import CNNClassifier
from skgan.comparison import Comparison, compare
from skgan.model_selection import prefit_generators
from skgan.prior import PriorCorrectedClassifier
from skgan.samplers import ConditionalGANAugmenter, GANOverSampler, OverSamplerCV, RecursiveAugmenter
from skgan.strategies import at_least

__version__ = version("skgan")
__all__ = [
    "CNNClassifier",
    "Comparison",
    "ConditionalGANAugmenter",
    "GANOverSampler",
    "OverSamplerCV",
    "PriorCorrectedClassifier",
    "RecursiveAugmenter",
    "at_least",
    "compare",
    "prefit_generators",
]
