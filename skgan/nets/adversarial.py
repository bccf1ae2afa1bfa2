"""The two-player net: one optimiser, two players, each update of one player's parameters only (or of both at once)."""

import copy
import dataclasses
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from skorch import NeuralNet
from torch import Tensor, no_grad

from skgan._compat import Number, StrOptions
from skgan._tensors import as_tensor, to_unit_range
from skgan.augment import ImageTransform, apply_all, transforms_of
from skgan.losses import Loss, NonSaturating
from skgan.nets.base import GenerativeNet
from skgan.penalties import Critic, Penalty, add_penalties, differentiable, remembering


class AdversarialNet(GenerativeNet):
    """A GAN: ``n_critic`` discriminator updates on fresh rows, then ``n_generator`` generator updates, is one step.

    Parameters
    ----------
    module : class
        A pair of :mod:`skgan.modules`.
    criterion : class, default=NonSaturating
        A loss of :mod:`skgan.losses`.
    penalties : sequence of Penalty, default=()
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
    reuse_fakes : bool, default=False
        Whether the generator's first update takes the rows that the last discriminator update has just seen, which saves
        making new ones. Worth it where the generator is the larger player.
    auxiliary_weight : float, default=1.0
        Strength of the auxiliary classifier's loss, where the discriminator has one (``module__head="auxiliary"``).
    **kwargs
        As :class:`skgan.nets.base.GenerativeNet`. Two learning rates are skorch's own
        ``optimizer__param_groups=[("discriminator.*", {"lr": 4e-4})]``.
    """

    prefixes_: ClassVar[list[str]] = [*NeuralNet.prefixes_, "penalties", "augment"]

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **GenerativeNet._parameter_constraints,
        "n_critic": [Number(Integral, 1, None, closed="left")],
        "n_generator": [Number(Integral, 1, None, closed="left")],
        "updates": [StrOptions({"alternating", "simultaneous"})],
        "reuse_fakes": ["boolean"],
        "auxiliary_weight": [Number(Real, 0, None, closed="left")],
    }

    state_attributes = (*GenerativeNet.state_attributes, "d_updates_")
    scores_rows = True
    may_collapse = True
    adversarial_weight = 1.0
    """Of the players' game and the penalties, beside what the head adds."""
    differentiable_fakes = False
    """Whether the discriminator's loss must be a function of the generator too (consensus optimisation needs that)."""

    def __init__(
        self,
        module: Any,
        criterion: Any = NonSaturating,
        *,
        penalties: Any = (),
        augment: Any = None,
        n_critic: Any = 1,
        n_generator: Any = 1,
        updates: Any = "alternating",
        reuse_fakes: Any = False,
        auxiliary_weight: Any = 1.0,
        **kwargs: Any,
    ):
        self.penalties = penalties
        self.augment = augment
        self.n_critic = n_critic
        self.n_generator = n_generator
        self.updates = updates
        self.reuse_fakes = reuse_fakes
        self.auxiliary_weight = auxiliary_weight
        super().__init__(module, criterion, **kwargs)

    # Checks

    def check_training_params(self) -> None:
        super().check_training_params()
        if self.updates == "simultaneous" and self.n_generator > 1:
            raise ValueError("updates='simultaneous' moves the generator once a step; set n_generator=1.")
        criterion = self.criterion if isinstance(self.criterion, type) else type(self.criterion)
        if not issubclass(criterion, Loss):
            raise TypeError(
                "criterion must be a class such as skgan.losses.Hinge, or one of yours that is derived from "
                f"skgan.losses.Loss; got {self.criterion!r}."
            )
        for kind in ("penalties", "augment"):
            self.named_parts(kind)

    def check_shapes(self) -> None:
        """Refuse image transforms on rows of a table."""
        if len(self.data_shape_) == 3:
            return
        for transform in self.named_parts("augment").values():
            if isinstance(transform, ImageTransform):
                raise ValueError(
                    f"{type(transform).__name__} moves pixels, and these rows have shape {self.data_shape_}; "
                    "on tables augment may hold InstanceNoise only."
                )

    def named_parts(self, kind: str) -> dict[str, Any]:
        """Copies of the penalties or transforms by their class's name, with ``kind__Name__field`` applied."""
        value = self.augment if kind == "augment" else self.penalties
        parts = transforms_of(value) if kind == "augment" else list(value or ())
        for part in parts:
            if isinstance(part, type) or not (callable(part) if kind == "augment" else isinstance(part, Penalty)):
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

    @property
    def rows_per_update(self) -> int:
        """Rows that one update of a player sees."""
        return int(self.batch_size)

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        super().on_train_begin(net, X=X, y=y, **kwargs)
        # backward(inputs=…) raises on a frozen parameter; walking the module tree every step costs as much as EMA.
        players = {"discriminator": self.module_.discriminator, "generator": self.module_.generator}
        self.players_ = {
            player: [p for p in network.parameters() if p.requires_grad] for player, network in players.items()
        }
        # Copies, because Anneal changes their fields as training goes on.
        self.penalties_, self.augment_ = self.named_parts("penalties"), self.named_parts("augment")
        self.d_updates_ = 0
        self.reusable_: Tensor | None = None

    def on_train_end(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        super().on_train_end(net, X=X, y=y, **kwargs)
        del self.players_, self.reusable_

    def train_step(self, batch: Any, **fit_params: Any) -> Any:
        """One step: every discriminator update sees rows of its own."""
        parts = list(zip(*(rows.split(self.rows_per_update) for rows in batch), strict=True))
        for part in parts if self.updates == "alternating" else parts[:-1]:
            d_loss, told = self.discriminator_loss(*part)
            d_loss = self.update("discriminator", d_loss)
        if self.updates == "simultaneous":
            (d_loss, told), (g_loss, more) = self.discriminator_loss(*parts[-1]), self.generator_loss(*parts[-1])
            d_loss, g_loss = self.update_both(d_loss, g_loss)
        else:
            for _ in range(self.n_generator):
                g_loss, more = self.generator_loss(*parts[-1])
                g_loss = self.update("generator", g_loss)
        return self.report(discriminator_loss=d_loss, generator_loss=g_loss, **told, **more)

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

    def discriminate(self, x: Tensor, y: Tensor, *parents: Tensor) -> tuple[Tensor, Tensor | None]:
        """What the discriminator says of augmented rows: logits (n,), and what else its head returns, or None.

        A row and its parent, stacked as channels or columns, see the same draw of every transform.
        """
        if self.augment_:
            x, *parents_seen = apply_all(self.augment_.values(), torch.cat([x, *parents], 1)).split(x.shape[1], 1)
            parents = tuple(parents_seen)
        return logits_and_extra(self.module_.discriminator(x, y, *parents))

    def critic(self, y: Tensor, *parents: Tensor) -> Critic:
        """The discriminator with labels, parents and augmentation applied: ``x -> logits``."""
        return lambda x: self.discriminate(x, y, *parents)[0]

    def make(self, real: Tensor, y: Tensor, *parents: Tensor) -> Tensor:
        """The rows that a batch of real ones is set against."""
        return self.module_(self.latent(len(y)), y, *parents)

    def fakes(self, real: Tensor, y: Tensor, *parents: Tensor) -> Tensor:
        """Rows for an update of the generator: made anew, or those of the discriminator's last update, once."""
        kept, self.reusable_ = self.reusable_, None
        return self.make(real, y, *parents) if kept is None else kept

    def discriminator_loss(self, real: Tensor, y: Tensor, *parents: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss of the discriminator on one batch, and scalars to report; data-to-data nets have a parent for every row."""
        reused = self.reuse_fakes and self.d_updates_ % self.n_critic == self.n_critic - 1
        with torch.set_grad_enabled(self.differentiable_fakes or reused):
            fake = self.make(real, y, *parents)
        if reused:
            self.reusable_ = fake
            fake = fake if self.differentiable_fakes else fake.detach()
        if any(self.d_updates_ % penalty.every == 0 for penalty in self.penalties_.values()):
            real, fake = differentiable(real), differentiable(fake)
        real_logits, real_extra = self.discriminate(real, y, *parents)
        fake_logits, fake_extra = self.discriminate(fake, y, *parents)
        loss = self.criterion_.discriminator(real_logits, fake_logits)
        critic = remembering(self.critic(y, *parents), (real, real_logits), (fake, fake_logits))
        loss = add_penalties(loss, self.penalties_.values(), critic, real, fake, self.d_updates_)
        self.d_updates_ += 1
        loss = self.adversarial_weight * loss + self.discriminator_extra_loss(real_extra, fake_extra, y)
        with no_grad():
            accuracy = self.criterion_.accuracy(real_logits, fake_logits)
        return loss, {"discriminator_accuracy": accuracy}

    def generator_loss(self, real: Tensor, y: Tensor, *parents: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss of the generator on one batch, and scalars to report."""
        real_logits = self.discriminate(real, y, *parents)[0] if self.criterion_.uses_real else None
        fake_logits, fake_extra = self.discriminate(self.fakes(real, y, *parents), y, *parents)
        loss = self.criterion_.generator(real_logits, fake_logits)
        return self.adversarial_weight * loss + self.generator_extra_loss(fake_extra, y), {}

    def discriminator_extra_loss(self, of_real: Tensor | None, of_fake: Tensor | None, y: Tensor) -> Tensor | float:
        """The discriminator's loss on what its head returned beside the logits: an auxiliary classifier's cross-entropy."""
        return 0.0 if of_real is None or of_fake is None else self.auxiliary_weight * (of_real + of_fake)

    def generator_extra_loss(self, of_fake: Tensor | None, y: Tensor) -> Tensor | float:
        """The generator's loss on what the head returned beside the logits."""
        return 0.0 if of_fake is None else self.auxiliary_weight * of_fake

    def score_samples(self, X: Any, y: Any) -> np.ndarray:
        """How real encoded rows look to the discriminator: logits of shape (n,)."""
        return self.in_chunks(
            lambda rows, labels: logits_and_extra(self.module_.discriminator(to_unit_range(rows), labels))[0],
            as_tensor(np.asarray(X)),
            as_tensor(self.labels(y)),
        )


def logits_and_extra(output: Any) -> tuple[Tensor, Tensor | None]:
    """Logits, and what a head such as an auxiliary classifier's returns beside them, or None."""
    return output if isinstance(output, tuple) else (output, None)


def _fields(part: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(part)] if dataclasses.is_dataclass(part) else []
