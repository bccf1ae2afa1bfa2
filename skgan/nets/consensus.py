"""Consensus optimisation: step along the game's field, and down the length of that field."""

from numbers import Real
from typing import Any, ClassVar

import torch
from torch import Tensor

from skgan._compat import Number
from skgan.nets.adversarial import AdversarialNet


class ConsensusNet(AdversarialNet):
    """A GAN trained along v − γ∇½‖v‖², v the negative gradients of both players' losses [1]_.

    Pulls towards points where both gradients vanish, which turns a rotating field into a converging one. Too large a γ
    makes equilibria of points that are none: the length of the field has local minima of its own.

    Parameters
    ----------
    module : class
        A pair of :mod:`skgan.modules`.
    gamma : float, default=0.1
        γ ≥ 0. Named ``gamma`` in a grid and in ``Anneal``.
    updates : {"simultaneous", "alternating"}, default="simultaneous"
        The paper's steps are simultaneous; "alternating" recomputes the field between the players.
    **kwargs
        As :class:`skgan.nets.AdversarialNet`; ``n_critic`` and ``n_generator`` stay 1.

    References
    ----------
    .. [1] Mescheder, Nowozin & Geiger, "The numerics of GANs", NeurIPS 2017, algorithm 2.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **AdversarialNet._parameter_constraints,
        "gamma": [Number(Real, 0, None, closed="left")],
    }

    differentiable_fakes = True

    def __init__(self, module: Any, *args: Any, gamma: Any = 0.1, updates: Any = "simultaneous", **kwargs: Any):
        self.gamma = gamma
        super().__init__(module, *args, updates=updates, **kwargs)

    def check_training_params(self) -> None:
        super().check_training_params()
        if (self.n_critic, self.n_generator) != (1, 1):
            raise ValueError(
                "Consensus optimisation moves both players along one field; leave n_critic and n_generator at 1."
            )

    def train_step(self, batch: Any, **fit_params: Any) -> Any:
        """One step of both players, or one of each in turn."""
        both = ("discriminator", "generator")
        for players in [both] if self.updates == "simultaneous" else [both[:1], both[1:]]:
            values = self.follow_field(batch, players)
        return self.report(**values)

    def follow_field(self, batch: tuple[Tensor, Tensor], players: tuple[str, ...]) -> dict[str, Tensor]:
        """Step these players along the consensus field at the present point; returns what to report."""
        self.optimizer_.zero_grad(set_to_none=True)
        (d_loss, told), (g_loss, more) = self.discriminator_loss(*batch), self.generator_loss(*batch)
        losses = d_loss, g_loss
        gradients = {
            player: torch.autograd.grad(loss, self.players_[player], create_graph=True, materialize_grads=True)
            for player, loss in zip(("discriminator", "generator"), losses, strict=True)
        }
        half_squared_length = torch.stack([g.square().sum() for both in gradients.values() for g in both]).sum() / 2
        parameters = [p for player in players for p in self.players_[player]]
        pull = torch.autograd.grad(half_squared_length, parameters, materialize_grads=True)
        own = [g for player in players for g in gradients[player]]
        for parameter, g, p in zip(parameters, own, pull, strict=True):
            parameter.grad = (g + self.gamma * p).detach()
        self.optimizer_.step()
        return {"discriminator_loss": d_loss.detach(), "generator_loss": g_loss.detach(), **told, **more}
