"""Penalties on the critic, the local callable ``x -> logits`` with labels already applied."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


def squared_gradient_norm(critic: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """‖∇D(x)‖² of every row, shape (n,), differentiable in the critic's weights."""
    x = x.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return gradient.square().flatten(1).sum(1)


@dataclass
class R1:
    """Zero-centred gradient penalty on real rows [1]_: γ/2 · mean ‖∇D(real)‖².

    Parameters
    ----------
    gamma : float, default=1.0
        γ; the ½ is inside, so published values transfer.

    References
    ----------
    .. [1] Mescheder, Geiger & Nowozin, "Which training methods for GANs do actually converge?", ICML 2018, eq. 9.
    """

    gamma: float = 1.0

    def __call__(self, critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
        return self.gamma / 2 * squared_gradient_norm(critic, real).mean()
