"""The two-player net: one optimiser, two updates, each of one player's parameters only."""

from torch import Tensor, no_grad

from skgan.augment import apply_all
from skgan.losses import NonSaturating
from skgan.nets.base import GenerativeNet


class AdversarialNet(GenerativeNet):
    """A GAN: ``n_critic`` discriminator updates on fresh rows, then one generator update, is one step.

    Parameters
    ----------
    module : class
        A pair of :mod:`skgan.modules`.
    criterion : class, default=NonSaturating
        A loss of :mod:`skgan.losses`.
    penalties : sequence of callables, default=()
        Of :mod:`skgan.penalties`, added to the discriminator's loss.
    augment : transform, sequence of transforms or None, default=None
        Of :mod:`skgan.augment`, applied to real and fake images before the discriminator sees them ([1]_).
    n_critic : int, default=1
        Discriminator updates per generator update.
    **kwargs
        As :class:`skgan.nets.base.GenerativeNet`. Two learning rates are skorch's own
        ``optimizer__param_groups=[("discriminator.*", {"lr": 4e-4})]``.

    References
    ----------
    .. [1] Zhao et al., "Differentiable augmentation for data-efficient GAN training", NeurIPS 2020.
    """

    def __init__(self, module, criterion=NonSaturating, *, penalties=(), augment=None, n_critic=1, **kwargs):
        self.penalties = penalties
        self.augment = augment
        self.n_critic = n_critic
        super().__init__(module, criterion, **kwargs)

    def check_training_params(self):
        super().check_training_params()
        if not isinstance(self.n_critic, int) or self.n_critic < 1:
            raise ValueError(f"n_critic must be an integer of at least 1, got {self.n_critic!r}.")

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

    def on_train_end(self, net, X=None, y=None, **kwargs):
        super().on_train_end(net, X=X, y=y, **kwargs)
        del self.players_

    def train_step(self, batch, **fit_params):
        """One step: every discriminator update sees rows of its own."""
        for real, y in zip(*(rows.split(self.batch_size) for rows in batch), strict=True):
            d_loss = self.update("discriminator", self.discriminator_loss(real, y))
        g_loss = self.update("generator", self.generator_loss(real, y))
        return self.report(discriminator_loss=d_loss, generator_loss=g_loss, discriminator_accuracy=self.accuracy_)

    def update(self, player: str, loss: Tensor) -> Tensor:
        """Step the optimiser on one player's parameters only."""
        self.optimizer_.zero_grad(set_to_none=True)
        loss.backward(inputs=self.players_[player])  # fills this player's gradients only
        self.optimizer_.step()  # torch's optimisers skip parameters whose gradient is None
        return loss.detach()

    def critic(self, y: Tensor):
        """The discriminator with labels and augmentation applied: ``x -> logits``."""
        return lambda x: self.module_.discriminator(apply_all(self.augment, x), y)

    def discriminator_loss(self, real: Tensor, y: Tensor) -> Tensor:
        with no_grad():  # only the discriminator moves
            fake = self.module_(self.latent(len(y)), y)
        critic = self.critic(y)
        real_logits, fake_logits = critic(real), critic(fake)
        with no_grad():
            self.accuracy_ = ((real_logits > 0).float() + (fake_logits < 0).float()).mean() / 2
        loss = self.criterion_.discriminator(real_logits, fake_logits)
        for penalty in self.penalties:
            loss = loss + penalty(critic, real, fake)
        return loss

    def generator_loss(self, real: Tensor, y: Tensor) -> Tensor:
        critic = self.critic(y)
        fake_logits = critic(self.module_(self.latent(len(y)), y))
        real_logits = critic(real) if getattr(self.criterion_, "uses_real", False) else None
        return self.criterion_.generator(real_logits, fake_logits)
