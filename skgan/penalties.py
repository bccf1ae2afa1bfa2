"""Penalties on the critic, the local callable ``x -> logits`` with labels and augmentation already applied.

``every=k`` makes a penalty lazy: the net applies it in every k-th discriminator update, k times as strong, as in StyleGAN2
(Karras et al., CVPR 2020, appendix B). In a grid and in ``Anneal`` a penalty goes by its class: ``penalties__R1__gamma``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from numbers import Integral

import torch
from torch import Tensor

from skgan._draws import rand

Critic = Callable[[Tensor], Tensor]


def squared_gradient_norm(critic: Critic, x: Tensor) -> Tensor:
    """‖∇D(x)‖² of every row, shape (n,), differentiable in the critic's weights (and in x's, where it has a history)."""
    x = differentiable(x)
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return gradient.square().flatten(1).sum(1)


def differentiable(x: Tensor) -> Tensor:
    """x, or, where nothing records what is made of it, a copy of the tensor for which that is recorded."""
    # A view of a parameter that was made without gradients claims to need one, so the flag alone does not tell.
    recorded = x.grad_fn is not None or (x.requires_grad and not x._is_view())
    return x if recorded else x.detach().requires_grad_(True)


def remembering(critic: Critic, *known: tuple[Tensor, Tensor]) -> Critic:
    """The critic, which for rows that it has seen, these very tensors, returns the logits that it gave: ``(rows, logits)``.

    A penalty on real rows then costs no forward pass of its own.
    """

    def told(x: Tensor) -> Tensor:
        for rows, logits in known:
            if rows is x:
                return logits
        return critic(x)

    return told


@dataclass
class Penalty:
    """What is added to the discriminator's loss; subclasses are dataclasses with their strength inside.

    Parameters
    ----------
    every : int, default=1
        Keyword only. Applied in every k-th discriminator update, k times as strong.
    """

    every: int = field(default=1, kw_only=True)

    def __post_init__(self):
        self.check_strengths()

    def check_strengths(self, **strengths: float) -> None:
        """Refuse strengths below 0, and an ``every`` that counts nothing."""
        for name, value in strengths.items():
            if not value >= 0:
                raise ValueError(f"{type(self).__name__}'s {name} must be at least 0, got {value!r}.")
        if isinstance(self.every, bool) or not isinstance(self.every, Integral) or self.every < 1:
            raise ValueError(
                f"every counts discriminator updates and must be an integer of at least 1, got {self.every!r}."
            )

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """Critic ``x -> logits``, real and fake rows (n, …) → a scalar."""
        raise NotImplementedError(f"{type(self).__name__} must have a method __call__(critic, real, fake).")


class MeanPenalty(Penalty):
    """A penalty that is the mean of one number a row, so that nets can be trained side by side with it."""

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        return self.of_rows(critic, real, fake).mean()

    def of_rows(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """Critic ``x -> logits``, real and fake rows (n, …) → the penalty of each, (n,)."""
        raise NotImplementedError(f"{type(self).__name__} must have a method of_rows(critic, real, fake).")


def add_penalties(
    loss: Tensor,
    penalties: Iterable[Penalty],
    critic: Critic,
    real: Tensor,
    fake: Tensor,
    update: int,
    weight: float = 1.0,
) -> Tensor:
    """The loss plus the weighted penalties that are due in this discriminator update (counted from 0)."""
    for penalty in penalties:
        if update % penalty.every == 0:
            loss = loss + weight * penalty.every * penalty(critic, real, fake)
    return loss


@dataclass
class R1(MeanPenalty):
    """Zero-centred gradient penalty on real rows [1]_: γ/2 · mean ‖∇D(real)‖².

    Parameters
    ----------
    gamma : float, default=1.0
        γ ≥ 0; the ½ is inside, so published values transfer.
    every : int, default=1
        As of :class:`Penalty`.

    References
    ----------
    .. [1] Mescheder, Geiger & Nowozin, "Which training methods for GANs do actually converge?", ICML 2018, eq. 9.
    """

    gamma: float = 1.0

    def __post_init__(self):
        self.check_strengths(gamma=self.gamma)

    def of_rows(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        return self.gamma / 2 * squared_gradient_norm(critic, real)


@dataclass
class R2(MeanPenalty):
    """Zero-centred gradient penalty on generated rows [1]_: γ/2 · mean ‖∇D(fake)‖².

    Parameters
    ----------
    gamma : float, default=1.0
        γ ≥ 0; the ½ is inside.
    every : int, default=1
        As of :class:`Penalty`.

    References
    ----------
    .. [1] Mescheder, Geiger & Nowozin, "Which training methods for GANs do actually converge?", ICML 2018, eq. 10.
    """

    gamma: float = 1.0

    def __post_init__(self):
        self.check_strengths(gamma=self.gamma)

    def of_rows(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        return self.gamma / 2 * squared_gradient_norm(critic, fake)


@dataclass
class GradientPenalty(MeanPenalty):
    """WGAN-GP's penalty [1]_: λ · mean (‖∇D(x̂)‖ − t)², each x̂ drawn between one real and one generated row.

    Parameters
    ----------
    weight : float, default=10.0
        λ ≥ 0.
    target : float, default=1.0
        t; 0 gives a zero-centred penalty between the rows.
    every : int, default=1
        As of :class:`Penalty`.

    References
    ----------
    .. [1] Gulrajani et al., "Improved training of Wasserstein GANs", NeurIPS 2017, eq. 3.
    """

    weight: float = 10.0
    target: float = 1.0

    def __post_init__(self):
        self.check_strengths(weight=self.weight, target=self.target)

    def of_rows(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        share = rand(len(real), *[1] * (real.ndim - 1), device=real.device, dtype=real.dtype)
        squared = squared_gradient_norm(critic, torch.lerp(real, fake, share))
        norm = (squared + 1e-12).sqrt()  # the root has no gradient at 0
        return self.weight * (norm - self.target).square()
