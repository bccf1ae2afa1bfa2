"""Ready-made nets: plain functions whose keyword arguments override the net's parameters.

``net="dcgan"`` in a sampler means ``net=dcgan()``; to change a parameter, pass the call: ``net=dcgan(max_steps=500)``.
"""

import inspect
from collections.abc import Callable
from typing import Any

from skgan import modules, nets
from skgan.callbacks import Anneal, GammaByResolution, Grow
from skgan.losses import NonSaturating, Relativistic, Wasserstein
from skgan.penalties import R1, R2, GradientPenalty

__all__ = [
    *("autoencoder", "cyclegan", "dagan", "dcgan", "flow", "gaussian", "genclass", "gtn", "mlp_gan", "offspring"),
    *("photo_gan", "predictor_gan", "predictor_mlp_gan", "progan", "relativistic_gan", "vae", "vae_gan", "wgan_gp"),
]


def documented(preset: Callable[..., nets.GenerativeNet]) -> Callable[..., nets.GenerativeNet]:
    """The preset, whose docstring also shows what its net is made with."""
    net = preset()
    text = inspect.cleandoc(preset.__doc__ or "")
    if "Parameters\n---" not in text:
        text += "\n\nParameters\n----------"
    preset.__doc__ = (
        f"{text}\n**params\n    Any parameter of :class:`skgan.nets.{type(net).__name__}`; it overrides the preset's own.\n\n"
        f"Returns\n-------\n{type(net).__name__}\n    ``{net!r}``"
    )
    return preset


@documented
def mlp_gan(alpha: int = 4, **params: Any) -> nets.AdversarialNet:
    """The MLP pair of size α, for tables and small images, with R1 and two discriminator updates per generator update.

    With a strong penalty, β₁ = 0 and no dropout. The MNIST report's own settings are :data:`MLP_GAN_AS_PUBLISHED`.

    Parameters
    ----------
    alpha : int, default=4
        Generator 32α-64α-128α, discriminator 128α-32α-8α hidden units.
    """
    defaults = {
        "module": modules.MLPGAN,
        "module__alpha": alpha,
        "module__latent_dim": 32,
        "module__dropout": 0.0,
        "penalties": (R1(gamma=3.0),),
        "n_critic": 2,
        "lr": 1e-3,
        "optimizer__betas": (0.0, 0.99),
        "max_steps": 1000,
    }
    return nets.AdversarialNet(**{**defaults, **params})


MLP_GAN_AS_PUBLISHED: dict[str, Any] = {
    "module__latent_dim": 100,
    "module__dropout": 0.1,
    "penalties": (),
    "criterion__label_smoothing": 0.1,
    "n_critic": 1,
    "n_generator": 2,
    "batch_size": 25,
    "lr": 1.5e-4,
    "optimizer__betas": (0.9, 0.999),
    "optimizer__param_groups": [("discriminator.*", {"lr": 7.5e-4})],
    "callbacks__ema": None,
}
"""``mlp_gan(4, **MLP_GAN_AS_PUBLISHED, max_steps=80 * n)`` is the MNIST report's GAN of one digit of n rows (2,000 passes); for
samplers with ``per_class=True``. Sizes and smoothing are those of its code. New rows are made without dropout, which that code
leaves on."""


@documented
def dcgan(**params: Any) -> nets.AdversarialNet:
    """The convolutional pair, for images of any size, with R1."""
    defaults = {
        "module": modules.DCGAN,
        "penalties": (R1(gamma=1.0),),
        "lr": 5e-4,
        "optimizer__betas": (0.0, 0.99),
        "max_steps": 1000,
    }
    return nets.AdversarialNet(**{**defaults, **params})


@documented
def photo_gan(**params: Any) -> nets.AdversarialNet:
    """The photo report's conditional pair, for a few dozen photographs, with R1 and a calmer optimiser.

    Its own settings (Adam(2e-3, β₁ = .5), batches of 8, no penalty) are :data:`PHOTO_GAN_AS_PUBLISHED`, for 40,000 steps.
    """
    defaults = {
        "module": modules.PhotoGAN,
        "penalties": (R1(gamma=1.0),),
        "reuse_fakes": True,
        "batch_size": 16,
        "lr": 5e-4,
        "optimizer__betas": (0.0, 0.99),
        "max_steps": 1000,
    }
    return nets.AdversarialNet(**{**defaults, **params})


PHOTO_GAN_AS_PUBLISHED = {
    "penalties": (),
    "reuse_fakes": False,
    "batch_size": 8,
    "lr": 2e-3,
    "optimizer__betas": (0.5, 0.999),
}
"""``photo_gan(**PHOTO_GAN_AS_PUBLISHED)`` has the photo report's optimiser."""


