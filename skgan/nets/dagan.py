"""The data augmentation GAN: new rows decoded from a real row's code and noise."""

from types import MappingProxyType
from typing import Any

from skgan.losses import Hinge
from skgan.nets.offspring import OffspringNet


class DAGANNet(OffspringNet):
    """Trained and sampled as :class:`OffspringNet` is, on pairs of one class, with a module that decodes codes; no copies are
    among its rows, unless a sampler's ``shares`` ask for them.

    Where an offspring is its parent warped, a DAGAN's offspring is decoded anew: it varies more, and keeps less of its parent.
    With ``source_classes`` it learns where rows are plenty and makes rows of classes that it never saw.

    Parameters
    ----------
    module : class
        :class:`skgan.modules.DAGAN`.
    criterion : class, default=Hinge
    spread : float, default=1.0
        As of :class:`OffspringNet`.
    **kwargs
        As :class:`OffspringNet`.

    References
    ----------
    Antoniou, Storkey & Edwards, "Data augmentation generative adversarial networks", 2017 (arXiv:1711.04340).
    """

    default_shares = MappingProxyType({"net": 1.0})

    def __init__(self, module: Any, criterion: Any = Hinge, *, spread: Any = 1.0, **kwargs: Any):
        super().__init__(module, criterion, spread=spread, **kwargs)
