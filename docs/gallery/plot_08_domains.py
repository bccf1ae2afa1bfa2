"""
Translation from one camera to another
======================================

Rows may come from two *domains*, such as two scanners, and one of them may be scarce.
:class:`~skgan.DomainOverSampler` trains a CycleGAN, which translates rows of the plentiful domain into the scarce
one, and a new row keeps the label of the row it was made from.
"""

# %%
# The data
# --------
# A first camera has 400 images of digits. A second one has 60; it is brighter and has less contrast.

from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgan import DomainOverSampler
from skgan.plotting import TranslationDisplay
from skgan.presets import cyclegan

digits = load_digits()
images = (digits.images * 15).astype(np.uint8)[:, None]
second_view = (100 + images * 0.6).astype(np.uint8)
first, second = np.split(np.random.RandomState(0).permutation(1200), [400])
second, test = second[:60], second[60:]
X = np.concatenate([images[first], second_view[second]])
y = digits.target[np.concatenate([first, second])]
domain = np.repeat(["first camera", "second camera"], [len(first), len(second)])

# %%
# The translation
# ---------------
# The upper row has images of the first camera, the middle row their translation to the second, the lower row the
# translation back, which should be what it was. ``cycle_weight`` counts what is lost on the way there and back,
# ``identity_weight`` what a translator changes in images that are of its camera already.

net = cyclegan(cycle_weight=10, identity_weight=5, max_steps=150)
sampler = DomainOverSampler(net=net, random_state=0)
X_new, y_new = sampler.fit_resample(X, y, domain=domain)
print(Counter(sampler.domain_.tolist()))
fig, ax = plt.subplots(figsize=(7, 2.5), layout="constrained")
TranslationDisplay.from_sampler(sampler, images[first[:10]], to="second camera").plot(ax)

# %%
# Does it help?
# -------------
# A classifier is to read the second camera's images. It can learn from its 60 images, from these and the translated
# ones, or, since the law between the cameras is known in this example, from images that were changed exactly so,
# which shows what a perfect translation is worth.


def score(X, y):
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500)).fit(X.reshape(len(X), -1), y)
    return model.score(second_view[test].reshape(len(test), -1), digits.target[test])


of_second = sampler.domain_ == "second camera"
print(f"60 images of the second camera  {score(second_view[second], digits.target[second]):.3f}")
print(f"and translated ones             {score(X_new[of_second], y_new[of_second]):.3f}")
exact = np.concatenate([second_view[second], second_view[first]]), digits.target[np.concatenate([second, first])]
print(f"and exactly translated ones     {score(*exact):.3f}")

# %%
# Translated images help here: the law between the cameras is simple. They are worth less than exact ones, because a
# translator that has learned from 60 images makes mistakes, some of which turn one digit into another. Look at the
# pictures before you use such rows.
