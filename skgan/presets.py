"""Ready-made nets: plain functions whose keyword arguments override the net's parameters.

``net="dcgan"`` in a sampler means ``net=dcgan()``; to change a parameter, pass the call: ``net=dcgan(max_steps=500)``.
"""

from skgan.losses import Hinge, NonSaturating
from skgan.modules import DCGAN, MLPGAN, Offspring, ResizeConvGAN
from skgan.nets import AdversarialNet, GaussianNet, OffspringNet, PredictorGANNet
from skgan.penalties import R1

__all__ = ["dcgan", "gaussian", "mlp_gan", "offspring", "predictor_gan", "predictor_mlp_gan"]


def mlp_gan(alpha: int = 4, **params) -> AdversarialNet:
    """The MLP pair of size α, for tables and small images, with R1 and two discriminator updates per generator update.

    The strong penalty, β₁ = 0 and no dropout keep the spread of correlated columns; weaker settings collapsed.

    Parameters
    ----------
    alpha : int, default=4
        Generator 32α-64α-128α, discriminator 128α-32α-8α hidden units.
    **params
        Any parameter of :class:`skgan.nets.AdversarialNet`, such as ``max_steps`` or ``module__latent_dim``.
    """
    defaults = {
        "module": MLPGAN,
        "module__alpha": alpha,
        "module__latent_dim": 32,
        "module__dropout": 0.0,
        "criterion": NonSaturating,
        "penalties": (R1(gamma=3.0),),
        "n_critic": 2,
        "lr": 1e-3,
        "optimizer__betas": (0.0, 0.99),
        "max_steps": 1000,
    }
    return AdversarialNet(**{**defaults, **params})


def dcgan(**params) -> AdversarialNet:
    """The convolutional pair, for images of any size, with R1.

    Parameters
    ----------
    **params
        Any parameter of :class:`skgan.nets.AdversarialNet`, such as ``max_steps`` or ``module__width``.
    """
    defaults = {
        "module": DCGAN,
        "criterion": NonSaturating,
        "penalties": (R1(gamma=1.0),),
        "lr": 5e-4,
        "optimizer__betas": (0.0, 0.99),
        "max_steps": 1000,
    }
    return AdversarialNet(**{**defaults, **params})


def offspring(**params) -> OffspringNet:
    """New rows from real parents: warped and brightened images, or residuals on a table's numeric columns.

    Trained once on all classes, on near pairs, with R1; the new rows are half offspring, half copies.

    Parameters
    ----------
    **params
        Any parameter of :class:`skgan.nets.OffspringNet`, such as ``shares`` or ``max_steps``.
    """
    defaults = {
        "module": Offspring,
        "criterion": Hinge,
        "penalties": (R1(gamma=1.0),),
        "n_candidates": 8,
        "shares": (1, 0, 1),
        "spread": 1.5,
        "class_power": 0.5,
        "lr": 2e-4,
        "optimizer__betas": (0.0, 0.99),
        "optimizer__param_groups": [("discriminator.*", {"lr": 4e-4})],
        "callbacks__ema__decay": 0.99,
        "max_steps": 500,
    }
    return OffspringNet(**{**defaults, **params})


def predictor_gan(**params) -> PredictorGANNet:
    """The galaxy report's GAN on real-valued labels: images whose labels the discriminator can predict.

    Parameters
    ----------
    **params
        Any parameter of :class:`skgan.nets.PredictorGANNet`, such as ``hinge``, ``vicinity`` or ``module__width``.
    """
    defaults = {
        "module": ResizeConvGAN,
        "criterion": NonSaturating,
        "hinge": None,
        "lr": 4e-4,
        "optimizer__betas": (0.5, 0.999),
        "optimizer__param_groups": [("discriminator.*", {"lr": 1e-4})],
        # BatchNorm's statistics belong to the weights they were taken with, not to an average of weights.
        "callbacks__ema": None,
        "max_steps": 2000,
    }
    return PredictorGANNet(**{**defaults, **params})


def predictor_mlp_gan(alpha: int = 4, **params) -> PredictorGANNet:
    """``predictor_gan()`` on the MLP pair of size α, for tables with real-valued labels.

    Parameters
    ----------
    alpha : int, default=4
        As in :func:`mlp_gan`.
    **params
        Any parameter of :class:`skgan.nets.PredictorGANNet`.
    """
    defaults = {"module": MLPGAN, "module__alpha": alpha, "module__head": "predictor", "module__dropout": 0.0}
    return predictor_gan(**{**defaults, **params})


def gaussian(**params) -> GaussianNet:
    """One Gaussian per class, its covariance shrunk towards the pooled one: the floor that a net has to beat.

    Parameters
    ----------
    **params
        Any parameter of :class:`skgan.nets.GaussianNet`, such as ``prior_rows``.
    """
    return GaussianNet(**params)
