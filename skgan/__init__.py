"""skgan: generative models as a drop-in for SMOTE."""

from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
        load,
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
    "load",
    "prefit_generators",
]

if not TYPE_CHECKING:  # type checkers would take any name for one that is here
    import importlib

    _MODULES = {
        "CNNClassifier": "classifier",
        "Comparison": "comparison",
        "ConditionalGANAugmenter": "samplers",
        "DomainOverSampler": "samplers",
        "GANOverSampler": "samplers",
        "GenClassClassifier": "zero_shot",
        "ImageEmbedding": "embedding",
        "ImbalancedClassifierCV": "imbalanced",
        "OverSamplerCV": "samplers",
        "PriorCorrectedClassifier": "prior",
        "RecursiveAugmenter": "samplers",
        "at_least": "strategies",
        "compare": "comparison",
        "halfway": "strategies",
        "load": "samplers",
        "prefit_generators": "model_selection",
    }
    _SUBMODULES = {
        *("augment", "callbacks", "checks", "classifier", "codecs", "comparison", "datasets", "embedding"),
        *(
            "exceptions",
            "filters",
            "imbalanced",
            "losses",
            "metrics",
            "model_selection",
            "modules",
            "nets",
            "penalties",
        ),
        *("presets", "prior", "samplers", "strategies", "zero_shot"),
    }

    def __getattr__(name: str):
        """A public name or submodule, imported when it is first asked for.

        torch and scikit-learn take seconds to import, and ``skgan --help`` needs neither.
        """
        if name in _MODULES:
            value = getattr(importlib.import_module(f"skgan.{_MODULES[name]}"), name)
        elif name in _SUBMODULES:
            value = importlib.import_module(f"skgan.{name}")
        else:
            raise AttributeError(f"module 'skgan' has no attribute {name!r}")
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__, *_SUBMODULES})
