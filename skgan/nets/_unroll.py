"""A learner's training as a function that can be differentiated: the inner loop, and the gradient through its segments."""

import itertools
from collections.abc import Sequence
from numbers import Integral
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call

from skgan._draws import random_state, replayed


class Outcome(NamedTuple):
    """Loss and accuracy on real rows, and the loss's gradient by the learner's weights."""

    loss: Tensor
    accuracy: Tensor
    gradient: list[Tensor]


def check_learner(learner, data_shape: Sequence[int], n_classes: int) -> None:
    """Refuse what is no classifier of these rows, or has a state beside its weights."""
    if not isinstance(learner, nn.Module) or not any(p.requires_grad for p in learner.parameters()):
        raise TypeError(f"learner must return an nn.Module with parameters to teach; it returned {learner!r}.")
    if buffers := [name for name, _ in learner.named_buffers()]:
        raise ValueError(
            f"The learner has buffers ({', '.join(buffers[:3])}), and a loop that is run twice would change them twice; "
            "use a learner without BatchNorm, for instance with weight or group normalisation."
        )
    with torch.no_grad():
        logits = learner(torch.zeros(2, *data_shape))
    if logits.shape != (2, n_classes):
        raise ValueError(
            f"The learner must return logits of shape (n, {n_classes}) for n rows of shape {data_shape}; "
            f"for two rows it returned {tuple(logits.shape)}."
        )


def check_at_least_one(name: str, value) -> None:
    """Refuse counts that are no whole number above 0."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name} must be an integer of at least 1, got {value!r}.")


class InnerLoop:
    """The inner loop as a function of its state: the learner's weights, then the velocity of each."""

    def __init__(self, teacher, learner: nn.Module, criterion: nn.Module):
        self.teacher, self.learner, self.criterion = teacher, learner, criterion
        self.weights = {name: p for name, p in learner.named_parameters() if p.requires_grad}

    def start(self) -> list[Tensor]:
        """The learner as it is, at rest; its frozen parameters stay out of it."""
        weights = [p.detach() for p in self.weights.values()]
        return [*weights, *map(torch.zeros_like, weights)]

    def logits(self, weights: Sequence[Tensor], x: Tensor) -> Tensor:
        """What the learner makes of rows with these weights."""
        return functional_call(self.learner, dict(zip(self.weights, weights, strict=True)), (x,))

    def run(self, state: Sequence[Tensor], first: int, last: int, differentiable: bool) -> list[Tensor]:
        """The state after these steps: v ← μ v + ∇ℓ(w), w ← w − η v on each batch."""
        weights, velocity = state[: len(self.weights)], state[len(self.weights) :]
        self.learner.train()
        with torch.set_grad_enabled(differentiable):
            rows, labels = self.teacher.batches(first, last)
            rate, momentum = self.teacher.step_sizes()
        for x, y in zip(rows, labels, strict=True):
            if not differentiable:
                weights = [w.detach().requires_grad_() for w in weights]
            loss = self.criterion(self.logits(weights, x), y)
            gradient = torch.autograd.grad(loss, weights, create_graph=differentiable)
            with torch.set_grad_enabled(differentiable):
                velocity = [momentum * v + g for v, g in zip(velocity, gradient, strict=True)]
                weights = [w - rate * v for w, v in zip(weights, velocity, strict=True)]
        return [*weights, *velocity]

    def evaluate(self, state: Sequence[Tensor], x: Tensor, y: Tensor, weight: float = 1.0) -> Outcome:
        """The outer loss of this state on real rows, and its weighted gradient."""
        weights = [w.detach().requires_grad_() for w in state[: len(self.weights)]]
        self.learner.eval()
        logits = self.logits(weights, x)
        loss = self.criterion(logits, y)
        gradient = [weight * g for g in torch.autograd.grad(loss, weights)]
        return Outcome(loss.detach(), (logits.detach().argmax(1) == y).float().mean(), gradient)


def fill_gradients(
    loop: InnerLoop, borders: Sequence[int], x: Tensor, y: Tensor, border_weight: float
) -> tuple[Tensor, Tensor]:
    """Set ``.grad`` of the teacher to the outer gradient, and return loss and accuracy of the taught learner.

    Parameters
    ----------
    loop : InnerLoop
        Its learner is where the loop starts; it is not changed.
    borders : sequence of int
        The inner steps at which segments begin and end.
    x : tensor of shape ``(n, *data_shape)``
        Real rows.
    y : tensor of shape (n,)
        Their class ids.
    border_weight : float
        Of the loss at each border between segments.
    """
    *earlier, final = itertools.pairwise(borders)
    state, starts = loop.start(), []
    outcomes: list[Outcome | None] = []
    for first, last in earlier:
        starts.append((state, random_state()))
        state = [t.detach() for t in loop.run(state, first, last, differentiable=False)]
        outcomes.append(loop.evaluate(state, x, y, border_weight) if border_weight else None)
    taught = [p for p in loop.teacher.parameters() if p.requires_grad]
    for parameter in taught:
        parameter.grad = torch.zeros_like(parameter)

    def back(end: Sequence[Tensor], state: Sequence[Tensor], incoming: Sequence[Tensor]) -> list[Tensor]:
        """Through one segment: add to the teacher's gradient, and return that of the segment's first state."""
        gradients = torch.autograd.grad(end, [*state, *taught], incoming, materialize_grads=True)
        for parameter, part in zip(taught, gradients[len(state) :], strict=True):
            parameter.grad += part
        return list(gradients[: len(state)])

    # The last segment is the first to be differentiated, and so the only one that need not be run twice
    state = [t.requires_grad_() for t in state]
    end = loop.run(state, *final, differentiable=True)
    final_outcome = loop.evaluate(end, x, y)
    at_rest = [torch.zeros_like(t) for t in end[len(final_outcome.gradient) :]]
    incoming = back(end, state, [*final_outcome.gradient, *at_rest])
    del end
    for (first, last), at_border in zip(reversed(earlier), reversed(outcomes), strict=True):
        if at_border is not None:
            incoming = [*map(torch.add, incoming, at_border.gradient), *incoming[len(at_border.gradient) :]]
        state, drawn_from = starts.pop()
        state = [t.requires_grad_() for t in state]
        with replayed(drawn_from):  # the codes, the categories and the dropout of the first pass
            end = loop.run(state, first, last, differentiable=True)
        incoming = back(end, state, incoming)
        del end
    return final_outcome.loss, final_outcome.accuracy
