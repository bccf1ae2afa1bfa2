"""skorch nets that learn to make rows."""

from skgan.nets.adversarial import AdversarialNet
from skgan.nets.base import GenerativeNet
from skgan.nets.consensus import ConsensusNet
from skgan.nets.cyclegan import CycleGANNet
from skgan.nets.dagan import DAGANNet
from skgan.nets.draw import NO_PARENT, Draw
from skgan.nets.flow import FlowNet
from skgan.nets.gaussian import GaussianNet
from skgan.nets.genclass import GenClassNet
from skgan.nets.gtn import GTNNet
from skgan.nets.offspring import OffspringNet
from skgan.nets.predictor import PredictorGANNet
from skgan.nets.progan import ProGANNet
from skgan.nets.vae import VAEGANNet, VAENet

__all__ = [
    "NO_PARENT",
    "AdversarialNet",
    "ConsensusNet",
    "CycleGANNet",
    "DAGANNet",
    "Draw",
    "FlowNet",
    "GTNNet",
    "GaussianNet",
    "GenClassNet",
    "GenerativeNet",
    "OffspringNet",
    "PredictorGANNet",
    "ProGANNet",
    "VAEGANNet",
    "VAENet",
]
