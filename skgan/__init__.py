"""skgan: generative models as a drop-in for SMOTE."""

from importlib.metadata import version

from skgan.classifier import CNNClassifier
from skgan.comparison import Comparison, compare
from skgan.embedding import ImageEmbedding
from skgan.imbalanced import ImbalancedClassifierCV
from skgan.model_selection import prefit_generators
from skgan.prior import PriorCorrectedClassifier
from skgan.samplers import (
    ConditionalGANAugmenter,
    DomainOverSampler,
    GANOverSampler,
    OverSamplerCV,
    RecursiveAugmenter,
)
from skgan.strategies import at_least, halfway
from skgan.zero_shot import GenClassClassifier

__version__ = version("skgan")
__all__ = [
    "CNNClassifier",
    "Comparison",
    "ConditionalGANAugmenter",
    "DomainOverSampler",
    "GANOverSampler",
    "GenClassClassifier",
    "ImageEmbedding",
    "ImbalancedClassifierCV",
    "OverSamplerCV",
    "PriorCorrectedClassifier",
    "RecursiveAugmenter",
    "at_least",
    "compare",
    "halfway",
    "prefit_generators",
]
