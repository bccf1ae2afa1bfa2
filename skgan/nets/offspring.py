"""Offspring of real rows: a pair GAN for training, and a mix of offspring, mixtures and copies for sampling."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from skgan._compat import Number
from skgan._draws import multinomial, rand, randint
from skgan._tensors import as_tensor, to_unit_range
from skgan.losses import Hinge
from skgan.nets.adversarial import AdversarialNet
from skgan.nets.base import class_ids
from skgan.nets.draw import NO_PARENT, Draw, draw_parents, single_parents

KINDS = ("net", "mixture", "copy")
"""What ``shares`` are of, in its order."""


class OffspringNet(AdversarialNet):
    """A net that makes new rows from real ones: offspring, SMOTE mixtures and plain copies, in given shares.

    Trained on pairs: the discriminator sees (parent, another real row of its class) against (parent, offspring), so that
    an offspring must differ from its parent as much as real rows of one class do. The other row is the nearest of a few
    drawn ones, since the generator cannot turn any row of a class into any other without leaving it. Copies and mixtures
    among the new rows keep a classifier from learning what generated rows look like.

    Parameters
    ----------
    module : class
        Such as :class:`skgan.modules.Offspring`, whose forward takes ``(z, y, parent)``.
    criterion : class, default=Hinge
    shares : (offspring, mixtures, copies), default=(1, 0, 1)
        Non-negative weights of the three kinds among the new rows; only their ratio counts. Changing them needs no new
        training.
    n_neighbors : int, default=5
        Nearest rows of the class that a mixture's second parent is drawn from.
    n_candidates : int, default=8
        Rows of its class drawn for a parent in training; the nearest is its pair. 1 takes any row; more, and offspring
        keep nearer to their parents and to their class. Classes of fewer than 25 rows a candidate draw fewer.
    spread : float, default=1.5
        Standard deviation of the noise that offspring are sampled with; training's is 1. Above 1 they vary more than was
        learned (the opposite of the truncation trick of Brock, Donahue & Simonyan, "Large scale GAN training", ICLR 2019).
        Changing it needs no new training.
    source_classes : sequence or None, default=None
        Classes to train on, by their labels in a sampler and by their ids in the net's own ``fit``; rows of all classes can
        then be made, also of those that training never saw. None is all.
    **kwargs
        As :class:`skgan.nets.AdversarialNet`.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **AdversarialNet._parameter_constraints,
        "shares": ["array-like"],
        "n_neighbors": [Number(Integral, 1, None, closed="left")],
        "n_candidates": [Number(Integral, 1, None, closed="left")],
        "spread": [Number(Real, 0, None, closed="left")],
        "source_classes": [None, "array-like"],
    }

    needs_source = True
    has_parents = True
    scores_rows = False  # its discriminator sees pairs
    starts_from_one_row = True
    sampling_params = ("shares", "n_neighbors", "spread")

    def __init__(
        self,
        module,
        criterion=Hinge,
        *,
        shares=(1, 0, 1),
        n_neighbors=5,
        n_candidates=8,
        spread=1.5,
        source_classes=None,
        **kwargs,
    ):
        self.shares = shares
        self.n_neighbors = n_neighbors
        self.n_candidates = n_candidates
        self.spread = spread
        self.source_classes = source_classes
        super().__init__(module, criterion, **kwargs)

    @property
    def needs_classes(self) -> bool:
        """With ``source_classes``."""
        return self.source_classes is not None

    def check_training_params(self):
        super().check_training_params()
        shares = np.asarray(self.shares, dtype=float)
        if shares.shape != (3,) or not (np.isfinite(shares).all() and (shares >= 0).all() and shares.sum() > 0):
            raise ValueError(
                "shares must be three weights (offspring, mixtures, copies), none negative and not all 0; "
                f"got {self.shares!r}."
            )

    def for_classes(self, classes):
        """Turn the labels of ``source_classes`` into ids."""
        if self.source_classes is not None:
            self.set_params(source_classes=class_ids("source_classes", self.source_classes, classes))

    def check_shapes(self):
        super().check_shapes()
        if self.source_classes is None:
            return
        class_ids("source_classes", self.source_classes, range(self.n_classes_))
        if len(self.data_shape_) == 1 and getattr(self.module, "knows_labels", True):
            raise ValueError(
                f"source_classes={list(self.source_classes)!r} cannot be used here: {self.module.__name__} tells its generator "
                "the class of a table's row, and it would know nothing of the other classes. Use dagan(source_classes=…)."
            )

    def get_iterator(self, dataset, training=False):
        """Pairs, of the source classes only."""
        batches = super().get_iterator(dataset, training)
        if self.source_classes is not None:
            left_out = torch.ones_like(batches.weights, dtype=torch.bool)
            left_out[list(self.source_classes)] = False
            batches.weights = batches.weights.masked_fill(left_out, 0.0)
        return batches

    # Sampling

    def draw(self, y, source=None) -> Draw:
        """Offspring, mixtures and copies, as ``shares`` says, of parents drawn among the source's rows of each class."""
        if source is None:
            raise ValueError("This net makes rows from real ones: give the encoded training set as source=(X, y).")
        y = np.asarray(y)
        shares = torch.tensor(self.shares, dtype=torch.float64)
        kinds = multinomial(shares, len(y)).numpy()
        rows = np.empty((len(y), *self.data_shape_), dtype=np.float32)
        parents = np.full((len(y), 2), NO_PARENT)
        for klass in np.unique(y):
            of_class = np.flatnonzero(source[1] == klass)
            where = np.flatnonzero(y == klass)
            chosen = randint(len(of_class), (len(where),))
            parents[where, 0] = of_class[chosen.numpy()]
            rows[where] = to_unit_range(np.asarray(source[0][parents[where, 0]]))
            mixed = kinds[where] == 1
            if mixed.any() and len(of_class) > 1:
                whole_class = as_tensor(to_unit_range(np.asarray(source[0][of_class]))).float()
                mixtures, partners = self.mixtures(whole_class, chosen[torch.from_numpy(mixed)])
                rows[where[mixed]] = mixtures
                parents[where[mixed], 1] = of_class[partners.numpy()]
        fresh = kinds == 0
        if fresh.any():
            rows[fresh] = self.offspring_of(rows[fresh], y[fresh])
        origin = np.array(KINDS)[kinds]
        origin[(kinds == 1) & (parents[:, 1] == NO_PARENT)] = "copy"  # a class of one row
        return Draw(rows, parents, origin)

    def draw_offspring(self, y, source) -> Draw:
        """One offspring per label, no mixture and no copy."""
        y = np.asarray(y)
        parents = draw_parents(y, source)
        return Draw(self.offspring_of(to_unit_range(np.asarray(source[0][parents])), y), single_parents(parents))

    def offspring_of(self, parents: np.ndarray, y: np.ndarray) -> np.ndarray:
        """An offspring of every parent, of the classes y."""
        return self.in_chunks(
            lambda labels, parent: self.module_(self.spread * self.latent(len(labels)), labels, parent),
            as_tensor(y),
            as_tensor(parents),
        )

    def mixtures(self, rows: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """SMOTE in the encoded space: between a row and one of its nearest; categories by vote of all of them.

        Returns the mixtures, and the index of each one's second parent.
        """
        k = min(self.n_neighbors, len(rows) - 1)
        flat = rows.flatten(1)
        # Only the chosen rows are looked up, in a class of any size; a row may or may not find itself (equal rows).
        found = NearestNeighbors(n_neighbors=k + 1).fit(flat.numpy()).kneighbors(flat[chosen].numpy())[1]
        others = torch.from_numpy(found)
        itself = others == chosen[:, None]
        itself[~itself.any(1), -1] = True
        neighbours = others[~itself].view(len(chosen), k)
        partner = neighbours[torch.arange(len(chosen)), randint(k, (len(chosen),))]
        share = rand(len(chosen), 1)
        mixed = torch.lerp(flat[chosen], flat[partner], share)
        for start, stop in self.spans:
            mixed[:, start:stop] = flat[neighbours][:, :, start:stop].mean(1)
        return mixed.view(-1, *rows.shape[1:]), partner

    @property
    def spans(self) -> Sequence[tuple[int, int]]:
        """One-hot spans of categorical columns."""
        params: dict[str, Any] = self.get_params_for("module")
        return params.get("spans", ())
