"""Heads of discriminators: features and labels → logits, and what else a net makes a loss of."""

import math
from typing import NamedTuple

from torch import Tensor, cat, nn
from torch.nn.functional import cross_entropy

from skgan.modules.layers import LabelEmbedding, weight_normed


class MinibatchDiscrimination(nn.Module):
    """Append how close a row's features lie to those of the others in the batch, seen through learned kernels.

    With M = h·T of shape (n, B, C): o(i, b) = Σ_{j≠i} exp(−‖M_ib − M_jb‖₁).

    Parameters
    ----------
    n_features : int
        Length of h.
    n_kernels, kernel_dim : int, default=128 and 5
        B and C.

    References
    ----------
    Salimans et al., "Improved techniques for training GANs", NeurIPS 2016, section 3.2.
    """

    def __init__(self, n_features: int, *, n_kernels: int = 128, kernel_dim: int = 5):
        super().__init__()
        self.n_kernels = n_kernels
        self.kernels = nn.Linear(n_features, n_kernels * kernel_dim, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        projected = self.kernels(features).view(len(features), self.n_kernels, -1)
        distance = (projected[:, None] - projected[None]).abs().sum(3)
        return cat([features, (-distance).exp().sum(1) - 1], 1)  # without exp(0) of the row itself


class ProjectionHead(nn.Module):
    """Features and labels → logits of shape (n,): w·h + ⟨e(y), h⟩, for classes and for real labels.

    References
    ----------
    Miyato & Koyama, "cGANs with projection discriminator", ICLR 2018, eq. 3; for real labels Ding et al., "CcGAN:
    continuous conditional generative adversarial networks for image generation", ICLR 2021, section 3.
    """

    def __init__(self, n_features: int, n_classes: int, *, norm: str = "none", condition_dim: int = 0):
        super().__init__()
        self.linear = weight_normed(nn.Linear(n_features, 1), norm)
        # Starts as an unconditional critic whose classes part as training finds them to.
        self.embedding = LabelEmbedding(n_classes, n_features, condition_dim, norm, std=1 / math.sqrt(n_features))

    def forward(self, features: Tensor, y: Tensor) -> Tensor:
        logits = self.linear(features)[:, 0]
        return logits + (self.embedding(y) * features).sum(1) if self.embedding.dim else logits


class HeadOutput(NamedTuple):
    """What a head returns that says more than how real rows look.

    Attributes
    ----------
    logits : tensor of shape (n,)
    extra : tensor
        What the net makes a loss of, as the head says.
    """

    logits: Tensor
    extra: Tensor


class AuxiliaryHead(nn.Module):
    """Features → logits of shape (n,) that know no label, and a classifier whose loss both players minimise (AC-GAN).

    ``extra`` is the cross-entropy of the batch, a scalar. With one class there is nothing to tell apart, and logits alone
    are returned.

    References
    ----------
    Odena, Olah & Shlens, "Conditional image synthesis with auxiliary classifier GANs", ICML 2017, eqs. 1 and 2.
    """

    def __init__(self, n_features: int, n_classes: int, *, condition_dim: int = 0):
        super().__init__()
        if condition_dim:
            raise ValueError(
                "head='auxiliary' tells classes apart, and these labels are real numbers; use 'projection' or 'predictor'."
            )
        self.linear = nn.Linear(n_features, 1)
        self.classes = nn.Linear(n_features, n_classes) if n_classes > 1 else None

    def forward(self, features: Tensor, y: Tensor) -> Tensor | HeadOutput:
        logits = self.linear(features)[:, 0]
        return logits if self.classes is None else HeadOutput(logits, cross_entropy(self.classes(features), y))


class PredictorHead(nn.Module):
    """Features → logits of shape (n,) by minibatch discrimination, and predicted real labels (n, condition_dim).

    ``forward`` ignores the label; ``extra`` is the prediction. The logit sees the features beside their closeness to those
    of the others in the batch; real and fake batches pass separately.

    Parameters
    ----------
    n_features, n_classes, condition_dim : int
        As for every head; n_classes is ignored, and condition_dim is at least 1.
    n_hidden : int, default=1024
        Units of the layer before the prediction (BatchNorm, LeakyReLU .2).
    n_kernels, kernel_dim : int, default=128 and 5
        Of :class:`MinibatchDiscrimination`.
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        *,
        condition_dim: int = 0,
        n_hidden: int = 1024,
        n_kernels: int = 128,
        kernel_dim: int = 5,
    ):
        super().__init__()
        if not condition_dim:
            raise ValueError(
                "head='predictor' predicts real-valued labels, and there are only classes here. Give real-valued labels "
                "(ConditionalGANAugmenter: a continuous y, or condition=), or use head='projection'."
            )
        self.predictor = nn.Sequential(
            nn.Linear(n_features, n_hidden),
            nn.BatchNorm1d(n_hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(n_hidden, condition_dim),
        )
        self.closeness = MinibatchDiscrimination(n_features, n_kernels=n_kernels, kernel_dim=kernel_dim)
        self.linear = nn.Linear(n_features + n_kernels, 1)

    def forward(self, features: Tensor, y: Tensor) -> HeadOutput:
        predicted = self.predictor(features)
        return HeadOutput(self.linear(self.closeness(features))[:, 0], predicted)


HEADS = {"projection": ProjectionHead, "auxiliary": AuxiliaryHead, "predictor": PredictorHead}


def make_head(name: str, n_features: int, n_classes: int, condition_dim: int = 0) -> nn.Module:
    """The head of that name, or a sentence."""
    if name not in HEADS:
        raise ValueError(f"head must be one of {', '.join(HEADS)}; got {name!r}.")
    return HEADS[name](n_features, n_classes, condition_dim=condition_dim)
