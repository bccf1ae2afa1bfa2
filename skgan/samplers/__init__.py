"""imbalanced-learn samplers."""

from skgan.samplers._over_sampler import GANOverSampler

__all__ = ["GANOverSampler"]
