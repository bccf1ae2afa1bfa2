"""A Gaussian per class: the honest floor that a generative net has to beat."""

import time
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from skgan._compat import Number
from skgan._tensors import as_tensor, to_unit_range
from skgan.nets.base import GenerativeNet

_PIECE = 512
"""Rows that are float64 at once."""


class ClassGaussians(nn.Module):
    """Means and square roots of covariances, one per class, as a module that a net can export and restore."""

    mean: Tensor
    factor: Tensor

    def __init__(self, data_shape, n_classes, *, spans=()):
        super().__init__()
        # Nothing to do for spans: one-hot columns are drawn like others, and the codec decodes the largest of each.
        d = int(np.prod(data_shape))
        self.latent_dim, self.data_shape = d, tuple(data_shape)
        self.register_buffer("mean", torch.zeros(n_classes, d))
        self.register_buffer("factor", torch.zeros(n_classes, d, d))

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Noise (n, d) and labels (n,) → rows ``(n, *data_shape)``."""
        rows = torch.empty(len(y), self.latent_dim, device=z.device)
        for k in y.unique():  # one product a class, not one factor a row
            of_class = y == k
            rows[of_class] = self.mean[k] + z[of_class] @ self.factor[k].T
        return rows.view(-1, *self.data_shape)


def fit_gaussians(
    rows: Tensor,
    labels: Tensor,
    n_classes: int,
    prior_rows: float = 20.0,
    lend: Callable[[Tensor, Tensor, Tensor], Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Means (n_classes, d) and covariances (n_classes, d, d), float64, shrunk as :class:`GaussianNet` says.

    Parameters
    ----------
    rows, labels : tensors of shape (n, d) and (n,)
    n_classes : int
    prior_rows : float, default=20.0
        Rows that the lent covariance is worth.
    lend : callable (scatter, counts, means) → (n_classes, d, d) or None, default=None
        What is lent to each class; None is the pooled covariance.
    """
    counts = torch.bincount(labels, minlength=n_classes).clamp(min=1).double()
    pieces = [slice(start, start + _PIECE) for start in range(0, len(rows), _PIECE)]
    d = rows.shape[1]
    means, scatter = (torch.zeros(n_classes, *shape, dtype=torch.float64) for shape in ((d,), (d, d)))
    for piece in pieces:
        means.index_add_(0, labels[piece], to_unit_range(rows[piece]).double())
    means /= counts[:, None]
    for piece in pieces:
        of, centred = labels[piece], to_unit_range(rows[piece]).double() - means[labels[piece]]
        for k in of.unique().tolist():
            scatter[k] += centred[of == k].T @ centred[of == k]
    lent = scatter.sum(0) / (counts - 1).sum().clamp(min=1) if lend is None else lend(scatter, counts, means)
    weight = counts[:, None, None]
    own = weight / (weight + prior_rows)
    return means, own * scatter / (weight - 1).clamp(min=1) + (1 - own) * lent


def covariance_roots(covariances: Tensor) -> Tensor:
    """A root F of each covariance matrix, F Fᵀ, both (n_classes, d, d).

    Constant columns and few rows leave a matrix singular, which a root by eigenvalues does not mind. They are those of the
    correlations: beside a column of huge numbers, the eigenvalues of the covariances would be lost to rounding.
    """
    scales = covariances.diagonal(dim1=1, dim2=2).clamp(min=0).sqrt()
    divisors = torch.where(scales > 0, scales, 1.0)
    try:
        values, vectors = torch.linalg.eigh(covariances / divisors[:, :, None] / divisors[:, None, :])
    except torch.linalg.LinAlgError as error:
        raise ValueError(
            f"The eigenvalues of the classes' correlations cannot be computed ({error}). Drop columns that repeat others, "
            "reduce the rows first, for instance with PCA, or use another net."
        ) from error
    return scales[:, :, None] * vectors * values.clamp(min=0).sqrt()[:, None, :]