@documented
def wgan_gp(**params: Any) -> nets.AdversarialNet:
    """The Wasserstein GAN with gradient penalty on the convolutional pair: five critic updates on fresh rows for one of
    the generator, λ = 10, Adam(0, .9).

    Gulrajani et al., "Improved training of Wasserstein GANs", NeurIPS 2017, algorithm 1; there every critic update has its
    penalty, and here every fourth, four times as strong. On tables give ``module=skgan.modules.MLPGAN``.
    """
    defaults = {
        "module": modules.DCGAN,
        "criterion": Wasserstein,
        "penalties": (GradientPenalty(weight=10.0, every=4),),
        "reuse_fakes": True,
        "n_critic": 5,
        "lr": 2e-4,
        "optimizer__betas": (0.0, 0.9),
        "max_steps": 1000,
    }
    return nets.AdversarialNet(**{**defaults, **params})


@documented
def relativistic_gan(**params: Any) -> nets.AdversarialNet:
    """R3GAN's recipe on the convolutional pair: relativistic pairing loss, R1 and R2, no normalisation, schedules.

    γ by resolution and falling, learning rate falling and β₂ rising along cosines: Huang et al., "The GAN is dead; long live
    the GAN!", NeurIPS 2024, section 4. On tables give ``module=skgan.modules.MLPGAN`` and ``module__norm="none"``.
    """
    lr = params.get("lr", 5e-4)
    defaults = {
        "module": modules.DCGAN,
        "module__norm": "none",
        "criterion": Relativistic,
        "penalties": (R1(gamma=1.0), R2(gamma=1.0)),
        "lr": lr,
        "optimizer__betas": (0.0, 0.9),
        "callbacks": [
            ("gamma", GammaByResolution()),
            ("rate", Anneal("lr", (lr, lr / 5), "cosine")),
            ("beta2", Anneal("beta2", (0.9, 0.99), "cosine")),
        ],
        "max_steps": 1500,
    }
    return nets.AdversarialNet(**{**defaults, **params})


@documented
def progan(**params: Any) -> nets.ProGANNet:
    """A pair that grows from coarse images to fine ones: for large images and long trainings.

    With the non-saturating loss and R1 in every fourth update; the paper has ``criterion=Wasserstein,
    penalties=(GradientPenalty(),)``. Batches of 32 (the paper has 16), so that training at 128 px takes less than 3 GB.
    """
    defaults = {
        "module": modules.ProGAN,
        "penalties": (R1(gamma=1.0, every=4),),
        "reuse_fakes": True,
        "batch_size": 32,
        "lr": 1e-3,
        "optimizer__betas": (0.0, 0.99),
        "callbacks": [("grow", Grow())],
        "callbacks__ema__decay": 0.98,
        "max_steps": 2000,
    }
    return nets.ProGANNet(**{**defaults, **params})


@documented
def vae(beta: float = 1.0, **params: Any) -> nets.VAENet:
    """A variational autoencoder for images and tables: never collapses, blurs.

    Parameters
    ----------
    beta : float, default=1.0
        Weight of the KL term; below 1 sharper and less like the prior (then ``sampling="posterior"``).
    """
    defaults = {"module": modules.Autoencoder, "beta": beta, "lr": 1e-3}
    return nets.VAENet(**{**defaults, **params})


@documented
def autoencoder(**params: Any) -> nets.VAENet:
    """A plain autoencoder; new rows are decoded from the Gaussian fitted to the codes of their class.

    ``sampling="interpolation"`` decodes points between the codes of two real rows instead.
    """
    return vae(**{"variational": False, "sampling": "posterior", **params})


@documented
def vae_gan(**params: Any) -> nets.VAEGANNet:
    """A VAE whose decoder is a GAN's generator."""
    defaults = {
        "module": modules.VAEGAN,
        "criterion": NonSaturating,
        "penalties": (R1(gamma=1.0),),
        "lr": 5e-4,
        "optimizer__betas": (0.0, 0.99),
        "max_steps": 1000,
    }
    return nets.VAEGANNet(**{**defaults, **params})


@documented
def offspring(**params: Any) -> nets.OffspringNet:
    """New rows from real parents: warped and brightened images, or residuals on a table's numeric columns.

    Trained once on all classes, on near pairs, with R1; the new rows are half offspring, half copies.
    """
    defaults = {
        "module": modules.Offspring,
        "penalties": (R1(gamma=1.0, every=4),),
        "class_power": 0.5,
        "optimizer__betas": (0.0, 0.99),
        "optimizer__param_groups": [("discriminator.*", {"lr": 4e-4})],
        "callbacks__ema__decay": 0.99,
        "max_steps": 500,
    }
    return nets.OffspringNet(**{**defaults, **params})


