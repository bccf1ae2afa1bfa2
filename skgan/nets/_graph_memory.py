"""What the graph of a differentiated training keeps in memory: counted, and extrapolated before the training."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from skgan.nets._unroll import InnerLoop


class KeptBytes(torch.autograd.graph.saved_tensors_hooks):
    """Count what graphs built inside keep for their backward pass, each storage once: ``now`` and ``peak``, in bytes."""

    def __init__(self):
        self.now = self.peak = 0
        self._kept: dict[tuple[int, int], int] = {}
        super().__init__(lambda tensor: _Kept(self, tensor.detach()), lambda kept: kept.tensor)

    def __enter__(self):
        super().__enter__()
        return self


class _Kept:
    """A tensor that a graph holds; when the graph lets go of it, so does the count."""

    def __init__(self, count: KeptBytes, tensor: Tensor):
        storage = tensor.untyped_storage()
        self.count, self.tensor, self.key = count, tensor, (storage.data_ptr(), storage.nbytes())
        count._kept[self.key] = count._kept.get(self.key, 0) + 1
        if count._kept[self.key] == 1:
            count.now += self.key[1]
            count.peak = max(count.peak, count.now)

    def __del__(self):
        self.count._kept[self.key] -= 1
        if not self.count._kept[self.key]:
            self.count.now -= self.key[1]


class Graphs(NamedTuple):
    """Bytes kept by the graph of one inner step and by that of the outer loss; numbers in the learner and in the teacher."""

    inner: float
    outer: float
    n_learner: int
    n_taught: int


def measured_graphs(
    make_teacher: Callable[[int], Any],
    learner: nn.Module,
    criterion: nn.Module,
    data_shape: Sequence[int],
    n: int,
) -> Graphs:
    """The graphs on n rows, of a teacher with one batch of n rows."""
    teacher = make_teacher(n)
    loop = InnerLoop(teacher, learner, criterion)
    x, y = torch.zeros(n, *data_shape), teacher.labels[0]
    with KeptBytes() as kept:
        end = loop.run([t.requires_grad_() for t in loop.start()], 0, 1, differentiable=True)
        inner = kept.now
        del end
        loss = criterion(learner(x), y)
        outer = kept.now
        del loss
    sizes = [sum(p.numel() for p in part.parameters()) for part in (learner, teacher)]
    return Graphs(inner, outer, *sizes)


def estimated_bytes(
    two: Graphs, four: Graphs, borders: Sequence[int], inner_rows: int, outer_rows: int, codes: bool
) -> int:
    """Bytes that training takes beside the rows: the largest graph, states at the borders, the teacher.

    What a graph keeps grows linearly with the rows of a batch, so it is extrapolated from graphs on two and on four rows.

    Parameters
    ----------
    two, four : Graphs
    borders : sequence of int
        The inner steps at which segments begin and end.
    inner_rows, outer_rows : int
        Rows of an inner batch, and real rows of an outer one.
    codes : bool
        Whether the teacher has codes for every row of the course.
    """
    inner = two.inner + (four.inner - two.inner) / 2 * (inner_rows - 2)
    outer = two.outer + (four.outer - two.outer) / 2 * (outer_rows - 2)
    n_taught = two.n_taught
    if codes:
        n_codes = four.n_taught - n_taught  # of two rows
        n_taught += n_codes * (borders[-1] * inner_rows - 2) // 2
    longest = max(last - first for first, last in itertools.pairwise(borders))
    states = 2 * two.n_learner * (len(borders) + 2)
    # Gradients take about half as much again as the graph that they come from; with its gradient and Adam's moments, each
    # number of the teacher is there four times.
    return int(1.5 * (longest * inner + outer) + 4 * (states + 4 * n_taught))
