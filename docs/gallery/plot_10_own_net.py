"""
A net of your own
=================

A new way of training is one class, derived from :class:`~skgan.nets.GenerativeNet`, with one method; every sampler
takes it. This one learns a flow: a field of velocities along which noise moves until it is data. The library has it
as :func:`~skgan.presets.flow`; here it is written again, to show how little there is to write.
"""

# %%
# The networks
# ------------
# A module is told the shape of the data and the number of classes. ``forward`` makes rows from noise and labels.

import matplotlib.pyplot as plt
import numpy as np
import torch
from imblearn.datasets import make_imbalance
from sklearn.datasets import make_moons
from torch import nn

from skgan import GANOverSampler
from skgan.checks import check_net
from skgan.modules.layers import LabelEmbedding
from skgan.nets import GenerativeNet


class Velocity(nn.Module):
    """Rows, times and labels → velocities."""

    def __init__(self, n_columns, n_classes):
        super().__init__()
        self.labels = LabelEmbedding(n_classes, 8)
        self.layers = nn.Sequential(
            *(nn.Linear(n_columns + 1 + self.labels.dim, 64), nn.SiLU()),
            *(nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, n_columns)),
        )

    def forward(self, x, t, y):
        return self.layers(torch.cat([x, t, self.labels(y)], 1))


class SmallFlow(nn.Module):
    """Noise and labels → rows, in 20 steps along the velocities."""

    def __init__(self, data_shape, n_classes):
        super().__init__()
        self.latent_dim = data_shape[0]
        self.generator = Velocity(data_shape[0], n_classes)

    def forward(self, z, y):
        for step in range(20):
            z = z + self.generator(z, torch.full((len(z), 1), step / 20), y) / 20
        return z


# %%
# The net
# -------
# One training step: at a random point between a noise vector and a real row, the velocity should be their
# difference.


class SmallFlowNet(GenerativeNet):
    def __init__(self, module=SmallFlow, criterion=nn.MSELoss, **kwargs):
        super().__init__(module, criterion, **kwargs)

    def train_step(self, batch, **fit_params):
        rows, y = batch
        noise, t = torch.randn_like(rows), torch.rand(len(rows), 1)
        velocity = self.module_.generator(torch.lerp(noise, rows, t), t, y)
        loss = self.criterion_(velocity, rows - noise)
        self.optimizer_.zero_grad()
        loss.backward()
        self.optimizer_.step()
        return self.report(flow_loss=loss.detach())


# %%
# ``check_net`` looks whether a net keeps the library's rules: the same seed gives the same rows, torch's own
# settings stay, and so on.

X, y = make_moons(600, noise=0.08, random_state=0)
X, y = make_imbalance(X, y, sampling_strategy={0: 300, 1: 60}, random_state=0)
check_net(SmallFlowNet(max_steps=5), X.astype(np.float32), y)

# %%
# In a sampler
# ------------

sampler = GANOverSampler(net=SmallFlowNet(batch_size=128, lr=5e-3, max_steps=2500), random_state=0)
X_new, y_new = sampler.fit_resample(X, y)
fig, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
for ax, title, (rows, labels) in zip(axes, ["real rows", "with new rows"], [(X, y), (X_new, y_new)], strict=True):
    ax.scatter(*rows.T, c=labels, cmap="coolwarm", s=10)
    ax.set(title=title, xlabel="first column", ylabel="second column")
print("rows of each class:", np.bincount(y_new))

# %%
# The new rows of the rare class follow its curve, and some lie beside it: the flow is not sharp after so short a
# training. More parts of your own, such as losses, penalties and codecs, are in :doc:`/extending`.
