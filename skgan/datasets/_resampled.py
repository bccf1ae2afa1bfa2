"""Real and new images as a torch Dataset."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from sklearn.utils.multiclass import type_of_target
from torch.utils.data import Dataset

from skgan.codecs import image_layout

WHITE = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0}
"""The value that becomes 1."""


class ResampledDataset(Dataset):
    """The images that a sampler returned, real and new, for a training loop in torch.

    ``dataset[i]`` is ``(image, class index, is_synthetic)``: a float32 tensor of shape (C, H, W), an int and a bool. As of
    torchvision's ``ToTensor``, values of 8 and of 16 bits are divided by 255 and 65,535, and so lie in [0, 1]; other numbers
    stay what they are.

    Parameters
    ----------
    X, y : arrays
        What ``fit_resample`` returned: images (n, C, H, W), (n, H, W, C) or (n, H, W), and their classes. X is not copied.
    sampler : sampler
        The one that returned them: a sampler of skgan, fitted. It is not kept.
    transform : callable or None, default=None
        Image (C, H, W) → what stands in its place, such as a transform of ``torchvision.transforms.v2``. For workers
        that are started and not forked, it must be possible to pickle it.
    image_shape, channels : default=None
        Where the axes of images lie that are flat rows, or whose channel axis is not the smallest; as of
        :class:`skgan.codecs.ImageCodec`.

    Attributes
    ----------
    classes : list
        The classes, sorted; the class index is the place in it.
    class_to_idx : dict
        Class → class index.
    targets : Tensor of shape (n,), int64
        Class indices.
    is_synthetic : Tensor of shape (n,), bool
        Which rows are new.
    parents : Tensor of shape (n, 2), int64
        Which rows of the X given to ``fit_resample`` each row was made from, or −1. They are the first rows of this X, unless
        the sampler has left them out.
    images : ndarray of shape (n, C, H, W)
        A view of X.

    Raises
    ------
    ValueError, TypeError
        For rows that this sampler did not return, a y that holds no classes, and an X that holds no images.

    Notes
    -----
    Keep real rows alone for validation: a new row gives away what its parent looks like. A ``DataLoader`` asks for a batch at
    once (``__getitems__``), which is read and scaled in one go; only the transform runs image by image, so that each is
    transformed at random by itself.

    Examples
    --------
    >>> import numpy as np
    >>> from torch.utils.data import DataLoader
    >>> from skgan import GANOverSampler
    >>> from skgan.datasets import ResampledDataset
    >>> rng = np.random.RandomState(0)
    >>> X, y = rng.randint(0, 256, (30, 3, 8, 8), dtype=np.uint8), np.array(["cat"] * 22 + ["dog"] * 8)
    >>> sampler = GANOverSampler(max_steps=2, random_state=0)
    >>> dataset = ResampledDataset(*sampler.fit_resample(X, y), sampler)
    >>> images, labels, is_synthetic = next(iter(DataLoader(dataset, batch_size=44)))
    >>> images.shape, int(is_synthetic.sum()), dataset.class_frequencies().tolist()
    (torch.Size([44, 3, 8, 8]), 14, [0.5, 0.5])
    """

    def __init__(
        self,
        X: Any,
        y: Any,
        sampler: Any,
        transform: Callable | None = None,
        *,
        image_shape: Any = None,
        channels: Any = None,
    ):
        if transform is not None and not callable(transform):
            raise TypeError(f"transform must be a function of one image, or None; got {transform!r}.")
        X, y = np.asarray(X), np.asarray(y)
        if X.dtype.kind not in "biuf":
            raise TypeError(f"X holds values of dtype {X.dtype}; give images as an array of numbers.")
        new, parents = _origin(sampler)
        if len(X) != len(new):
            raise ValueError(
                f"X has {len(X)} rows and the sampler's last fit_resample returned {len(new)}: give the X and y that it "
                "returned."
            )
        self.images = image_layout(X.shape, image_shape, channels).encode(X)
        classes, targets = np.unique(_checked_classes(y, len(X)), return_inverse=True)
        self.classes = classes.tolist()
        self.class_to_idx = {klass: i for i, klass in enumerate(self.classes)}
        self.targets = torch.tensor(targets, dtype=torch.int64)
        self.is_synthetic = torch.tensor(new, dtype=torch.bool)
        self.parents = torch.tensor(parents, dtype=torch.int64)
        self.transform = transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Any, int, bool]:
        image = self._scaled(self.images[index])
        if self.transform is not None:
            image = self.transform(image)
        return image, int(self.targets[index]), bool(self.is_synthetic[index])

    def __getitems__(self, indices: Sequence[int]) -> list[tuple[Any, int, bool]]:
        """The rows of a batch, as a ``DataLoader`` asks for them."""
        rows = np.asarray(indices, dtype=np.int64)
        images: Any = self._scaled(self.images[rows])
        if self.transform is not None:
            images = map(self.transform, images)
        return list(zip(images, self.targets[rows].tolist(), self.is_synthetic[rows].tolist(), strict=True))

    def class_frequencies(self, weights: Any = None) -> torch.Tensor:
        """The share of each class that a network learns from these rows.

        A network trained with cross-entropy takes classes to be as frequent as it saw them. ``logits −
        class_frequencies().log()`` takes that back, so that ``argmax`` favours no class; add the logarithm of the frequencies
        that are to be expected for probabilities under those.

        Parameters
        ----------
        weights : array-like of shape (n,) or None, default=None
            How often, or how much, each row counts, where that is not once: those of a ``WeightedRandomSampler``, or of the
            rows' losses.

        Returns
        -------
        Tensor of shape (n_classes,), float32
            Their sum is 1.

        Raises
        ------
        ValueError
            For weights that are negative, not finite or of another length, or that leave a class without any.
        """
        counted = torch.ones(len(self)) if weights is None else torch.as_tensor(weights)
        if counted.shape != (len(self),):
            raise ValueError(
                f"weights must hold one weight for each of the {len(self)} rows; got shape {tuple(counted.shape)}."
            )
        counted = counted.double().cpu()
        if not (torch.isfinite(counted).all() and (counted >= 0).all()):
            raise ValueError("weights must be finite numbers of at least 0.")
        sums = torch.bincount(self.targets, counted, minlength=len(self.classes))
        if not (sums > 0).all():
            without = self.classes[int(torch.argmin(sums))]
            raise ValueError(f"weights leave class {without!r} without any: its frequency would have no logarithm.")
        return (sums / sums.sum()).float()

    def _scaled(self, images: np.ndarray) -> torch.Tensor:
        """In float32 and in memory of their own, so that a transform in place changes nothing here."""
        values = torch.from_numpy(images.astype(np.float32, order="C"))
        return values.div_(WHITE.get(images.dtype, 1.0))


def _origin(sampler) -> tuple[np.ndarray, np.ndarray]:
    """Which of the rows that it returned are new, and their parents."""
    try:
        return sampler.is_synthetic_, sampler.parent_indices_
    except AttributeError as error:
        name = type(sampler).__name__
        if type(sampler).__module__.partition(".")[0] == "skgan":
            said = f"This {name} has not been fitted: call fit_resample, and give the X and y that it returns."
        else:
            said = (
                f"{name} does not say which rows are new: give a sampler of skgan, such as GANOverSampler, or put the rows "
                "into a torch.utils.data.TensorDataset."
            )
        raise ValueError(said) from error


def _checked_classes(y: np.ndarray, n: int) -> np.ndarray:
    if y.shape != (n,):
        raise ValueError(f"y of shape {y.shape} must hold one class for each of the {n} rows of X.")
    if type_of_target(y) == "continuous":
        raise ValueError("y holds real-valued labels, and this data set is of classes; use a TensorDataset.")
    return y
