"""
More than one core, more than one machine
=========================================

Every ``n_jobs`` is joblib's, so ``joblib.parallel_config`` says where trainings run: in processes of this machine,
or on a cluster. The rows are the same wherever they are made.
"""

# %%
# The data
# --------
# Three classes of scikit-learn's wines, two of them made rare.

import time
from importlib.util import find_spec
from logging import ERROR

import matplotlib.pyplot as plt
import numpy as np
from imblearn.datasets import make_imbalance
from joblib import parallel_config
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgan import GANOverSampler, compare

X, y = make_imbalance(*load_wine(return_X_y=True), sampling_strategy={0: 30, 1: 71, 2: 12}, random_state=0)


def compared():
    """Scores of a comparison, and its seconds."""
    begin = time.perf_counter()
    classifier = make_pipeline(StandardScaler(), LogisticRegression())
    result = compare(GANOverSampler(max_steps=100), classifier, X, y, cv=3, n_jobs=2, random_state=0)
    return result.table["score"], time.perf_counter() - begin


# %%
# One process, two processes, a cluster
# -------------------------------------
# ``inner_max_num_threads=1`` gives each process one thread. Where Dask is installed (``pip install
# "skgan[cluster]"``), the same code runs on its workers. ``LocalCluster`` starts two on this machine; on a real
# cluster ``Client`` takes the address of its scheduler. Dask's workers read this file when they start, so what
# should run once stands under ``if __name__ == "__main__"``.

if __name__ == "__main__":
    seconds, scores = {}, {}
    with parallel_config("sequential"):
        scores["one process"], seconds["one process"] = compared()
    with parallel_config("loky", n_jobs=2, inner_max_num_threads=1):
        scores["two processes"], seconds["two processes"] = compared()
    if find_spec("distributed"):
        from dask.distributed import Client, LocalCluster

        with (
            LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=ERROR) as cluster,
            Client(cluster),
            parallel_config("dask"),
        ):
            scores["Dask, two workers"], seconds["Dask, two workers"] = compared()

    for name, score in scores.items():
        same = np.allclose(score, scores["one process"])
        print(f"{name:18} {seconds[name]:5.1f} seconds, scores as of one process: {same}")
    fig, ax = plt.subplots(figsize=(6, 2.2), layout="constrained")
    ax.barh(list(seconds), list(seconds.values()))
    ax.invert_yaxis()
    ax.set_xlabel("seconds")

# %%
# Workers have to import torch first, which takes some seconds each. For work as small as this it is not worth
# while: more processes pay where trainings take minutes. :doc:`/clusters` has the rest, with Ray and with several
# GPUs.
