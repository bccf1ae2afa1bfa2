"""A GAN whose module grows while it trains: real images are as coarse as its stage."""

from typing import Any

from torch import Tensor

from skgan.losses import NonSaturating
from skgan.nets.adversarial import AdversarialNet


class ProGANNet(AdversarialNet):
    """An adversarial net that sees real images at its module's stage; :class:`skgan.callbacks.Grow` moves the stage.

    While a stage fades in, real images are mixed from the stage before and the new one in the same shares as the
    generator's, as in Karras et al., "Progressive growing of GANs", ICLR 2018, section 2.

    Parameters
    ----------
    module : class
        Such as :class:`skgan.modules.ProGAN`, with a method ``fade``.
    criterion : class, default=NonSaturating
    **kwargs
        As :class:`skgan.nets.AdversarialNet`; ``callbacks=[("grow", Grow())]`` makes the module grow.
    """

    gets_slower = True

    def __init__(self, module: Any, criterion: Any = NonSaturating, **kwargs: Any):
        super().__init__(module, criterion, **kwargs)

    def check_training_params(self) -> None:
        super().check_training_params()
        if not hasattr(self.module, "fade"):
            raise TypeError(
                f"ProGANNet trains a module that grows, such as skgan.modules.ProGAN, with a method fade; got "
                f"{self.module!r}. Use AdversarialNet for other pairs."
            )

    def discriminator_loss(self, real: Tensor, y: Tensor, *parents: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """As AdversarialNet's, on faded real images."""
        return super().discriminator_loss(self.module_.fade(real), y, *parents)

    def generator_loss(self, real: Tensor, y: Tensor, *parents: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """As AdversarialNet's, on faded real images."""
        return super().generator_loss(self.module_.fade(real), y, *parents)
