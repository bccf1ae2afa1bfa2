"""Several small nets of one architecture, trained side by side as one: every layer multiplies all of their weights at once.

Each net has rows, weights and random draws of its own, so it learns what it would learn alone, up to rounding. What is saved is
the fixed cost of each operation, which is most of the time of a small net's step.
"""

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from torch import Tensor, nn

from skgan import losses
from skgan._batches import BalancedBatches
from skgan._device import resolve_device
from skgan._draws import Block, drawing_from, initial_weights
from skgan._random import generators, private_rng
from skgan._settings import plain_torch
from skgan._tensors import as_tensor
from skgan.callbacks import DivergenceGuard
from skgan.nets.adversarial import AdversarialNet
from skgan.nets.base import check_rows
from skgan.penalties import MeanPenalty, Penalty

_LOSSES = {getattr(losses, name) for name in ("NonSaturating", "Hinge", "LeastSquares", "Wasserstein", "Relativistic")}
_OPTIMIZERS = {torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop, torch.optim.SGD, torch.optim.Adagrad}


class OneByOneError(Exception):
    """One of the nets has diverged: all are to be trained one by one, where each is guarded by itself."""


class SideBySideLinear(nn.Module):
    """Several linear layers: of k · n rows, each n in turn go through a layer of their own.

    Parameters
    ----------
    layers : sequence of nn.Linear
        k layers of one shape.
    """

    def __init__(self, layers: Sequence[Any]):
        super().__init__()
        self.weight = nn.Parameter(torch.stack([layer.weight.detach() for layer in layers]))
        biases = [layer.bias.detach() for layer in layers if layer.bias is not None]
        self.bias = nn.Parameter(torch.stack(biases)) if biases else None

    def forward(self, x: Tensor) -> Tensor:
        """(k · n, inputs) → (k · n, outputs)."""
        apart, weights = x.view(len(self.weight), -1, x.shape[-1]), self.weight.transpose(1, 2)
        made = torch.bmm(apart, weights) if self.bias is None else torch.baddbmm(self.bias[:, None], apart, weights)
        return made.flatten(0, 1)


def joined(modules: Sequence[nn.Module]) -> nn.Module | None:
    """Modules of one architecture as one, or None where a layer other than nn.Linear has weights or buffers."""
    first = modules[0]
    if isinstance(first, nn.Linear):
        return SideBySideLinear(modules)
    if any(True for _ in first.parameters(recurse=False)) or any(True for _ in first.buffers(recurse=False)):
        return None
    result = copy.copy(first)
    result._modules = {}
    for name, _ in first.named_children():
        part = joined([getattr(module, name) for module in modules])
        if part is None:
            return None
        result._modules[name] = part
    return result


class _EachLoss(nn.Module):
    """A loss of every net by itself: logits (k · n,) → (k,)."""

    def __init__(self, loss: losses.Loss, n_nets: int):
        super().__init__()
        self.loss, self.n_nets, self.uses_real = loss, n_nets, loss.uses_real

    def _each(self, function, *logits: Tensor) -> Tensor:
        return torch.vmap(function)(*(part.view(self.n_nets, -1) for part in logits))

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return self._each(self.loss.discriminator, real, fake)

    def generator(self, real: Tensor | None, fake: Tensor) -> Tensor:
        if real is None:
            return self._each(lambda fake: self.loss.generator(None, fake), fake)
        return self._each(self.loss.generator, real, fake)

    def accuracy(self, real: Tensor, fake: Tensor) -> Tensor:
        return self._each(self.loss.accuracy, real, fake)


class _EachPenalty(Penalty):
    """A penalty of every net by itself, (k,)."""

    def __init__(self, penalty: MeanPenalty, n_nets: int):
        self.penalty, self.n_nets, self.every = penalty, n_nets, penalty.every

    def __call__(self, critic, real: Tensor, fake: Tensor) -> Tensor:
        return self.penalty.of_rows(critic, real, fake).view(self.n_nets, -1).mean(1)


class _JoinedBatches:
    """The batches of every net, each by its own draws; where a step has several updates, joined update by update."""

    def __init__(self, batches: Sequence[BalancedBatches], parts: Sequence[dict[str, torch.Generator]], n_updates: int):
        self.batches, self.parts, self.n_updates = batches, parts, n_updates

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        running = [iter(one) for one in self.batches]
        while True:
            batches = []
            for own, one in zip(self.parts, running, strict=True):
                with drawing_from(Block(own, [])):
                    batches.append(next(one, None))
            rows = [batch[0].view(self.n_updates, -1, *batch[0].shape[1:]) for batch in batches if batch is not None]
            if not rows:
                return
            X = torch.cat(rows, 1).flatten(0, 1)
            yield X, torch.zeros(len(X), dtype=torch.int64, device=X.device)

    def training_state(self) -> dict[str, Any]:
        """Of the batches of every net."""
        return {"each": [one.training_state() for one in self.batches]}

    def restore_training(self, state: dict[str, Any]) -> None:
        """Go on in the midst of an epoch."""
        for one, own in zip(self.batches, state["each"], strict=True):
            one.restore_training(own)