@documented
def cyclegan(**params: Any) -> nets.CycleGANNet:
    """Rows of a plentiful class, or domain, turned into rows of a scarce one: for classes that look alike.

    Least squares, Adam(4e-4, β₁ = .5), a pool of 50 rows.
    """
    defaults = {
        "module": modules.CycleGAN,
        "batch_size": 16,
        "lr": 4e-4,
        "optimizer__betas": (0.5, 0.999),
        "callbacks__ema__decay": 0.99,
        "max_steps": 1500,
    }
    return nets.CycleGANNet(**{**defaults, **params})


@documented
def dagan(**params: Any) -> nets.DAGANNet:
    """Rows decoded from a real row's code and noise, with a discriminator of pairs: for classes that training never saw."""
    defaults = {
        "module": modules.DAGAN,
        "penalties": (R1(gamma=1.0),),
        "class_power": 0.5,
        "lr": 5e-4,
        "optimizer__betas": (0.0, 0.99),
        "callbacks__ema__decay": 0.99,
        "max_steps": 1500,
    }
    return nets.DAGANNet(**{**defaults, **params})


@documented
def predictor_gan(**params: Any) -> nets.PredictorGANNet:
    """The galaxy report's GAN on real-valued labels: images whose labels the discriminator can predict."""
    defaults = {
        "module": modules.ResizeConvGAN,
        "lr": 4e-4,
        "optimizer__betas": (0.5, 0.999),
        "optimizer__param_groups": [("discriminator.*", {"lr": 1e-4})],
        # BatchNorm's statistics belong to the weights they were taken with, not to an average of weights.
        "callbacks__ema": None,
        "max_steps": 2000,
    }
    return nets.PredictorGANNet(**{**defaults, **params})


@documented
def predictor_mlp_gan(alpha: int = 4, **params: Any) -> nets.PredictorGANNet:
    """``predictor_gan()`` on the MLP pair of size α, for tables with real-valued labels.

    Parameters
    ----------
    alpha : int, default=4
        As in :func:`mlp_gan`.
    """
    defaults = {"module": modules.MLPGAN, "module__alpha": alpha, "module__head": "predictor", "module__dropout": 0.0}
    return predictor_gan(**{**defaults, **params})


@documented
def genclass(attributes: Any = None, **params: Any) -> nets.GenClassNet:
    """Rows from the attributes of a class, and a network that says whether two rows are of one class: for unseen classes.

    Parameters
    ----------
    attributes : dict of class → vector, or array of shape (n_classes, k)
        Needed; see :class:`skgan.nets.GenClassNet`.
    """
    defaults = {
        "module": modules.GenClass,
        "attributes": attributes,
        "penalties": (GradientPenalty(weight=10.0),),
        "n_critic": 2,
        "lr": 5e-4,
        "optimizer__betas": (0.0, 0.9),
        "max_steps": 1500,
    }
    return nets.GenClassNet(**{**defaults, **params})


@documented
def flow(**params: Any) -> nets.FlowNet:
    """Rows of a table at the end of a learned flow from noise: no game between two networks, and so nothing to balance."""
    defaults = {"module": modules.Flow, "batch_size": 128, "lr": 1e-3}
    return nets.FlowNet(**{**defaults, **params})


@documented
def gaussian(**params: Any) -> nets.GaussianNet:
    """One Gaussian per class, its covariance shrunk towards the pooled one: the floor that a net has to beat."""
    return nets.GaussianNet(**params)


@documented
def gtn(**params: Any) -> nets.GTNNet:
    """A generative teaching network: rows, in an order, that a fresh classifier learns from in a few dozen steps.

    Such et al., "Generative teaching networks", ICML 2020. The rows teach and need not look real: use them alone, as in
    ``ConditionalGANAugmenter(keep_real=False, net=gtn())`` or by ``teaching_set``.
    """
    lr = params.get("lr", 1e-2)
    defaults = {
        "module": modules.Teacher,
        "learner": modules.SmallLearner,
        "border_weight": 0.2,
        "batch_size": 256,
        "lr": lr,
        "callbacks": [("rate", Anneal("lr", (lr, lr / 20), "cosine"))],
        "max_steps": 150,
    }
    return nets.GTNNet(**{**defaults, **params})
