"""imbalanced-learn samplers around generative nets."""

from skgan.samplers._augmenter import ConditionalGANAugmenter
from skgan.samplers._base import BaseGenerativeSampler
from skgan.samplers._border import check_rows, checked_table
from skgan.samplers._cache import describe
from skgan.samplers._candidates import (
    NOTHING,
    FlatRows,
    auto_samplers,
    checked_splits,
    default_estimator,
    named_candidates,
    rarest_class,
    resamples,
    seeded,
    share_memory,
)
from skgan.samplers._cv import OverSamplerCV
from skgan.samplers._domains import DomainOverSampler
from skgan.samplers._factory import RowFactory
from skgan.samplers._nets import prepared
from skgan.samplers._over_sampler import GANOverSampler
from skgan.samplers._recursive import RecursiveAugmenter

__all__ = [
    "NOTHING",
    "BaseGenerativeSampler",
    "ConditionalGANAugmenter",
    "DomainOverSampler",
    "FlatRows",
    "GANOverSampler",
    "OverSamplerCV",
    "RecursiveAugmenter",
    "RowFactory",
    "auto_samplers",
    "check_rows",
    "checked_splits",
    "checked_table",
    "default_estimator",
    "describe",
    "named_candidates",
    "prepared",
    "rarest_class",
    "resamples",
    "seeded",
    "share_memory",
]
