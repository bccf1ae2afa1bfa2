"""What every skgan sampler does: encode → train → sample → decode → stack, once, at the border."""

import difflib
import inspect
import itertools
import warnings
from collections.abc import Iterator, Mapping
from numbers import Integral, Real
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import label_binarize
from sklearn.utils.validation import check_consistent_length

from skgan import presets
from skgan._compat import ArraysTransformer, HasMethods, Interval, check_target_type, validate_data
from skgan._torch import draw_seeds, private_rng, resolve_device, sub_seed, to_unit_range
from skgan.codecs import TabularCodec, choose_codec
from skgan.nets.genclass import all_classes
from skgan.samplers._cache import generator_key, recall, recall_filter
from skgan.samplers._checks import check_container, check_finite

BLOCK = 256
"""Rows are made in whole blocks of this size, so that a row does not depend on how many are asked for."""

OVER_GENERATION = 8
"""With a row filter: rows made per row wanted before copies of real rows fill up."""

TOO_FEW = 5
"""Where no class has this many rows, nothing is trained: new rows are plain copies."""

NET_CONSTRAINTS: dict[str, list[Any]] = {
    "net": [str, Mapping, HasMethods(["fit", "sample", "export"])],
    "codec": [str, HasMethods(["fit", "transform", "inverse_transform"])],
    "row_filter": [None, HasMethods(["fit", "score_samples"])],
    "per_class": ["boolean"],
    "image_shape": [None, "array-like"],
    "channels": [None, str],
    "categorical_features": [None, str, "array-like"],
    "max_steps": [None, Interval(Integral, 1, None, closed="left")],
    "max_time": [None, Interval(Real, 0, None, closed="neither")],
    "memory": [None, str, PathLike, HasMethods(["cache"])],
    "n_jobs": [None, Integral],
    "device": [None, str],
    "verbose": [None, "verbose"],
}
"""What the parameters that every sampler with a net has may be."""

MAX_DONORS = 10_000
"""Rows of a class among which the nearest is looked for where a table has columns that are handed on."""

_DECODE = 16 * BLOCK
_FIT_STREAM, _SAMPLE_STREAM, _AT_STREAM, _PARENT_STREAM, _COPY_STREAM = range(5)


def train_generator(X: np.ndarray, y: np.ndarray, net, seed: int) -> dict[str, Any]:
    """Train a clone of the net on encoded rows: a pure function of its arguments that returns plain CPU arrays.

    Parameters
    ----------
    X : ndarray of shape (n, d) or (n, C, H, W)
        Encoded rows.
    y : ndarray of shape (n,)
        Class ids.
    net : GenerativeNet
        Its parameters count, its state does not.
    seed : int

    Returns
    -------
    dict
        As :meth:`skgan.nets.GenerativeNet.export`.
    """
    net = clone(net)
    with private_rng(seed, resolve_device(net.device)):
        net.fit(X, y)
    return net.export()


def _obtain(memory, *job) -> tuple[str, dict[str, Any]]:
    """The key and the export of a training, from the cache where it is there."""
    if memory is None:
        return "", train_generator(*job)
    key = generator_key(*job)
    return key, recall(memory, key, lambda: train_generator(*job), lambda export: export["complete"])


def free_device_memory() -> None:
    """The nets are gone when a sampler returns; what torch kept for them is the classifier's."""
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def preset(name: str):
    """The net that a preset's name stands for.

    Raises
    ------
    ValueError
        For an unknown name, with the list and the nearest match.
    """
    if name in presets.__all__:
        return getattr(presets, name)()
    near = difflib.get_close_matches(name, presets.__all__, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"net={name!r} is no preset; there are {', '.join(map(repr, presets.__all__))} and 'auto'.{hint}")


def tag_inputs(tags):
    """Images, categories, strings and missing values are taken too."""
    tags.input_tags.three_d_array = True
    tags.input_tags.categorical = True
    tags.input_tags.string = True
    tags.input_tags.allow_nan = True
    return tags


