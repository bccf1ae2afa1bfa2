"""
Probabilities after over-sampling
=================================

A classifier that was trained on balanced classes takes a rare class for as frequent as the others, so its
probabilities are too high. :class:`~skgan.PriorCorrectedClassifier` puts the real frequencies back.
"""

# %%
# The data
# --------
# Two classes, one of them rare.

import matplotlib.pyplot as plt
from imblearn.pipeline import make_pipeline
from sklearn.calibration import CalibrationDisplay
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skgan import GANOverSampler, PriorCorrectedClassifier

X, y = make_classification(
    6000, 6, n_informative=4, n_clusters_per_class=1, weights=[0.9], class_sep=0.8, random_state=0
)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=4500, stratify=y, random_state=0)

# %%
# Three classifiers
# -----------------
# ``net="gaussian"`` draws new rows from one Gaussian distribution a class: nothing is trained.

plain = make_pipeline(StandardScaler(), LogisticRegression())
over_sampled = make_pipeline(GANOverSampler(net="gaussian", random_state=0), StandardScaler(), LogisticRegression())
models = {
    "nothing": plain,
    "over-sampled": over_sampled,
    "over-sampled, corrected": PriorCorrectedClassifier(over_sampled),
}
fig, ax = plt.subplots(figsize=(5, 5), layout="constrained")
print(f"share of the rare class in the test rows: {y_test.mean():.3f}")
for name, model in models.items():
    probability = model.fit(X_train, y_train).predict_proba(X_test)[:, 1]
    CalibrationDisplay.from_predictions(y_test, probability, n_bins=8, strategy="quantile", ax=ax, name=name)
    print(f"{name:24} mean probability {probability.mean():.3f}   log-loss {log_loss(y_test, probability):.3f}")
ax.set(xlabel="predicted probability of the rare class", ylabel="share of the rare class")

# %%
# On the diagonal, a probability is what it says. The over-sampled classifier lies far below it: it promises the
# rare class too often. The corrected one is near the line again. Its ranking of the rows is that of the
# over-sampled one; the correction changes only the level.
#
# For probabilities nothing is gained by over-sampling here: "nothing" is as near to the line without any work. The
# correction is for those who over-sample for another reason. Forests and boosting grow too sure of rows that they
# see several times, and no correction by class mends that; see :doc:`/pitfalls`.
