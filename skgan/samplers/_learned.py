"""The class frequencies that a classifier's probabilities stand for: after samplers, class weights and balanced ensembles."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, NoReturn

import numpy as np
from imblearn.base import BaseSampler
from imblearn.combine import SMOTEENN, SMOTETomek
from imblearn.ensemble import (
    BalancedBaggingClassifier,
    BalancedRandomForestClassifier,
    EasyEnsembleClassifier,
    RUSBoostClassifier,
)
from imblearn.under_sampling import InstanceHardnessThreshold
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier
from sklearn.feature_selection import RFE
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import SVC, NuSVC

from skgan._compat import has_parameters
from skgan.samplers._augmenter import ConditionalGANAugmenter
from skgan.samplers._candidates import FlatRows, resamples
from skgan.samplers._cv import OverSamplerCV

_SEARCH: type = GridSearchCV.__bases__[0]  # of all of scikit-learn's searches; it has no public name
_HOLD_ONE = (FixedThresholdClassifier, TunedThresholdClassifierCV, SelfTrainingClassifier, RFE)
_BALANCED = (
    BalancedBaggingClassifier,
    BalancedRandomForestClassifier,
    EasyEnsembleClassifier,
    RUSBoostClassifier,
)
# Of skorch, XGBoost, LightGBM and CatBoost; what they do to the frequencies is their own.
_FOREIGN_WEIGHTS = ("criterion__weight", "scale_pos_weight", "is_unbalance", "class_weights", "auto_class_weights")
_WEIGHTS = ("class_weight", "priors", "class_prior", *_FOREIGN_WEIGHTS)


@dataclass(frozen=True)
class Rows:
    """What is known of the rows that an estimator was trained on."""

    counts: np.ndarray
    """Rows of each class."""
    classes: list
    """The labels, as the estimator saw them."""
    codes: np.ndarray | None = None
    """The class of each row, by its place among the classes; None where only the counts are known."""
    exact: bool = True
    """Whether the counts are numbers of rows, to which those of a sampler can be added; otherwise only their shares count."""


@dataclass(frozen=True)
class Learned:
    """Follows an estimator to what it was trained on.

    Parameters
    ----------
    fitted : bool
        Of an estimator that is not, only the refusals are of use.
    corrected : type
        Of classifiers whose probabilities are for their ``prior_``.
    """

    fitted: bool
    corrected: type[Any]

    def counts(self, estimator, rows: Rows) -> np.ndarray:
        """Weights of the classes that its probabilities stand for, when it was trained on these rows.

        Raises
        ------
        ValueError
            Where they cannot be told.
        """
        if isinstance(estimator, Pipeline):
            for _, step in estimator.steps[:-1]:
                rows = self._resampled(step, rows) if resamples(step) else rows
            return self.counts(estimator.steps[-1][1], rows)
        if isinstance(estimator, self.corrected):
            return estimator.prior_ if self.fitted else rows.counts
        if isinstance(estimator, CalibratedClassifierCV):
            return rows.counts  # calibrated on rows that no sampler inside has touched
        if isinstance(estimator, _SEARCH):
            return self._of_search(estimator, rows)
        if isinstance(estimator, FrozenEstimator):
            return Learned(True, self.corrected).counts(estimator.estimator, replace(rows, codes=None, exact=False))
        if isinstance(estimator, _HOLD_ONE):
            if not estimator.get_params(deep=False).get(
                "refit", True
            ):  # a threshold is tuned on rows that are kept from the classifier
                rows = replace(rows, codes=None, exact=False)
            return self.counts(estimator.estimator_ if self.fitted else estimator.estimator, rows)
        if isinstance(estimator, BaggingClassifier):
            return self._of_bagging(estimator, rows)
        if isinstance(estimator, BalancedRandomForestClassifier | RUSBoostClassifier):
            return self._of_balanced(estimator, rows)
        _refuse_hidden(estimator)
        return _weighted(estimator, rows.counts, rows)

    def _of_search(self, search, rows: Rows) -> np.ndarray:
        if self.fitted:
            return self.counts(search.best_estimator_, rows)
        options = search.get_params(deep=False)
        grid = options.get("param_grid") or options.get("param_distributions") or {}
        names = {name for part in ([grid] if isinstance(grid, Mapping) else grid) for name in part}
        params = search.estimator.get_params()
        # The search may replace what would be refused.
        if any(name.rpartition("__")[2] in _WEIGHTS or has_parameters(params.get(name)) for name in names):
            return rows.counts
        return self.counts(search.estimator, rows)

    def _of_bagging(self, ensemble, rows: Rows) -> np.ndarray:
        """The mean over the members, whose labels are places among the classes."""
        codes = list(range(len(rows.classes)))
        if not self.fitted:
            if ensemble.get_params(deep=False).get("sampler") is not None:
                self._resampled(ensemble.sampler, rows)
            return rows.counts if ensemble.estimator is None else self.counts(ensemble.estimator, rows)
        if rows.codes is None:
            return np.mean(
                [self._of_member(m, replace(rows, classes=codes, exact=False)) for m in ensemble.estimators_], axis=0
            )
        drawn = [rows.codes[sample] for sample in ensemble.estimators_samples_]
        given = [Rows(np.bincount(d, minlength=len(codes)).astype(float), codes, d) for d in drawn]
        learned = [self._of_member(m, g) for m, g in zip(ensemble.estimators_, given, strict=True)]
        if all(np.allclose(a, _shares(b.counts)) for a, b in zip(learned, given, strict=True)):
            return rows.counts  # by chance a bootstrap has other shares, which the members' mean has not
        return np.mean(learned, axis=0)

    def _of_member(self, member, rows: Rows) -> np.ndarray:
        shares = _shares(self.counts(member, rows))
        if not hasattr(member, "predict_proba") and not np.allclose(shares, _shares(rows.counts)):
            _refuse(f"the members of the bagging, such as {_name(member)}, vote for classes and have no probabilities")
        return shares

    def _of_balanced(self, ensemble, rows: Rows) -> np.ndarray:
        """Forests and boosting that under-sample for each tree."""
        _refuse_hidden(ensemble)
        forest = isinstance(ensemble, BalancedRandomForestClassifier)
        per_tree = forest and ensemble.class_weight == "balanced_subsample" and ensemble.bootstrap
        # The forest weights classes by all rows, not by those that the trees get.
        weights = _weighted(ensemble, rows.counts, rows) / rows.counts if forest and not per_tree else 1.0
        if not self.fitted:
            return rows.counts
        seen = replace(rows, classes=list(range(len(rows.classes)))) if forest else rows
        drawn = np.mean([self._resampled(sampler, seen).counts for sampler in ensemble.samplers_], axis=0)
        return np.ones_like(drawn) if per_tree else drawn * weights

    def _resampled(self, sampler, rows: Rows) -> Rows:
        """The rows that a sampler returned."""
        sampler = sampler.sampler if isinstance(sampler, FlatRows) else sampler
        known = isinstance(sampler, OverSamplerCV)
        adds = isinstance(sampler, ConditionalGANAugmenter) and sampler.keep_real
        kind = "over-sampling" if adds else (sampler._sampling_type if isinstance(sampler, BaseSampler) else None)
        # Combined samplers call themselves over-samplers; how many rows instance hardness leaves is not what was asked for.
        unclear = isinstance(sampler, SMOTEENN | SMOTETomek | InstanceHardnessThreshold)
        if not known and (unclear or kind not in ("over-sampling", "under-sampling")):
            _refuse(f"{_name(sampler)} does not tell how many rows of each class it returned")
        if not rows.exact:
            _refuse(f"how many rows of each class {_name(sampler)} was given is not known")
        if not self.fitted:
            return rows
        made = vars(sampler).get("class_counts_" if known else "sampling_strategy_")
        if not isinstance(made, Mapping):
            _refuse(f"{_name(sampler)} does not tell how many rows of each class it returned")
        if known:
            counts = [made.get(klass, 0) for klass in rows.classes]
        elif kind == "over-sampling":
            counts = [n + made.get(klass, 0) for klass, n in zip(rows.classes, rows.counts, strict=True)]
        else:
            counts = [made.get(klass, n) for klass, n in zip(rows.classes, rows.counts, strict=True)]
        return Rows(np.array(counts, dtype=float), rows.classes)


def _weighted(estimator, counts: np.ndarray, rows: Rows) -> np.ndarray:
    """Counts times the classifier's own class weights, or its own priors in their place."""
    params = estimator.get_params(deep=False)
    foreign = [name for name in _FOREIGN_WEIGHTS if _is_set(params.get(name))]
    if foreign:
        _refuse(f"{_name(estimator)} weights the classes by {foreign[0]}={params[foreign[0]]!r}")
    priors = params.get("priors", params.get("class_prior"))
    if priors is not None:
        return np.asarray(priors, dtype=float)
    weight = params.get("class_weight")
    if isinstance(estimator, SVC | NuSVC):  # its probabilities are fitted to scores of rows without weights
        return counts
    if weight is None and params.get("fit_prior", True):
        return counts
    if weight is not None and _grows_to_pure_leaves(params):
        _refuse(
            f"the trees of {_name(estimator)} grow until their leaves are pure, and probabilities of pure leaves hardly depend "
            f"on class_weight={weight!r}; set min_samples_leaf or max_depth, put it into CalibratedClassifierCV, or"
        )
    if weight is None or (isinstance(weight, str) and weight in ("balanced", "balanced_subsample")):
        return (counts > 0).astype(float)
    if not isinstance(weight, Mapping):
        _refuse(f"{_name(estimator)} has class_weight={weight!r}, which is not a dict of the classes")
    return counts * [float(weight.get(klass, 1)) for klass in rows.classes]


