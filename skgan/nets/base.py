"""What every generative net shares: its parameters and traits, fit, export and restore, chunked sampling."""

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np
import torch

from skgan._compat import Number, StrOptions, validate_parameter_constraints
from skgan._device import resolve_device
from skgan._mapped import row_pieces
from skgan._random import private_rng, seed_of
from skgan._tensors import as_tensors
from skgan.nets._collapse import tell_if_collapsed
from skgan.nets._steps import StepTraining
from skgan.nets.draw import DrawsRows


def class_ids(name: str, wanted: Iterable, classes: Iterable) -> list[int]:
    """Indices of these among the classes, or a sentence about the parameter of that name."""
    known = {klass: i for i, klass in enumerate(classes)}
    wanted = list(wanted)
    if missing := [klass for klass in wanted if klass not in known]:
        raise ValueError(f"{name} names {missing}, which are no classes of y; the classes are {list(known)}.")
    if not wanted:
        raise ValueError(f"{name} must name at least one class; the classes are {list(known)}.")
    return [known[klass] for klass in wanted]


def check_rows(X: np.ndarray) -> None:
    """Refuse what holds no row, rows without a value, or values that are not finite."""
    X = np.asarray(X)
    if X.ndim < 2 or not X.size:
        raise ValueError(
            f"X has shape {X.shape}, and a net learns from encoded rows of shape (n, d) or (n, C, H, W), none of these 0."
        )
    if X.dtype.kind == "f" and not all(np.isfinite(X[piece].sum(dtype=np.float64)) for piece in row_pieces(X)):
        raise ValueError("X holds NaN or infinity; a net learns from complete, finite encoded rows only.")


