"""CycleGAN: rows of one class (or domain) turned into rows of another, and back."""

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import l1_loss

from skgan._compat import Number
from skgan._draws import randperm
from skgan._mapped import some_of
from skgan._tensors import as_tensor, to_unit_range
from skgan.augment import apply_all
from skgan.losses import LeastSquares
from skgan.nets.adversarial import AdversarialNet
from skgan.nets.base import check_rows, class_ids
from skgan.nets.draw import Draw, draw_parents, single_parents
from skgan.penalties import Critic, add_penalties, differentiable, remembering

WAYS = ("there", "back")

_AVERAGED = 10_000
"""Images of a class, of a file larger than 256 MiB, whose mean says which class is near."""


class RowPool:
    """The last generated rows, from which half of a discriminator's batch comes, so that it does not forget them.

    Shrivastava et al., "Learning from simulated and unsupervised images through adversarial training", CVPR 2017, section 2.3.
    """

    def __init__(self, size: int):
        self.size = size
        self.rows: Tensor | None = None
        self.labels: Tensor

    def exchange(self, rows: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Half of the rows, at random, swapped for as many of the pool once it is full."""
        if not self.size:
            return rows, labels
        if self.rows is None or len(self.rows) < self.size:
            before = ((), ()) if self.rows is None else ((self.rows,), (self.labels,))
            self.rows, self.labels = (  # copies, which the other pool does not share
                torch.cat([*kept, new])[: self.size] for kept, new in zip(before, (rows, labels), strict=True)
            )
            return rows, labels
        n = min(len(rows) // 2, self.size)
        mine = randperm(len(rows), device=rows.device)[:n]
        slots = randperm(self.size, device=rows.device)[:n]
        rows, labels, kept = rows.clone(), labels.clone(), rows[mine]
        kept_labels = labels[mine]
        rows[mine], labels[mine] = self.rows[slots], self.labels[slots]
        self.rows[slots], self.labels[slots] = kept, kept_labels
        return rows, labels


class CycleGANNet(AdversarialNet):
    """Every class has a donor, whose rows it learns to turn into its own, and its own into the donor's.

    The donor of a class is the nearest of those with at least as many rows (of the largest class: the nearest of all), by the
    distance of the mean rows. Losses, of both ways: the adversarial one; the cycle's, mean ``|there(back(x)) − x|``; and the
    identity's, mean ``|there(x) − x|`` of rows that are of the class already.

    Parameters
    ----------
    module : class
        :class:`skgan.modules.CycleGAN`.
    criterion : class, default=LeastSquares
    donor : None, class, or dict of class → donor, default=None
        Overrides the nearest class: one donor for all other classes, or one each. Classes by their labels in a sampler, by
        their ids in the net's own ``fit``.
    cycle_weight : float, default=1
        λ ≥ 0 of the cycle loss (eq. 3). With the paper's 10 less of a row is lost on its way there and back, and fewer rows
        pass for the target class (benchmarks/translation.py).
    identity_weight : float, default=0.1
        ≥ 0, of the identity loss (section 5.2); the paper's is 5.
    pool_size : int, default=50
        Generated rows kept for the discriminators; 0 is none.
    **kwargs
        As :class:`skgan.nets.AdversarialNet`; ``n_critic``, ``n_generator`` and ``updates`` stay at their defaults.

    References
    ----------
    Zhu, Park, Isola & Efros, "Unpaired image-to-image translation using cycle-consistent adversarial networks", ICCV 2017.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **AdversarialNet._parameter_constraints,
        "cycle_weight": [Number(Real, 0, None, closed="left")],
        "identity_weight": [Number(Real, 0, None, closed="left")],
        "pool_size": [Number(Integral, 0, None, closed="left")],
    }

    needs_source = True
    needs_classes = True
    has_parents = True
    translates = True
    scores_rows = False  # its discriminators know which way a row came
    n_candidates = 1  # a batch's third part: rows of the donors

    def __init__(
        self,
        module: Any,
        criterion: Any = LeastSquares,
        *,
        donor: Any = None,
        cycle_weight: Any = 1.0,
        identity_weight: Any = 0.1,
        pool_size: Any = 50,
        **kwargs: Any,
    ):
        self.donor = donor
        self.cycle_weight = cycle_weight
        self.identity_weight = identity_weight
        self.pool_size = pool_size
        super().__init__(module, criterion, **kwargs)

    # Checks

    def check_training_params(self) -> None:
        super().check_training_params()
        if (self.n_critic, self.n_generator, self.updates) != (1, 1, "alternating"):
            raise ValueError(
                "CycleGANNet updates translators and discriminators once a step, in turn: leave n_critic=1, n_generator=1 and "
                "updates='alternating'."
            )

    def for_classes(self, classes: Any) -> None:
        """Turn the labels of ``donor`` into ids."""
        if self.donor is None:
            return
        if isinstance(self.donor, Mapping):
            ids = [class_ids("donor", side, classes) for side in (self.donor.keys(), self.donor.values())]
            self.set_params(donor=dict(zip(*ids, strict=True)))
        else:
            self.set_params(donor=class_ids("donor", [self.donor], classes)[0])

    def check_shapes(self) -> None:
        super().check_shapes()
        if self.n_classes_ < 2:
            raise ValueError(
                "CycleGAN turns rows of one class (or domain) into rows of another, and here there is only one; use "
                "net='offspring' or net='dagan' for new rows of a single class."
            )
        CycleGANNet.for_classes(self, range(self.n_classes_))
        if isinstance(self.donor, Mapping) and any(klass == giver for klass, giver in self.donor.items()):
            raise ValueError(f"donor={dict(self.donor)!r} names a class as its own donor; name another class.")

    # Training

    def fit(self, X: Any, y: Any = None, **fit_params: Any) -> Any:
        """Choose the donors, then train from scratch; as :meth:`skgan.nets.GenerativeNet.fit`."""
        check_rows(X)
        if y is not None and np.asarray(y).dtype.kind != "f":
            self.donors_ = self.choose_donors(X, np.asarray(y))
        return super().fit(X, y, **fit_params)

    def choose_donors(self, X: Any, y: np.ndarray) -> np.ndarray:
        """Class id → donor's class id, (n_classes,); a class without rows has none to be learned from."""
        counts = np.bincount(y)
        of_class = [X[some_of(np.flatnonzero(y == k), X, _AVERAGED)].reshape(-1, X[0].size) for k in range(len(counts))]
        means = np.stack([rows.mean(0) if len(rows) else np.full(X[0].size, np.inf) for rows in of_class])
        distances = np.square(means[:, None] - means[None]).sum(2)
        distances[np.isnan(distances)] = np.inf
        np.fill_diagonal(distances, np.inf)
        smaller = counts[None] < counts[:, None]
        preferred = np.where(smaller, np.inf, distances)
        donors = np.where(np.isfinite(preferred).any(1), preferred.argmin(1), distances.argmin(1))
        if isinstance(self.donor, Mapping):
            for klass, giver in self.donor.items():
                donors[klass] = giver
        elif self.donor is not None:
            donors[np.arange(len(donors)) != self.donor] = self.donor
        return donors

    def initialize_module(self) -> Self:
        super().initialize_module()
        if "donors_" in vars(self):  # a net that is restored has them among its weights
            self.module_.donors.copy_(torch.from_numpy(self.donors_))
        return self

    def get_iterator(self, dataset: Any, training: Any = False) -> Any:
        """Batches of (row of class y, y, row of its donor)."""
        batches = super().get_iterator(dataset, training)
        batches.partners = self.module_.donors
        return batches

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        super().on_train_begin(net, X=X, y=y, **kwargs)
        self.pools_ = {way: RowPool(self.pool_size) for way in WAYS}

    def on_train_end(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        super().on_train_end(net, X=X, y=y, **kwargs)
        del self.pools_

    def training_state(self) -> Any:
        there, back = self.pools_.values()
        filled = None if there.rows is None else (there.rows, there.labels, back.rows, back.labels)
        return {**super().training_state(), "pools": filled}

    def restore_training(self, state: Any) -> None:
        super().restore_training(state)
        if state["pools"] is not None:
            there, back = self.pools_.values()
            there.rows, there.labels, back.rows, back.labels = (part.to(self.device_) for part in state["pools"])

    def train_step(self, batch: Any, **fit_params: Any) -> Any:
        """One update of both translators, then one of both discriminators on what the translators made."""
        real, y, parent = batch
        g_loss, fakes, told = self.translation_loss(real, y, parent)
        g_loss = self.update("generator", g_loss)
        d_loss, more = self.discrimination_loss(real, y, parent, fakes)
        d_loss = self.update("discriminator", d_loss)
        return self.report(discriminator_loss=d_loss, generator_loss=g_loss, **told, **more)

    def critic_of(self, way: str, y: Tensor) -> Critic:
        """The discriminator of one way with labels and augmentation applied: ``x -> logits``."""
        return lambda x: self.module_.discriminator(apply_all(self.augment_.values(), x), y, way)

    def translation_loss(
        self, real: Tensor, y: Tensor, parent: Tensor
    ) -> tuple[Tensor, dict[str, Tensor], dict[str, Tensor]]:
        """Adversarial, cycle and identity losses of both translators; what they made, by way; and scalars to report."""
        generator = self.module_.generator
        of_side = {"there": (parent, real), "back": (real, parent)}  # what goes in, and what it should look like
        fakes, loss, cycle = {}, torch.zeros((), device=real.device), torch.zeros((), device=real.device)
        for way, other in zip(WAYS, reversed(WAYS), strict=True):
            given, wanted = of_side[way]
            fake = generator(given, y, way)
            critic = self.critic_of(way, y)
            real_logits = critic(wanted) if self.criterion_.uses_real else None
            loss = loss + self.criterion_.generator(real_logits, critic(fake))
            cycle = cycle + l1_loss(generator(fake, y, other), given)
            if self.identity_weight:
                loss = loss + self.identity_weight * l1_loss(generator(wanted, y, way), wanted)
            fakes[way] = fake.detach()
        return loss + self.cycle_weight * cycle, fakes, {"cycle_loss": cycle.detach() / 2}

    def discrimination_loss(
        self, real: Tensor, y: Tensor, parent: Tensor, fakes: dict[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Half the sum of both discriminators' losses, and scalars to report."""
        of_side = {"there": real, "back": parent}
        loss, accuracy = torch.zeros((), device=real.device), torch.zeros((), device=real.device)
        for way in WAYS:
            fake, labels = self.pools_[way].exchange(fakes[way], y)
            seen = of_side[way] if not self.penalties_ else differentiable(of_side[way])
            critic = self.critic_of(way, y)
            real_logits, fake_logits = critic(seen), self.critic_of(way, labels)(fake)
            loss = loss + 0.5 * self.criterion_.discriminator(real_logits, fake_logits)
            accuracy = accuracy + self.criterion_.accuracy(real_logits.detach(), fake_logits.detach()) / 2
            loss = add_penalties(
                loss,
                self.penalties_.values(),
                remembering(critic, (seen, real_logits)),
                seen,
                fake,
                self.d_updates_,
                0.5,
            )
        self.d_updates_ += 1
        return loss, {"discriminator_accuracy": accuracy}

    # Sampling

    def draw(self, y: Any, source: Any = None) -> Draw:
        """One encoded row per label, from random rows of the classes' donors."""
        y = np.asarray(y)
        parents = draw_parents(self.module_.donors.cpu().numpy()[y], source)
        return Draw(self._translated(source[0][parents], y, "there"), single_parents(parents))

    def translate(
        self, X: Any, y: Any, way: str = "there", random_state: int | np.random.RandomState | None = None
    ) -> np.ndarray:
        """Encoded rows turned into rows of class y ("there"), or rows of class y into rows of its donor ("back").

        Parameters
        ----------
        X : ndarray of shape ``(n, *data_shape)``
        y : array of shape (n,) or int
            Class ids.
        way : {"there", "back"}, default="there"
        random_state : int, RandomState or None, default=None
            Of the categories, which are drawn; None is the net's own.

        Returns
        -------
        ndarray of shape ``(n, *data_shape)``, float32
        """
        with self.seeded(random_state):
            return self._translated(X, y, way)

    def _translated(self, X, y, way: str) -> np.ndarray:
        labels = as_tensor(self.labels(np.broadcast_to(np.asarray(y), len(X)).copy()))
        return self.in_chunks(
            lambda rows, labels: self.module_.generator(to_unit_range(rows), labels, way),
            as_tensor(np.asarray(X)),
            labels,
        )
