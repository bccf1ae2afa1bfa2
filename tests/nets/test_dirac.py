"""Training against theory, on games whose answer is known (Mescheder et al., ICML 2018 and NeurIPS 2017)."""

import functools

import numpy as np
import pytest
import torch
from toys import LINE, ZEROS, DiracGAN, SurveyGame, ThinManifold, jacobian, play, point, update_operator

from skgan.augment import InstanceNoise
from skgan.callbacks import Anneal
from skgan.losses import NonSaturating, Wasserstein
from skgan.nets import AdversarialNet, ConsensusNet
from skgan.penalties import R1, R2, GradientPenalty

LR = 0.1
Game = functools.partial(AdversarialNet, DiracGAN, optimizer=torch.optim.SGD, lr=LR, batch_size=64)
# The zero-sum loss: the non-saturating one creeps towards the equilibrium at less than any linear rate.
Dirac = functools.partial(Game, criterion__saturating=True)
ANNEALED = {"callbacks": [Anneal("augment__InstanceNoise__std", (1.0, 0.0))], "augment": InstanceNoise(1.0)}

GAMES = {
    "unregularised": (Dirac, {}),
    "WGAN": (Game, {"criterion": Wasserstein}),
    "WGAN-GP": (Game, {"criterion": Wasserstein, "penalties": (GradientPenalty(10.0),), "lr": 0.05}),
    "R1": (Dirac, {"penalties": (R1(1.0),)}),
    "R2": (Dirac, {"penalties": (R2(1.0),)}),
    "annealed instance noise": (Dirac, ANNEALED),
    "consensus": (
        functools.partial(ConsensusNet, DiracGAN, optimizer=torch.optim.SGD, lr=LR, batch_size=64, gamma=1.0),
        {"criterion__saturating": True},
    ),
}


def distance_after(name, updates, steps=500):
    make, params = GAMES[name]
    net, path = play(make(updates=updates, **params), ZEROS, steps=steps)
    return np.linalg.norm(path, axis=1), net


@pytest.mark.parametrize("updates", ["simultaneous", "alternating"])
@pytest.mark.parametrize("name", ["unregularised", "WGAN", "WGAN-GP"])
def test_these_do_not_converge(name, updates):
    distance, _ = distance_after(name, updates)
    assert distance[0] > 0.9
    assert distance[-100:].max() > 0.9


@pytest.mark.parametrize("updates", ["simultaneous", "alternating"])
@pytest.mark.parametrize("name", ["R1", "R2", "consensus"])
def test_these_reach_the_equilibrium(name, updates):
    distance, net = distance_after(name, updates)
    assert distance[-1] < 1e-3
    assert np.linalg.norm(point(net)) < 1e-3


@pytest.mark.parametrize("updates", ["simultaneous", "alternating"])
def test_annealed_instance_noise_comes_close(updates):
    distance, net = distance_after("annealed instance noise", updates)
    assert distance[-1] < 0.15
    assert net.augment_["InstanceNoise"].std == 0


@pytest.mark.parametrize(
    ("name", "converges"), [("unregularised", False), ("WGAN", False), ("R1", True), ("consensus", True)]
)
@pytest.mark.parametrize("updates", ["simultaneous", "alternating"])
def test_eigenvalues_at_the_equilibrium_agree(name, converges, updates):
    make, params = GAMES[name]
    J = jacobian(make(updates=updates, **params), ZEROS, psi=0.0, theta=0.0)
    field = np.linalg.eigvals(-J).real.max()
    modulus = np.abs(np.linalg.eigvals(update_operator(J, LR, updates, 1))).max()
    if converges:
        assert field < -0.1
        assert modulus < 0.99
    else:
        assert field == pytest.approx(0, abs=1e-6)
        assert modulus >= 1 - 1e-6
        assert (modulus > 1.0005) == (updates == "simultaneous")


