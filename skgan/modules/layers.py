"""Layers that several modules share."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import linear, normalize

from skgan._draws import drop_values, gumbel_softmax, randn

NORMS = ("none", "group", "layer", "spectral", "weight")
"""What ``norm=`` of a module may be: two that normalise activations of one row, two that normalise weights."""


class LabelEmbedding(nn.Module):
    """What a network knows of the label: a learned vector per class, a function of real numbers, or nothing.

    Parameters
    ----------
    n_classes : int
        Number of classes; 1 is unconditional.
    dim : int
        Length of the vector asked for; ``.dim`` is what comes out (0 where there is nothing to know).
    condition_dim : int, default=0
        Above 0, labels are real vectors of this length instead of class ids, and a small MLP embeds them.
    norm : str, default="none"
        Of its weights.
    std : float, default=1.0
        Of the classes' vectors at the start.
    """

    def __init__(self, n_classes: int, dim: int, condition_dim: int = 0, norm: str = "none", std: float = 1.0):
        super().__init__()
        self.dim = dim if n_classes > 1 or condition_dim else 0
        self.embedding: Any = None
        if condition_dim:
            self.embedding = nn.Sequential(
                weight_normed(nn.Linear(condition_dim, dim), norm),
                nn.LeakyReLU(0.2),
                weight_normed(nn.Linear(dim, dim), norm),
            )
        elif n_classes > 1:
            embedding = nn.Embedding(n_classes, dim)
            nn.init.normal_(embedding.weight, std=std)
            self.embedding = weight_normed(embedding, norm)

    def forward(self, y: Tensor) -> Tensor:
        """Class ids of shape (n,), or real labels (n, condition_dim) → vectors of shape (n, dim)."""
        if self.embedding is None:
            return torch.zeros(len(y), 0, device=y.device)
        return self.embedding(y)


class Dropout(nn.Dropout):
    """torch's dropout, drawn from the training's own generator instead of torch's global one.

    A module of yours that uses it trains to the same weights whatever another thread draws meanwhile.

    Parameters
    ----------
    p : float in [0, 1], default=0.5
        Probability of a value to be set to 0, in training.
    """

    def __init__(self, p: float = 0.5):
        super().__init__(p)

    def forward(self, x: Tensor) -> Tensor:
        return drop_values(x, self.p) if self.training and self.p else x


class SpanOutput(nn.Module):
    """Numeric columns pass; each one-hot span becomes a relaxed draw of one category (Gumbel-softmax).

    Parameters
    ----------
    spans : sequence of (start, stop)
        Columns of each categorical feature.
    temperature : float, default=0.2
        τ > 0; the draw nears a one-hot vector as τ → 0.

    References
    ----------
    Jang, Gu & Poole, "Categorical reparameterization with Gumbel-softmax", ICLR 2017.
    """

    def __init__(self, spans: Sequence[tuple[int, int]], temperature: float = 0.2):
        super().__init__()
        self.spans, self.temperature = tuple(spans), temperature

    def forward(self, rows: Tensor) -> Tensor:
        if not self.spans:
            return rows
        pieces, at = [], 0
        for start, stop in self.spans:
            pieces += [rows[:, at:start], gumbel_softmax(rows[:, start:stop], self.temperature)]
            at = stop
        return torch.cat([*pieces, rows[:, at:]], 1)


class _Reparametrised(nn.Module):
    """A layer whose weight is computed anew in every forward pass.

    torch's parametrisations cannot be pickled and its older hooks cannot be deep-copied; a call of the layer with another
    weight can do both, and is differentiable twice.
    """

    layer: Any
    g: nn.Parameter
    u: Tensor

    def __init__(self, layer: nn.Module):
        super().__init__()
        if not isinstance(getattr(layer, "weight", None), nn.Parameter):
            raise TypeError(
                f"{type(self).__name__} wraps a layer with a weight, such as nn.Linear(8, 4); got {layer!r}."
            )
        self.layer = layer
        # Transposed convolutions have their output channels on axis 1.
        self.output_axis = 1 if isinstance(layer, nn.modules.conv._ConvTransposeNd) else 0

    def matrix(self) -> Tensor:
        """The stored weight as (outputs, inputs)."""
        return self.layer.weight.transpose(0, self.output_axis).flatten(1)

    def per_output(self, values: Tensor) -> Tensor:
        """Values of shape (outputs,) shaped so that they multiply the weight."""
        shape = [1] * self.layer.weight.ndim
        shape[self.output_axis] = -1
        return values.view(shape)

    def weight(self) -> Tensor:
        """The weight that is used."""
        raise NotImplementedError

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional_call(self.layer, {"weight": self.weight()}, inputs)


class SpectralNorm(_Reparametrised):
    """W / σ(W), σ the largest singular value, tracked by one power iteration per training pass.

    References
    ----------
    Miyato et al., "Spectral normalization for generative adversarial networks", ICLR 2018, algorithm 1.
    """

    def __init__(self, layer: nn.Module):
        super().__init__(layer)
        with torch.no_grad():
            u = normalize(randn(self.matrix().shape[0]), dim=0)
            for _ in range(15):  # close to the singular vector from the first batch on
                u = normalize(self.matrix() @ normalize(self.matrix().T @ u, dim=0), dim=0)
        self.register_buffer("u", u)

    def weight(self) -> Tensor:
        return self.layer.weight / self.sigma()

    def forward(self, *inputs: Tensor) -> Tensor:
        if isinstance(self.layer, nn.Linear):  # its outputs are far fewer than its weights
            outputs = linear(inputs[0], self.layer.weight) / self.sigma()
            return outputs if self.layer.bias is None else outputs + self.layer.bias
        return super().forward(*inputs)

    def sigma(self) -> Tensor:
        """The largest singular value, as a scalar; one power iteration in training."""
        matrix = self.matrix()
        with torch.no_grad():
            v = normalize(matrix.T @ self.u, dim=0)
            if self.training:
                self.u.copy_(normalize(matrix @ v, dim=0))
            u = self.u.clone()  # the graph keeps it; the next pass writes over the buffer
        return u @ matrix @ v


class WeightNorm(_Reparametrised):
    """g · W / ‖W‖ per output, with a learned g.

    References
    ----------
    Salimans & Kingma, "Weight normalization", NeurIPS 2016, eq. 2.
    """

    def __init__(self, layer: nn.Module):
        super().__init__(layer)
        self.g = nn.Parameter(self.matrix().detach().norm(dim=1))

    def weight(self) -> Tensor:
        return self.layer.weight * self.per_output(self.g / self.matrix().norm(dim=1))


class Equalized(_Reparametrised):
    """c · W with W ~ N(0, 1) at the start and c = √(2 / inputs): every layer learns at the same rate.

    References
    ----------
    Karras et al., "Progressive growing of GANs", ICLR 2018, section 4.1.
    """

    def __init__(self, layer: nn.Module):
        super().__init__(layer)
        nn.init.normal_(self.layer.weight)
        if self.layer.bias is not None:
            nn.init.zeros_(self.layer.bias)
        self.scale = math.sqrt(2 / self.matrix().shape[1])

    def weight(self) -> Tensor:
        return self.layer.weight * self.scale


def check_norm(norm: str) -> None:
    """Refuse an unknown ``norm=`` in a sentence."""
    if norm == "batch":
        raise ValueError(
            "norm='batch' is not offered: its statistics mix the rows of a batch, which gradient penalties must not see, "
            f"and a moving average of the weights spoils them. Use one of {', '.join(NORMS)}."
        )
    if norm not in NORMS:
        raise ValueError(f"norm must be one of {', '.join(NORMS)}; got {norm!r}.")


def weight_normed(layer: nn.Module, norm: str) -> nn.Module:
    """The layer, wrapped where the norm is one of weights."""
    check_norm(norm)
    return {"spectral": SpectralNorm, "weight": WeightNorm}.get(norm, lambda layer: layer)(layer)


def activation_norm(n_channels: int, norm: str) -> nn.Module:
    """GroupNorm of 8 groups ("group") or one ("layer"), else nothing. It has no running statistics."""
    check_norm(norm)
    if norm == "group":
        return nn.GroupNorm(math.gcd(8, n_channels), n_channels)
    return nn.GroupNorm(1, n_channels) if norm == "layer" else nn.Identity()


def hidden_layers(sizes: Sequence[int], dropout: float, norm: str) -> list[nn.Module]:
    """Dense layers from each size to the next, with norm, LeakyReLU .01 and dropout after each."""
    layers: list[nn.Module] = []
    for n_in, n_out in itertools.pairwise(sizes):
        layers += [weight_normed(nn.Linear(n_in, n_out), norm), activation_norm(n_out, norm), nn.LeakyReLU(0.01)]
        if dropout:
            layers.append(Dropout(dropout))
    return layers


def check_is_image(module: nn.Module, data_shape: Sequence[int]) -> None:
    """Refuse rows of a table in a sentence."""
    if len(data_shape) != 3:
        raise ValueError(
            f"{type(module).__name__} makes images of shape (C, H, W), and these rows have shape {tuple(data_shape)}. For "
            "tables use net='mlp_gan'; for flattened images give the sampler codec=ImageCodec(image_shape=…)."
        )


def middle(images: Tensor, height: int, width: int) -> Tensor:
    """The middle of images that cover a little more than was asked for."""
    top, left = (images.shape[2] - height) // 2, (images.shape[3] - width) // 2
    return images[:, :, top : top + height, left : left + width]


class PixelNorm(nn.Module):
    """x / √(mean x² over channels + ε) at every pixel.

    References
    ----------
    Karras et al., "Progressive growing of GANs", ICLR 2018, section 4.2.
    """

    def forward(self, x: Tensor) -> Tensor:
        return x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()


class MinibatchStd(nn.Module):
    """Append one channel: the standard deviation over the batch, averaged over channels and pixels.

    References
    ----------
    Karras et al., "Progressive growing of GANs", ICLR 2018, section 3.
    """

    def forward(self, x: Tensor) -> Tensor:
        spread = (x.var(0, correction=0) + 1e-8).sqrt().mean()
        return torch.cat([x, spread.expand(len(x), 1, *x.shape[2:])], 1)
