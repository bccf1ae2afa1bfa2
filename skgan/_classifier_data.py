"""What the training of a classifier reads: complete rows, their weights, and real rows held out."""

import difflib
import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Subset, TensorDataset

from skgan._batches import ShuffledBatches
from skgan._draws import randint
from skgan._tensors import as_tensor
from skgan.augment import LabelMixing, apply_all


def refuse_unknown(caller: str, given: Mapping[str, Any], known: Iterable[str]) -> None:
    """Refuse keywords that ``fit`` does not take, with the one that may have been meant."""
    known = sorted(known)
    for name in given:
        near = difflib.get_close_matches(name, known, n=1)
        meant = f"did you mean {near[0]}?" if near else f"it takes X, y, {' and '.join(known)}."
        raise TypeError(f"{caller}.fit takes no keyword {name!r}: {meant}")


def checked_weights(given, n: int, criterion, options: Mapping[str, Any]) -> np.ndarray | None:
    """Weights of n rows in [0, 1], the largest of them 1; or None.

    Parameters
    ----------
    given : array-like of shape (n,) or None
    n : int
    criterion : callable
        Must be able to give the loss of each row.
    options : dict
        The user's, of the criterion.
    """
    if given is None:
        return None
    weights = np.asarray(given)
    if weights.shape != (n,) or weights.dtype.kind not in "biuf":
        raise ValueError(
            f"sample_weight must be numbers of shape ({n},), one for each row of X; got {weights.dtype} of shape "
            f"{weights.shape}."
        )
    weights = weights.astype(np.float64)
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(wrong):
        raise ValueError(
            f"sample_weight must be finite and at least 0; {len(wrong)} of {n} are not, such as {weights[wrong[0]]:g} of row "
            f"{wrong[0]}. Leave out rows that must not count, or give them 0."
        )
    if not weights.any():
        raise ValueError(f"sample_weight is 0 for all {n} rows: give at least one row a weight above 0.")
    reduction = options.get("reduction", "mean")
    if "reduction" not in inspect.signature(criterion).parameters or reduction != "mean":
        raise ValueError(
            "sample_weight needs a criterion that takes reduction= as those of PyTorch do, left at 'mean'; got "
            f"{getattr(criterion, '__name__', criterion)} with reduction={reduction!r}. Leave out sample_weight, or "
            "change the criterion."
        )
    return (
        weights / weights.max()
    )  # a mean does not depend on their scale, and float32 has no room for all of float64's


def complete(images: np.ndarray, caller: str) -> np.ndarray:
    """The images, unless a value is missing or infinite."""
    if np.isfinite(images.sum(dtype=np.float64)):
        return images
    n = int((~np.isfinite(images.reshape(len(images), -1))).any(axis=1).sum())
    raise ValueError(
        f"Input X contains NaN or infinity in {n} of {len(images)} images; {caller} takes complete, finite images only: fill "
        "in the values, or leave those images out."
    )


def real_rows_held_out(split, dataset, y: np.ndarray, synthetic: np.ndarray | None) -> tuple[Any, Any]:
    """A split of which all synthetic rows are on the training side."""
    if synthetic is None or not synthetic.any():
        return split(dataset, y)
    real, made = np.flatnonzero(~synthetic), np.flatnonzero(synthetic)
    train, valid = split(Subset(dataset, real.tolist()), y[real])
    rows = np.concatenate([real[np.asarray(train.indices)], made]).tolist()
    return Subset(dataset, rows), Subset(dataset, real[np.asarray(valid.indices)].tolist())


class WeightedBatch(tuple):
    """X and y, for callbacks that unpack a pair, and beside them the weights of the rows."""

    weights: Tensor


class WeightedBatches:
    """:class:`ShuffledBatches` with the weights of the rows; drawn alike."""

    def __init__(self, X: Tensor, y: Tensor, weights: Tensor, rows: Tensor, **options):
        self.y, self.weights = y, weights
        self.batches = ShuffledBatches(X, torch.arange(len(X), device=X.device), rows, **options)

    def __iter__(self) -> Iterator[WeightedBatch]:
        for X, rows in self.batches:
            batch = WeightedBatch((X, self.y[rows]))
            batch.weights = self.weights[rows]
            yield batch


def batches_of(dataset: TensorDataset | Subset, device: str, **options) -> ShuffledBatches | WeightedBatches:
    """Batches of a data set of tensors X and y, and maybe weights, or of a part of one."""
    X, y, *weights = (dataset.dataset if isinstance(dataset, Subset) else dataset).tensors  # type: ignore[attr-defined,union-attr]
    if isinstance(dataset, Subset):
        rows = as_tensor(np.asarray(dataset.indices), device)
    else:
        rows = torch.arange(len(X), device=X.device)
    return WeightedBatches(X, y, weights[0], rows, **options) if weights else ShuffledBatches(X, y, rows, **options)


def with_weights(batch) -> tuple[Tensor, Any]:
    """X, and y or, where the batch has weights, (y, weights)."""
    X, y = batch
    return X, (y, batch.weights) if isinstance(batch, WeightedBatch) else y


class MixedTargets(NamedTuple):
    """The targets of mixed images, those of their partners, and the weight of the former."""

    own: Any
    partners: Any
    share: Tensor


def augmented(images: Tensor, targets, transforms: Iterable) -> tuple[Tensor, Any]:
    """A batch through transforms in order and, where some of them mix labels, through one of those, drawn at random."""
    mixing = [transform for transform in transforms if isinstance(transform, LabelMixing)]
    images = apply_all((t for t in transforms if not isinstance(t, LabelMixing)), images)
    if not mixing:
        return images, targets
    images, partners, share = mixing[int(randint(len(mixing), (1,)))].mix(images)
    of_partners = tuple(t[partners] for t in targets) if isinstance(targets, tuple) else targets[partners]
    return images, MixedTargets(targets, of_partners, share)


def batch_loss(criterion, logits: Tensor, targets) -> Tensor:
    """The loss of a batch; of mixed images the mean of the losses for both targets, weighted by their shares.

    Targets are class ids, or (class ids, weights of the rows), or :class:`MixedTargets` of either.
    """
    if isinstance(targets, MixedTargets):
        own, of_partners = (batch_loss(criterion, logits, part) for part in (targets.own, targets.partners))
        return targets.share * own + (1 - targets.share) * of_partners
    y, weights = targets if isinstance(targets, tuple) else (targets, None)
    loss = criterion(logits, y)
    return weighted_mean(loss, y, weights, dict(criterion.named_buffers()).get("weight")) if loss.ndim else loss


def weighted_mean(losses: Tensor, y: Tensor, weights: Tensor | None, class_weights: Tensor | None) -> Tensor:
    """The mean of losses that the criterion has multiplied by class weights, as it takes the mean itself."""
    weights = torch.ones_like(losses) if weights is None else weights
    total = (weights if class_weights is None else weights * class_weights[y]).sum()
    # A batch of which no row counts has a loss of 0, not of 0/0.
    return (losses * weights).sum() / torch.where(total > 0, total, 1.0)


def valid_accuracy(net, dataset, y=None) -> float:
    """Of the rows that ``train_split`` held out."""
    X, y = dataset.dataset.tensors[0][dataset.indices], dataset.dataset.tensors[1][dataset.indices]
    return float((net._probabilities(X).argmax(1) == y.cpu().numpy()).mean())