class GenerativeNet(DrawsRows, StepTraining):
    """A skorch net that learns to make rows. Subclasses write ``train_step`` and, where they differ, ``draw``.

    Training is counted in steps: one step is one ``train_step`` on one class-balanced batch drawn from the rows in
    memory; an epoch is ``steps_per_epoch`` of them, after which losses are recorded, checked and logged.
    skorch's prefixes work as everywhere: ``module__*``, ``criterion__*``, ``optimizer__*``, ``callbacks__ema__decay``.

    Parameters
    ----------
    module : class
        Called as ``module(data_shape, n_classes, **module__params)``; shapes come from the data at fit.
    criterion : class
        A loss of :mod:`skgan.losses`.
    optimizer : class, default=torch.optim.Adam
        One optimiser serves all players; its fused form is used where torch has one.
    lr : float, default=2e-4
    batch_size : int, default=64
        Rows of one update.
    max_steps : int, default=2000
    max_time : float or None, default=None
        Seconds after which training ends early, with a warning; the history says at which step.
    steps_per_epoch : int, default=20
    class_power : float, default=0.0
        Classes are drawn with probability ∝ countᵇ: 0 equally often, 0.5 ∝ √count, 1 as they are.
    vicinity : float or "scott", default=0.0
        For real-valued labels: standard deviation, in units of the labels' own, of the Gaussian noise that every label of
        a batch gets, so that rows teach what rows with near labels look like. "scott" is n^(−1 / (k + 4)). Drawing a row and
        blurring its label is drawing a label from the kernel density and then a row by its kernel weight: the soft vicinal
        estimate of Ding et al. ("CcGAN", ICLR 2021, section 2.2).
    callbacks : list of skorch callbacks or None
        Added to the defaults (``ema``, ``divergence_guard``, ``step_log``), which ``callbacks__ema=None`` turns off.
    random_state : int, RandomState or None, default=None
        Of weights, batches and noise. An int gives the same net in every ``fit`` and the same rows in every ``sample``.
        torch's global generators are neither read nor moved; where a module, loss, callback or net of yours may draw from
        them, they are lent, seeded, and given back. A sampler sets its own.
    device : str, default="auto"
        Resolved at fit: CUDA where there is one, else the CPU. "cuda:auto" gives each training a GPU, in turn.
    verbose : int, default=0
        1 prints steps, losses and time left.

    Attributes
    ----------
    needs_source : bool
        Whether rows are made from real ones: ``draw`` and ``sample`` then need ``source``.
    has_parents : bool
        Whether every row is made from one real row in particular, whose label it may carry.
    translates : bool
        Whether there is a ``translate``, which turns rows of one class into rows of another.
    scores_rows : bool
        Whether ``score_samples`` says how real a single row looks.
    may_collapse : bool
        Whether its rows may come to resemble each other, so that this is looked at after a training.
    starts_from_one_row : bool
        Whether a class of a single row gets new ones, with what was learned of other classes; else it gets copies.
    needs_classes : bool
        Whether it learns from several classes at once, and so not with ``per_class=True``.
    default_shares : dict
        What ``shares="auto"`` of a sampler stands for with this net: maker → weight.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "lr": [Number(Real, 0, None, closed="left")],
        "batch_size": [Number(Integral, 1, None, closed="left")],
        "max_steps": [Number(Integral, 1, None, closed="left")],
        "max_time": [None, Number(Real, 0, None, closed="neither")],
        "steps_per_epoch": [Number(Integral, 1, None, closed="left")],
        "class_power": [Number(Real, None, None, closed="neither")],
        "vicinity": [StrOptions({"scott"}), Number(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
        "device": [None, str],
        "verbose": ["verbose"],
    }

    has_parents: bool = False
    translates: bool = False
    scores_rows: bool = False
    may_collapse: bool = False
    starts_from_one_row: bool = False
    default_shares: Mapping[str, float] = MappingProxyType({"net": 1.0})
    sampling_params: tuple[str, ...] = ()
    """Parameters that only sampling reads: changing them needs no new training."""

    def __init__(
        self,
        module: Any,
        criterion: Any,
        *,
        optimizer: Any = torch.optim.Adam,
        lr: Any = 2e-4,
        batch_size: Any = 64,
        max_steps: int = 2000,
        max_time: float | None = None,
        steps_per_epoch: Any = 20,
        class_power: Any = 0.0,
        vicinity: Any = 0.0,
        callbacks: Any = None,
        random_state: int | np.random.RandomState | None = None,
        device: str | None = "auto",
        verbose: int | None = 0,
        train_split: Any = None,
        **kwargs: Any,
    ):
        if "max_epochs" in kwargs:
            raise TypeError("Training is counted in steps here: set max_steps instead of max_epochs.")
        self.max_steps = max_steps
        self.max_time = max_time
        self.steps_per_epoch = steps_per_epoch
        self.class_power = class_power
        self.vicinity = vicinity
        self.random_state = random_state
        super().__init__(
            module,
            criterion,
            optimizer=optimizer,
            lr=lr,
            batch_size=batch_size,
            callbacks=callbacks,
            device=device,
            verbose=verbose,
            train_split=train_split,
            **kwargs,
        )

    @property
    def needs_source(self) -> bool:
        """As above; a parameter may decide it."""
        return False

    @property
    def needs_classes(self) -> bool:
        """As above; a parameter may decide it."""
        return False

    @contextmanager
    def seeded(self, random_state: Any = None) -> Iterator[None]:
        """Run a block on generators of its own, seeded by this ``random_state`` or else by the net's own.

        A net with code of the user's, which may know none but torch's global generators, is lent those too.
        """
        seed = seed_of(self.random_state if random_state is None else random_state)
        device = self.device_ if self.initialized_ else resolve_device(self.device)
        with private_rng(seed, device, lend_global=self.has_foreign_code):
            yield

    # Building

    def initialize_module(self) -> Self:
        """Build the pair for the shapes seen in ``fit``."""
        if isinstance(self.module, torch.nn.Module):
            raise TypeError(
                f"module must be a class such as {type(self.module).__name__}, not an instance of it: the shapes of the "
                "data are known only at fit. Its arguments are given as module__<name>."
            )
        self.module_ = self.module(self.data_shape_, self.n_classes_, **self.module_kwargs())
        return self

    def module_kwargs(self) -> dict[str, Any]:
        """What the module is built with besides shape and classes."""
        kwargs = self.get_params_for("module")
        if self.condition_dim_:
            self.check_takes_conditions()
            kwargs["condition_dim"] = self.condition_dim_
        return kwargs

    # Checks

    def check_training_params(self) -> None:
        """Refuse what would fail only after minutes."""
        params = {name: value for name, value in self.get_params(deep=False).items() if "__" not in name}
        validate_parameter_constraints(self._parameter_constraints, params, caller_name=type(self).__name__)

    def check_shapes(self) -> None:
        """Refuse parameters that do not go with ``data_shape_`` and ``n_classes_``; nothing by default."""

    def check_takes_conditions(self) -> None:
        """Refuse modules that know classes only."""
        if "condition_dim" not in inspect.signature(self.module).parameters:
            raise ValueError(
                f"{self.module.__name__} makes rows of classes, not for real-valued labels (it has no argument "
                "'condition_dim'); use net='predictor_gan', dcgan() or mlp_gan()."
            )

    def for_classes(self, classes: Sequence) -> None:
        """Turn parameters that name classes into ids: ``classes[i]`` has the id i. Samplers call this before ``fit``."""

    def unseen_classes(self, y: Any) -> list:
        """Classes that rows can be made of although y has none; none by default."""
        return []

    def count_classes(self, y: np.ndarray) -> int:
        """Number of classes, of ids up to the largest in y."""
        return int(y.max()) + 1

    # Training

    def fit(self, X: Any, y: Any = None, **fit_params: Any) -> Self:
        """Train from scratch.

        Parameters
        ----------
        X : ndarray of shape (n, d), float32, or (n, C, H, W), uint8 or float32 in [-1, 1]
            Encoded rows.
        y : ndarray of shape (n,), integers, or None
            Class ids 0 … n_classes − 1; None is one class. Floats of shape (n,) or (n, k) are real-valued labels, which
            are standardised inside.

        Returns
        -------
        self
        """
        self.check_training_params()
        check_rows(X)
        y = np.zeros(len(X), dtype=np.int64) if y is None else np.asarray(y)
        self.data_shape_ = tuple(X.shape[1:])
        self.condition_scale_: tuple[np.ndarray, np.ndarray] | None
        if y.dtype.kind == "f":
            conditions = y.reshape(len(y), -1)
            spread = conditions.std(0)
            self.condition_scale_ = conditions.mean(0), np.where(spread > 0, spread, 1.0)
            self.n_classes_, self.condition_dim_ = 1, conditions.shape[1]
        else:
            self.condition_scale_ = None
            self.n_classes_, self.condition_dim_ = self.count_classes(y), 0
            if self.vicinity:
                raise ValueError(f"vicinity={self.vicinity!r} blurs real-valued labels, and these are classes; set 0.")
        self.steps_ = 0
        with self.seeded():
            self.check_shapes()
            super().fit(X, self.labels(y), **fit_params)
        self.tell_if_cut()
        if self.may_collapse:
            tell_if_collapsed(self, X, y)
        return self

    def learned(self, copy: bool = True) -> dict[str, Any]:
        """All that sampling needs, as plain CPU arrays: weights, shapes, and the scale of the labels.

        Without ``copy`` the arrays may be the weights themselves, which a further training of this net changes.
        """
        weights = {name: tensor.detach().cpu().numpy() for name, tensor in self.module_.state_dict().items()}
        return {
            "weights": {
                name.removeprefix("_orig_mod."): values.copy() if copy else values for name, values in weights.items()
            },
            "data_shape": self.data_shape_,
            "n_classes": self.n_classes_,
            "condition_scale": self.condition_scale_,
        }

    def export(self, copy: bool = True) -> dict[str, Any]:
        """What was learned, the history, and whether the training ran to its last step; ``copy`` as of ``learned``."""
        return {**self.learned(copy), "history": self.recorded(), "complete": self.steps_ >= self.max_steps}

    def restore(self, exported: dict[str, Any]) -> Self:
        """Build the module and load an export's weights, ready to sample."""
        self.data_shape_, self.n_classes_ = exported["data_shape"], exported["n_classes"]
        self.condition_scale_ = exported["condition_scale"]
        self.condition_dim_ = 0 if self.condition_scale_ is None else len(self.condition_scale_[0])
        with self.seeded(0):  # weights are drawn, and then overwritten
            self.initialize()
            module = getattr(self.module_, "_orig_mod", self.module_)
            module.load_state_dict(as_tensors(exported["weights"]))
        return self
