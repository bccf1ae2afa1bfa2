"""CNNClassifier: a skorch classifier that takes what samplers return, and the reports' architectures."""

import math
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, column_or_1d
from skorch import NeuralNetClassifier
from skorch.callbacks import EpochScoring, EpochTimer, LRScheduler, PassthroughScoring, PrintLog
from torch import Tensor, nn

from skgan._classifier_data import (
    augmented,
    batch_loss,
    batches_of,
    checked_weights,
    complete,
    real_rows_held_out,
    refuse_unknown,
    valid_accuracy,
    with_weights,
)
from skgan._compat import Number, StrOptions, validate_parameter_constraints
from skgan._device import resolve_device
from skgan._image_statistics import augmentation_for
from skgan._random import draw_seeds, private_rng
from skgan._settings import plain_torch
from skgan._skorch import TrainingMixin
from skgan._tensors import as_tensor, to_unit_range
from skgan.augment import LabelMixing, transforms_of
from skgan.codecs import ImageCodec
from skgan.modules.classifiers import ARCHITECTURES

_CHUNK = 1024


class CNNClassifier(TrainingMixin, NeuralNetClassifier):
    """A convolutional skorch classifier behind a sampler: any labels, any image layout, any numeric dtype.

    A plain skorch net fails silently there (it predicts indices, not labels, does not shuffle, and validates on the
    synthetic rows at the end); this one encodes labels, casts, shuffles, and seeds privately. Adam with a one-cycle
    learning rate.

    Parameters
    ----------
    architecture : {"cnn_2conv", "cnn_3conv", "cnn_tiny", "mlp_300", "resnet8"}, default="cnn_2conv"
        The classifiers of the imbalance, galaxy, photo and MNIST reports, and a small residual network.
    max_updates : int or None, default=None
        Optimiser steps; overrides ``max_epochs``, so that training sets of any size get equal training.
    max_epochs : int, default=20
    batch_size : int, default=128
    lr : float, default=2e-3
        Peak of the one-cycle schedule.
    augment : "auto", transform, sequence of transforms or None, default=None
        Of :mod:`skgan.augment`, on every training batch. "auto" chooses by the training images: shifts that show the image
        mirrored at its border (where most of the borders has one value: shifts, rotations and scales that show that value),
        and flips where mirrored images of a class are as near to the others of the class as these are to each other.
    class_weight : dict, "balanced" or None, default=None
        As everywhere in scikit-learn; weights of the cross-entropy, which multiply those of ``sample_weight``.
    image_shape : tuple of int or None, default=None
        Of flat rows: (C, H, W), or (H, W, C) with channels="last", or (H, W). Without it, flat rows go to "mlp_300" only.
    channels : {"first", "last"} or None, default=None
        Where the channel axis of 4-D images, and of image_shape, lies; None takes the smaller of axes 1 and 3, or the first.
    train_split : callable or None, default=None
        skorch's, such as ``ValidSplit(5, stratified=True)``; nothing is held out by default, because inside a pipeline
        the classifier cannot know which rows are synthetic.
    random_state : int, RandomState or None, default=None
        Of the weights, the order of rows, dropout and augmentation.
    device : str, default="auto" ("cuda:auto" gives each fit a GPU, in turn)
    verbose : int, default=0
        1 prints a line per epoch.
    **kwargs
        Any other parameter of :class:`skorch.NeuralNet`, such as ``callbacks`` or ``optimizer__weight_decay``.

    Attributes
    ----------
    augment_ : list
        The transforms.
    classes_ : ndarray
        The labels, sorted.
    history : skorch History

    Examples
    --------
    >>> from imblearn.pipeline import make_pipeline
    >>> from sklearn.datasets import load_digits
    >>> from skgan import CNNClassifier, GANOverSampler, at_least
    >>> digits = load_digits()
    >>> sampler = GANOverSampler(sampling_strategy=at_least(1.0), max_steps=20, random_state=0)
    >>> pipeline = make_pipeline(sampler, CNNClassifier(max_updates=200, random_state=0))
    >>> pipeline.fit(digits.images[:1500], digits.target[:1500]).score(digits.images[1500:], digits.target[1500:]) > 0.8
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "architecture": [StrOptions(set(ARCHITECTURES))],
        "max_updates": [None, Number(Integral, 1, None, closed="left")],
        "max_epochs": [Number(Integral, 1, None, closed="left")],
        "batch_size": [Number(Integral, 1, None, closed="left")],
        "augment": [StrOptions({"auto"}), None, callable, list, tuple, LabelMixing],
        "lr": [Number(Real, 0, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "random_state": ["random_state"],
        "device": [None, str],
    }

    def __init__(
        self,
        architecture: Any = "cnn_2conv",
        *,
        max_updates: Any = None,
        max_epochs: Any = 20,
        batch_size: Any = 128,
        lr: Any = 2e-3,
        augment: Any = None,
        class_weight: Any = None,
        image_shape: Any = None,
        channels: Any = None,
        train_split: Any = None,
        random_state: int | np.random.RandomState | None = None,
        device: str | None = "auto",
        verbose: int | None = 0,
        module: Any = None,
        criterion: Any = nn.CrossEntropyLoss,
        optimizer: Any = torch.optim.Adam,
        **kwargs: Any,
    ):
        self.architecture = architecture
        self.max_updates = max_updates
        self.augment = augment
        self.class_weight = class_weight
        self.image_shape = image_shape
        self.channels = channels
        self.random_state = random_state
        super().__init__(
            module,
            criterion=criterion,
            optimizer=optimizer,
            lr=lr,
            max_epochs=max_epochs,
            batch_size=batch_size,
            train_split=train_split,
            device=device,
            verbose=verbose,
            **kwargs,
        )

    @property
    def classes_(self) -> Any:
        """The labels, sorted."""
        if "label_encoder_" not in vars(self):
            raise AttributeError("This CNNClassifier has no classes_ yet: call fit first.")
        return self.label_encoder_.classes_

    @property
    def _default_callbacks(self):
        n_updates = vars(self).get("n_updates_", 1)
        schedule = LRScheduler(
            torch.optim.lr_scheduler.OneCycleLR, step_every="batch", max_lr=self.lr, total_steps=n_updates
        )
        return [
            ("epoch_timer", EpochTimer()),
            ("train_loss", PassthroughScoring("train_loss", on_train=True)),
            ("valid_loss", PassthroughScoring("valid_loss")),
            ("valid_acc", EpochScoring(valid_accuracy, name="valid_acc", lower_is_better=False)),
            ("schedule", schedule),
            ("print_log", PrintLog()),
        ]

    # Building

    def initialize_module(self) -> Self:
        """The architecture (or the user's ``module``) for the images seen in ``fit``."""
        n_classes = len(self.classes_)
        if self.module is not None:
            kwargs = {"data_shape": self.data_shape_, "n_classes": n_classes, **self.get_params_for("module")}
            self.module_ = self.module(**kwargs)
        else:
            self.module_ = ARCHITECTURES[self.architecture][0](self.data_shape_, n_classes)
            # A quarter faster on a CPU; a user's own module keeps the layout it came with.
            self.module_.to(memory_format=torch.channels_last)
        return self

    def initialize_criterion(self) -> Self:
        """skorch's, with ``class_weight`` as the cross-entropy's weights."""
        kwargs = self.get_params_for("criterion")
        if self.class_weight is not None:
            weight = compute_class_weight(self.class_weight, classes=self.classes_, y=self._labels_)
            kwargs["weight"] = torch.tensor(weight, dtype=torch.float32)
        if vars(self).get("_weights_") is not None:
            kwargs["reduction"] = "none"  # the mean is taken in get_loss
        self.criterion_ = self.criterion(**kwargs)
        return self

    def _fit_codec(self, X) -> np.ndarray:
        shape = np.shape(X)
        image_shape, channels = self.image_shape, self.channels
        if len(shape) == 2 and image_shape is None:
            if self.module is None and self.architecture != "mlp_300":
                raise ValueError(
                    f"X has shape {shape}: flat rows. {self.architecture} needs to know their image_shape, (C, H, W) or "
                    "(H, W); or take architecture='mlp_300', which does not."
                )
            image_shape, channels = (1, 1, shape[1]), None
        self.codec_ = ImageCodec(image_shape=image_shape, channels=channels).fit(X)
        images = self._encoded(X)
        self.data_shape_ = images.shape[1:]
        smallest = ARCHITECTURES[self.architecture][1] if self.module is None else 1
        if min(self.data_shape_[1:]) < smallest:
            raise ValueError(
                f"{self.architecture} pools images of {self.data_shape_[1]}×{self.data_shape_[2]} px away: it needs at "
                f"least {smallest} px a side. Take architecture='mlp_300' for smaller ones."
            )
        return images

    def _encoded(self, X) -> np.ndarray:
        """Complete, finite images as the module takes them."""
        return complete(self.codec_.transform(X), type(self).__name__)

    # Training

    def fit(self, X: Any, y: Any, is_synthetic: Any = None, sample_weight: Any = None, **fit_params: Any) -> Self:
        """Train from scratch.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n, C, H, W), (n, H, W, C), (n, H, W) or (n, d)
            Images of any numeric dtype.
        y : array-like of shape (n,)
            Labels of any type.
        is_synthetic : array-like of bool, shape (n,), or None
            Rows to keep out of the validation split, if there is one: a sampler's ``is_synthetic_``.
        sample_weight : array-like of shape (n,) or None
            Finite and at least 0. The loss of a batch is the mean weighted by them, times those of ``class_weight``.
        **fit_params
            None: other keywords are refused.

        Returns
        -------
        self
        """
        refuse_unknown(type(self).__name__, fit_params, ("is_synthetic", "sample_weight"))
        validate_parameter_constraints(
            self._parameter_constraints, self.get_params(deep=False), caller_name=type(self).__name__
        )
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        check_consistent_length(X, y, is_synthetic)
        weights = checked_weights(sample_weight, len(y), self.criterion, self.get_params_for("criterion"))
        images = self._fit_codec(X)
        augment = augmentation_for(images, y) if self.augment == "auto" else transforms_of(self.augment)
        # Attributes of a failed fit must not look like those of a finished one, so the encoder comes after all checks.
        self.label_encoder_ = LabelEncoder().fit(y)
        self._labels_, self._weights_, self.augment_ = y, weights, augment
        self._synthetic_ = None if is_synthetic is None else np.asarray(is_synthetic, dtype=bool)
        self.n_features_in_ = np.shape(X)[1]
        self.n_updates_ = self._count_updates(len(y))
        self.updates_ = 0
        seed = draw_seeds(self.random_state, 1)[0]
        try:
            with private_rng(seed, resolve_device(self.device), lend_global=self.has_foreign_code):
                super().fit(images, self.label_encoder_.transform(y).astype(np.int64))
        finally:
            del self._labels_, self._synthetic_, self._weights_
        return self

    def _count_updates(self, n_rows: int) -> int:
        if self.train_split is not None:
            labels = self.label_encoder_.transform(self._labels_)
            dataset = torch.utils.data.TensorDataset(torch.zeros(n_rows), torch.from_numpy(labels))
            n_rows = len(real_rows_held_out(self.train_split, dataset, labels, self._synthetic_)[0])
        self.updates_per_epoch_ = max(1, n_rows // self.batch_size)
        return self.max_updates or self.max_epochs * self.updates_per_epoch_

    def fit_loop(self, X: Any, y: Any = None, epochs: Any = None, **kwargs: Any) -> Any:
        """skorch's, for as many epochs as hold ``max_updates``."""
        if self.max_updates is not None:
            epochs = math.ceil(self.max_updates / self.updates_per_epoch_)
        return super().fit_loop(X, y, epochs=epochs, **kwargs)

    def get_split_datasets(self, X: Any, y: Any = None, **fit_params: Any) -> Any:
        """Tensors on the device, those of weights last; uint8 stays uint8."""
        weights = vars(self).get("_weights_")
        arrays = (X, y) if weights is None else (X, y, weights.astype(np.float32))
        dataset = torch.utils.data.TensorDataset(*(as_tensor(array, self.device_) for array in arrays))
        if self.train_split is None:
            return dataset, None
        return real_rows_held_out(self.train_split, dataset, y, self._synthetic_)

    def get_iterator(self, dataset: Any, training: Any = False) -> Any:
        """Batches by index from memory: shuffled and full for training, in order otherwise."""
        max_updates = self.n_updates_ if training else None
        return batches_of(dataset, self.device_, batch_size=self.batch_size, max_updates=max_updates, shuffle=training)

    def train_step(self, batch: Any, **fit_params: Any) -> Any:
        """skorch's, on the augmented batch; updates are counted."""
        X, y = with_weights(batch)
        self.updates_ += 1
        return super().train_step(augmented(to_unit_range(X), y, self.augment_), **fit_params)

    def validation_step(self, batch: Any, **fit_params: Any) -> Any:
        """skorch's, with the weights of the rows."""
        return super().validation_step(with_weights(batch), **fit_params)

    def infer(self, x: Tensor, **fit_params: Any) -> Any:
        """Logits of a batch on the device."""
        return self.module_(to_unit_range(x))

    def get_loss(self, y_pred: Any, y_true: Any, *args: Any, **kwargs: Any) -> Any:
        """The criterion on logits and class ids, or (class ids, weights of the rows), all on the device already."""
        return batch_loss(self.criterion_, y_pred, y_true)

    # Prediction

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of shape (n, n_classes), in the order of ``classes_``."""
        self.check_is_fitted()
        return self._probabilities(as_tensor(self._encoded(X)))

    @plain_torch(grad=False)
    def _probabilities(self, images: Tensor) -> np.ndarray:
        self._set_training(False)
        return torch.cat([self.infer(x.to(self.device_)).softmax(1).cpu() for x in images.split(_CHUNK)]).numpy()

    def features(self, X: Any) -> np.ndarray:
        """The penultimate layer's outputs, shape (n, units): what metrics of images are usually taken on.

        For architectures and modules that are an ``nn.Sequential`` whose last layer gives the logits.
        """
        self.check_is_fitted()
        if not isinstance(self.module_, nn.Sequential):
            raise TypeError(
                f"features needs a module that is an nn.Sequential; this is a {type(self.module_).__name__}."
            )
        self._set_training(False)
        images = as_tensor(self._encoded(X))
        with plain_torch(grad=False):
            chunks = (self.module_[:-1](to_unit_range(x.to(self.device_))).cpu() for x in images.split(_CHUNK))
            return torch.cat(list(chunks)).numpy()

    def predict(self, X: Any) -> np.ndarray:
        """The most probable label of each row, as it was in ``fit``'s y."""
        return self.classes_[self.predict_proba(X).argmax(1)]
