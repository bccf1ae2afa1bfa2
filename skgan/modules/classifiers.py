"""The reports' classifiers and a small residual one.

Functions ``(data_shape, n_classes) -> nn.Sequential`` whose last layer gives the logits.
"""

import math
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import relu

from skgan.modules.layers import Dropout


def cnn_2conv(data_shape: tuple[int, int, int], n_classes: int) -> nn.Sequential:
    """The imbalance report's (Kafkas): 8 filters 3×3, 32 filters 5×5, each BatchNorm, ReLU, dropout .2, pool; 600 units."""
    channels, height, width = data_shape
    return nn.Sequential(
        *(nn.Conv2d(channels, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), Dropout(0.2), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 32, 5, padding=2), nn.BatchNorm2d(32), nn.ReLU(), Dropout(0.2), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(32 * (height // 4) * (width // 4), 600), nn.ReLU(), Dropout(0.5)),
        nn.Linear(600, n_classes),
    )


def cnn_3conv(data_shape: tuple[int, int, int], n_classes: int) -> nn.Sequential:
    """The galaxy report's (Gentry & You): 3 × (convolution, ReLU, pool, dropout), then 3 fully connected layers.

    The report gives no sizes; 32, 64 and 64 filters of 3×3, 128 and 64 units and dropout .25 are ours.
    """
    channels, height, width = data_shape
    blocks: list[nn.Module] = []
    for n_in, n_out in ((channels, 32), (32, 64), (64, 64)):
        blocks += [nn.Conv2d(n_in, n_out, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), Dropout(0.25)]
    return nn.Sequential(
        *blocks,
        *(nn.Flatten(), nn.Linear(64 * (height // 8) * (width // 8), 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU()),
        nn.Linear(64, n_classes),
    )


def cnn_tiny(data_shape: tuple[int, int, int], n_classes: int) -> nn.Sequential:
    """The photo report's (Abi Hana): 50, 20 and 5 filters of 3×3 with ReLU and pooling, then 30 and 20 units."""
    channels, height, width = data_shape
    blocks: list[nn.Module] = []
    for n_in, n_out in ((channels, 50), (50, 20), (20, 5)):
        blocks += [nn.Conv2d(n_in, n_out, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(
        *blocks,
        *(nn.Flatten(), nn.Linear(5 * (height // 8) * (width // 8), 30), nn.ReLU(), nn.Linear(30, 20), nn.ReLU()),
        nn.Linear(20, n_classes),
    )


def mlp_300(data_shape: tuple[int, int, int], n_classes: int) -> nn.Sequential:
    """The MNIST report's (Liu & Hu): one layer of 300 sigmoid units, dropout .1."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(math.prod(data_shape), 300), nn.Sigmoid(), Dropout(0.1), nn.Linear(300, n_classes)
    )


class _ResidualBlock(nn.Module):
    """Two convolutions 3×3 with BatchNorm beside a shortcut: the image, or a convolution 1×1 where its shape changes."""

    def __init__(self, n_in: int, n_out: int, stride: int):
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU()),
            *(nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False), nn.BatchNorm2d(n_out)),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or n_in != n_out:
            self.shortcut = nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out))

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.layers(x) + self.shortcut(x))


def resnet8(data_shape: tuple[int, int, int], n_classes: int) -> nn.Sequential:
    """A residual network of 8 layers and some 80,000 weights: 16, 16, 32 and 64 filters, the last two at half the size.

    He et al., "Deep residual learning for image recognition", CVPR 2016, section 4.2, with n = 1.
    """
    return nn.Sequential(
        *(nn.Conv2d(data_shape[0], 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()),
        *(_ResidualBlock(16, 16, 1), _ResidualBlock(16, 32, 2), _ResidualBlock(32, 64, 2)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, n_classes)),
    )


# Architecture → (function, smallest side that its poolings leave something of)
ARCHITECTURES: dict[str, tuple[Any, int]] = {
    "cnn_2conv": (cnn_2conv, 4),
    "cnn_3conv": (cnn_3conv, 8),
    "cnn_tiny": (cnn_tiny, 8),
    "mlp_300": (mlp_300, 1),
    "resnet8": (resnet8, 1),
}
