"""The two-player net: one optimiser, two players, each update of one player's parameters only (or of both at once)."""

import copy
import dataclasses
from typing import Any, ClassVar

import torch
from skorch import NeuralNet
from torch import Tensor, nn, no_grad

from skgan.augment import apply_all, transforms_of
from skgan.losses import NonSaturating
from skgan.nets.base import GenerativeNet


class AdversarialNet(GenerativeNet):
    """A GAN: ``n_critic`` discriminator updates on fresh rows, then ``n_generator`` generator updates, is one step.

    Parameters
    ----------
    module : class
        A pair of :mod:`skgan.modules`.
    criterion : class, default=NonSaturating
        A loss of :mod:`skgan.losses`.
    penalties : sequence of callables, default=()
        Of :mod:`skgan.penalties`, added to the discriminator's loss. One of them is reached as
        ``penalties__R1__gamma``, by its class's name.
    augment : transform, sequence of transforms or None, default=None
        Of :mod:`skgan.augment`, applied to real and fake rows before the discriminator sees them (DiffAugment, instance
        noise). One of them is reached as ``augment__Translation__max_shift``.
    n_critic : int, default=1
        Discriminator updates per step.
    n_generator : int, default=1
        Generator updates per step.
    updates : {"alternating", "simultaneous"}, default="alternating"
        "simultaneous" moves both players from where both stand, in the last of the ``n_critic`` updates.
    auxiliary_weight : float, default=1.0
        Strength of the auxiliary classifier's loss, where the discriminator has one (``module__head="auxiliary"``).
    **kwargs
        As :class:`skgan.nets.base.GenerativeNet`. Two learning rates are skorch's own
        ``optimizer__param_groups=[("discriminator.*", {"lr": 4e-4})]``.
    """

    prefixes_: ClassVar[list[str]] = [*NeuralNet.prefixes_, "penalties", "augment"]

    differentiable_fakes = False
    """Whether the discriminator's loss must be a function of the generator too (consensus optimisation needs that)."""

    def __init__(
        self,
        module,
        criterion=NonSaturating,
        *,
        penalties=(),
        augment=None,
        n_critic=1,
        n_generator=1,
        updates="alternating",
        auxiliary_weight=1.0,
        **kwargs,
    ):
        self.penalties = penalties
        self.augment = augment
        self.n_critic = n_critic
        self.n_generator = n_generator
        self.updates = updates
        self.auxiliary_weight = auxiliary_weight
        super().__init__(module, criterion, **kwargs)

    # Checks

    def check_training_params(self):
        super().check_training_params()
        for name in ("n_critic", "n_generator"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be an integer of at least 1, got {value!r}.")
        if self.updates not in ("alternating", "simultaneous"):
            raise ValueError(f"updates must be 'alternating' or 'simultaneous', got {self.updates!r}.")
        if self.updates == "simultaneous" and self.n_generator > 1:
            raise ValueError("updates='simultaneous' moves the generator once a step; set n_generator=1.")
        criterion = self.criterion if isinstance(self.criterion, type) else type(self.criterion)
        if not issubclass(criterion, nn.Module) or not {"discriminator", "generator"} <= set(dir(criterion)):
            raise TypeError(
                f"criterion must be a class such as skgan.losses.Hinge, an nn.Module with the methods discriminator and "
                f"generator; got {self.criterion!r}."
            )
        for kind in ("penalties", "augment"):
            self.named_parts(kind)

    def check_shapes(self):
        """Refuse image transforms on rows of a table."""
        if len(self.data_shape_) == 3:
            return
        for transform in self.named_parts("augment").values():
            if getattr(transform, "images_only", False):
                raise ValueError(
                    f"{type(transform).__name__} moves pixels, and these rows have shape {self.data_shape_}; "
                    "on tables augment may hold InstanceNoise only."
                )

    def named_parts(self, kind: str) -> dict[str, Any]:
        """Copies of the penalties or transforms by their class's name, with ``kind__Name__field`` applied."""
        value = getattr(self, kind)
        parts = transforms_of(value) if kind == "augment" else list(value or ())
        for part in parts:
            if isinstance(part, type) or not callable(part):
                raise TypeError(f"{kind} must hold instances such as R1(gamma=1.0) or Translation(0.1); got {part!r}.")
        names = [type(part).__name__ for part in parts]
        numbered = [n if names.count(n) == 1 else f"{n}_{names[: i + 1].count(n)}" for i, n in enumerate(names)]
        named: dict[str, Any] = dict(zip(numbered, map(copy.deepcopy, parts), strict=True))
        for path, new in self.get_params_for(kind).items():
            name, _, field = path.partition("__")
            if name not in named or field not in _fields(named[name]):
                known = ", ".join(f"{kind}__{n}__{field}" for n, part in named.items() for field in _fields(part))
                raise ValueError(
                    f"{kind}__{path} names nothing in {kind}={value!r}; there is {known or 'nothing to name'}."
                )
            named[name] = dataclasses.replace(named[name], **{field: new})
        return named

    # Training

    @property
    def rows_per_step(self) -> int:
        return self.n_critic * self.batch_size

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        super().on_train_begin(net, X=X, y=y, **kwargs)
        # backward(inputs=…) raises on a frozen parameter; walking the module tree every step costs as much as EMA.
        self.players_ = {
            player: [p for p in getattr(self.module_, player).parameters() if p.requires_grad]
            for player in ("discriminator", "generator")
        }
        # Copies, because Anneal changes their fields as training goes on.
        self.penalties_, self.augment_ = self.named_parts("penalties"), self.named_parts("augment")
        self.d_updates_ = 0

    def on_train_end(self, net, X=None, y=None, **kwargs):
        super().on_train_end(net, X=X, y=y, **kwargs)
        del self.players_

    def train_step(self, batch, **fit_params):
        """One step: every discriminator update sees rows of its own."""
        parts = list(zip(*(rows.split(self.batch_size) for rows in batch), strict=True))
        for part in parts if self.updates == "alternating" else parts[:-1]:
            d_loss = self.update("discriminator", self.discriminator_loss(*part))
        if self.updates == "simultaneous":
            d_loss, g_loss = self.update_both(self.discriminator_loss(*parts[-1]), self.generator_loss(*parts[-1]))
        else:
            for _ in range(self.n_generator):
                g_loss = self.update("generator", self.generator_loss(*parts[-1]))
        return self.report(discriminator_loss=d_loss, generator_loss=g_loss, discriminator_accuracy=self.accuracy_)

    def update(self, player: str, loss: Tensor) -> Tensor:
        """Step the optimiser on one player's parameters only."""
        self.optimizer_.zero_grad(set_to_none=True)
        loss.backward(inputs=self.players_[player])  # fills this player's gradients only
        self.optimizer_.step()  # torch's optimisers skip parameters whose gradient is None
        return loss.detach()

    def update_both(self, d_loss: Tensor, g_loss: Tensor) -> tuple[Tensor, Tensor]:
        """Step both players from where both stand."""
        self.optimizer_.zero_grad(set_to_none=True)
        d_loss.backward(inputs=self.players_["discriminator"])
        g_loss.backward(inputs=self.players_["generator"])
        self.optimizer_.step()
        return d_loss.detach(), g_loss.detach()

    def critic(self, y: Tensor, *parents: Tensor):
        """The discriminator with labels, parents and augmentation applied: ``x -> logits``.

        A row and its parent, stacked as channels or columns, see the same draw of every transform.
        """

        def logits(x: Tensor) -> Tensor:
            stacked = (
                apply_all(self.augment_.values(), torch.cat([x, *parents], 1)) if self.augment_ and parents else None
            )
            if stacked is None:
                return self.module_.discriminator(apply_all(self.augment_.values(), x), y, *parents)
            x, *seen = stacked.split(x.shape[1], 1)
            return self.module_.discriminator(x, y, *seen)

        return logits

    def auxiliary_loss(self, y: Tensor) -> Tensor | float:
        """The auxiliary classifier's loss on the batch that the critic saw last; 0 without one."""
        take_loss = getattr(getattr(self.module_.discriminator, "head", None), "take_loss", None)
        loss = take_loss() if take_loss else None
        return 0.0 if loss is None else self.auxiliary_weight * loss

    def make(self, real: Tensor, y: Tensor, *parents: Tensor) -> Tensor:
        """The rows that a batch of real ones is set against."""
        return self.module_(self.latent(len(y)), y, *parents)

    def discriminator_loss(self, real: Tensor, y: Tensor, *parents: Tensor) -> Tensor:
        """Loss of the discriminator on one batch; data-to-data nets have a parent for every row."""
        with torch.set_grad_enabled(self.differentiable_fakes):
            fake = self.make(real, y, *parents)
        critic = self.critic(y, *parents)
        real_logits, auxiliary = critic(real), self.auxiliary_loss(y)
        fake_logits, auxiliary = critic(fake), auxiliary + self.auxiliary_loss(y)
        with no_grad():
            self.accuracy_ = ((real_logits > 0).float() + (fake_logits < 0).float()).mean() / 2
        loss = self.criterion_.discriminator(real_logits, fake_logits) + auxiliary
        for penalty in self.penalties_.values():
            every = getattr(penalty, "every", 1)
            if self.d_updates_ % every == 0:
                loss = loss + every * penalty(critic, real, fake)
        self.d_updates_ += 1
        return loss

    def generator_loss(self, real: Tensor, y: Tensor, *parents: Tensor) -> Tensor:
        """Loss of the generator on one batch."""
        critic = self.critic(y, *parents)
        real_logits = critic(real) if getattr(self.criterion_, "uses_real", False) else None
        fake_logits = critic(self.make(real, y, *parents))
        return self.criterion_.generator(real_logits, fake_logits) + self.auxiliary_loss(y)


def _fields(part: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(part)] if dataclasses.is_dataclass(part) else []
