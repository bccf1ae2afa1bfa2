import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from skgan.losses import Hinge, LeastSquares, Loss, NonSaturating, Relativistic, Wasserstein

REAL = torch.tensor([2.0, -0.5, 0.3])
FAKE = torch.tensor([-1.0, 0.7, 1.5])


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_non_saturating_is_cross_entropy_with_smoothed_real_targets(smoothing):
    loss = NonSaturating(label_smoothing=smoothing).discriminator(REAL, FAKE)
    expected = bce(REAL, torch.full_like(REAL, 1 - smoothing)) + bce(FAKE, torch.zeros_like(FAKE))
    torch.testing.assert_close(loss, expected, atol=1e-6, rtol=0)


def test_smoothing_leaves_fakes_and_the_generator_alone():
    smooth, plain = NonSaturating(label_smoothing=0.3), NonSaturating()
    nothing = torch.zeros(1)  # softplus(0) + ε·0 for both
    assert smooth.discriminator(nothing, FAKE) == plain.discriminator(nothing, FAKE)
    assert smooth.generator(None, FAKE) == plain.generator(None, FAKE)
    torch.testing.assert_close(plain.generator(None, FAKE), bce(FAKE, torch.ones_like(FAKE)))


def test_hinge_by_hand():
    # real: 0, 1.5, 0.7 → 2.2 / 3; fake: 0, 1.7, 2.5 → 4.2 / 3
    torch.testing.assert_close(Hinge().discriminator(REAL, FAKE), torch.tensor(6.4 / 3))
    torch.testing.assert_close(Hinge().generator(None, FAKE), torch.tensor(-0.4))


def test_the_saturating_generator_plays_a_zero_sum_game():
    loss = NonSaturating(saturating=True)
    torch.testing.assert_close(loss.generator(None, FAKE), torch.log(1 - torch.sigmoid(FAKE)).mean())
    real, fake = torch.zeros(3), FAKE.clone().requires_grad_()
    (d,) = torch.autograd.grad(loss.discriminator(real, fake), fake)
    (g,) = torch.autograd.grad(loss.generator(real, fake), fake)
    torch.testing.assert_close(g, -d)


def test_least_squares_by_hand():
    # real: 1, 2.25, .49 → 3.74 / 3; fake: 1, .49, 2.25 → 3.74 / 3; generator: 4, .09, .25 → 4.34 / 3
    torch.testing.assert_close(LeastSquares().discriminator(REAL, FAKE), torch.tensor(7.48 / 3))
    torch.testing.assert_close(LeastSquares().generator(None, FAKE), torch.tensor(4.34 / 3))


def test_wasserstein_by_hand():
    torch.testing.assert_close(Wasserstein().discriminator(REAL, FAKE), torch.tensor(0.4 - 0.6))
    torch.testing.assert_close(Wasserstein().generator(None, FAKE), torch.tensor(-0.4))


def test_relativistic_pairs_rows_by_their_place():
    # real − fake: 3, −1.2, −1.2
    differences = [3.0, -1.2, -1.2]
    d = sum(math.log1p(math.exp(-t)) for t in differences) / 3
    g = sum(math.log1p(math.exp(t)) for t in differences) / 3
    assert Relativistic().discriminator(REAL, FAKE).item() == pytest.approx(d, abs=1e-6)
    assert Relativistic().generator(REAL, FAKE).item() == pytest.approx(g, abs=1e-6)
    assert Relativistic.uses_real


@pytest.mark.parametrize(("loss", "threshold"), [(NonSaturating, 0), (Hinge, 0), (LeastSquares, 0.5), (Wasserstein, 0)])
def test_accuracy_counts_rows_on_their_side_of_the_threshold(loss, threshold):
    assert loss.threshold == threshold
    assert not loss.uses_real
    real, fake = torch.tensor([0.1, 0.2, 0.3, -0.1]), torch.tensor([-0.4, -0.2, 0.1, 0.2])
    assert loss().accuracy(real + threshold, fake + threshold) == (3 + 2) / 8


def test_a_perfect_least_squares_discriminator_is_right_about_every_row():
    loss = LeastSquares()
    assert loss.discriminator(torch.ones(5), torch.zeros(5)) == 0
    assert loss.accuracy(torch.ones(5), torch.zeros(5)) == 1
    assert loss.accuracy(torch.zeros(5), torch.ones(5)) == 0


def test_a_loss_has_both_players_methods():
    for call in (Loss().discriminator, Loss().generator):
        with pytest.raises(NotImplementedError, match=r"Loss must have a method \w+\(real, fake\)"):
            call(REAL, FAKE)


@pytest.mark.parametrize("smoothing", [-0.1, 1.0])
def test_label_smoothing_outside_its_range_is_refused(smoothing):
    with pytest.raises(ValueError, match=r"label_smoothing must lie in \[0, 1\)"):
        NonSaturating(label_smoothing=smoothing)


@pytest.mark.parametrize("loss", [NonSaturating(0.1), Hinge(), LeastSquares(), Wasserstein(), Relativistic()])
def test_a_loss_never_detaches(loss):
    real, fake = REAL.clone().requires_grad_(), FAKE.clone().requires_grad_()
    loss.discriminator(real, fake).backward()
    assert real.grad.abs().sum() > 0
    assert fake.grad.abs().sum() > 0
