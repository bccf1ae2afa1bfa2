import numpy as np
import pytest
import torch

from skgan.penalties import R1, R2, GradientPenalty, Penalty, add_penalties


@pytest.mark.parametrize("penalty_class", [R1, R2])
@pytest.mark.parametrize("gamma", [0.5, 1.0, 10.0])
def test_r1_and_r2_of_a_linear_critic_are_half_gamma_times_its_squared_norm(penalty_class, gamma):
    w = torch.tensor([1.0, -2.0, 0.5])
    penalty = penalty_class(gamma)(lambda x: x @ w, torch.randn(7, 3), torch.randn(7, 3))
    torch.testing.assert_close(penalty, gamma / 2 * w.square().sum(), atol=1e-5, rtol=1e-5)


def test_r1_trains_the_critic_and_leaves_the_rows_alone():
    critic = torch.nn.Linear(3, 1)
    real = torch.randn(5, 3)
    R1(2.0)(lambda x: critic(x)[:, 0], real, None).backward()
    torch.testing.assert_close(critic.weight.grad, 2.0 * critic.weight.detach())
    assert not real.requires_grad


def test_r1_looks_at_real_rows_only():
    real = torch.ones(4, 1)
    penalty = R1(1.0)(lambda x: x[:, 0].square(), real, torch.full((4, 1), 100.0))
    torch.testing.assert_close(penalty, torch.tensor(2.0))  # (2·1)² / 2


def test_r2_looks_at_fake_rows_only():
    fake = torch.ones(4, 1)
    penalty = R2(1.0)(lambda x: x[:, 0].square(), torch.full((4, 1), 100.0), fake)
    torch.testing.assert_close(penalty, torch.tensor(2.0))


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_gradient_penalty_of_a_linear_critic(target):
    w = torch.tensor([1.0, -2.0, 0.5])
    penalty = GradientPenalty(10.0, target)(lambda x: x @ w, torch.randn(7, 3), torch.randn(7, 3))
    torch.testing.assert_close(penalty, 10 * (w.norm() - target).square(), atol=1e-5, rtol=1e-5)


def test_gradient_penalty_takes_every_rows_own_norm_at_its_own_point_between():
    seen = []

    def critic(x):
        seen.append(x.detach())
        return x.flatten(1).square().sum(1) / 2  # ‖∇D(x)‖ = ‖x‖

    real, fake = torch.zeros(500, 1, 2, 1), torch.ones(500, 1, 2, 1)
    penalty = GradientPenalty(1.0, 0.0)(critic, real, fake)
    (x,) = seen
    assert torch.equal(x[:, 0, 0], x[:, 0, 1])  # one share a row
    assert len(x[:, 0, 0].unique()) > 400
    assert 0 <= x.min() <= x.max() <= 1
    torch.testing.assert_close(penalty, x.flatten(1).square().sum(1).mean())


def test_gradient_penalty_has_a_finite_gradient_where_the_critic_is_flat():
    w = torch.zeros(3, requires_grad=True)
    GradientPenalty()(lambda x: x @ w, torch.randn(5, 3), torch.randn(5, 3)).backward()
    assert torch.isfinite(w.grad).all()


def test_r2_stays_a_function_of_the_generator_where_the_fakes_are():
    theta = torch.tensor(2.0, requires_grad=True)
    R2(1.0)(lambda x: x[:, 0] ** 3, None, theta.expand(4, 1) * 1).backward()
    assert theta.grad.item() == pytest.approx(18 * 2.0**3)  # d/dθ (3θ²)² / 2


@pytest.mark.parametrize("make", [lambda: R1(-1), lambda: R2(float("nan")), lambda: GradientPenalty(weight=-1)])
def test_negative_strengths_are_refused(make):
    with pytest.raises(ValueError, match="must be at least 0"):
        make()


@pytest.mark.parametrize("make", [R1, R2, GradientPenalty])
@pytest.mark.parametrize("every", [0, 1.5, True])
def test_every_counts_updates(make, every):
    with pytest.raises(ValueError, match=f"every counts discriminator updates .* got {every}"):
        make(every=every)
    assert make(every=np.int64(2)).every == 2
    with pytest.raises(TypeError, match="positional argument"):
        make(1.0, 1.0, 2)


def test_lazy_penalties_are_added_when_they_are_due_and_k_times_as_strong():
    w = torch.tensor([1.0, -2.0])
    penalties = [R1(1.0), R2(3.0, every=2)]  # of a critic with ‖∇D‖² = 5: 2.5, and 7.5 twice as strong
    rows = torch.randn(4, 2), torch.randn(4, 2)
    for update, expected in [(0, 2.5 + 15), (1, 2.5), (2, 2.5 + 15), (3, 2.5)]:
        loss = add_penalties(torch.tensor(10.0), penalties, lambda x: x @ w, *rows, update, weight=0.5)
        torch.testing.assert_close(loss, torch.tensor(10 + 0.5 * expected))
    assert add_penalties(torch.tensor(10.0), [], lambda x: x @ w, *rows, 0) == 10


def test_a_penalty_is_called():
    with pytest.raises(NotImplementedError, match=r"Penalty must have a method __call__\(critic, real, fake\)"):
        Penalty()(None, None, None)
