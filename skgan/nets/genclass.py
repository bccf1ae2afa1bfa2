"""GenClass: a generator told attributes instead of labels, trained with a network that says "of one class"."""

from collections.abc import Mapping
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from skgan._compat import Number
from skgan._settings import plain_torch
from skgan._tensors import as_tensor, to_unit_range
from skgan.losses import Wasserstein
from skgan.nets.adversarial import AdversarialNet


def attribute_matrix(attributes: Any, classes) -> np.ndarray:
    """Attributes of these classes, in their order, (n_classes, k), float32, or a sentence."""
    classes = list(classes)
    if isinstance(attributes, Mapping):
        missing = [klass for klass in classes if klass not in attributes]
        if missing:
            raise ValueError(f"attributes has no vector for the classes {missing}; give one for each class of y.")
        vectors = [np.atleast_1d(np.asarray(attributes[klass], dtype=float)) for klass in classes]
        lengths = {klass: len(vector) for klass, vector in zip(classes, vectors, strict=True)}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"The vectors of attributes must be of one length; their lengths are {lengths}.")
        matrix = np.stack(vectors)
    else:
        matrix = np.asarray(attributes, dtype=float)
        if matrix.ndim != 2 or len(matrix) != len(classes):
            raise ValueError(
                f"attributes must be a dict class → vector, or an array with a row for each of the {len(classes)} classes "
                f"{classes}, in sorted order; got shape {matrix.shape}."
            )
    if not np.isfinite(matrix).all():
        raise ValueError("attributes holds NaN or infinity; every attribute of every class must be a finite number.")
    return matrix.astype(np.float32)


def all_classes(seen: np.ndarray, unseen: list) -> np.ndarray:
    """Seen and unseen classes, sorted, or a sentence."""
    if not unseen:
        return seen
    if np.asarray(unseen).dtype.kind != seen.dtype.kind and seen.dtype.kind != "O":
        raise ValueError(f"attributes names {unseen}, and y holds classes of another type: {seen.tolist()}.")
    return np.unique(np.concatenate([seen, np.asarray(unseen, dtype=object if seen.dtype.kind == "O" else None)]))


