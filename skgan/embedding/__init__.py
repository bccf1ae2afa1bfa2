"""Images as tables: the outputs of a pretrained network, for samplers and classifiers of tables."""

from skgan.embedding._backbones import efficientnet_lite0
from skgan.embedding._transformer import ImageEmbedding

__all__ = ["ImageEmbedding", "efficientnet_lite0"]