def _refuse_hidden(estimator) -> None:
    """Refuse a sampler, a balanced ensemble or class weights in any part of it."""
    for name, part in _parts(estimator):
        # Its own weights are no secret.
        weights = "__" in name and name not in _FOREIGN_WEIGHTS and name.endswith(tuple(f"__{w}" for w in _WEIGHTS))
        if resamples(part) or isinstance(part, _BALANCED) or (weights and _is_set(part)):
            shown = f"{name}={part!r}" if weights else f"{_name(part)} (its parameter {name})"
            _refuse(
                f"{_name(estimator)} has {shown} inside, and what that does to the probabilities of the whole cannot be told"
            )


def _parts(estimator, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every parameter at any depth, also of estimators in lists and dicts."""
    for name, value in estimator.get_params(deep=True).items():
        yield prefix + name, value
        several = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else []
        for one in several:
            for part in one if isinstance(one, list | tuple) else [one]:
                if has_parameters(part) and not isinstance(part, type):
                    yield prefix + name, part
                    yield from _parts(part, f"{prefix}{name}__")


def _grows_to_pure_leaves(params: Mapping) -> bool:
    """Whether these are the parameters of a tree, or of a forest, that nothing stops from growing."""
    stops = ("max_depth", "max_leaf_nodes", "min_weight_fraction_leaf", "min_impurity_decrease", "ccp_alpha")
    return (
        {"min_samples_leaf", "min_samples_split", *stops} <= set(params)
        and (params["min_samples_leaf"], params["min_samples_split"]) == (1, 2)
        and not any(params[name] for name in stops)
    )


def _is_set(value) -> bool:
    return not (value is None or value is False or (isinstance(value, Real) and value == 1))


def _shares(counts: np.ndarray) -> np.ndarray:
    return counts / counts.sum()


def _name(estimator) -> str:
    return type(estimator).__name__


def _refuse(why: str) -> NoReturn:
    why = why if why.endswith(", or") else f"{why}:"
    raise ValueError(f"{why[0].upper()}{why[1:]} give resampled_prior={{class: number of rows it was trained on}}.")
