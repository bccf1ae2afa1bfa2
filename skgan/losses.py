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
    saturating : bool, default=False
        The generator minimises the original log(1 − σ(D(fake))) = −softplus(D(fake)) instead: the zero-sum game.

    References
    ----------
    .. [1] Goodfellow et al., "Generative adversarial nets", NeurIPS 2014, section 3.
    .. [2] Salimans et al., "Improved techniques for training GANs", NeurIPS 2016, section 3.4.
    """

    def __init__(self, label_smoothing: float = 0.0, saturating: bool = False):
        super().__init__()
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"label_smoothing must lie in [0, 1), got {label_smoothing}; 0.1 is usual.")
        self.label_smoothing = label_smoothing
        self.saturating = saturating

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        loss = softplus(-real).mean() + softplus(fake).mean()
        if self.label_smoothing:
            # ε·(softplus(r) − softplus(−r)) = ε·r
            loss = loss + self.label_smoothing * real.mean()
        return loss

    def generator(self, real: Tensor | None, fake: Tensor) -> Tensor:
        return -softplus(fake).mean() if self.saturating else softplus(-fake).mean()


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


class LeastSquares(nn.Module):
    """Least squares [1]_. Discriminator: mean (D(real)−1)² + mean D(fake)²; generator: mean (D(fake)−1)².

    References
    ----------
    .. [1] Mao et al., "Least squares generative adversarial networks", ICCV 2017, eq. 9, without its factors ½.
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return (real - 1).square().mean() + fake.square().mean()

    def generator(self, real: Tensor | None, fake: Tensor) -> Tensor:
        return (fake - 1).square().mean()


class Wasserstein(nn.Module):
    """The Wasserstein critic [1]_: mean D(fake) − mean D(real); generator: −mean D(fake). Needs a Lipschitz constraint.

    References
    ----------
    .. [1] Arjovsky, Chintala & Bottou, "Wasserstein generative adversarial networks", ICML 2017, eq. 2.
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return fake.mean() - real.mean()

    def generator(self, real: Tensor | None, fake: Tensor) -> Tensor:
        return -fake.mean()


class Relativistic(nn.Module):
    """The relativistic pairing loss [1]_: mean softplus(−(D(real)−D(fake))), and the reverse for the generator.

    Real and fake rows are paired by their place in the batch, so they have the same label.

    References
    ----------
    .. [1] Jolicoeur-Martineau, "The relativistic discriminator", ICLR 2019, eq. 7 with f(t) = softplus(−t); the form of
       Huang et al., "The GAN is dead; long live the GAN!", NeurIPS 2024, eq. 2.
    """

    uses_real = True
    """The generator's loss needs the real rows' logits."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return softplus(fake - real).mean()

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return softplus(real - fake).mean()
