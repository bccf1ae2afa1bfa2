"""skorch nets that learn to make rows."""

from skgan.nets.adversarial import AdversarialNet
from skgan.nets.base import GenerativeNet
from skgan.nets.consensus import ConsensusNet
from skgan.nets.gaussian import GaussianNet
from skgan.nets.gtn import GTNNet
from skgan.nets.offspring import OffspringNet
from skgan.nets.predictor import PredictorGANNet
from skgan.nets.progan import ProGANNet
from skgan.nets.vae import VAEGANNet, VAENet

__all__ = [
    "AdversarialNet",
    "ConsensusNet",
    "GTNNet",
    "GaussianNet",
    "GenerativeNet",
    "OffspringNet",
    "PredictorGANNet",
    "ProGANNet",
    "VAEGANNet",
    "VAENet",
]
