"""The Generative Teaching Network: rows that teach, judged by what a fresh learner knows of real rows afterwards."""

import math
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from skorch import NeuralNet
from torch import Tensor, nn

from skgan._compat import Number, StrOptions
from skgan._device import available_memory, resolve_device
from skgan._draws import initial_weights, randint
from skgan._random import private_rng, seed_of, sub_seed
from skgan._tensors import as_tensor
from skgan.callbacks import DivergenceGuard, StepLog
from skgan.nets._graph_memory import Graphs, estimated_bytes, measured_graphs
from skgan.nets._unroll import InnerLoop, check_at_least_one, check_learner, fill_gradients
from skgan.nets.base import GenerativeNet
from skgan.nets.draw import Draw


class GTNNet(GenerativeNet):
    """A Generative Teaching Network [1]_: rows whose worth is what a classifier learns from them.

    Inner loop: a freshly initialised learner takes T steps of gradient descent with momentum, each on one generated batch
    whose labels are given. Outer loop: the learner's loss on *real* rows is differentiated through all of these steps, and
    moves the generator, the codes of the curriculum, and the learner's learning rate and momentum. The rows need not look
    real, and mostly don't. The paper's experiments with environments of reinforcement learning are out of scope: learners
    here are classifiers of rows.

    For the backward pass the loop is cut into segments. Only the learner's state at their borders is kept; each segment is
    run once more with a graph when its turn comes. With √T segments, what the graphs keep grows with √T, at the cost of a
    second pass [2]_.

    Parameters
    ----------
    module : class
        :class:`skgan.modules.Teacher`.
    learner : callable
        Called as ``learner(data_shape, n_classes, **learner__params)`` for every step of training; returns an ``nn.Module``
        that maps rows to logits (n, n_classes). Any module without buffers: BatchNorm's statistics can't be unrolled.
        Weight normalisation makes the training stable.
    criterion : class, default=torch.nn.CrossEntropyLoss
        The loss of both loops.
    unroll_steps : int, default=32
        T ≥ 1, the learner's steps.
    inner_batch_size : int, default=64
        Generated rows of a learner's step. ``batch_size`` is of the real rows that its outcome is judged on.
    curriculum : {"learned", "random"}, default="learned"
        Whether each batch of the course has codes of its own, which are learned, or codes are drawn from N(0, I).
    inner_lr : float, default=0.2
        The learner's learning rate at the start, above 0; it is learned.
    inner_momentum : float in [0, 1), default=0.5
        The learner's momentum at the start; it is learned.
    n_segments : int or None, default=None
        Segments of the unrolled loop, from 1 (everything is kept) to T; None is the nearest integer to √T.
    border_weight : float, default=0.0
        Weight of the loss on real rows at each border between segments, beside that at the end: the larger, the more the
        first steps teach, at some cost to the whole course.
    max_grad_norm : float, default=1.0
        The outer gradient's norm is clipped to this.
    **kwargs
        As :class:`skgan.nets.GenerativeNet`; ``lr`` and ``optimizer`` are the outer loop's.

    Attributes
    ----------
    history : skorch.history.History
        Per epoch ``outer_loss``, ``outer_accuracy`` and ``blown_up``, the share of learners whose loss or gradient was not
        finite; they are left out of ``outer_loss``.
    inner_lr_, inner_momentum_ : float
        What the learner should be trained with on the teaching set, batch after batch of ``inner_batch_size`` rows, with
        ``torch.optim.SGD``.

    Notes
    -----
    Rows of the learned curriculum are as many as the course has, T · ``inner_batch_size``; where more are asked for, they
    come from the same codes again. There is no score of single rows.

    References
    ----------
    .. [1] Such et al., "Generative teaching networks: accelerating neural architecture search by learning to generate
       synthetic training data", ICML 2020.
    .. [2] Chen et al., "Training deep nets with sublinear memory cost", arXiv:1604.06174, 2016, section 4.1.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skgan.presets import gtn
    >>> X, y = load_digits(return_X_y=True)
    >>> net = gtn(unroll_steps=4, max_steps=2).fit((X / 8 - 1).astype("float32"), y)
    >>> rows, labels = net.teaching_set(100)
    >>> rows.shape, labels[:5]
    ((100, 64), array([0, 1, 2, 3, 4]))
    >>> net.teach().training  # a fresh learner that has taken the course
    False
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **GenerativeNet._parameter_constraints,
        "unroll_steps": [Number(Integral, 1, None, closed="left")],
        "inner_batch_size": [Number(Integral, 1, None, closed="left")],
        "curriculum": [StrOptions({"learned", "random"})],
        "inner_lr": [Number(Real, 0, None, closed="neither")],
        "inner_momentum": [Number(Real, 0, 1, closed="left")],
        "n_segments": [None, Number(Integral, 1, None, closed="left")],
        "border_weight": [Number(Real, 0, None, closed="left")],
        "max_grad_norm": [Number(Real, 0, None, closed="neither")],
    }
    prefixes_: ClassVar[list[str]] = [*NeuralNet.prefixes_, "learner"]

    needs_classes = True

    def __init__(
        self,
        module: Any,
        learner: Any,
        criterion: Any = nn.CrossEntropyLoss,
        *,
        unroll_steps: Any = 32,
        inner_batch_size: Any = 64,
        curriculum: Any = "learned",
        inner_lr: Any = 0.2,
        inner_momentum: Any = 0.5,
        n_segments: Any = None,
        border_weight: Any = 0.0,
        max_grad_norm: Any = 1.0,
        **kwargs: Any,
    ):
        self.learner = learner
        self.unroll_steps = unroll_steps
        self.inner_batch_size = inner_batch_size
        self.curriculum = curriculum
        self.inner_lr = inner_lr
        self.inner_momentum = inner_momentum
        self.n_segments = n_segments
        self.border_weight = border_weight
        self.max_grad_norm = max_grad_norm
        super().__init__(module, criterion, **kwargs)

    @property
    def _default_callbacks(self):
        # An average of the generator alone would not go with the codes.
        guard = DivergenceGuard(cure="A smaller inner_lr or a smaller lr")
        return [("divergence_guard", guard), ("step_log", StepLog())]

    def get_params_for(self, prefix: Any) -> Any:
        """skorch's; the module is told the course by the net's own parameters."""
        params = super().get_params_for(prefix)
        if prefix == "module":
            params = {
                **params,
                "unroll_steps": self.unroll_steps,
                "inner_batch_size": self.inner_batch_size,
                "curriculum": self.curriculum,
                "inner_lr": self.inner_lr,
                "inner_momentum": self.inner_momentum,
            }
        return params

    # Checks

    def check_training_params(self) -> None:
        super().check_training_params()
        if not callable(self.learner) or isinstance(self.learner, nn.Module):
            raise TypeError(
                "learner must be a class or function that makes a new module of (data_shape, n_classes), such as "
                f"skgan.modules.SmallLearner, because every step teaches a fresh one; got {self.learner!r}."
            )
        if self.n_segments is not None and self.n_segments > self.unroll_steps:
            raise ValueError(
                f"n_segments={self.n_segments} cuts {self.unroll_steps} unroll_steps into more pieces than there are "
                "steps; set at most that many, or None."
            )

    def check_shapes(self) -> None:
        """Refuse data that there is nothing to teach of, learners that cannot be unrolled, and too long a loop."""
        if self.condition_dim_:
            self.check_takes_conditions()
        if self.n_classes_ < 2:
            raise ValueError(
                "A teaching network needs at least two classes, because its learner tells them apart, and there is one; "
                "use another net."
            )
        if self.unroll_steps * self.inner_batch_size < self.n_classes_:
            raise ValueError(
                f"A course of {self.unroll_steps} batches of {self.inner_batch_size} rows has no row for some of the "
                f"{self.n_classes_} classes; set a larger inner_batch_size or more unroll_steps."
            )
        needed, available = self.estimate_memory(), available_memory(resolve_device(self.device))
        if available is not None and needed > available:
            kept = " and leave n_segments=None" if self.n_segments is not None else ""
            raise ValueError(
                f"Training through {self.unroll_steps} steps of {self.inner_batch_size} generated rows of shape "
                f"{self.data_shape_} would take about {needed:,} bytes, and {available:,} are available. Set fewer "
                f"unroll_steps or a smaller inner_batch_size or batch_size{kept}."
            )

    def estimate_memory(self) -> int:
        """Bytes that training takes beside the rows: the largest graph, states at the borders, the teacher."""
        params = self.get_params_for("module")

        def teacher(n: int) -> nn.Module:
            params_of_one = {**params, "unroll_steps": 1, "inner_batch_size": n}
            with initial_weights():
                return self.module(self.data_shape_, self.n_classes_, **params_of_one)

        def measured(n: int) -> Graphs:
            learner = self.fresh_learner()
            check_learner(learner, self.data_shape_, self.n_classes_)
            criterion = self.criterion(**self.get_params_for("criterion"))
            return measured_graphs(teacher, learner, criterion, self.data_shape_, n)

        with self.seeded(0):
            two, four = measured(2), measured(4)
        return estimated_bytes(
            two, four, self.borders(), self.inner_batch_size, self.batch_size, codes=self.curriculum == "learned"
        )

    # Training

    def borders(self) -> list[int]:
        """The inner steps at which segments begin and end, 0 and T among them."""
        n = self.n_segments or round(math.sqrt(self.unroll_steps))
        return [i * self.unroll_steps // n for i in range(n + 1)]

    def fresh_learner(self) -> nn.Module:
        """A learner that has been taught nothing, on the CPU."""
        with initial_weights():
            return self.learner(self.data_shape_, self.n_classes_, **self.get_params_for("learner"))

    def train_step(self, batch: Any, **fit_params: Any) -> Any:
        """Teach a fresh learner, and step on what it gets wrong of real rows.

        A learner that blew up says nothing of the rows, only that its learning rate was too high: it is lowered.
        """
        x, y = batch
        loss, accuracy = self.fill_gradients(self.fresh_learner().to(self.device_), x, y)
        norm = nn.utils.clip_grad_norm_(self.module_.parameters(), self.max_grad_norm)
        fine = norm.isfinite() & loss.isfinite()
        for parameter in self.module_.parameters():
            if parameter.grad is not None:  # which frozen ones lack
                lower = 1.0 if parameter is self.module_.log_lr else 0.0
                parameter.grad = torch.where(fine, parameter.grad, lower)
        self.optimizer_.step()
        return self.report(
            outer_loss=torch.where(fine, loss, 0.0), outer_accuracy=accuracy, blown_up=(~fine).to(loss.dtype)
        )

    def fill_gradients(self, learner: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """As :func:`skgan.nets._unroll.fill_gradients`, from this learner on."""
        loop = InnerLoop(self.module_, learner, self.criterion_)
        return fill_gradients(loop, self.borders(), x, y, self.border_weight)

    def record_epoch(self) -> None:
        """The loss is the mean over learners that did not blow up; without any it is not finite, and training ends."""
        assert self.sums_ is not None, "an epoch has at least one step"
        n_steps, blown_up = self.steps_ - self.recorded_, self.sums_[2]
        self.sums_[0] *= n_steps / (n_steps - blown_up)
        super().record_epoch()

    # What was learned

    @property
    def inner_lr_(self) -> float:
        """The learner's learning rate."""
        return float(self.module_.step_sizes()[0].detach())

    @property
    def inner_momentum_(self) -> float:
        """The learner's momentum."""
        return float(self.module_.step_sizes()[1].detach())

    def teaching_set(self, n: int | None = None, random_state: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """Rows and labels in the order of the curriculum: every ``inner_batch_size`` of them are one batch of the course.

        Parameters
        ----------
        n : int or None, default=None
            Rows; None is one course, T · ``inner_batch_size``. After its end the course begins anew.
        random_state : int, RandomState or None, default=None
            Of the random curriculum's codes, and of categories; None is the net's own.

        Returns
        -------
        X : ndarray of shape ``(n, *data_shape)``, float32
            Encoded rows.
        y : ndarray of shape (n,)
            Class ids.
        """
        labels = self.module_.labels.flatten()
        if n is None:
            n = len(labels)
        check_at_least_one("n", n)
        order = torch.arange(n, device=labels.device) % len(labels)
        with self.seeded(random_state):
            return self._rows(order, labels[order]), labels[order].cpu().numpy()

    def draw(self, y: Any, source: Any = None) -> Draw:
        """One encoded row per label: the curriculum's rows of each class in its order, then random ones of them again."""
        labels = as_tensor(self.labels(y)).to(self.device_)
        course = self.module_.labels.flatten()
        order = torch.zeros_like(labels)
        for k in labels.unique():
            own, where = torch.nonzero(course == k)[:, 0], torch.nonzero(labels == k)[:, 0]
            more = randint(len(own), (max(0, len(where) - len(own)),), device=own.device)
            order[where] = torch.cat([own[: len(where)], own[more]])
        return Draw(self._rows(order, labels))

    def _rows(self, order: Tensor, labels: Tensor) -> np.ndarray:
        """Rows of these places in the course; the random curriculum has codes for none."""
        if self.module_.codes is None:
            return self.in_chunks(lambda labels: self.module_(self.latent(len(labels)), labels), labels)
        return self.in_chunks(self.module_, self.module_.codes.detach().flatten(0, 1)[order], labels)

    def teach(
        self, learner: nn.Module | None = None, n_steps: int | None = None, random_state: Any = None
    ) -> nn.Module:
        """Train a learner on the teaching set, with the learning rate and momentum that were learned with it.

        Parameters
        ----------
        learner : nn.Module or None, default=None
            Rows → logits, of any architecture; it is changed in place. None is a fresh one of the net's own.
        n_steps : int or None, default=None
            Batches; None is the course of T. After its end the course begins anew.
        random_state : int, RandomState or None, default=None
            Of a fresh learner's weights and of what is random in the course or in the learner; None is the net's own.

        Returns
        -------
        nn.Module
            The learner, in evaluation mode.
        """
        n_steps = len(self.module_.labels) if n_steps is None else n_steps
        check_at_least_one("n_steps", n_steps)
        size = self.module_.labels.shape[1]
        seed = seed_of(self.random_state if random_state is None else random_state)
        course = self.teaching_set(n_steps * size, sub_seed(seed, 1))
        X, y = (as_tensor(part, self.device_) for part in course)
        # A learner that is given may draw as it likes.
        with private_rng(seed, self.device_, lend_global=self.has_foreign_code or learner is not None):
            learner = (self.fresh_learner() if learner is None else learner).to(self.device_).train()
            optimizer = torch.optim.SGD(learner.parameters(), lr=self.inner_lr_, momentum=self.inner_momentum_)
            for rows, labels in zip(X.split(size), y.split(size), strict=True):
                optimizer.zero_grad()
                self.criterion_(learner(rows), labels).backward()
                optimizer.step()
        return learner.eval()
