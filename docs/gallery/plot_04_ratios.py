"""
How many new rows? One training serves all amounts
==================================================

How much to add is a thing to search for. A sampler with ``memory=`` trains its net once for each fold and keeps it:
the other amounts of the search only draw more or fewer rows from it.
"""

# %%
# The data
# --------
# Some of scikit-learn's digits, as rows of 64 numbers; the codec says that they are images.

import tempfile
import time

import matplotlib.pyplot as plt
import numpy as np
from imblearn.pipeline import Pipeline
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from skgan import ConditionalGANAugmenter
from skgan.codecs import ImageCodec
from skgan.plotting import MixingRatioDisplay

X, y = load_digits(return_X_y=True)
chosen = np.random.RandomState(0).permutation(len(X))[:250]
X, y = X[chosen], y[chosen]

# %%
# The search
# ----------
# A mixing ratio of 0.5 adds half as many new rows as there are real ones, to every class. Four ratios in three
# folds, and one fit of the best on all rows, would be up to 13 trainings; with ``memory=`` they are 4 at most.

folder = tempfile.TemporaryDirectory()
augmenter = ConditionalGANAugmenter(
    codec=ImageCodec(image_shape=(1, 8, 8)), max_steps=100, memory=folder.name, random_state=0
)
pipeline = Pipeline([("augment", augmenter), ("classifier", LogisticRegression(C=0.01, max_iter=1000))])
folds = StratifiedKFold(3, shuffle=True, random_state=0)
search = GridSearchCV(pipeline, {"augment__mixing_ratio": [0, 0.5, 1, 2]}, cv=folds, scoring="balanced_accuracy")
begin = time.perf_counter()
search.fit(X, y)
print(f"{time.perf_counter() - begin:.0f} seconds")

results = search.cv_results_
for ratio, score, seconds in zip(
    results["param_augment__mixing_ratio"], results["mean_test_score"], results["mean_fit_time"], strict=True
):
    print(f"ratio {ratio:<4} balanced accuracy {score:.3f}   {seconds:.2f} seconds a fit")

# %%
# The ratio 0 trains no net. The first ratio above it pays for the training, those after it do not.

fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
display = MixingRatioDisplay.from_search(search).plot(ax)
print("least ratio within one standard error of the best:", display.one_standard_error_)

# %%
# New rows are no help here: no ratio is ahead of 0, by more than chance. These classes have about the same number
# of rows, and logistic regression needs no more of them. The bars are standard errors over the folds; a good rule
# is the least ratio within one standard error of the best.

folder.cleanup()
