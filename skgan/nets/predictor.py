"""A GAN on real-valued labels whose discriminator predicts them (the galaxy report's)."""

import torch
from torch import Tensor
from torch.nn.functional import huber_loss, mse_loss

from skgan.losses import NonSaturating
from skgan.nets.adversarial import AdversarialNet

HINGES = ("as_printed", "as_coded", None)


class PredictorGANNet(AdversarialNet):
    """A GAN whose discriminator also predicts the real-valued labels; the generator has to make them predictable.

    Generator: ℓ²(y, ŷ(fake)) − λ log p(fake). Discriminator: −λ log p(real) − λ log(1 − p(fake)) plus the prediction term,
    which is ℓ²(real) alone (``hinge=None``), max(0, ℓ²(fake) − ℓ²(real)) as the report prints it, or
    max(0, ℓ²(real) − ℓ²(fake)) as its authors' code has it. ℓ² is the mean over the batch of the squared distance; labels
    are standardised inside. As printed, nothing teaches the predictor what the real labels are.

    Parameters
    ----------
    module : class
        Whose discriminator has :class:`skgan.modules.layers.PredictorHead`: ``ResizeConvGAN``, or any with
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

    def __init__(
        self,
        module,
        criterion=NonSaturating,
        *,
        hinge=None,
        adversarial_weight=1.0,
        label_weights=None,
        prediction_loss="squared",
        **kwargs,
    ):
        self.hinge = hinge
        self.adversarial_weight = adversarial_weight
        self.label_weights = label_weights
        self.prediction_loss = prediction_loss
        super().__init__(module, criterion, **kwargs)

    def check_training_params(self):
        super().check_training_params()
        if self.hinge not in HINGES:
            raise ValueError(f"hinge must be one of {', '.join(map(repr, HINGES))}; got {self.hinge!r}.")
        if self.prediction_loss not in ("squared", "huber"):
            raise ValueError(f"prediction_loss must be 'squared' or 'huber', got {self.prediction_loss!r}.")
        if not self.adversarial_weight > 0:
            raise ValueError(f"adversarial_weight must be above 0, got {self.adversarial_weight!r}.")
        if self.label_weights is not None and not all(weight >= 0 for weight in self.label_weights):
            raise ValueError(f"label_weights must be None or weights of at least 0, got {self.label_weights!r}.")

    def check_shapes(self):
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

    def discriminator_loss(self, real: Tensor, y: Tensor, *parents: Tensor) -> Tensor:
        """Both adversarial terms, penalties, and the prediction term."""
        self.distances_: list[Tensor] = []
        adversarial = super().discriminator_loss(real, y)
        of_real, of_fake = self.distances_
        if self.hinge is None:
            prediction = of_real
        else:
            prediction = (of_fake - of_real if self.hinge == "as_printed" else of_real - of_fake).clamp(min=0)
        return self.adversarial_weight * adversarial + prediction

    def generator_loss(self, real: Tensor, y: Tensor, *parents: Tensor) -> Tensor:
        """The adversarial term, and how far the predicted labels are from those asked for."""
        self.distances_ = []
        return self.adversarial_weight * super().generator_loss(real, y) + self.distances_[-1]

    def auxiliary_loss(self, y: Tensor) -> float:
        """Keep ℓ² of the batch that the critic saw last; it enters the losses above."""
        predicted = self.module_.discriminator.head.take_prediction()
        if self.prediction_loss == "huber":
            each = 2 * huber_loss(predicted, y, reduction="none")
        else:
            each = mse_loss(predicted, y, reduction="none")
        if self.label_weights is not None:
            each = each * torch.as_tensor(self.label_weights, dtype=each.dtype, device=each.device)
        self.distances_.append(each.sum(1).mean())
        return 0.0
