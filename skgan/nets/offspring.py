"""Offspring of real rows: a GAN of pairs."""

from numbers import Integral, Real
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np
import torch

from skgan._compat import Number, StrOptions
from skgan._draws import rand
from skgan._image_statistics import NearestClass, background_of, may_mirror
from skgan._tensors import as_tensor, to_unit_range
from skgan.losses import Hinge
from skgan.nets.adversarial import AdversarialNet
from skgan.nets.base import class_ids
from skgan.nets.draw import Draw, draw_parents, single_parents

STRENGTHS = (1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.12)
ENOUGH = 0.8
JUDGED = 1000  # offspring


class OffspringNet(AdversarialNet):
    """A net that makes new rows from real ones: each is the offspring of one row.

    Trained on pairs: the discriminator sees (parent, another real row of its class) against (parent, offspring), so that
    an offspring must differ from its parent as much as real rows of one class do. The other row is the nearest of a few
    drawn ones, since the generator cannot turn any row of a class into any other without leaving it. Half of the rows that
    a sampler makes with it are plain copies, unless its ``shares`` say otherwise: these keep a classifier from learning what
    generated rows look like.

    Parameters
    ----------
    module : class
        Such as :class:`skgan.modules.Offspring`, whose forward takes ``(z, y, parent)``.
    criterion : class, default=Hinge
    n_candidates : int, default=8
        Rows of its class drawn for a parent in training; the nearest is its pair. 1 takes any row; more, and offspring
        keep nearer to their parents and to their class. Classes of fewer than 25 rows a candidate draw fewer.
    spread : float, default=1.5
        Standard deviation of the noise that offspring are sampled with; training's is 1. Above 1 they vary more than was
        learned (the opposite of the truncation trick of Brock, Donahue & Simonyan, "Large scale GAN training", ICLR 2019).
        Changing it needs no new training.
    strength : float or "auto", default="auto"
        Of images: how much of the learned change is made, at least 0; 1 is all of it, 0 a copy. "auto" is the largest of 1,
        .7, .5, .35, .25, .18, .12 and 0 at which the nearest image of an offspring, its parent left out, is of its class at
        least four fifths as often as that of its parent is: where near images are of one class, as of digits, offspring may
        go far, and on varied photographs they hardly leave their parents.
    flips : {"auto", "none", "horizontal", "vertical", "both"}, default="auto"
        Of images: along which axes half of the parents are mirrored before they are changed. "auto" is those along which
        mirrored images of a class are as near to the others of the class as these are to each other: photographs of animals,
        but not letters, or shoes that all point left.
    source_classes : sequence or None, default=None
        Classes to train on, by their labels in a sampler and by their ids in the net's own ``fit``; rows of all classes can
        then be made, also of those that training never saw. None is all.
    **kwargs
        As :class:`skgan.nets.AdversarialNet`.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **AdversarialNet._parameter_constraints,
        "n_candidates": [Number(Integral, 1, None, closed="left")],
        "spread": [Number(Real, 0, None, closed="left")],
        "strength": [StrOptions({"auto"}), Number(Real, 0, None, closed="left")],
        "flips": [StrOptions({"auto", "none", "horizontal", "vertical", "both"})],
        "source_classes": [None, "array-like"],
    }

    needs_source = True
    has_parents = True
    scores_rows = False  # its discriminator sees pairs
    starts_from_one_row = True
    sampling_params = ("spread", "strength")
    default_shares = MappingProxyType({"net": 1.0, "copy": 1.0})

    def __init__(
        self,
        module: Any,
        criterion: Any = Hinge,
        *,
        n_candidates: Any = 8,
        spread: Any = 1.5,
        strength: Any = "auto",
        flips: Any = "auto",
        source_classes: Any = None,
        **kwargs: Any,
    ):
        self.n_candidates = n_candidates
        self.spread = spread
        self.strength = strength
        self.flips = flips
        self.source_classes = source_classes
        super().__init__(module, criterion, **kwargs)

    @property
    def needs_classes(self) -> bool:
        """With ``source_classes``."""
        return self.source_classes is not None

    def for_classes(self, classes: Any) -> None:
        """Turn the labels of ``source_classes`` into ids."""
        if self.source_classes is not None:
            self.set_params(source_classes=class_ids("source_classes", self.source_classes, classes))

    def check_shapes(self) -> None:
        super().check_shapes()
        if self.source_classes is None:
            return
        class_ids("source_classes", self.source_classes, range(self.n_classes_))
        if len(self.data_shape_) == 1 and getattr(self.module, "knows_labels", True):
            raise ValueError(
                f"source_classes={list(self.source_classes)!r} cannot be used here: {self.module.__name__} tells its generator "
                "the class of a table's row, and it would know nothing of the other classes. Use dagan(source_classes=…)."
            )

    def get_iterator(self, dataset: Any, training: Any = False) -> Any:
        """Pairs, of the source classes only."""
        batches = super().get_iterator(dataset, training)
        if self.source_classes is not None:
            left_out = torch.ones_like(batches.weights, dtype=torch.bool)
            left_out[list(self.source_classes)] = False
            batches.weights = batches.weights.masked_fill(left_out, 0.0)
        return batches

    def fit(self, X: Any, y: Any = None, **fit_params: Any) -> Self:
        """As of every net; then it is measured how much of the change leaves images in their class."""
        super().fit(X, y, **fit_params)
        if self._reads_images:
            y = np.zeros(len(X), dtype=np.int64) if y is None else np.asarray(y)
            with self.seeded():
                self.module_.generator.safe_strength = self._safe_strength(X, y)
        return self

    @property
    def _reads_images(self) -> bool:
        """Whether the generator is one of images that is told what to keep to; a table's is not, nor those of others."""
        return len(self.data_shape_) == 3 and "safe_strength" in vars(self.module_.generator)

    def _safe_strength(self, X: np.ndarray, y: np.ndarray) -> float:
        """The largest of ``STRENGTHS`` at which offspring are taken for their class nearly as often as their parents."""
        judge = NearestClass(X, y)
        classes = np.unique(y)
        labels = np.repeat(classes, -(-JUDGED // len(classes)))
        parents = draw_parents(labels, (X, y))
        rows = to_unit_range(np.asarray(X[parents]))
        of_parents = judge.share_kept(rows, labels, parents)
        for strength in STRENGTHS:
            self.module_.generator.strength = strength
            if judge.share_kept(self._changed(rows, labels), labels, parents) >= ENOUGH * of_parents:
                return strength
        return 0.0

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        super().on_train_begin(net, X=X, y=y, **kwargs)
        generator = self.module_.generator
        if (
            X is None or len(self.data_shape_) != 3 or "padding" not in vars(generator)
        ):  # a table, or a module of others
            return
        if self.get_params_for("module").get("padding") is None:
            generator.padding = background_of(X)
        if self.flips == "auto":
            generator.mirrors = may_mirror(X, y, "horizontal"), may_mirror(X, y, "vertical")
        else:
            generator.mirrors = self.flips in ("horizontal", "both"), self.flips in ("vertical", "both")

    # Sampling

    def draw(self, y: Any, source: Any = None) -> Draw:
        """An offspring of a real row, drawn among the source's rows of its class, for each label."""
        y = np.asarray(y)
        parents = draw_parents(y, source)
        rows = to_unit_range(np.asarray(source[0][parents]))
        for axis, allowed in zip((3, 2), vars(self.module_.generator).get("mirrors", ()), strict=False):
            if allowed:
                mirrored = rand(len(rows)).numpy() < 0.5
                rows = np.where(mirrored[:, None, None, None], np.flip(rows, axis), rows)
        return Draw(self.offspring_of(rows, y), single_parents(parents))

    def offspring_of(self, parents: np.ndarray, y: np.ndarray) -> np.ndarray:
        """An offspring of every parent, of the classes y."""
        if self._reads_images:
            generator = self.module_.generator
            generator.strength = generator.safe_strength if self.strength == "auto" else float(self.strength)
        return self._changed(parents, y)

    def _changed(self, parents: np.ndarray, y: np.ndarray) -> np.ndarray:
        return self.in_chunks(
            lambda labels, parent: self.module_(self.spread * self.latent(len(labels)), labels, parent),
            as_tensor(y),
            as_tensor(parents),
        )
