"""RecursiveAugmenter: train, add some rows, train anew on all of them."""

import time
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from imblearn.base import BaseSampler
from sklearn.base import clone

from skgan._compat import HasMethods, Number, num_samples
from skgan._random import draw_seeds
from skgan.samplers._border import check_groups, forget_fit, groups_of_rows, tag_inputs


class RecursiveAugmenter(BaseSampler):
    """Rounds of augmentation: each trains anew on the current rows and adds ``growth`` × their number.

    The third experiment of Liu & Hu's MNIST report. Generated rows become training rows of the next generator, so its
    errors add up: compare with one round of the same total.

    Parameters
    ----------
    augmenter : ConditionalGANAugmenter
        Cloned for every round; its amount, ``keep_real`` and ``random_state`` are set by the rounds.
    n_rounds : int, default=5
    growth : float, default=0.1
        New rows of a round ÷ rows before it, of every class.
    schedule : callable or None, default=None
        ``schedule(round, n_rows)`` returns parameters of the augmenter for that round (counted from 0), such as
        ``{"net__module__alpha": 1 + n_rows // 1000}``: a net that grows with the set.
    random_state : int, RandomState or None, default=None
        Seeds of the rounds.

    Attributes
    ----------
    rounds_ : DataFrame
        Per round: round, n_rows before it, n_new, seconds, and the last losses.
    augmenter_ : ConditionalGANAugmenter
        Of the last round, ready to ``sample``.
    is_synthetic_ : ndarray of bool
        Which of the returned rows are new.
    origin_, groups_
        As in :class:`skgan.GANOverSampler`.
    parent_indices_ : ndarray of shape (n, 2)
        Which of the *returned* rows each was made from: a parent may be a row of an earlier round. −1 is none.
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skgan import ConditionalGANAugmenter, RecursiveAugmenter
    >>> X, y = make_classification(100, random_state=0)
    >>> rounds = RecursiveAugmenter(ConditionalGANAugmenter(max_steps=10), n_rounds=2, random_state=0)
    >>> rounds.fit_resample(X, y)[0].shape
    (122, 20)
    """

    _sampling_type = "bypass"
    _parameter_constraints: ClassVar[dict] = {
        "augmenter": [HasMethods(["fit_resample", "set_params"])],
        "n_rounds": [Number(Integral, 1, None, closed="left")],
        "growth": [Number(Real, 0, None, closed="neither")],
        "schedule": [None, callable],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        augmenter: Any,
        n_rounds: Any = 5,
        growth: Any = 0.1,
        schedule: Any = None,
        random_state: int | np.random.RandomState | None = None,
    ):
        self.augmenter = augmenter
        self.n_rounds = n_rounds
        self.growth = growth
        self.schedule = schedule
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Check the input; nothing is trained. Use ``fit_resample``."""
        self._validate_params()
        self._take_over(self._round(0, num_samples(y), 0).fit(X, y))
        return self

    def fit_resample(self, X: Any, y: Any, *, condition: Any = None, groups: Any = None) -> Any:
        """Run the rounds.

        Parameters
        ----------
        X, y, condition, groups
            As for :meth:`skgan.ConditionalGANAugmenter.fit_resample`.

        Returns
        -------
        X_resampled, y_resampled
            The originals first, then the rows of the first round, of the second …
        """
        self._validate_params()
        n_real, records = num_samples(y), []
        groups = check_groups(groups, n_real)
        origin, parents = [np.full(n_real, "real")], [np.full((n_real, 2), -1)]
        for i, seed in enumerate(draw_seeds(self.random_state, self.n_rounds)):
            begin, n_rows = time.perf_counter(), num_samples(y)
            augmenter = self._round(i, n_rows, seed)
            if condition is None:
                X, y = augmenter.fit_resample(X, y)
            else:
                X, y = augmenter.fit_resample(X, y, condition=condition)
                made = augmenter.conditions_.reshape(-1, *np.shape(condition)[1:])
                condition = np.concatenate([np.asarray(condition), made])
            new = augmenter.is_synthetic_
            origin.append(augmenter.origin_[new])
            parents.append(augmenter.parent_indices_[new])
            if groups is not None:
                groups = groups_of_rows(groups, parents[-1])
            history = augmenter.training_history_
            losses = history.filter(like="loss").iloc[-1].to_dict() if len(history) else {}
            record = {
                "round": i,
                "n_rows": n_rows,
                "n_new": num_samples(y) - n_rows,
                "seconds": time.perf_counter() - begin,
            }
            records.append({**record, **losses})
        self._take_over(augmenter)
        self.rounds_, self.augmenter_ = pd.DataFrame(records), augmenter
        self.is_synthetic_ = np.arange(num_samples(y)) >= n_real
        self.origin_, self.parent_indices_ = np.concatenate(origin), np.concatenate(parents)
        if groups is not None:
            self.groups_ = groups
        return X, y

    def _round(self, i: int, n_rows: int, seed: int):
        augmenter = clone(self.augmenter)
        amount = {"mixing_ratio": self.growth, "n_synthetic": None, "keep_real": True, "random_state": seed}
        params = {} if self.schedule is None else self.schedule(i, n_rows)
        if not isinstance(params, Mapping):
            raise TypeError(
                f"schedule must return a dict of the augmenter's parameters for round {i} and {n_rows} rows; got {params!r}."
            )
        return augmenter.set_params(**amount, **params)

    def _take_over(self, augmenter) -> None:
        """What is known of the input, and nothing of an earlier fit."""
        forget_fit(self)
        known = ("n_features_in_", "feature_names_in_", "sampling_strategy_", "classes_")
        self.__dict__.update({name: vars(augmenter)[name] for name in known if name in vars(augmenter)})

    def _fit_resample(self, X, y):
        raise NotImplementedError  # fit_resample above is everything

    def __sklearn_tags__(self):
        return tag_inputs(super().__sklearn_tags__())
