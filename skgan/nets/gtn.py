"""The Generative Teaching Network: rows that teach, judged by what a fresh learner knows of real rows afterwards."""

import itertools
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from skorch import NeuralNet
from torch import Tensor, nn
from torch.func import functional_call

from skgan._torch import as_tensor, available_memory, resolve_device
from skgan.callbacks import DivergenceGuard, StepLog
from skgan.nets.base import GenerativeNet

CURRICULA = ("learned", "random")


class KeptBytes(torch.autograd.graph.saved_tensors_hooks):
    """Count what graphs built inside keep for their backward pass, each storage once: ``now`` and ``peak``, in bytes."""

    def __init__(self):
        self.now = self.peak = 0
        self._kept: dict[tuple[int, int], int] = {}
        super().__init__(lambda tensor: _Kept(self, tensor.detach()), lambda kept: kept.tensor)

    def __enter__(self):
        super().__enter__()
        return self


class _Kept:
    """A tensor that a graph holds; when the graph lets go of it, so does the count."""

    def __init__(self, count: KeptBytes, tensor: Tensor):
        storage = tensor.untyped_storage()
        self.count, self.tensor, self.key = count, tensor, (storage.data_ptr(), storage.nbytes())
        count._kept[self.key] = count._kept.get(self.key, 0) + 1
        if count._kept[self.key] == 1:
            count.now += self.key[1]
            count.peak = max(count.peak, count.now)

    def __del__(self):
        self.count._kept[self.key] -= 1
        if not self.count._kept[self.key]:
            self.count.now -= self.key[1]


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
        The learner's momentum at the start; it is learned. From .9 the outer loop learned far worse than from .5 on digits.
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

    prefixes_: ClassVar[list[str]] = [*NeuralNet.prefixes_, "learner"]

    def __init__(
        self,
        module,
        learner,
        criterion=nn.CrossEntropyLoss,
        *,
        unroll_steps=32,
        inner_batch_size=64,
        curriculum="learned",
        inner_lr=0.2,
        inner_momentum=0.5,
        n_segments=None,
        border_weight=0.0,
        max_grad_norm=1.0,
        **kwargs,
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

    def get_params_for(self, prefix):
        """skorch's; the module is told the course by the net's own parameters."""
        params = super().get_params_for(prefix)
        if prefix == "module":
            names = ("unroll_steps", "inner_batch_size", "curriculum", "inner_lr", "inner_momentum")
            params = {**params, **{name: getattr(self, name) for name in names}}
        return params

    @property
    def needs_classes(self) -> bool:
        """Two at least."""
        return True

    # Checks

    def check_training_params(self):
        super().check_training_params()
        if not callable(self.learner) or isinstance(self.learner, nn.Module):
            raise TypeError(
                "learner must be a class or function that makes a new module of (data_shape, n_classes), such as "
                f"skgan.modules.SmallLearner, because every step teaches a fresh one; got {self.learner!r}."
            )
        for name in ("unroll_steps", "inner_batch_size"):
            _check_at_least_one(name, getattr(self, name))
        if self.n_segments is not None:
            _check_at_least_one("n_segments", self.n_segments)
            if self.n_segments > self.unroll_steps:
                raise ValueError(
                    f"n_segments={self.n_segments} cuts {self.unroll_steps} unroll_steps into more pieces than there are "
                    "steps; set at most that many, or None."
                )
        if self.curriculum not in CURRICULA:
            raise ValueError(f"curriculum must be one of {', '.join(CURRICULA)}; got {self.curriculum!r}.")
        for name in ("inner_lr", "max_grad_norm"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"{name} must be finite and above 0, got {getattr(self, name)!r}.")
        if not 0 <= self.inner_momentum < 1:
            raise ValueError(f"inner_momentum must lie in [0, 1), got {self.inner_momentum!r}.")
        if not 0 <= self.border_weight < np.inf:
            raise ValueError(f"border_weight must be finite and at least 0, got {self.border_weight!r}.")

    def check_shapes(self):
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
        """Bytes that training takes beside the rows: the largest graph, states at the borders, the teacher.

        What a graph keeps grows linearly with the rows of a batch, so it is counted for two small batches and extrapolated.
        """
        with torch.random.fork_rng(devices=[]):
            (inner, outer, n_weights, n_taught), more = self._probe(2), self._probe(4)
        inner += (more[0] - inner) / 2 * (self.inner_batch_size - 2)
        outer += (more[1] - outer) / 2 * (self.batch_size - 2)
        if self.curriculum == "learned":
            n_codes = more[3] - n_taught  # of two rows
            n_taught += n_codes * (self.unroll_steps * self.inner_batch_size - 2) // 2
        longest = max(last - first for first, last in itertools.pairwise(self.borders()))
        states = 2 * n_weights * (len(self.borders()) + 2)
        # Gradients take about half as much again as the graph that they come from; with its gradient and Adam's moments, each
        # number of the teacher is there four times.
        return int(1.5 * (longest * inner + outer) + 4 * (states + 4 * n_taught))

    def _probe(self, n: int) -> tuple[float, float, int, int]:
        """Bytes kept by the graphs of one inner step and of the outer loss on n rows; the learner's weights; the teacher's."""
        params = {**self.get_params_for("module"), "unroll_steps": 1, "inner_batch_size": n}
        teacher = self.module(self.data_shape_, self.n_classes_, **params)
        learner = self.learner(self.data_shape_, self.n_classes_, **self.get_params_for("learner"))
        self.check_learner(learner)
        loop = _Loop(teacher, learner, self.criterion(**self.get_params_for("criterion")))
        x, y = torch.zeros(n, *self.data_shape_), teacher.labels[0]
        with KeptBytes() as kept:
            end = loop.run([t.requires_grad_() for t in loop.start()], 0, 1, differentiable=True)
            inner = kept.now
            del end
            loss = loop.criterion(learner(x), y)
            outer = kept.now
            del loss
        sizes = [sum(p.numel() for p in part.parameters()) for part in (learner, teacher)]
        return inner, outer, *sizes

    def check_learner(self, learner) -> None:
        """Refuse what is no classifier of these rows, or has a state beside its weights."""
        if not isinstance(learner, nn.Module) or not any(p.requires_grad for p in learner.parameters()):
            raise TypeError(f"learner must return an nn.Module with parameters to teach; it returned {learner!r}.")
        if buffers := [name for name, _ in learner.named_buffers()]:
            raise ValueError(
                f"The learner has buffers ({', '.join(buffers[:3])}), and a loop that is run twice would change them twice; "
                "use a learner without BatchNorm, for instance with weight or group normalisation."
            )
        with torch.no_grad():
            logits = learner(torch.zeros(2, *self.data_shape_))
        if logits.shape != (2, self.n_classes_):
            raise ValueError(
                f"The learner must return logits of shape (n, {self.n_classes_}) for n rows of shape {self.data_shape_}; "
                f"for two rows it returned {tuple(logits.shape)}."
            )

    # Training

    def borders(self) -> list[int]:
        """The inner steps at which segments begin and end, 0 and T among them."""
        n = self.n_segments or round(math.sqrt(self.unroll_steps))
        return [i * self.unroll_steps // n for i in range(n + 1)]

    def fresh_learner(self) -> nn.Module:
        """A learner that has been taught nothing."""
        learner = self.learner(self.data_shape_, self.n_classes_, **self.get_params_for("learner"))
        return learner.to(self.device_)

    def train_step(self, batch, **fit_params):
        """Teach a fresh learner, and step on what it gets wrong of real rows.

        A learner that blew up says nothing of the rows, only that its learning rate was too high: it is lowered.
        """
        x, y = batch
        loss, accuracy = self.fill_gradients(self.fresh_learner(), x, y)
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

    def record_epoch(self):
        """The loss is the mean over learners that did not blow up; without any it is not finite, and training ends."""
        assert self.sums_ is not None, "an epoch has at least one step"
        n_steps, blown_up = self.steps_ - self.recorded_, self.sums_[2]
        self.sums_[0] *= n_steps / (n_steps - blown_up)
        super().record_epoch()

    def fill_gradients(self, learner: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Set ``.grad`` of the module to the outer gradient, and return loss and accuracy of the taught learner.

        Parameters
        ----------
        learner : nn.Module
            Where the inner loop starts; it is not changed.
        x : tensor of shape (n, *data_shape)
            Real rows.
        y : tensor of shape (n,)
            Their class ids.
        """
        loop = _Loop(self.module_, learner, self.criterion_)
        *earlier, final = itertools.pairwise(self.borders())
        state, starts = loop.start(), []
        verdicts: list[_Verdict | None] = []
        for first, last in earlier:
            starts.append((state, self._random_state()))
            state = [t.detach() for t in loop.run(state, first, last, differentiable=False)]
            verdicts.append(loop.judge(state, x, y, self.border_weight) if self.border_weight else None)
        taught = [p for p in self.module_.parameters() if p.requires_grad]
        for parameter in taught:
            parameter.grad = torch.zeros_like(parameter)

        def back(end: Sequence[Tensor], state: Sequence[Tensor], incoming: Sequence[Tensor]) -> list[Tensor]:
            """Through one segment: add to the teacher's gradient, and return that of the segment's first state."""
            gradients = torch.autograd.grad(end, [*state, *taught], incoming, materialize_grads=True)
            for parameter, part in zip(taught, gradients[len(state) :], strict=True):
                parameter.grad += part
            return list(gradients[: len(state)])

        # The last segment is the first to be differentiated, and so the only one that need not be run twice
        state = [t.requires_grad_() for t in state]
        end = loop.run(state, *final, differentiable=True)
        outcome = loop.judge(end, x, y)
        at_rest = [torch.zeros_like(t) for t in end[len(outcome.gradient) :]]
        incoming = back(end, state, [*outcome.gradient, *at_rest])
        del end
        for (first, last), verdict in zip(reversed(earlier), reversed(verdicts), strict=True):
            if verdict is not None:
                incoming = [*map(torch.add, incoming, verdict.gradient), *incoming[len(verdict.gradient) :]]
            state, random_state = starts.pop()
            state = [t.requires_grad_() for t in state]
            with self._replayed(random_state):  # the codes, the categories and the dropout of the first pass
                end = loop.run(state, first, last, differentiable=True)
            incoming = back(end, state, incoming)
            del end
        return outcome.loss, outcome.accuracy

    def _random_state(self) -> tuple[Tensor, ...]:
        on_gpu = torch.device(self.device_).type == "cuda"
        return torch.get_rng_state(), *((torch.cuda.get_rng_state(self.device_),) if on_gpu else ())

    @contextmanager
    def _replayed(self, state: Sequence[Tensor]) -> Iterator[None]:
        """Run a block on torch's generators as they were, and give them back as they are."""
        cpu, *gpu = state
        with torch.random.fork_rng(devices=[torch.device(self.device_).index or 0] if gpu else []):
            torch.set_rng_state(cpu)
            for values in gpu:
                torch.cuda.set_rng_state(values, self.device_)
            yield

    # What was learned

    @property
    def inner_lr_(self) -> float:
        """The learner's learning rate."""
        return float(self.module_.step_sizes()[0].detach())

    @property
    def inner_momentum_(self) -> float:
        """The learner's momentum."""
        return float(self.module_.step_sizes()[1].detach())

    def teaching_set(self, n: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Rows and labels in the order of the curriculum: every ``inner_batch_size`` of them are one batch of the course.

        Parameters
        ----------
        n : int or None, default=None
            Rows; None is one course, T · ``inner_batch_size``. After its end the course begins anew.

        Returns
        -------
        X : ndarray of shape (n, *data_shape), float32
            Encoded rows.
        y : ndarray of shape (n,)
            Class ids.
        """
        labels = self.module_.labels.flatten()
        if n is None:
            n = len(labels)
        _check_at_least_one("n", n)
        order = torch.arange(n, device=labels.device) % len(labels)
        return self._rows(order, labels[order]), labels[order].cpu().numpy()

    def sample(self, y, source=None) -> np.ndarray:
        """Make one encoded row per label: the curriculum's rows of each class in its order, then random ones of them again.

        Parameters
        ----------
        y : array of shape (n,)
            Class ids.
        source : None
            Not needed.
        """
        labels = as_tensor(self.labels(y)).to(self.device_)
        course = self.module_.labels.flatten()
        order = torch.zeros_like(labels)
        for k in labels.unique():
            own, where = torch.nonzero(course == k)[:, 0], torch.nonzero(labels == k)[:, 0]
            more = torch.randint(len(own), (max(0, len(where) - len(own)),), device=own.device)
            order[where] = torch.cat([own[: len(where)], own[more]])
        return self._rows(order, labels)

    def _rows(self, order: Tensor, labels: Tensor) -> np.ndarray:
        """Rows of these places in the course; the random curriculum has codes for none."""
        if self.module_.codes is None:
            return self._in_chunks(lambda labels: self.module_(self.latent(len(labels)), labels), labels)
        return self._in_chunks(self.module_, self.module_.codes.detach().flatten(0, 1)[order], labels)

    def teach(self, learner: nn.Module | None = None, n_steps: int | None = None) -> nn.Module:
        """Train a learner on the teaching set, with the learning rate and momentum that were learned with it.

        Parameters
        ----------
        learner : nn.Module or None, default=None
            Rows → logits, of any architecture; it is changed in place. None is a fresh one of the net's own.
        n_steps : int or None, default=None
            Batches; None is the course of T. After its end the course begins anew.

        Returns
        -------
        nn.Module
            The learner, in evaluation mode.
        """
        learner = (self.fresh_learner() if learner is None else learner.to(self.device_)).train()
        n_steps = len(self.module_.labels) if n_steps is None else n_steps
        _check_at_least_one("n_steps", n_steps)
        size = self.module_.labels.shape[1]
        X, y = (as_tensor(part, self.device_) for part in self.teaching_set(n_steps * size))
        optimizer = torch.optim.SGD(learner.parameters(), lr=self.inner_lr_, momentum=self.inner_momentum_)
        for rows, labels in zip(X.split(size), y.split(size), strict=True):
            optimizer.zero_grad()
            self.criterion_(learner(rows), labels).backward()
            optimizer.step()
        return learner.eval()

    @property
    def score_samples(self):
        """Not there: a row's worth is what it teaches beside the others."""
        raise AttributeError(
            "A teaching network has no score of single rows, because it has no discriminator: what a row teaches depends on "
            "the others."
        )


class _Verdict(NamedTuple):
    """Loss and accuracy on real rows, and the loss's gradient by the learner's weights."""

    loss: Tensor
    accuracy: Tensor
    gradient: list[Tensor]


class _Loop:
    """The inner loop as a function of its state: the learner's weights, then the velocity of each."""

    def __init__(self, teacher, learner: nn.Module, criterion: nn.Module):
        self.teacher, self.learner, self.criterion = teacher, learner, criterion
        self.weights = {name: p for name, p in learner.named_parameters() if p.requires_grad}

    def start(self) -> list[Tensor]:
        """The learner as it is, at rest; its frozen parameters stay out of it."""
        weights = [p.detach() for p in self.weights.values()]
        return [*weights, *map(torch.zeros_like, weights)]

    def logits(self, weights: Sequence[Tensor], x: Tensor) -> Tensor:
        """What the learner makes of rows with these weights."""
        return functional_call(self.learner, dict(zip(self.weights, weights, strict=True)), (x,))

    def run(self, state: Sequence[Tensor], first: int, last: int, differentiable: bool) -> list[Tensor]:
        """The state after these steps: v ← μ v + ∇ℓ(w), w ← w − η v on each batch."""
        weights, velocity = state[: len(self.weights)], state[len(self.weights) :]
        self.learner.train()
        with torch.set_grad_enabled(differentiable):
            rows, labels = self.teacher.batches(first, last)
            rate, momentum = self.teacher.step_sizes()
        for x, y in zip(rows, labels, strict=True):
            if not differentiable:
                weights = [w.detach().requires_grad_() for w in weights]
            loss = self.criterion(self.logits(weights, x), y)
            gradient = torch.autograd.grad(loss, weights, create_graph=differentiable)
            with torch.set_grad_enabled(differentiable):
                velocity = [momentum * v + g for v, g in zip(velocity, gradient, strict=True)]
                weights = [w - rate * v for w, v in zip(weights, velocity, strict=True)]
        return [*weights, *velocity]

    def judge(self, state: Sequence[Tensor], x: Tensor, y: Tensor, weight: float = 1.0) -> _Verdict:
        """The outer loss of this state on real rows, and its weighted gradient."""
        weights = [w.detach().requires_grad_() for w in state[: len(self.weights)]]
        self.learner.eval()
        logits = self.logits(weights, x)
        loss = self.criterion(logits, y)
        gradient = [weight * g for g in torch.autograd.grad(loss, weights)]
        return _Verdict(loss.detach(), (logits.detach().argmax(1) == y).float().mean(), gradient)


def _check_at_least_one(name: str, value) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name} must be an integer of at least 1, got {value!r}.")
