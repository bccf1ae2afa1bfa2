"""
New rows for a table
====================

A table in which one class is rare: scikit-learn's breast cancer data, of which only 20 malignant cases are kept.
:class:`~skgan.GANOverSampler` stands where SMOTE would stand, and makes new rows of the rare class.
"""

# %%
# The data
# --------
# Half of the table is held out for testing, before anything is sampled.

from collections import Counter

import matplotlib.pyplot as plt
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skgan import GANOverSampler, PriorCorrectedClassifier

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
y = y.map({0: "malignant", 1: "benign"})
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
X_train, y_train = RandomUnderSampler(sampling_strategy={"malignant": 20}, random_state=0).fit_resample(
    X_train, y_train
)
print(y_train.value_counts().to_string())

# %%
# The new rows
# ------------
# They come after the real ones, in a DataFrame of the same columns. ``is_synthetic_`` says which rows are new, and
# ``origin_`` how each was made: by the net, as a draw from a Gaussian distribution, as a mixture of two real rows,
# or as a copy of one.

sampler = GANOverSampler(random_state=0)
X_new, y_new = sampler.fit_resample(X_train, y_train)
print(y_new.value_counts().to_string())
print(Counter(sampler.origin_.tolist()))

# %%
# In the picture of two columns, the new malignant rows lie around the few real ones, also between them.

columns = ["mean radius", "mean texture"]
malignant = (y_new == "malignant").to_numpy()
fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for label, rows, style in [
    ("benign", ~malignant, {"color": "0.8"}),
    ("malignant, new", malignant & sampler.is_synthetic_, {"color": "tab:orange", "alpha": 0.6}),
    ("malignant, real", malignant & ~sampler.is_synthetic_, {"color": "black", "marker": "x"}),
]:
    ax.scatter(*X_new.loc[rows, columns].to_numpy().T, label=label, s=25, **style)
ax.set(xlabel=columns[0], ylabel=columns[1])
ax.legend()

# %%
# Do they help here?
# ------------------
# Recall on the held-out half: the share of a class that is found. One split is an anecdote: with so few rare rows
# another one may turn out otherwise. Probabilities that are divided by the class frequencies need no new rows, and
# come first.

models = {
    "nothing": make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
    "corrected probabilities": PriorCorrectedClassifier(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)), prior="uniform"
    ),
    "SMOTE": make_pipeline(SMOTE(random_state=0), StandardScaler(), LogisticRegression(max_iter=500)),
    "GANOverSampler": make_pipeline(GANOverSampler(random_state=0), StandardScaler(), LogisticRegression(max_iter=500)),
}
for name, model in models.items():
    y_pred = model.fit(X_train, y_train).predict(X_test)
    benign_recall, malignant_recall = recall_score(y_test, y_pred, average=None, labels=["benign", "malignant"])
    print(f"{name:24} benign {benign_recall:.3f}   malignant {malignant_recall:.3f}")

# %%
# In this run the correction finds the most malignant cases, and takes the most benign ones for malignant. SMOTE and
# ``GANOverSampler`` lie between it and "nothing". Whether a difference is more than chance is asked by
# :func:`~skgan.compare`, over several folds: :ref:`sphx_glr_auto_gallery_plot_05_compare.py`.