@pytest.mark.parametrize("updates", ["simultaneous", "alternating"])
def test_too_large_a_gamma_slides_to_a_spurious_equilibrium(updates):
    start = {"module__psi": 1.0, "module__theta": -1.0}
    ends = {}
    for gamma in (1.0, 10.0):
        net = GAMES["consensus"][0](gamma=gamma, updates=updates, criterion__saturating=True, **start)
        J = jacobian(net, ZEROS, psi=0.0, theta=0.0)
        assert np.linalg.eigvals(-J).real.max() == pytest.approx(
            -gamma / 4, abs=1e-6
        )  # 0 attracts, the more the larger γ
        _, path = play(net, ZEROS, steps=500)
        ends[gamma] = path[-1]
    assert np.linalg.norm(ends[1.0]) < 1e-3
    psi, theta = ends[10.0]
    assert np.hypot(psi, theta) > 2
    sigma = 1 / (1 + np.exp(-psi * theta))
    assert sigma * np.hypot(psi, theta) < 0.15  # ‖v‖, .4 at the start: both players are nearly content there


def test_closed_forms_of_the_jacobian():
    make, params = GAMES["unregularised"]
    np.testing.assert_allclose(jacobian(make(**params), ZEROS, psi=0.0, theta=0.0), [[0, 0.5], [-0.5, 0]], atol=1e-6)
    make, params = GAMES["R1"]
    np.testing.assert_allclose(jacobian(make(**params), ZEROS, psi=0.0, theta=0.0), [[1, 0.5], [-0.5, 0]], atol=1e-6)
    make, params = GAMES["consensus"]  # J + γJᵀJ with JᵀJ = I / 4
    np.testing.assert_allclose(
        jacobian(make(**params), ZEROS, psi=0.0, theta=0.0), [[0.25, 0.5], [-0.5, 0.25]], atol=1e-6
    )


def test_label_smoothing_does_not_cure_the_rotation_but_instance_noise_does():
    smooth = Dirac(criterion=NonSaturating, criterion__label_smoothing=0.1)
    assert np.linalg.eigvals(-jacobian(smooth, ZEROS, psi=0.0, theta=0.0)).real.max() == pytest.approx(0, abs=1e-6)
    noisy = Dirac(augment=InstanceNoise(1.0))
    assert np.linalg.eigvals(-jacobian(noisy, ZEROS, psi=0.0, theta=0.0)).real.max() < -0.1


def survey_game(gamma, **start):
    net = SurveyGame(
        DiracGAN, gamma=gamma, optimizer=torch.optim.SGD, lr=0.1, **{f"module__{k}": v for k, v in start.items()}
    )
    return net


def test_the_surveys_field_rotates_and_consensus_makes_it_converge():
    centre = {"theta": 0.0, "psi": np.pi / 2}
    eigenvalues = np.linalg.eigvals(-jacobian(survey_game(0.0), ZEROS, **centre))
    np.testing.assert_allclose(sorted(eigenvalues.imag), [-1, 1], atol=1e-5)
    np.testing.assert_allclose(eigenvalues.real, 0, atol=1e-5)
    _, path = play(survey_game(0.6, theta=0.3, psi=np.pi / 2 + 0.2), ZEROS, steps=200)
    np.testing.assert_allclose(path[-1], [np.pi / 2, 0], atol=1e-3)


@pytest.mark.parametrize(("gamma", "attracts"), [(0.6, False), (1.5, True)])
def test_too_large_a_gamma_makes_a_saddle_attract(gamma, attracts):
    saddle = {"theta": 0.0, "psi": -np.pi / 2}
    largest = np.linalg.eigvals(-jacobian(survey_game(gamma), ZEROS, **saddle)).real.max()
    assert largest == pytest.approx(1 - gamma, abs=1e-4)
    _, path = play(survey_game(gamma, theta=0.2, psi=-np.pi / 2 + 0.2), ZEROS, steps=300)
    stays = np.linalg.norm(path[-1] - [-np.pi / 2, 0]) < 1e-2
    assert stays == attracts


def test_the_thin_manifold_needs_the_penalty_too():
    options = {"optimizer": torch.optim.SGD, "lr": LR, "batch_size": 64, "criterion__saturating": True}
    make = functools.partial(AdversarialNet, ThinManifold, **options)
    _, free = play(make(), LINE)
    _, penalised = play(make(penalties=(R1(1.0),)), LINE)
    assert np.linalg.norm(free[-100:, [0, 2]], axis=1).max() > 0.9
    assert np.linalg.norm(penalised[-1]) < 1e-2
