"""imbalanced-learn samplers around generative nets."""

from skgan.samplers._augmenter import ConditionalGANAugmenter
from skgan.samplers._cv import OverSamplerCV
from skgan.samplers._over_sampler import GANOverSampler
from skgan.samplers._recursive import RecursiveAugmenter

__all__ = ["ConditionalGANAugmenter", "GANOverSampler", "OverSamplerCV", "RecursiveAugmenter"]