class GenClassNet(AdversarialNet):
    """A conditional GAN on class *attributes* with a similarity network: makes rows of classes it never saw.

    L = L_WGAN + ``similarity_weight`` · L_C. L_C is the cross-entropy of "are these two of one class?" over all pairs of a
    real row with a real or a generated one, positive and negative pairs weighted equally; generator and similarity network
    minimise it together. Two rows are similar by the distance of their points, so that many can be compared at once.

    Parameters
    ----------
    module : class
        :class:`skgan.modules.GenClass`.
    criterion : class, default=Wasserstein
    attributes : dict of class → vector, or array of shape (n_classes, k)
        Describes every class that rows are wanted of. Keys without a row in y are the unseen classes. An array has the
        classes of y in sorted order.
    similarity_weight : float, default=1.0
    **kwargs
        As :class:`skgan.nets.AdversarialNet`.

    References
    ----------
    The unified generator-classifier of the survey's section on zero-shot learning. It compares with the mean of generated
    *rows*; here with the mean of their *points*, which are what the network has learned to compare.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **AdversarialNet._parameter_constraints,
        "similarity_weight": [Number(Real, 0, None, closed="left")],
    }

    needs_classes = True

    def __init__(
        self,
        module: Any,
        criterion: Any = Wasserstein,
        *,
        attributes: Any = None,
        similarity_weight: Any = 1.0,
        **kwargs: Any,
    ):
        self.attributes = attributes
        self.similarity_weight = similarity_weight
        super().__init__(module, criterion, **kwargs)

    def unseen_classes(self, y: Any) -> list:
        """Classes that have attributes and no row."""
        return (
            [klass for klass in self.attributes if klass not in set(np.asarray(y).tolist())]
            if isinstance(self.attributes, Mapping)
            else []
        )

    # Checks

    def check_training_params(self) -> None:
        super().check_training_params()
        if self.attributes is None:
            raise ValueError(
                "genclass makes rows of classes by their attributes: give attributes={class: vector}, one vector a class, "
                "such as {'cat': [1, 0, 0.3], 'dog': [1, 1, 0.7]}."
            )

    def for_classes(self, classes: Any) -> None:
        """Turn ``attributes`` into an array in the classes' order."""
        self.set_params(attributes=attribute_matrix(self.attributes, classes))

    def check_takes_conditions(self) -> Any:
        raise ValueError(
            "genclass makes rows of classes, not for real-valued labels; use net='predictor_gan', dcgan() or mlp_gan()."
        )

    def check_shapes(self) -> None:
        super().check_shapes()
        if self.condition_dim_:
            self.check_takes_conditions()
        if self.n_classes_ < 2:
            raise ValueError("genclass learns what tells classes apart, and here there is only one; use another net.")

    def count_classes(self, y: np.ndarray) -> int:
        """All that have attributes."""
        if self.attributes is None:
            return super().count_classes(y)
        if len(self.attributes) <= y.max():
            raise ValueError(
                f"attributes describes {len(self.attributes)} classes, and y holds the class id {y.max()}."
            )
        return len(self.attributes)

    def module_kwargs(self) -> dict[str, Any]:
        return {**super().module_kwargs(), "attributes": attribute_matrix(self.attributes, range(self.n_classes_))}

    # Training

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        super().on_train_begin(net, X=X, y=y, **kwargs)
        self.players_["generator"] += list(self.module_.similarity.parameters())

    def generator_loss(self, real: Tensor, y: Tensor, *parents: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The adversarial loss, and the similarity network's."""
        critic = self.critic(y)
        real_logits = critic(real) if self.criterion_.uses_real else None
        fake = self.fakes(real, y)
        embed, similarity = self.module_.similarity.embed, self.module_.similarity
        of_real, of_fake = embed(real), embed(fake)
        same = y[:, None] == y[None]
        others = ~torch.eye(len(y), dtype=torch.bool, device=y.device)  # no row with itself
        loss = _balanced(similarity(of_real, of_fake), same) + _balanced(similarity(of_real, of_real), same, others)
        total = self.criterion_.generator(real_logits, critic(fake)) + self.similarity_weight * loss / 2
        return total, {"similarity_loss": loss.detach() / 2}

    # Classes by similarity

    def embed(self, X: Any) -> np.ndarray:
        """Points of encoded rows, (n, n_dims)."""
        X = as_tensor(np.asarray(X))
        return self.in_chunks(lambda rows: self.module_.similarity.embed(to_unit_range(rows)), X)

    def class_points(self, y: Any, n_rows: int = 200) -> np.ndarray:
        """The mean point of ``n_rows`` rows, sampled with the net's seed, of each of the classes y, (len(y), n_dims)."""
        rows = self.sample(np.repeat(np.asarray(y), n_rows))
        return self.embed(rows).reshape(len(y), n_rows, -1).mean(1)

    def similarity(self, points: np.ndarray, class_points: np.ndarray) -> np.ndarray:
        """Logits of shape (n, n_classes) that a row is of the class."""
        with plain_torch(grad=False):
            return self.module_.similarity(as_tensor(points), as_tensor(class_points)).cpu().numpy()


def _balanced(logits: Tensor, same: Tensor, counted: Tensor | None = None) -> Tensor:
    """Cross-entropy, the mean of that over pairs of one class and that over the others."""
    losses = binary_cross_entropy_with_logits(logits, same.float(), reduction="none")
    counted = torch.ones_like(same) if counted is None else counted
    sides = [counted & same, counted & ~same]
    means = [(losses * side).sum() / side.sum().clamp(min=1) for side in sides]
    return (means[0] + means[1]) / 2
