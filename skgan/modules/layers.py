"""Layers that several modules share."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import gumbel_softmax


class LabelEmbedding(nn.Module):
    """What a network knows of the label: a learned vector per class, or nothing where there is one class.

    Parameters
    ----------
    n_classes : int
        Number of classes; 1 is unconditional.
    dim : int
        Length of the vector asked for; ``.dim`` is what comes out (0 for one class).
    """

    def __init__(self, n_classes: int, dim: int):
        super().__init__()
        self.dim = dim if n_classes > 1 else 0
        self.embedding = nn.Embedding(n_classes, dim) if n_classes > 1 else None

    def forward(self, y: Tensor) -> Tensor:
        """Class ids of shape (n,) → vectors of shape (n, dim)."""
        if self.embedding is None:
            return torch.zeros(len(y), 0, device=y.device)
        return self.embedding(y)


class ProjectionHead(nn.Module):
    """Features and labels → logits of shape (n,): w·h + ⟨e(y), h⟩.

    References
    ----------
    Miyato & Koyama, "cGANs with projection discriminator", ICLR 2018, eq. 3.
    """

    def __init__(self, n_features: int, n_classes: int):
        super().__init__()
        self.linear = nn.Linear(n_features, 1)
        self.embedding = LabelEmbedding(n_classes, n_features)
        if self.embedding.embedding is not None:
            # Starts as an unconditional critic whose classes part as training finds them to.
            nn.init.normal_(self.embedding.embedding.weight, std=1 / math.sqrt(n_features))

    def forward(self, features: Tensor, y: Tensor) -> Tensor:
        logits = self.linear(features)[:, 0]
        return logits + (self.embedding(y) * features).sum(1) if self.embedding.dim else logits


class SpanOutput(nn.Module):
    """Numeric columns pass; each one-hot span becomes a relaxed draw of one category (Gumbel-softmax).

    Parameters
    ----------
    spans : sequence of (start, stop)
        Columns of each categorical feature.
    temperature : float, default=0.2
        τ > 0; the draw nears a one-hot vector as τ → 0.

    References
    ----------
    Jang, Gu & Poole, "Categorical reparameterization with Gumbel-softmax", ICLR 2017.
    """

    def __init__(self, spans: Sequence[tuple[int, int]], temperature: float = 0.2):
        super().__init__()
        self.spans, self.temperature = tuple(spans), temperature

    def forward(self, rows: Tensor) -> Tensor:
        if not self.spans:
            return rows
        pieces, at = [], 0
        for start, stop in self.spans:
            pieces += [rows[:, at:start], gumbel_softmax(rows[:, start:stop], tau=self.temperature)]
            at = stop
        return torch.cat([*pieces, rows[:, at:]], 1)
