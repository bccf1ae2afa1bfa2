"""Games small enough to know their answer: the Dirac-GAN, a thin manifold, a ring of Gaussians, the survey's field.

Each is a module or net like any other, trained by skgan's own nets; ``jacobian`` differentiates the field that their
updates follow, so that eigenvalues and training speak of the same code.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn

from skgan._random import private_rng
from skgan.modules.layers import weight_normed
from skgan.nets import AdversarialNet, ConsensusNet

START = math.sqrt(0.5)  # of ψ and θ: distance 1 from the equilibrium at 0


class DiracGAN(nn.Module):
    """Data at 0, generator x = θ, discriminator D(x) = ψx (Mescheder, Geiger & Nowozin, ICML 2018, section 2)."""

    latent_dim = 1

    def __init__(self, data_shape, n_classes, *, psi=START, theta=START, norm="none"):
        super().__init__()
        self.generator, self.discriminator = _Theta(theta), _Psi(psi, norm)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return self.generator(z)


class _Theta(nn.Module):
    def __init__(self, theta):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(float(theta)))

    def forward(self, z: Tensor) -> Tensor:
        return self.theta.expand(len(z), 1)


class _Psi(nn.Module):
    def __init__(self, psi, norm):
        super().__init__()
        layer = nn.Linear(1, 1, bias=False)
        nn.init.constant_(layer.weight, psi)
        self.layer = weight_normed(layer, norm)

    @property
    def psi(self) -> Tensor:
        return self.layer(torch.ones(1, 1, dtype=next(self.parameters()).dtype))[0, 0]

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.layer(x)[:, 0]


class ThinManifold(nn.Module):
    """Data on a line in the plane, (t, 0) with t ~ N(0, 1); generator (t, θ); discriminator ψx₂ + φx₁x₂.

    The supports never overlap unless θ = 0: the case of instance noise's argument.
    """

    latent_dim = 1

    def __init__(self, data_shape, n_classes, *, psi=START, theta=START):
        super().__init__()
        self.generator, self.discriminator = _Line(theta), _LineCritic(psi)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return self.generator(z)


class _Line(_Theta):
    def forward(self, z: Tensor) -> Tensor:
        return torch.cat([z, self.theta.expand(len(z), 1)], 1)


class _LineCritic(nn.Module):
    def __init__(self, psi):
        super().__init__()
        self.psi = nn.Parameter(torch.tensor([float(psi), 0.0]))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.psi[0] * x[:, 1] + self.psi[1] * x[:, 0] * x[:, 1]


class _SurveyLosses:
    """v = (cos ψ, sin θ), the survey's example of a field that rotates (Appenzeller & Daaboul, figure 6)."""

    def discriminator_loss(self, real, y):
        return -self.module_.discriminator.psi * self.module_.generator.theta.sin(), {}

    def generator_loss(self, real, y):
        return -self.module_.generator.theta * self.module_.discriminator.psi.cos(), {}


class SurveyGame(_SurveyLosses, ConsensusNet):
    """The survey's field followed by consensus optimisation: v − γ∇½‖v‖²."""


ZEROS = np.zeros((256, 1), dtype=np.float32)
LINE = np.c_[np.random.RandomState(0).randn(2048), np.zeros(2048)].astype(np.float32)


def point(net) -> np.ndarray:
    """Where a game stands: the discriminator's slope (or slopes), then θ."""
    discriminator, theta = net.module_.discriminator, net.module_.generator.theta
    with torch.no_grad():
        return np.append(discriminator.psi.numpy().ravel(), theta.item())


def play(net: AdversarialNet, X: np.ndarray, seed: int = 0, steps: int = 500):
    """Train a game and return it with its path, (steps, coordinates)."""
    path = []

    class Recorded(type(net)):
        def report(self, **values):
            path.append(point(self))
            return super().report(**values)

    params = net.get_params(deep=False)
    plain = {"callbacks__ema": None, "callbacks__divergence_guard": None}
    recorded = Recorded(**{**params, "max_steps": steps, "random_state": seed, **plain})
    return recorded.fit(X), np.array(path)


def jacobian(net: AdversarialNet, X: np.ndarray, **start: float) -> np.ndarray:
    """Jacobian of the negative field that the net's updates follow, at the module's starting point ``start``."""
    net = type(net)(
        **{**net.get_params(deep=False), "max_steps": 1, "optimizer__lr": 0.0, "random_state": 0}
        | {f"module__{name}": value for name, value in start.items()}
    )
    net.fit(X)
    with private_rng(0):
        net.on_train_begin(net)
        net.differentiable_fakes = True
        net.module_.double()
        # Many rows, so that noise shows its mean effect.
        real = torch.as_tensor(X[np.random.RandomState(0).randint(len(X), size=20000)]).double()
        y = torch.zeros(len(real), dtype=torch.long)
        losses = net.discriminator_loss(real, y)[0], net.generator_loss(real, y)[0]
        gradients = [
            g
            for player, loss in zip(("discriminator", "generator"), losses, strict=True)
            for g in torch.autograd.grad(loss, net.players_[player], create_graph=True, materialize_grads=True)
        ]
        parameters = [*net.players_["discriminator"], *net.players_["generator"]]
        if isinstance(net, ConsensusNet):
            length = torch.stack([g.square().sum() for g in gradients]).sum() / 2
            pull = torch.autograd.grad(length, parameters, create_graph=True, materialize_grads=True)
            gradients = [g + net.gamma * p for g, p in zip(gradients, pull, strict=True)]
        rows = [
            torch.cat(
                [h.ravel() for h in torch.autograd.grad(entry, parameters, retain_graph=True, materialize_grads=True)]
            )
            for g in gradients
            for entry in g.ravel()
        ]
    return torch.stack(rows).double().numpy()


def update_operator(J: np.ndarray, lr: float, updates: str, n_discriminator: int) -> np.ndarray:
    """Jacobian of one step of gradient descent: I − lr·J, or the generator's half after the discriminator's."""
    identity = np.eye(len(J))
    if updates == "simultaneous":
        return identity - lr * J
    first = (np.arange(len(J)) < n_discriminator)[:, None]
    return (identity - lr * J * ~first) @ (identity - lr * J * first)
