"""Flow matching: rows at the end of straight paths from noise, along the mean velocity of all paths."""

from typing import Any

import torch
from torch import nn

from skgan._draws import rand, randn_like
from skgan.nets.base import GenerativeNet


class FlowNet(GenerativeNet):
    """Learns the velocity of paths x_t = (1 − t) z + t x from noise z to rows x, at random times t.

    Parameters
    ----------
    module : class
        :class:`skgan.modules.Flow`, whose ``generator(x, t, y)`` is the velocity.
    criterion : class, default=torch.nn.MSELoss
        Between the velocity and x − z.
    **kwargs
        As :class:`skgan.nets.GenerativeNet`.

    References
    ----------
    Lipman et al., "Flow matching for generative modeling", ICLR 2023, eq. 23 with σ_min = 0.
    """

    def __init__(self, module: Any, criterion: Any = nn.MSELoss, **kwargs: Any):
        super().__init__(module, criterion, **kwargs)

    def train_step(self, batch: Any, **fit_params: Any) -> Any:
        """One step on a batch of rows, each at a time of its own."""
        rows, y = batch
        noise, t = randn_like(rows), rand(len(rows), 1, device=rows.device)
        velocity = self.module_.generator(torch.lerp(noise, rows, t), t, y)
        loss = self.criterion_(velocity, rows - noise)
        self.optimizer_.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer_.step()
        return self.report(flow_loss=loss.detach())
