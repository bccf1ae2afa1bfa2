"""Adversarial losses: logits in, one scalar out. A loss never detaches; the net's update decides who moves.

Every discriminator loss is the sum of its mean over real and its mean over fake rows, without a factor ½.
"""

from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import relu, softplus


class Loss(nn.Module):
    """What both players minimise; subclasses write ``discriminator`` and ``generator``.

    skorch builds it from the net's ``criterion__…`` parameters.

    Attributes
    ----------
    threshold : float, default=0.0
        The logit above which a row counts as taken for real, in ``discriminator_accuracy``.
    uses_real : bool, default=False
        Whether ``generator`` needs the real rows' logits; otherwise it is given None.
    """

    threshold: ClassVar[float] = 0.0
    uses_real: ClassVar[bool] = False

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Logits of real and of fake rows, each (n,) → a scalar that the discriminator minimises."""
        raise NotImplementedError(f"{type(self).__name__} must have a method discriminator(real, fake).")

    def generator(self, real: Tensor | None, fake: Tensor) -> Tensor:
        """Logits of real rows (or None) and of fake rows → a scalar that the generator minimises."""
        raise NotImplementedError(f"{type(self).__name__} must have a method generator(real, fake).")

    def accuracy(self, real: Tensor, fake: Tensor) -> Tensor:
        """The part of real and fake rows, half each, that lie on their side of the threshold."""
        right = (real > self.threshold).float() + (fake < self.threshold).float()
        return right.mean() / 2


class NonSaturating(Loss):
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


class Hinge(Loss):
    """The hinge loss [1]_. Discriminator: mean max(0, 1−D(real)) + mean max(0, 1+D(fake)); generator: −mean D(fake).

    References
    ----------
    .. [1] Lim & Ye, "Geometric GAN", 2017, arXiv:1705.02894.
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return relu(1 - real).mean() + relu(1 + fake).mean()

    def generator(self, real: Tensor | None, fake: Tensor) -> Tensor:
        return -fake.mean()


class LeastSquares(Loss):
    """Least squares [1]_. Discriminator: mean (D(real)−1)² + mean D(fake)²; generator: mean (D(fake)−1)².

    References
    ----------
    .. [1] Mao et al., "Least squares generative adversarial networks", ICCV 2017, eq. 9, without its factors ½.
    """

    threshold = 0.5  # halfway between what it wants of fake rows, 0, and of real ones, 1

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return (real - 1).square().mean() + fake.square().mean()

    def generator(self, real: Tensor | None, fake: Tensor) -> Tensor:
        return (fake - 1).square().mean()


class Wasserstein(Loss):
    """The Wasserstein critic [1]_: mean D(fake) − mean D(real); generator: −mean D(fake). Needs a Lipschitz constraint.

    References
    ----------
    .. [1] Arjovsky, Chintala & Bottou, "Wasserstein generative adversarial networks", ICML 2017, eq. 2.
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return fake.mean() - real.mean()

    def generator(self, real: Tensor | None, fake: Tensor) -> Tensor:
        return -fake.mean()


class Relativistic(Loss):
    """The relativistic pairing loss [1]_: mean softplus(−(D(real)−D(fake))), and the reverse for the generator.

    Real and fake rows are paired by their place in the batch, so they have the same label.

    References
    ----------
    .. [1] Jolicoeur-Martineau, "The relativistic discriminator", ICLR 2019, eq. 7 with f(t) = softplus(−t); the form of
       Huang et al., "The GAN is dead; long live the GAN!", NeurIPS 2024, eq. 2.
    """

    uses_real = True

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return softplus(fake - real).mean()

    def generator(self, real: Tensor | None, fake: Tensor) -> Tensor:
        assert real is not None, "uses_real says that the net gives them"
        return softplus(real - fake).mean()
