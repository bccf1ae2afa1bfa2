"""
Does it help?
=============

:func:`~skgan.compare` puts a sampler beside everything that costs nothing, in the same folds, and ends in a verdict
in words.
"""

# %%
# The data
# --------
# A table of two classes, one in ten rows of the rare one. The classes overlap.

import matplotlib.pyplot as plt
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgan import GANOverSampler, compare

X, y = make_classification(400, 6, n_informative=4, weights=[0.9], class_sep=1.0, random_state=0)

# %%
# The comparison
# --------------
# A row of the table is a way to train: nothing; the same with probabilities divided by the class frequencies
# ("prior-corrected"); class weights; copies of rare rows; SMOTE; and the samplers that were asked about. The column
# "over nothing" has the difference to the first row with its 95 % interval.

classifier = make_pipeline(StandardScaler(), LogisticRegression())
result = compare(GANOverSampler(max_steps=200), classifier, X, y, cv=5, random_state=0)
print(result)

# %%
# The same as bars. An interval that crosses the line at 0 is no proof of a gain over nothing.

fig, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
result.plot(ax)

# %%
# Most of the gain can be had without a new row. A sampler is recommended only where its interval against the *best*
# row that costs nothing lies above 0; the verdict above says whether that is so here.
