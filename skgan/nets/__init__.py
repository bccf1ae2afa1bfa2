"""skorch nets that learn to make rows."""

from skgan.nets.adversarial import AdversarialNet
from skgan.nets.base import GenerativeNet

__all__ = ["AdversarialNet", "GenerativeNet"]
