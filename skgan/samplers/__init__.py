"""imbalanced-learn samplers around generative nets."""

from skgan.samplers._augmenter import ConditionalGANAugmenter
from skgan.samplers._base import BaseGenerativeSampler
from skgan.samplers._border import check_groups, check_rows, checked_table, forget_fit, tag_inputs
from skgan.samplers._candidates import (
    CLASS_WEIGHTS,
    NOTHING,
    FlatRows,
    auto_candidates,
    auto_samplers,
    checked_splits,
    class_weighted,
    cloned_steps,
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
from skgan.samplers._keys import describe
from skgan.samplers._nets import prepared
from skgan.samplers._over_sampler import GANOverSampler
from skgan.samplers._recursive import RecursiveAugmenter
from skgan.samplers._saved import load

__all__ = [
    "CLASS_WEIGHTS",
    "NOTHING",
    "BaseGenerativeSampler",
    "ConditionalGANAugmenter",
    "DomainOverSampler",
    "FlatRows",
    "GANOverSampler",
    "OverSamplerCV",
    "RecursiveAugmenter",
    "RowFactory",
    "auto_candidates",
    "auto_samplers",
    "check_groups",
    "check_rows",
    "checked_splits",
    "checked_table",
    "class_weighted",
    "cloned_steps",
    "default_estimator",
    "describe",
    "forget_fit",
    "load",
    "named_candidates",
    "prepared",
    "rarest_class",
    "resamples",
    "seeded",
    "share_memory",
    "tag_inputs",
]
