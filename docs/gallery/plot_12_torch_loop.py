"""
New rows in a plain torch loop
==============================

A training loop in torch needs no pipeline: :class:`~skgan.datasets.ResampledDataset` is a torch ``Dataset`` of what
a sampler returned. It also knows the class frequencies of its rows, to take them back from the network's outputs.
"""

# %%
# The data
# --------
# Digits of which the last five classes are rare. Split first and sample after that, so that no new image is made
# from a test image.

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader

from skgan import GANOverSampler, at_least
from skgan.datasets import ResampledDataset

digits = load_digits()
images = (digits.images * 15).astype(np.uint8)[:, None]
X_train, X_test, y_train, y_test = train_test_split(
    images, digits.target, test_size=0.5, stratify=digits.target, random_state=0
)
kept = np.concatenate([np.flatnonzero(y_train == c)[: 80 if c < 5 else 8] for c in range(10)])
X_train, y_train = X_train[kept], y_train[kept]

# %%
# The data set
# ------------
# ``at_least(0.5)`` brings every class to half of the largest. An item is the image, the index of its class, and
# whether it is new.

sampler = GANOverSampler(sampling_strategy=at_least(0.5), max_steps=150, random_state=0)
dataset = ResampledDataset(*sampler.fit_resample(X_train, y_train), sampler)
print(len(dataset), "images,", int(dataset.is_synthetic.sum()), "of them new")

# %%
# The loop
# --------

torch.manual_seed(0)
network = nn.Sequential(
    *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU()),
    *(nn.Flatten(), nn.Linear(32 * 4 * 4, len(dataset.classes))),
)
optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
losses = []
for _ in range(12):
    for batch, labels, _ in DataLoader(dataset, batch_size=64, shuffle=True):
        loss = nn.functional.cross_entropy(network(batch), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

# %%
# The test
# --------
# The network has learned how frequent the classes are in its training rows. Subtracting the logarithms of these
# frequencies takes that back, which costs nothing.

with torch.no_grad():
    logits = network(torch.tensor(X_test) / 255)
predictions = {
    "as it is": logits.argmax(1).numpy(),
    "frequencies taken back": (logits - dataset.class_frequencies().log()).argmax(1).numpy(),
}
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
left.plot(losses)
left.set(xlabel="update", ylabel="training loss", yscale="log")
for i, (name, predicted) in enumerate(predictions.items()):
    recalls = [np.mean(predicted[y_test == c] == c) for c in range(10)]
    right.bar(np.arange(10) + 0.4 * i - 0.2, recalls, 0.4, label=name)
    print(f"{name:24} recall of 0 to 4 {np.mean(recalls[:5]):.3f}   of 5 to 9 {np.mean(recalls[5:]):.3f}")
right.set(xlabel="class", ylabel="recall on held-out images", xticks=range(10))
right.legend(loc="lower left")

# %%
# The rare digits, 5 to 9, are found less often than the others, also with new images. Taking the frequencies back
# helps them a little; they are still half as frequent as the others in the training rows. Compare with a loop that
# has no new rows before you decide on them.
