"""Discriminators of pairs: is the second row another real one of the first one's class, or made from it?"""

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, pad

from skgan.modules.dcgan import n_doublings
from skgan.modules.heads import ProjectionHead
from skgan.modules.layers import weight_normed


class ImagePairDiscriminator(nn.Module):
    """(offspring, label, parent), images of one shape, stacked as channels → logits of shape (n,)."""

    def __init__(
        self, data_shape: tuple[int, ...], n_classes: int, *, width: int, n_features: int, norm: str = "spectral"
    ):
        super().__init__()
        channels, height, image_width = data_shape
        k = n_doublings(height, image_width)
        self.padding = (0, -image_width % 2**k, 0, -height % 2**k)
        sizes = [2 * channels, *(width << level for level in range(k))]
        self.down = nn.ModuleList(weight_normed(nn.Conv2d(a, b, 4, 2, 1), norm) for a, b in itertools.pairwise(sizes))
        area = math.ceil(height / 2**k) * math.ceil(image_width / 2**k)
        self.features = weight_normed(nn.Linear(sizes[-1] * area, n_features), norm)
        self.head = ProjectionHead(n_features, n_classes, norm=norm)

    def forward(self, offspring: Tensor, y: Tensor, parent: Tensor) -> Tensor:
        h = pad(torch.cat([parent, offspring], 1), self.padding, value=-1.0)
        for down in self.down:
            h = leaky_relu(down(h), 0.2)
        return self.head(leaky_relu(self.features(h.flatten(1)), 0.2), y)


class RowPairDiscriminator(nn.Module):
    """(offspring, label, parent), rows of a table, as the parent beside the difference → logits of shape (n,)."""

    def __init__(self, data_shape: tuple[int, ...], n_classes: int, *, width: int, norm: str = "spectral"):
        super().__init__()
        self.layers = nn.Sequential(
            weight_normed(nn.Linear(2 * data_shape[0], 4 * width), norm),
            nn.LeakyReLU(0.2),
            weight_normed(nn.Linear(4 * width, 4 * width), norm),
            nn.LeakyReLU(0.2),
        )
        self.head = ProjectionHead(4 * width, n_classes, norm=norm)

    def forward(self, offspring: Tensor, y: Tensor, parent: Tensor) -> Tensor:
        return self.head(self.layers(torch.cat([parent, offspring - parent], 1)), y)