class SideBySideNet(AdversarialNet):
    """AdversarialNets of the same parameters, each on rows of its own, trained as one.

    Made by ``SideBySideNet(**net.get_params(deep=False))``; :func:`goes_side_by_side` says of which nets.
    """

    state_attributes = (*AdversarialNet.state_attributes, "means_")

    @property
    def _default_callbacks(self):
        return [part for part in super()._default_callbacks if part[0] != "divergence_guard"]

    @property
    def rows_per_update(self) -> int:
        return super().rows_per_update * len(self.parts_)

    def fit_each(self, Xs: Sequence[np.ndarray], seeds: Sequence[int]) -> list[dict[str, Any]]:
        """Train a net on each of these arrays of rows of one class, and return what ``export`` of each would.

        Parameters
        ----------
        Xs : sequence of ndarray of shape (n_i, …)
            Encoded rows.
        seeds : sequence of int
            ``random_state`` of each.

        Raises
        ------
        OneByOneError
            Where a loss or a weight of any net is no longer finite, or a loss explodes.
        """
        self.check_training_params()
        for X in Xs:
            check_rows(X)
        self.data_shape_, self.n_classes_, self.condition_dim_ = tuple(Xs[0].shape[1:]), 1, 0
        self.condition_scale_ = None
        self.steps_ = 0
        self.means_: list[np.ndarray] = []
        self.parts_ = tuple(generators(seed, resolve_device(self.device)) for seed in seeds)
        with plain_torch(), drawing_from(Block(self.parts_[0], [], self.parts_)):
            self.check_shapes()
            NeuralNet.fit(self, Xs, None)
        self.tell_if_cut()
        return [self._export_of(i) for i in range(len(seeds))]

    def initialize_module(self):
        """Build every net by draws of its own, and join them."""
        pairs = []
        for own in self.parts_:
            with drawing_from(Block(own, [])):
                super().initialize_module()
            pairs.append(self.module_)
        self.module_ = joined(pairs)
        return self

    def initialize_criterion(self):
        super().initialize_criterion()
        loss: Any = vars(self)["criterion_"]
        self.criterion_ = _EachLoss(loss, len(self.parts_))
        return self

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        super().on_train_begin(net, X=X, y=y, **kwargs)
        self.penalties_ = {name: _EachPenalty(part, len(self.parts_)) for name, part in self.penalties_.items()}

    def get_split_datasets(self, X, y=None, **fit_params):
        """The rows of each net, as tensors on the device."""
        return [as_tensor(rows, self.device_) for rows in X], None

    def get_iterator(self, dataset, training=False):
        """Batches of all nets, one above the other."""
        return _JoinedBatches(
            [
                BalancedBatches(
                    X,
                    torch.zeros(len(X), dtype=torch.int64, device=X.device),
                    batch_size=self.rows_per_step,
                    max_steps=self.max_steps,
                    steps_per_epoch=self.steps_per_epoch,
                )
                for X in dataset
            ],
            self.parts_,
            self.n_critic,
        )

    def update(self, player: str, loss: Tensor) -> Tensor:
        super().update(player, loss.sum())  # the gradient of each net is that of its own loss
        return loss.detach()

    def update_both(self, d_loss: Tensor, g_loss: Tensor) -> tuple[Tensor, Tensor]:
        super().update_both(d_loss.sum(), g_loss.sum())
        return d_loss.detach(), g_loss.detach()

    def record_epoch(self):
        """Keep every net's means, check them, and write those over all nets into the history."""
        assert self.sums_ is not None, "an epoch has at least one step"
        means = self.sums_ / (self.steps_ - self.recorded_)
        self.means_.append(means.cpu().numpy())
        are_losses = [name.endswith("loss") for name in self.reported_]
        tensors = [tensor.sum() for tensor in self.module_.state_dict().values()]
        fine = bool((means[are_losses].abs() <= DivergenceGuard().max_loss).all())
        if not fine or not torch.stack(tensors).isfinite().all():
            raise OneByOneError
        self.sums_ = self.sums_.mean(1)
        super().record_epoch()

    def _export_of(self, i: int) -> dict[str, Any]:
        exported = super().export()
        history = {
            **exported["history"],
            **dict(zip(self.reported_, np.array(self.means_)[:, :, i].T.tolist(), strict=True)),
        }
        history["seconds"] = [seconds / len(self.parts_) for seconds in history["seconds"]]  # its share
        weights = {name: weight[i].copy() for name, weight in exported["weights"].items()}
        return {**exported, "weights": weights, "history": history}


def goes_side_by_side(net: Any) -> bool:
    """Whether copies of this net could be trained as one :class:`SideBySideNet`.

    Parameters
    ----------
    net : GenerativeNet
        An AdversarialNet whose pair passes every row alone through layers of which linear ones alone have weights, with losses,
        penalties and an optimiser of which each net's part is known, and without callbacks of its own.
    """
    if type(net) is not AdversarialNet or net.callbacks or net.augment or net.vicinity:
        return False
    if any(name.startswith("callbacks__") for name in net.get_params(deep=False)) or net.has_foreign_code:
        return False
    known = (
        isinstance(net.module, type)
        and bool(vars(net.module).get("rows_alone"))  # of the class itself: one derived from it may mix rows
        and net.criterion in _LOSSES
        and net.optimizer in _OPTIMIZERS
        and all(isinstance(penalty, MeanPenalty) for penalty in net.penalties or ())
    )
    if not known:
        return False
    with private_rng(0, lend_global=False), initial_weights():
        pair = net.module((2,), 1, **net.get_params_for("module"))
    return joined([pair]) is not None
