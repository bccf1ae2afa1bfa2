"""
Images at a chosen value of a continuous label
==============================================

Where y is a real number, :class:`~skgan.ConditionalGANAugmenter` trains a net that is told the number, and makes
images for any number that is asked for. Whether the images show the number is a question to measure, not to assume.
"""

# %%
# The data
# --------
# Discs on a dark ground; y is the radius in pixels.

import matplotlib.pyplot as plt
import numpy as np

from skgan import ConditionalGANAugmenter
from skgan.plotting import plot_condition_sweep

rng = np.random.RandomState(0)
radius = rng.uniform(2, 6, 300)
row, column = np.mgrid[:16, :16] - 7.5
centre = rng.uniform(-1, 1, (300, 2, 1, 1))
distance = np.hypot(row - centre[:, 0], column - centre[:, 1])
images = (255 / (1 + np.exp(3 * (distance - radius[:, None, None])))).astype(np.uint8)[:, None]

# %%
# Training
# --------
# ``target="continuous"`` is found from y, which has other than whole numbers.

augmenter = ConditionalGANAugmenter(0.5, net="dcgan", max_steps=300, random_state=0)
X_new, y_new = augmenter.fit_resample(images, radius)
print(f"{len(X_new) - len(images)} new images, with radii from {y_new[len(images) :].min():.1f} to {y_new.max():.1f}")

# %%
# Each column was asked for one radius, from small to large.

fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
plot_condition_sweep(augmenter, np.linspace(2.2, 5.8, 8), ax=ax)

# %%
# Asked for, and shown
# --------------------
# The brightness of a disc gives its area away, and so its radius. That is measured on real images as well.


def shown(images):
    return np.sqrt(images.reshape(len(images), -1).sum(1) / 255 / np.pi)


asked = np.linspace(2.2, 5.8, 60)
made = augmenter.sample_at(asked)
fig, ax = plt.subplots(figsize=(5, 4), layout="constrained")
ax.scatter(radius, shown(images), s=8, color="0.7", label="real")
ax.scatter(asked, shown(made), s=16, label="made")
ax.axline((2, 2), slope=1, color="black", linewidth=1)
ax.set(xlabel="radius asked for (pixels)", ylabel="radius shown (pixels)")
ax.legend()
print(f"correlation of asked and shown: {np.corrcoef(asked, shown(made))[0, 1]:.3f}")
print(f"mean error of the radius: {np.abs(asked - shown(made)).mean():.2f} pixels")

# %%
# The images follow the number, less exactly than the real ones do. A label as plain as a radius is an easy case. On
# other data measure it likewise before you use such images.
