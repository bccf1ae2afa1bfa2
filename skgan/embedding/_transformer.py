"""ImageEmbedding: a scikit-learn transformer of images to rows of a table."""

from functools import partial
from numbers import Integral
from os import PathLike
from typing import Any, ClassVar, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from tqdm import tqdm

from skgan._compat import HasMethods, Number, validate_parameter_constraints
from skgan._device import resolve_device
from skgan._tensors import as_tensor
from skgan.codecs import ImageCodec
from skgan.codecs._arrays import dense_array
from skgan.embedding._cache import names_of, recall_rows
from skgan.embedding._network import Prepare, as_rows, channels_for, check_module, columns_of, key_of, running, sides
from skgan.samplers._cache import location_of

KEPT_AT_ONCE = 2048
"""Images after which ``memory=`` writes a file."""


class ImageEmbedding(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Turn images into a table: a row is what a pretrained network says of an image.

    A classifier of such rows needs few images of each class, and trains in seconds. The network is the caller's: any torch
    module with its weights, such as a model of torchvision or timm without its last layer, or
    :func:`skgan.embedding.efficientnet_lite0`. It is not trained and not changed: a copy of it runs in evaluation mode.
    ``fit`` learns the layout and range of the images and nothing else, so images may be embedded before they are split.

    Parameters
    ----------
    module : torch.nn.Module
        An instance with its weights: (n, C, H, W) float → (n, d), or feature maps (n, d, h, w), which are averaged over their
        pixels. A classifier's last layer must be taken off first: ``model.fc = nn.Identity()`` (ResNet),
        ``model.classifier = nn.Identity()``, ``model.head = nn.Identity()``, or ``num_classes=0`` of timm.
    size : int, (height, width) or None, default=None
        In pixels. Images are brought to it (bilinear, antialiased; an int is both sides). None leaves them as they are.
        Take about the size that the network was trained on; half of it is a quarter of the pixels.
    mean, std : sequence of C numbers or None, default=None
        Each channel becomes (value − mean) / std, of values in [0, 1]. None leaves them in [0, 1]. Nearly all networks of
        torchvision and timm want ImageNet's: ``mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)``.
    value_range : {"auto", "dtype", "data"} or (low, high), default="auto"
        What becomes 0 and 1, as of :class:`skgan.codecs.ImageCodec`. "auto" is the dtype's range for uint8, 0 … 1 for floats
        that lie in it, and otherwise the range seen in ``fit``.
    image_shape, channels
        Of flat rows, and where the channel axis lies, as of :class:`skgan.codecs.ImageCodec`.
    batch_size : int or None, default=None
        Images at once, which are the only ones that are converted to floats. None: 16 on the CPU, 256 elsewhere.
    memory : str, path, joblib.Memory or None, default=None
        A folder that keeps the row of every image under the image's content, the module and its weights, and all that prepares
        the images: the folds of a search embed an image once.
    device : str or None, default="auto"
        Of the copy; the module stays where it is.
    verbose : int, default=0
        1 shows progress and the time left on the standard error stream.

    Attributes
    ----------
    codec_ : ImageCodec
        Layout and range of the images.
    n_features_in_ : int
        Length of axis 1 of X.

    See Also
    --------
    skgan.embedding.efficientnet_lite0 : a network whose weights come in a package.

    Notes
    -----
    Grey images are repeated to three channels where the module's first convolution takes three. A network that was trained on
    images of the very classes that are told apart has seen them before: scores are then no measure of learning from few rows.

    Examples
    --------
    >>> from imblearn.pipeline import make_pipeline
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from torch import nn
    >>> from skgan import GANOverSampler, ImageEmbedding
    >>> digits = load_digits()
    >>> module = nn.Sequential(nn.AvgPool2d(2), nn.Flatten())  # in place of a pretrained network
    >>> pipeline = make_pipeline(ImageEmbedding(module), GANOverSampler(net="gaussian"), LogisticRegression())
    >>> pipeline.fit(digits.images[:1500], digits.target[:1500]).score(digits.images[1500:], digits.target[1500:]) > 0.7
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "batch_size": [None, Number(Integral, 1, None, closed="left")],
        "memory": [None, str, PathLike, HasMethods(["cache"])],
        "device": [None, str],
    }

    def __init__(
        self,
        module: Any,
        *,
        size: Any = None,
        mean: Any = None,
        std: Any = None,
        value_range: Any = "auto",
        image_shape: Any = None,
        channels: Any = None,
        batch_size: Any = None,
        memory: Any = None,
        device: str | None = "auto",
        verbose: int | None = 0,
    ):
        self.module = module
        self.size = size
        self.mean = mean
        self.std = std
        self.value_range = value_range
        self.image_shape = image_shape
        self.channels = channels
        self.batch_size = batch_size
        self.memory = memory
        self.device = device
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the layout and range of images X, and try the module on one blank image.

        Parameters
        ----------
        X : array-like of shape (n, C, H, W), (n, H, W, C) or (n, H, W), or (n, d) with ``image_shape``
            Images of any numeric dtype.
        y : None
            Not read.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            For images that are none or hold NaN or infinity, and a module that does not make a table of them.
        """
        validate_parameter_constraints(
            self._parameter_constraints, self.get_params(deep=False), caller_name=type(self).__name__
        )
        check_module(self.module)
        device = resolve_device(self.device)
        X = _images(X)
        _refuse_nan(X)
        # The lowest and the highest value of every pixel have the range of all images, and are two images.
        extremes = np.stack([X.min(axis=0), X.max(axis=0)])
        codec = ImageCodec(image_shape=self.image_shape, channels=self.channels, value_range=self._range_of(extremes))
        codec.fit(extremes)
        channels, height, width = codec.layout_.data_shape
        prepare = Prepare(channels_for(self.module, channels), sides(self.size), self.mean, self.std)
        height, width = prepare.size or (height, width)
        n_columns = columns_of(self.module, (prepare.n_channels, height, width), device)
        self.codec_, self._prepare, self._n_features_out = codec, prepare, n_columns
        self.n_features_in_ = X.shape[1]
        return self

    def _range_of(self, X: np.ndarray):
        if not isinstance(self.value_range, str) or self.value_range != "auto":
            return self.value_range
        if X.dtype == np.uint8:
            return "dtype"
        return (0.0, 1.0) if X.dtype.kind == "f" and X.min() >= 0 and X.max() <= 1 else "data"

    def transform(self, X: Any) -> np.ndarray:
        """Embed images.

        Parameters
        ----------
        X : array-like
            Images of the shape that those in ``fit`` had.

        Returns
        -------
        ndarray of shape (n, d), float32
        """
        check_is_fitted(self)
        X = _images(X)
        if tuple(X.shape[1:]) != self.codec_.layout_.sample_shape:
            raise ValueError(
                f"These images have shape {tuple(X.shape[1:])}, but those in fit had {self.codec_.layout_.sample_shape}."
            )
        _refuse_nan(X)
        location = location_of(self.memory)
        device = resolve_device(self.device)
        with tqdm(total=len(X), unit="image", disable=not self.verbose) as bar:
            if location is None:
                return self._embedded(X, np.arange(len(X)), device, bar)
            folder = location / "skgan-embeddings" / key_of(self.module, self._prepare, self.codec_, X.dtype)
            compute = partial(self._embedded, X, device=device, bar=bar)
            rows = recall_rows(folder, names_of(X), compute, KEPT_AT_ONCE)
            bar.update(len(X) - bar.n)
            return rows

    def _embedded(self, X: np.ndarray, index: np.ndarray, device: str, bar) -> np.ndarray:
        """Rows of the images of these indices, (k, d)."""
        batch_size = self.batch_size or (16 if device == "cpu" else 256)
        rows = np.empty((len(index), self._n_features_out), np.float32)
        with running(self.module, device) as outputs_of:
            made = slice(0, 0), torch.empty(0, self._n_features_out)
            for start in range(0, len(index), batch_size):
                part = index[start : start + batch_size]
                images = as_tensor(self.codec_.transform(X[part])).to(device)
                # Read back when the next batch is under way, so that an accelerator never waits
                before, made = made, (slice(start, start + len(part)), as_rows(outputs_of(self._prepare(images))))
                rows[before[0]] = before[1].cpu().numpy()
                bar.update(len(part))
            rows[made[0]] = made[1].cpu().numpy()
        if not np.isfinite(rows).all():
            raise ValueError(
                "The module's output holds NaN or infinity for some images: look at its weights and its dtype."
            )
        return rows

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = self.image_shape is not None
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = []
        return tags


def _images(X) -> np.ndarray:
    """Images as one array of numbers, at least one."""
    try:
        X = dense_array(X)
    except ValueError as error:  # NumPy's words for a ragged list are no help
        raise ValueError(
            "X is a list of images of different shapes: bring them to one shape first, such as by "
            "skgan.datasets.load_image_folder(path, size=224)."
        ) from error
    if X.ndim < 2 or not len(X):
        raise ValueError(f"X of shape {X.shape} holds no images: expected (n, C, H, W), (n, H, W, C) or (n, H, W).")
    if X.dtype.kind not in "biuf":
        raise ValueError(f"Images must be numbers, got dtype {X.dtype}.")
    return X


def _refuse_nan(X: np.ndarray) -> None:
    """Before any work, block by block; integers have neither NaN nor infinity."""
    if X.dtype.kind != "f":
        return
    for start in range(0, len(X), 256):
        block = X[start : start + 256].reshape(len(X[start : start + 256]), -1)
        bad = np.flatnonzero(~np.isfinite(block).all(axis=1))
        if len(bad):
            raise ValueError(
                f"Image {start + bad[0]} of X has pixels that are NaN or infinite: leave such images out, or fill the pixels."
            )
