"""Adversarial losses: logits in, one scalar out. A loss never detaches; the net's update decides who moves.

Every discriminator loss is the sum of its mean over real and its mean over fake rows, without a factor ½.
"""

from torch import Tensor, nn
from torch.nn.functional import relu, softplus


class NonSaturating(nn.Module):
    """The GAN's cross-entropy with the non-saturating generator loss [1]_.

    Discriminator: (1−ε)·mean softplus(−D(real)) + ε·mean softplus(D(real)) + mean softplus(D(fake)).
    Generator: mean softplus(−D(fake)).

    Parameters
    ----------
    label_smoothing : float in [0, 1), default=0.0
        ε: the target of *real* rows is 1 − ε (one-sided; fakes keep the target 0, [2]_).

    References
    ----------
    .. [1] Goodfellow et al., "Generative adversarial nets", NeurIPS 2014, section 3.
    .. [2] Salimans et al., "Improved techniques for training GANs", NeurIPS 2016, section 3.4.
    """

    def __init__(self, label_smoothing: float = 0.0):
        super().__init__()
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"label_smoothing must lie in [0, 1), got {label_smoothing}; 0.1 is usual.")
        self.label_smoothing = label_smoothing

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        loss = softplus(-real).mean() + softplus(fake).mean()
        if self.label_smoothing:
            # ε·(softplus(r) − softplus(−r)) = ε·r
            loss = loss + self.label_smoothing * real.mean()
        return loss

    def generator(self, real: Tensor | None, fake: Tensor) -> Tensor:
        return softplus(-fake).mean()


class Hinge(nn.Module):
    """The hinge loss [1]_. Discriminator: mean max(0, 1−D(real)) + mean max(0, 1+D(fake)); generator: −mean D(fake).

    References
    ----------
    .. [1] Lim & Ye, "Geometric GAN", 2017, arXiv:1705.02894.
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return relu(1 - real).mean() + relu(1 + fake).mean()

    def generator(self, real: Tensor | None, fake: Tensor) -> Tensor:
        return -fake.mean()
