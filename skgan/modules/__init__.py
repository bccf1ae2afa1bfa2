"""Pairs of networks: ``.generator``, ``.discriminator``, ``.latent_dim``, ``forward(z, y)``."""

from skgan.modules.autoencoder import VAEGAN, Autoencoder
from skgan.modules.dagan import DAGAN
from skgan.modules.dcgan import DCGAN
from skgan.modules.flow import Flow
from skgan.modules.genclass import GenClass
from skgan.modules.mlp import MLPGAN
from skgan.modules.offspring import Offspring
from skgan.modules.photo import PhotoGAN
from skgan.modules.progan import ProGAN
from skgan.modules.resize_conv import ResizeConvGAN
from skgan.modules.teaching import SmallLearner, Teacher
from skgan.modules.translation import CycleGAN

__all__ = [
    "DAGAN",
    "DCGAN",
    "MLPGAN",
    "VAEGAN",
    "Autoencoder",
    "CycleGAN",
    "Flow",
    "GenClass",
    "Offspring",
    "PhotoGAN",
    "ProGAN",
    "ResizeConvGAN",
    "SmallLearner",
    "Teacher",
]
