"""A GAN on real-valued labels whose discriminator predicts them (the galaxy report's)."""

from numbers import Real
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import huber_loss, mse_loss

from skgan._compat import Number, StrOptions
from skgan.losses import NonSaturating
from skgan.nets.adversarial import AdversarialNet


class PredictorGANNet(AdversarialNet):
    """A GAN whose discriminator also predicts the real-valued labels; the generator has to make them predictable.

    Generator: ℓ²(y, ŷ(fake)) − λ log p(fake). Discriminator: −λ log p(real) − λ log(1 − p(fake)) plus the prediction term,
    which is ℓ²(real) alone (``hinge=None``), max(0, ℓ²(fake) − ℓ²(real)) as the report prints it, or
    max(0, ℓ²(real) − ℓ²(fake)) as its authors' code has it. ℓ² is the mean over the batch of the squared distance; labels
    are standardised inside. As printed, nothing teaches the predictor what the real labels are.

    Parameters
    ----------
    module : class
        Whose discriminator has :class:`skgan.modules.heads.PredictorHead`: ``ResizeConvGAN``, or any with
        ``module__head="predictor"``.
    criterion : class, default=NonSaturating
    hinge : {None, "as_printed", "as_coded"}, default=None
        The discriminator's prediction term, as above.
    adversarial_weight : float, default=1.0
        λ > 0.
    label_weights : sequence of k floats or None, default=None
        Weight of each label in ℓ²; None is 1 each.
    prediction_loss : {"squared", "huber"}, default="squared"
        "huber" is linear beyond one standard deviation: labels with heavy tails do not rule the gradient.
    **kwargs
        As :class:`skgan.nets.AdversarialNet`.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **AdversarialNet._parameter_constraints,
        "hinge": [None, StrOptions({"as_printed", "as_coded"})],
        "adversarial_weight": [Number(Real, 0, None, closed="neither")],
        "label_weights": [None, "array-like"],
        "prediction_loss": [StrOptions({"squared", "huber"})],
    }

    def __init__(
        self,
        module: Any,
        criterion: Any = NonSaturating,
        *,
        hinge: Any = None,
        adversarial_weight: Any = 1.0,
        label_weights: Any = None,
        prediction_loss: Any = "squared",
        **kwargs: Any,
    ):
        self.hinge = hinge
        self.adversarial_weight = adversarial_weight
        self.label_weights = label_weights
        self.prediction_loss = prediction_loss
        super().__init__(module, criterion, **kwargs)

    def check_training_params(self) -> None:
        super().check_training_params()
        if self.label_weights is not None and not all(weight >= 0 for weight in self.label_weights):
            raise ValueError(f"label_weights must be None or weights of at least 0, got {self.label_weights!r}.")

    def check_shapes(self) -> None:
        super().check_shapes()
        if not self.condition_dim_:
            raise ValueError(
                "This net learns from real-valued labels, and there are only classes here. Give ConditionalGANAugmenter a "
                "continuous y (target='continuous') or condition=, or use another net, such as 'dcgan' or 'mlp_gan'."
            )
        if self.label_weights is not None and len(self.label_weights) != self.condition_dim_:
            raise ValueError(
                f"label_weights has {len(self.label_weights)} weights, and there are {self.condition_dim_} labels."
            )

    def discriminator_extra_loss(self, of_real: Tensor | None, of_fake: Tensor | None, y: Tensor) -> Tensor:
        """The prediction term, from the labels that were predicted for real and for fake rows."""
        distance_of_real, distance_of_fake = self.distance(of_real, y), self.distance(of_fake, y)
        if self.hinge is None:
            return distance_of_real
        excess = distance_of_fake - distance_of_real
        return (excess if self.hinge == "as_printed" else -excess).clamp(min=0)

    def generator_extra_loss(self, of_fake: Tensor | None, y: Tensor) -> Tensor:
        """How far the predicted labels are from those asked for."""
        return self.distance(of_fake, y)

    def distance(self, predicted: Tensor | None, y: Tensor) -> Tensor:
        """ℓ²: the mean over the batch of the squared distance of predicted labels (n, k) from y, a scalar."""
        if predicted is None:
            raise TypeError(
                f"PredictorGANNet needs a discriminator that predicts labels, and that of {self.module.__name__} returns "
                "logits alone; use module__head='predictor', or skgan.modules.heads.PredictorHead in your module."
            )
        if self.prediction_loss == "huber":
            each = 2 * huber_loss(predicted, y, reduction="none")
        else:
            each = mse_loss(predicted, y, reduction="none")
        if self.label_weights is not None:
            each = each * torch.as_tensor(self.label_weights, dtype=each.dtype, device=each.device)
        return each.sum(1).mean()