class GenerativeSamplerMixin:
    """The part of a sampler that does not depend on how many rows of which class are wanted.

    Subclasses have the parameters ``net, codec, row_filter, per_class, image_shape, channels, categorical_features,
    max_steps, max_time, memory, n_jobs, device, random_state, verbose``.
    """

    net: Any
    codec: Any
    row_filter: Any
    memory: Any
    per_class: bool
    sampling_strategy_: dict[Any, int]
    _empty_y: np.ndarray
    _carried: np.ndarray | None = None
    """Labels of the real rows where classes are domains: a new row has its parent's."""
    _row_numbers: list[np.ndarray] | None = None

    # The border

    def set_params(self, **params):
        """Set parameters; those of the net as ``net__…``, where the net is an object."""
        net = params.get("net", self.net)
        nested = [key for key in params if key.startswith("net__")]
        if nested and not hasattr(net, "set_params"):
            example = net if net in presets.__all__ else "dcgan"
            key = nested[0].removeprefix("net__")
            raise ValueError(
                f"{nested[0]} cannot be set because net={net!r} is no object with parameters. Pass the preset's call, "
                f"such as net={example}(), when the sampler is made, or set {key} in it: net={example}({key}=…)."
            )
        return super().set_params(**params)  # type: ignore[misc]

    def fit(self, X, y):
        """Check the input and count the classes; nothing is trained. Use ``fit_resample``."""
        self._check_containers(X, y)
        return super().fit(X, y)  # type: ignore[misc]

    def fit_resample(self, X, y):
        """Train on (X, y) and return it with the new rows underneath.

        Parameters
        ----------
        X : array-like, DataFrame or sparse matrix of shape (n, d), or images (n, C, H, W), (n, H, W, C), (n, H, W)
            Numbers in any dtype; DataFrames and object arrays may hold categorical columns. Dense tables may hold
            NaN: new rows have values missing as real ones do.
        y : array-like of shape (n,)
            Class labels of any type.

        Returns
        -------
        X_resampled, y_resampled
            In the containers and dtypes of X and y: the originals first, unmodified and in order, then the new rows.

        Raises
        ------
        ValueError, TypeError
            For input or parameters that training could not use, before any training.
        """
        self._check_containers(X, y)
        self._container = ArraysTransformer(X, y)
        resampled = super().fit_resample(X, y)  # type: ignore[misc]
        free_device_memory()
        return resampled

    def _check_containers(self, X, y) -> None:
        check_container(type(self).__name__, X, "X")
        check_container(type(self).__name__, y, "y")
        values = np.asarray(y)
        if values.dtype.kind == "f" and np.isnan(values).any():
            raise ValueError("Input y contains NaN: rows without a label cannot be over-sampled; drop them first.")

    def __sklearn_tags__(self):
        return tag_inputs(super().__sklearn_tags__())  # type: ignore[misc]

    def _check_X_y(self, X, y):
        y, self._binarize_y = check_target_type(y, indicate_one_vs_all=True)
        X, y = self._check_rows(X, y)
        return X, y, self._binarize_y

    def _check_rows(self, X, y):
        """X and y as arrays, or X as the DataFrame it is; complete and finite."""
        if isinstance(X, pd.DataFrame):
            if X.columns.has_duplicates:
                twice = X.columns[X.columns.duplicated()][0]
                raise ValueError(f"The column names of X must be unique, but {twice!r} is there more than once.")
            if not X.size:
                raise ValueError(
                    f"Found array with shape {X.shape} while a minimum of 1 sample and 1 feature is required."
                )
            check_consistent_length(X, y)
            validate_data(self, X=X, y=y, reset=True, skip_check_array=True)
        else:
            X, y = validate_data(
                self,
                X=X,
                y=y,
                reset=True,
                accept_sparse=["csr", "csc"],
                allow_nd=True,
                dtype=None,
                ensure_all_finite=False,
                multi_output=np.ndim(y) > 1,
            )
        check_finite(X, type(self).__name__, allow_nan=self._takes_nan(X))
        return X, y

    def _takes_nan(self, X) -> bool:
        """Dense tables whose codec encodes missing values."""
        codec = TabularCodec() if isinstance(self.codec, str) else self.codec
        image = X.ndim > 2 or self.image_shape is not None  # type: ignore[attr-defined]
        return isinstance(codec, TabularCodec) and not image and not sparse.issparse(X)

    # Training

    def _fit_generators(self, X, y, counts: Mapping[Any, int]) -> None:
        """Encode, and train what the classes in ``counts`` (class → new rows, all above 0) need."""
        train_seed = self._fit_codec(X, y)
        seen = np.unique(y)
        self.classes_ = all_classes(seen, self._unseen_classes(y))
        if len(self.classes_) > len(seen):  # a longer name would be cut off by y's own dtype
            self._empty_y = self._empty_y.astype(self.classes_.dtype)
        labels = np.searchsorted(self.classes_, y)
        self._sizes = sizes = np.bincount(labels, minlength=len(self.classes_))
        wanted = [int(i) for i in np.searchsorted(self.classes_, list(counts))]
        nets = self._resolve_nets(wanted)
        self._row_numbers = None
        if self._carried is not None:
            self._row_numbers = [np.flatnonzero(labels == i) for i in range(len(self.classes_))]
            self._check_makes_children(nets)
        self._check_unseen(wanted)
        singles = [i for i in wanted if sizes[i] == 1 and (self.per_class or not nets[i].starts_from_one_row)]
        self._copies_only = sizes.max() < TOO_FEW
        copied = wanted if self._copies_only else singles
        trained = [i for i in wanted if i not in copied]
        if not wanted:
            return
        encoded = self.codec_.transform(X)
        self._remember_what_is_handed_on(X, encoded, labels)
        self._copied_rows.update({i: encoded[labels == i] for i in copied})
        if self._copies_only:
            warnings.warn(
                f"The largest class has {sizes.max()} rows, and a net needs a class of at least {TOO_FEW} to learn how rows "
                "vary: nothing was trained, and the new rows are plain copies. More real rows would help more than any "
                "sampler.",
                UserWarning,
                stacklevel=4,
            )
        elif singles:
            names = ", ".join(repr(self.classes_.tolist()[i]) for i in singles)
            warnings.warn(
                f"Class {names} has a single row: nothing can be learned of how it varies, so its new rows are slightly "
                "jittered copies of it. More real rows would help more than any sampler.",
                UserWarning,
                stacklevel=4,
            )
        if not trained:
            return
        if hasattr(self.row_filter, "check"):
            self.row_filter.check(None if self.per_class else nets[trained[0]])
        if self.per_class:
            jobs = [(encoded[labels == i], np.zeros(sizes[i], int), nets[i], sub_seed(train_seed, i)) for i in trained]
        else:
            jobs = [(encoded, labels, nets[trained[0]], train_seed)]
        keys, exports = zip(*self._train(jobs), strict=True)
        for i, export in zip(trained, exports if self.per_class else exports * len(trained), strict=True):
            self._generators[i] = nets[i], export
            if nets[i].needs_source:
                self._sources[i] = jobs[trained.index(i) if self.per_class else 0][:2]
        self._record_history(trained, exports)
        if self.row_filter is not None:
            net = None if self.per_class else self._restored(trained[0])
            self.row_filter_ = self._fit_filter(encoded, labels, net, keys)
            self._real_rows = encoded, labels  # what fills up where the filter leaves too little

    def _unseen_classes(self, y) -> list:
        """Classes that the net knows by their attributes and y has no row of."""
        knows = hasattr(self.net, "unseen_classes") and np.ndim(y) == 1  # one-hot labels name no class
        return self.net.unseen_classes(y) if knows else []

    def _check_unseen(self, wanted: list[int]) -> None:
        """Refuse what cannot be done for a class without rows."""
        unseen = [self.classes_.tolist()[i] for i in wanted if not self._sizes[i]]
        if unseen and self.row_filter is not None:
            raise ValueError(
                f"The classes {unseen} have no real rows that a row filter could measure new ones by; set row_filter=None."
            )
        if unseen and self._sizes.max() < TOO_FEW:
            raise ValueError(
                f"The largest class has {self._sizes.max()} rows, and rows of the classes {unseen}, which have none, can be "
                f"made only by a net that learned from a class of at least {TOO_FEW}."
            )

    def _check_makes_children(self, nets) -> None:
        """A row can have its parent's label only where it has a parent."""
        for net in nets.values():
            if not hasattr(net, "children") or self.per_class:
                raise ValueError(
                    "With domain= every new row has the label of the real row that it was made from, so the net must make rows "
                    f"from real ones, with per_class=False: use cyclegan(), offspring() or dagan() (got {type(net).__name__}, "
                    f"per_class={self.per_class})."
                )

    def _fit_codec(self, X, y) -> int:
        """Learn how rows are encoded and what comes back; forget what an earlier call learned. Returns training's seed."""
        train_seed, self._sample_seed = draw_seeds(self.random_state, 2)  # type: ignore[attr-defined]
        self.sample_shape_ = tuple(X.shape[1:])
        self.codec_ = clone(
            choose_codec(
                self.codec,
                X,
                image_shape=self.image_shape,  # type: ignore[attr-defined]
                channels=self.channels,  # type: ignore[attr-defined]
                categorical_features=self.categorical_features,  # type: ignore[attr-defined]
            )
        ).fit(X)
        self._empty_X = X.iloc[:0] if isinstance(X, pd.DataFrame) else X[:0]
        self._empty_y = np.asarray(y)[:0] if self._carried is None else np.empty(0, dtype=np.int64)
        self.row_filter_ = None
        self._generators: dict[int, tuple[Any, dict[str, Any]]] = {}
        self._copied_rows: dict[int, np.ndarray] = {}
        self._sources: dict[int, tuple[np.ndarray, np.ndarray]] = {}  # encoded rows, for nets that start from real ones
        self._hand_on: dict[int, tuple[NearestNeighbors, np.ndarray]] = {}
        self.training_history_ = pd.DataFrame()
        return train_seed

    def _remember_what_is_handed_on(self, X, encoded: np.ndarray, labels: np.ndarray) -> None:
        """Real rows that hand on what no net makes: columns of very many categories."""
        if not len(getattr(self.codec_, "handed_on_", ())):
            return
        codes = self.codec_.codes(X)
        for i in np.unique(labels):
            rows = np.flatnonzero(labels == i)
            if len(rows) > MAX_DONORS:
                rows = np.random.RandomState(sub_seed(self._sample_seed, i)).choice(rows, MAX_DONORS, replace=False)
            self._hand_on[int(i)] = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(encoded[rows]), codes[rows]

    @property
    def _memory(self):
        """The cache, where seeds repeat; fresh entropy would only fill the disk."""
        return None if self.random_state is None else self.memory  # type: ignore[attr-defined]

    def _train(self, jobs: list[tuple]) -> list[tuple[str, dict[str, Any]]]:
        """Keys and exports."""
        n_jobs = self.n_jobs if len(jobs) > 1 else 1  # type: ignore[attr-defined]
        # Processes, never threads: torch's generators are process-wide.
        return Parallel(n_jobs=n_jobs, backend="loky")(delayed(_obtain)(self._memory, *job) for job in jobs)

    def _fit_filter(self, encoded, labels, net, keys):
        def fit():
            return clone(self.row_filter).fit(encoded, labels, net=net)

        return (
            fit() if self._memory is None else recall_filter(self._memory, keys, self.row_filter, encoded, labels, fit)
        )

    def _record_history(self, trained: list[int], exports: list[dict[str, Any]]) -> None:
        frames = [pd.DataFrame(export["history"]) for export in exports]
        if self.per_class:
            for i, frame in zip(trained, frames, strict=True):
                frame.insert(0, "class", self.classes_[[i] * len(frame)])
        self.training_history_ = pd.concat(frames, ignore_index=True)

    def _resolve_nets(self, trained: list[int]) -> dict[int, Any]:
        """Class index → net, unfitted and with the sampler's shortcuts applied; all errors come from here."""
        nets: Any = self.net
        if not isinstance(nets, Mapping):
            shared = self._prepare_net(nets)
            if self.per_class and shared.needs_classes:
                raise ValueError(
                    f"per_class=True trains a net on one class alone, and {type(shared).__name__} learns from several; set "
                    "per_class=False."
                )
            shared.for_classes(self._names())
            return dict.fromkeys(trained, shared)
        if not self.per_class:
            raise ValueError("net={class: net} trains one net per class: set per_class=True as well.")
        classes = self.classes_.tolist()
        unknown = [klass for klass in nets if klass not in classes]
        if unknown:
            raise ValueError(f"net has keys that are no classes of y: {unknown}; the classes are {classes}.")
        missing = [classes[i] for i in trained if classes[i] not in nets]
        if missing:
            raise ValueError(f"net has no entry for the classes {missing}, which need new rows; add one for each.")
        return {i: self._prepare_net(nets[classes[i]]) for i in trained}

    def _prepare_net(self, net):
        if isinstance(net, str):
            net = self._auto_net() if net == "auto" else preset(net)
        elif isinstance(net, type) or not (hasattr(net, "fit") and hasattr(net, "sample") and hasattr(net, "export")):
            raise TypeError(
                f"net must be a preset's name, a net such as skgan.presets.dcgan(), or 'auto'; got {net!r}."
                + (" Write the call, with brackets." if callable(net) else "")
            )
        net = clone(net)
        shortcuts = {name: getattr(self, name) for name in ("max_steps", "max_time", "device", "verbose")}
        net.set_params(**{name: value for name, value in shortcuts.items() if value is not None})
        net.set_params(device=resolve_device(net.device))
        net.check_training_params()
        if self.codec_.spans_:
            if "spans" not in inspect.signature(net.module).parameters:
                raise ValueError(
                    f"X has categorical columns, and {net.module.__name__} cannot make them (it has no argument 'spans'); "
                    "use net='mlp_gan', or encode them as numbers first."
                )
            net.set_params(module__spans=self.codec_.spans_)
        return net

    def _auto_net(self):
        return presets.offspring() if hasattr(self.codec_, "layout_") else presets.mlp_gan(alpha=2)

    def _restored(self, i: int):
        net, export = self._generators[i]
        with private_rng(0, net.device):  # initial weights are drawn and then overwritten
            return clone(net).restore(export)

    # Sampling

    def sample(self, counts: Mapping[Any, int], random_state: int | None = None):
        """Make rows from the trained generator, without the originals.

        Parameters
        ----------
        counts : dict
            Class → number of rows.
        random_state : int or None, default=None
            Another int gives other rows; None continues from the sampler's own seed. The same call gives the same rows.

        Returns
        -------
        X, y
            In the containers and dtypes of ``fit_resample``'s input.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit_resample``, and for classes that needed no rows there and so have no generator.
        ValueError
            For unknown classes and negative counts.
        """
        self._check_counts(counts)
        seed = self._sample_seed if random_state is None else draw_seeds(random_state, 1)[0]
        X, y = self._generate({klass: n for klass, n in counts.items() if n}, sub_seed(seed, _SAMPLE_STREAM))
        return self._in_container(X, y)

    def sample_with_parents(self, counts: Mapping[Any, int], random_state: int | None = None):
        """Offspring and the real rows that each was made from; mixtures, copies and the row filter are left out.

        Parameters
        ----------
        counts, random_state
            As for ``sample``.

        Returns
        -------
        X, y, parents
            X and parents row by row, in the container and dtype of ``fit_resample``'s X.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            As ``sample``.
        ValueError
            As ``sample``, and for nets that start from noise.
        """
        self._check_counts(counts)
        seed = self._sample_seed if random_state is None else draw_seeds(random_state, 1)[0]
        pieces, parents, targets = [self._empty_X], [self._empty_X], [self._carried_labels(self._empty_y)]
        for klass, n in counts.items():
            i = self._index_of(klass)
            key = self._key_of(i)
            if key not in self._sources or not self.has_parents_:
                raise ValueError(
                    f"Rows of class {klass!r} are not made from real ones, as offspring() makes them, and have no parents; use "
                    "sample, and SampleGridDisplay for the nearest real rows."
                )
            net = self._restored(key)
            for block in range(0, n, BLOCK):
                wanted = np.full(min(BLOCK, n - block), 0 if self.per_class else i)
                with private_rng(sub_seed(seed, _PARENT_STREAM, i, block), net.device_):
                    rows, drawn = net.children(wanted, self._sources[key])
                made_from = to_unit_range(np.asarray(self._sources[key][0][drawn]))
                pieces.append(self._decode(self._finite(rows, i), i))
                parents.append(self._decode(made_from, i))
                targets.append(
                    self._carried_labels(
                        self._targets(i, np.zeros(len(wanted), int)) if self._carried is None else drawn
                    )
                )
        X, y = self._in_container(self._stack(pieces), np.concatenate(targets))
        return X, y, self._in_container(self._stack(parents), np.concatenate(targets))[0]

    def translate(self, X, to, *, back: bool = False):
        """Rows of the donor of a class turned into rows of that class, by ``cyclegan()``.

        Parameters
        ----------
        X : rows as in ``fit_resample``
        to : class, or domain where ``fit_resample`` was given any
        back : bool, default=False
            Turn rows of the class ``to`` into rows of its donor instead.

        Returns
        -------
        X
            In the container and dtype of ``fit_resample``'s X.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit_resample``, and where it trained nothing.
        ValueError
            For an unknown class, and for nets that do not translate.
        """
        self._check_counts({to: 1})
        i = self._index_of(to)
        key = self._key_of(i)
        if key is None:
            raise NotFittedError(
                f"fit_resample trained nothing that turns rows into rows of class {to!r}, because it had too few rows; see "
                "its warning."
            )
        if not hasattr(self._generators[key][0], "translate"):
            raise ValueError(
                "Only nets such as cyclegan() turn rows of one class into rows of another; give this sampler net='cyclegan'."
            )
        net = self._restored(key)
        rows = net.translate(self.codec_.transform(X), i, "back" if back else "there")
        # Labels only so that a container can be made
        targets = self._carried_labels(self._targets(i, np.zeros(len(rows), int)))
        return self._in_container(self._decode(self._finite(rows, i), i), targets)[0]

    @property
    def has_parents_(self) -> bool:
        """Whether each new row is made from one real row, so that ``sample_with_parents`` can show both."""
        return any(hasattr(self._generators[i][0], "children") for i in self._sources)

    def _check_counts(self, counts: Mapping[Any, int]) -> None:
        name = type(self).__name__
        if not hasattr(self, "_generators"):
            raise NotFittedError(f"This {name} has made no generator yet: call fit_resample(X, y) before sample.")
        known = {klass: i for i, klass in enumerate(self._names())}
        for klass, n in counts.items():
            if klass not in known:
                raise ValueError(f"{klass!r} is no class of the data; the classes are {list(known)}.")
            if not isinstance(n, int | np.integer) or n < 0:
                raise ValueError(f"The number of rows of class {klass!r} must be an integer of at least 0, got {n!r}.")
            if n and not self._can_make(known[klass]):
                raise NotFittedError(
                    f"This {name} has no generator for class {klass!r}, because fit_resample had no new rows to make for "
                    "it; ask for at least one there, through sampling_strategy."
                )

    def _in_container(self, X, y):
        if self._binarize_y:
            y = label_binarize(y, classes=self.classes_)
        return self._container.transform(X, y)

    def _names(self) -> list:
        """The classes, by index."""
        return self.classes_.tolist()

    def _key_of(self, i: int) -> Any:
        """Where the generator of class i is kept: a class that needed no rows in fit is made by the net that all share."""
        return i if i in self._generators else next(iter(self._generators), None)

    def _can_make(self, i: int) -> bool:
        return i in self._generators or i in self._copied_rows or (bool(self._generators) and not self.per_class)

    def _report_filter(self) -> None:
        """What the row filter did in ``fit_resample``, and a warning where it left too little."""
        if self.row_filter_ is None:
            return
        classes = self._names()
        rows = [
            {"class": classes[i], **tally, "acceptance": tally["accepted"] / tally["made"]}
            for i, tally in self._tallies.items()
            if tally["made"]
        ]
        self.filter_report_ = pd.DataFrame(rows, columns=["class", "made", "accepted", "copies", "acceptance"])
        short = self.filter_report_[self.filter_report_["copies"] > 0]
        if len(short):
            told = ", ".join(f"{row['class']!r} ({row['acceptance']:.0%} accepted)" for row in short.to_dict("records"))
            warnings.warn(
                f"The row filter left too few rows of class {told}; {short['copies'].sum()} plain copies of real rows were "
                "added instead. filter_report_ has the details.",
                UserWarning,
                stacklevel=4,
            )

    def _generate(self, counts: Mapping[Any, int], seed: int):
        """New rows in the user's container (not yet a list or one-hot y), class after class."""
        self._tallies: dict[int, dict[str, int]] = {}
        pieces, targets = [self._empty_X], [self._empty_y]
        for klass, n in counts.items():
            batch: list[np.ndarray] = []
            i = self._index_of(klass)
            for rows, y in self._blocks(i, n, seed):
                batch.append(rows)
                targets.append(y)
                if sum(map(len, batch)) >= _DECODE:
                    pieces.append(self._decode(np.concatenate(batch), i))
                    batch = []
            if batch:
                pieces.append(self._decode(np.concatenate(batch), i))
        return self._stack(pieces), self._carried_labels(np.concatenate(targets))

    def _carried_labels(self, targets: np.ndarray) -> np.ndarray:
        """What ``_targets`` stands for: numbers of parents where their labels are carried, else labels already."""
        return targets if self._carried is None else self._carried[targets]

    def _index_of(self, klass) -> int:
        return int(np.searchsorted(self.classes_, klass))

    def _blocks(self, i: int, n: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """n encoded rows of class i and their y, block by block, each from a stream of its own."""
        wanted = n
        tally = self._tallies[i] = {"made": 0, "accepted": 0, "copies": 0}
        copied = self._copied_rows.get(i)
        if copied is None:
            key = self._key_of(i)
            net = self._restored(key)
        for block in itertools.count():
            if n <= 0:
                return
            block_seed = sub_seed(seed, i, block)
            if copied is not None:
                drawn = self._drawn(i, BLOCK, block_seed)
                rows = to_unit_range(copied[drawn]) if self._copies_only else self._jittered(copied, block_seed)
                y = self._targets(i, drawn)
            else:
                with private_rng(block_seed, net.device_):
                    rows, y = self._make(net, i, key, block_seed)
                rows = self._finite(rows, i)
                if self.row_filter_ is not None:
                    good = self.row_filter_.score_samples(rows, np.full(BLOCK, i)) >= 0
                    rows, y = rows[good], y[good]
                    tally["made"] += BLOCK
                    tally["accepted"] += len(rows)
                    if len(rows) < n and tally["made"] >= OVER_GENERATION * max(wanted, BLOCK):
                        encoded, labels = self._real_rows
                        drawn = self._drawn(i, n - len(rows), block_seed)
                        tally["copies"] = len(drawn)
                        rows = np.concatenate([rows, to_unit_range(encoded[labels == i][drawn])])
                        y = np.concatenate([y, self._targets(i, drawn)])
            yield rows[:n], y[:n]
            n -= len(rows)

    def _make(self, net, i: int, key: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """A block of encoded rows of class i, and their y; torch's generators are seeded already."""
        if self._carried is not None:
            return net.children(np.full(BLOCK, i), self._sources[key])
        rows = net.sample(np.full(BLOCK, 0 if self.per_class else i), source=self._sources.get(key))
        return rows, self._targets(i, np.zeros(BLOCK, int))

    def _targets(self, i: int, drawn: np.ndarray) -> np.ndarray:
        """y of these rows among the real rows of class i, or their numbers, as ``_carried_labels`` takes them."""
        if self._row_numbers is not None:
            return self._row_numbers[i][drawn]
        return np.full(len(drawn), self.classes_[i], self._empty_y.dtype)

    def _drawn(self, i: int, n: int, seed: int) -> np.ndarray:
        """n draws among the real rows of class i."""
        return np.random.RandomState(seed).randint(self._sizes[i], size=n)

    def _jittered(self, single: np.ndarray, seed: int) -> np.ndarray:
        """Copies of one row with noise of 5 % of the encoded scale; one-hot columns stay."""
        rows = to_unit_range(np.repeat(single, BLOCK, axis=0))
        noise = 0.05 * np.random.RandomState(seed).standard_normal(rows.shape).astype(np.float32)
        return rows + (noise if rows.ndim > 2 else noise * self.codec_.numeric_)

    def _name_of(self, i: int) -> str:
        return f" of class {self._names()[i]!r}"

    def _finite(self, rows: np.ndarray, i: int) -> np.ndarray:
        bad = ~np.isfinite(rows).reshape(len(rows), -1).all(1)
        if bad.any():
            warnings.warn(
                f"The generator made {bad.sum()} of {len(rows)} rows{self._name_of(i)} with values that "
                "are not finite; these values were set to the middle of their range.",
                UserWarning,
                stacklevel=2,
            )
            rows = np.nan_to_num(rows, nan=0.0, posinf=0.0, neginf=0.0)
        return rows

    def _decode(self, encoded: np.ndarray, groups):
        """Rows of one class, or of one class each, in the container of X, plus what their nearest real rows hand on."""
        if self._hand_on:
            codes = np.empty((len(encoded), len(self.codec_.handed_on_)), dtype=np.int32)
            groups = np.broadcast_to(groups, len(encoded))
            for i in np.unique(groups):
                index, of_class = self._hand_on[int(i)]
                codes[groups == i] = of_class[index.kneighbors(encoded[groups == i], return_distance=False)[:, 0]]
            rows = self.codec_.inverse_transform(encoded, codes)
        else:
            rows = self.codec_.inverse_transform(encoded)
        if isinstance(self._empty_X, pd.DataFrame) and not isinstance(rows, pd.DataFrame):
            return pd.DataFrame(rows, columns=self._empty_X.columns).astype(self._empty_X.dtypes)
        return rows

    def _stack(self, pieces: list):
        first = pieces[0]
        if isinstance(first, pd.DataFrame):
            return pd.concat([piece for piece in pieces if len(piece)] or [first], ignore_index=True)
        if sparse.issparse(first):
            return type(first)(sparse.vstack(pieces, format=first.format, dtype=first.dtype))
        return np.concatenate(pieces, dtype=first.dtype)