class GaussianNet(GenerativeNet):
    """One Gaussian per class, its covariance shrunk towards the pooled one: Σ_c = (n_c S_c + m S) / (n_c + m).

    S_c is the class's covariance, S the pooled covariance within classes, m the rows that S is worth: a class of a few rows
    borrows how rows vary from the others (Friedman, "Regularized discriminant analysis", 1989, eq. 14, with λ = m / (n_c + m)).

    Parameters
    ----------
    module : class, default=ClassGaussians
    prior_rows : float, default=20.0
        m ≥ 0.
    n_donors : int or None, default=None
        S for class c is borrowed from the classes with more rows than c whose means are nearest, this many of them
        (distribution calibration: Yang, Liu & Xu, "Free lunch for few-shot learning", ICLR 2021, eqs. 5 and 6, without
        the power transform). The largest class borrows from none. None: S is pooled over all classes.
    **kwargs
        As :class:`skgan.nets.GenerativeNet`; nothing is trained by steps.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **GenerativeNet._parameter_constraints,
        "prior_rows": [Number(Real, 0, None, closed="left")],
        "n_donors": [None, Number(Integral, 1, None, closed="left")],
    }

    scores_rows = True

    def __init__(
        self,
        module: Any = ClassGaussians,
        criterion: Any = nn.Identity,
        *,
        prior_rows: Any = 20.0,
        n_donors: Any = None,
        max_steps: int = 1,
        **kwargs: Any,
    ):
        self.prior_rows = prior_rows
        self.n_donors = n_donors
        super().__init__(module, criterion, max_steps=max_steps, **kwargs)

    @property
    def _default_callbacks(self):
        return []

    def check_shapes(self) -> None:
        size = 8 * self.n_classes_ * int(np.prod(self.data_shape_)) ** 2
        if size > 4 << 30:
            raise ValueError(
                f"The covariances of {self.n_classes_} classes of shape {self.data_shape_} would take {size / 2**30:.3g} GiB; "
                "reduce the rows first, for instance with PCA."
            )

    def initialize_optimizer(self, *args: Any, **kwargs: Any) -> Self:
        """Nothing is optimised."""
        return self

    def fit_loop(self, X: Any, y: Any = None, epochs: Any = None, **kwargs: Any) -> Self:
        """Means and covariances in closed form, instead of steps."""
        self.notify("on_epoch_begin")
        rows = as_tensor(X).flatten(1)
        lend = None if self.n_donors is None else self._lent
        means, covariance = fit_gaussians(rows, as_tensor(y), self.n_classes_, self.prior_rows, lend)
        self.module_.mean.copy_(means)
        self.module_.factor.copy_(covariance_roots(covariance))
        self.steps_ = self.max_steps
        self.history.record("step", self.steps_)
        self.history.record("seconds", time.perf_counter() - self.begin_)
        return self

    def _lent(self, scatter: Tensor, counts: Tensor, means: Tensor) -> Tensor:
        """S of each class: the covariance pooled over its donors."""
        lent = torch.empty_like(scatter)
        distance = torch.cdist(means, means)
        for k in range(self.n_classes_):
            larger = torch.nonzero(counts > counts[k])[:, 0]
            donors = larger[distance[k, larger].argsort()[: self.n_donors]] if len(larger) else torch.tensor([k])
            lent[k] = scatter[donors].sum(0) / (counts[donors] - 1).sum().clamp(min=1)
        return lent

    def on_epoch_end(self, net: Any, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any) -> None:
        """The record is written by ``fit_loop``."""

    def score_samples(self, X: Any, y: Any) -> np.ndarray:
        """−½ Mahalanobis distance² to the class, shape (n,); directions without variance are left out."""

        def score(rows: Tensor, labels: Tensor) -> Tensor:
            difference = to_unit_range(rows).flatten(1) - self.module_.mean[labels]
            inverse = torch.linalg.pinv(self.module_.factor, rtol=1e-4)[labels]
            return -(inverse @ difference[:, :, None]).square().sum((1, 2)) / 2

        return self.in_chunks(score, as_tensor(np.asarray(X)), as_tensor(np.asarray(y)))
