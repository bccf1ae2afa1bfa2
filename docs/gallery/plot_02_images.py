"""
Digits as images: augment, correct, offspring
=============================================

Of scikit-learn's digits, the classes 3 and 8 keep 10 images each. There are three ways to meet that, from the
cheapest on: show the classifier changed images (augmentation), divide its probabilities by the class frequencies
(correction), and add new images.
"""

# %%
# The data
# --------
# Images are arrays ``(n, channels, height, width)``. The test images are balanced.

import matplotlib.pyplot as plt
import numpy as np
from imblearn.pipeline import make_pipeline
from sklearn.datasets import load_digits
from sklearn.metrics import recall_score
from sklearn.model_selection import train_test_split

from skgan import CNNClassifier, GANOverSampler, PriorCorrectedClassifier
from skgan.plotting import SampleGridDisplay

digits = load_digits()
images = (digits.images * 15).astype(np.uint8)[:, None]
X_train, X_test, y_train, y_test = train_test_split(
    images, digits.target, test_size=0.5, stratify=digits.target, random_state=0
)
kept = np.concatenate([np.flatnonzero(y_train == c)[: 10 if c in (3, 8) else 60] for c in range(10)])
X_train, y_train = X_train[kept], y_train[kept]
print("rows of each class:", np.bincount(y_train))

# %%
# Offspring
# ---------
# The default for images is :func:`~skgan.presets.offspring`: a network warps real images. The upper row of each
# pair has real images (the parents), the lower row the new ones that were made from them (their offspring).

sampler = GANOverSampler(max_steps=150, random_state=0)
sampler.fit_resample(X_train, y_train)
fig, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
SampleGridDisplay.from_sampler(sampler, X_train, y_train, classes=[3, 8], random_state=0).plot(ax)

# %%
# All four ways
# -------------
# Every classifier is the same small network with the same number of updates.


def cnn(**params):
    return CNNClassifier(max_updates=300, random_state=0, **params)


models = {
    "nothing": cnn(),
    "corrected": PriorCorrectedClassifier(cnn(), prior="uniform"),
    "augmented, corrected": PriorCorrectedClassifier(cnn(augment="auto"), prior="uniform"),
    "offspring and copies": make_pipeline(GANOverSampler(max_steps=150, random_state=0), cnn()),
}
recalls = {}
for name, model in models.items():
    by_class = recall_score(y_test, model.fit(X_train, y_train).predict(X_test), average=None)
    recalls[name] = by_class.mean(), by_class[[3, 8]].mean()
    print(f"{name:22} all classes {by_class.mean():.3f}   3 and 8 {by_class[[3, 8]].mean():.3f}")

# %%
fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
places = np.arange(len(models))
for shift, label, part in [(0.2, "all classes", 0), (-0.2, "3 and 8", 1)]:
    ax.barh(places + shift, [recall[part] for recall in recalls.values()], 0.38, label=label)
ax.set_yticks(places, models)
ax.set(xlabel="mean recall on held-out images", xlim=(0, 1))
ax.legend(loc="lower left")

# %%
# New images find more of the rare digits than "nothing" does, but in this run the correction, which costs nothing,
# is ahead of them. Augmentation finds as many rare digits and loses some of the others: 300 updates are few for
# images that change each time. All this is one split of small images. :doc:`/results_summary` has the figures of
# larger ones, where the order is another.
