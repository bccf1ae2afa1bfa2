import pytest
import torch

from skgan.penalties import R1


@pytest.mark.parametrize("gamma", [0.5, 1.0, 10.0])
def test_r1_of_a_linear_critic_is_half_gamma_times_its_squared_norm(gamma):
    w = torch.tensor([1.0, -2.0, 0.5])
    penalty = R1(gamma)(lambda x: x @ w, torch.randn(7, 3), torch.randn(7, 3))
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
