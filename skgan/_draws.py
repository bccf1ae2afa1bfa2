"""Random draws of trainings, from generators of their own: torch's global ones are neither read nor moved.

``skgan._random.private_rng`` opens a block with generators of its own, and everything here draws from those of the innermost
block of its thread. Outside of any block, so that a module can be used alone, torch's global generators are drawn from.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

Device = torch.device | str


class Block(NamedTuple):
    """What a block of code draws from.

    Attributes
    ----------
    own : dict of device type → torch.Generator
    lent : list of torch.Generator
        torch's global ones, where the block runs code that draws from these.
    parts : tuple of dict
        As ``own``, of several trainings that run side by side: draws for the rows of a batch are made in equal parts from
        each of these.
    """

    own: dict[str, torch.Generator]
    lent: list[torch.Generator]
    parts: tuple[dict[str, torch.Generator], ...] = ()


class _Blocks(threading.local):
    def __init__(self):
        self.open: list[Block] = []


_BLOCKS = _Blocks()


@contextmanager
def drawing_from(block: Block) -> Iterator[None]:
    """Let all draws of this thread be from the block's generators."""
    blocks = _BLOCKS.open
    try:
        blocks.append(block)
        yield
    finally:
        # By identity: an interrupted block may be closed late, when another one is open.
        blocks[:] = [other for other in blocks if other is not block]


def generator_of(device: Device) -> torch.Generator | None:
    """The innermost block's generator for the device; None is torch's global one."""
    blocks = _BLOCKS.open
    return blocks[-1].own.get(torch.device(device).type) if blocks else None


def random_state() -> list[tuple[torch.Generator, Tensor]]:
    """The generators that may be drawn from here, each with its state."""
    if _BLOCKS.open:
        block = _BLOCKS.open[-1]
        generators = [*block.own.values(), *block.lent, *(own for part in block.parts for own in part.values())]
    else:
        generators = [torch.default_generator, *torch.cuda.default_generators]
    return [(generator, generator.get_state()) for generator in generators]


@contextmanager
def replayed(state: Sequence[tuple[torch.Generator, Tensor]]) -> Iterator[None]:
    """Run a block on generators as they were, and give them back as they are."""
    now = [(generator, generator.get_state()) for generator, _ in state]
    try:
        for generator, was in state:
            generator.set_state(was)
        yield
    finally:
        for generator, was in now:
            generator.set_state(was)


# Draws, as torch's functions of these names make them


def _by_parts(draw: Callable[..., Tensor], n_rows: int, device: Device) -> Tensor:
    """What ``draw(n_rows, generator)`` returns, or its parts, one above the other, where trainings run side by side."""
    blocks = _BLOCKS.open
    if not blocks or not blocks[-1].parts:
        return draw(n_rows, generator_of(device))
    parts = blocks[-1].parts
    return torch.cat([draw(n_rows // len(parts), own.get(torch.device(device).type)) for own in parts])


def randn(*size: int, device: Device = "cpu", dtype: torch.dtype | None = None) -> Tensor:
    """Draws from N(0, 1)."""
    return _by_parts(
        lambda n, generator: torch.randn(n, *size[1:], generator=generator, device=device, dtype=dtype), size[0], device
    )


def randn_like(x: Tensor) -> Tensor:
    """Draws from N(0, 1), shaped as x."""
    return _by_parts(lambda n, generator: torch.empty_like(x[:n]).normal_(generator=generator), len(x), x.device)


def rand(*size: int, device: Device = "cpu", dtype: torch.dtype | None = None) -> Tensor:
    """Draws from the uniform distribution on [0, 1)."""
    return _by_parts(
        lambda n, generator: torch.rand(n, *size[1:], generator=generator, device=device, dtype=dtype), size[0], device
    )


def randint(high: int, size: Sequence[int], device: Device = "cpu") -> Tensor:
    """Integers from 0 to ``high`` − 1."""
    return torch.randint(high, tuple(size), generator=generator_of(device), device=device)


def randperm(n: int, device: Device = "cpu") -> Tensor:
    """The integers from 0 to n − 1 in random order."""
    return torch.randperm(n, generator=generator_of(device), device=device)


def multinomial(weights: Tensor, n: int) -> Tensor:
    """n indices, each drawn with a probability in proportion to its weight."""
    return torch.multinomial(weights, n, replacement=True, generator=generator_of(weights.device))


def drop_values(x: Tensor, p: float) -> Tensor:
    """x with every value set to 0 with probability p, the others divided by 1 − p."""
    if p == 1:
        return x * 0  # 1 / 0 below
    # The smallest bound has no int16 that is less
    bound = min(round(p * 2**16), 2**16 - 1) - 2**15
    kept = _by_parts(lambda n, generator: _int16_like(x[:n], generator) >= bound, len(x), x.device)
    return x * kept * (1 / (1 - p))


def _int16_like(x: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draws from all integers of 16 bits, shaped and laid out as x."""
    # Four out of one draw of 64 bits: bernoulli_ was a quarter of a small CNN's training on a CPU.
    words = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device=x.device)
    drawn = words.random_(-(2**63), None, generator=generator).view(torch.int16)[: x.numel()]
    return drawn.as_strided(x.shape, torch.empty_like(x).stride())


def gumbel_softmax(logits: Tensor, temperature: float) -> Tensor:
    """Relaxed draws of one category of each row of logits (Jang, Gu & Poole, ICLR 2017, eq. 2)."""
    noise = _by_parts(
        lambda n, generator: torch.empty_like(logits[:n]).exponential_(generator=generator), len(logits), logits.device
    )
    return ((logits - noise.log()) / temperature).softmax(-1)


# Initial weights

_OF_SHAPE = {torch.rand, torch.randn, torch.randint, torch.randperm, torch.normal}
_OF_TENSOR = {
    *(torch.bernoulli, torch.multinomial, torch.poisson, torch.binomial),
    *(torch.Tensor.bernoulli, torch.Tensor.multinomial),
    *(torch.Tensor.uniform_, torch.Tensor.normal_, torch.Tensor.random_, torch.Tensor.bernoulli_),
    *(torch.Tensor.exponential_, torch.Tensor.geometric_, torch.Tensor.cauchy_, torch.Tensor.log_normal_),
    *(torch.nn.init.uniform_, torch.nn.init.normal_, torch.nn.init.trunc_normal_, torch.nn.init.orthogonal_),
    *(torch.nn.init.kaiming_uniform_, torch.nn.init.kaiming_normal_, torch.nn.init.sparse_),
    *(torch.nn.init.xavier_uniform_, torch.nn.init.xavier_normal_),
}
# Not every version of torch takes a generator in these, but all can fill an empty tensor.
_LIKE: dict[Any, Any] = {
    torch.rand_like: torch.Tensor.uniform_,
    torch.randn_like: torch.Tensor.normal_,
    torch.randint_like: torch.Tensor.random_,
}


class _OwnWeights(TorchFunctionMode):
    """Give every random function of torch the block's generator where it is given none."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if kwargs.get("generator") is None:
            if func in _LIKE:
                return self._like(func, *args, **kwargs)
            if func in _OF_SHAPE or func in _OF_TENSOR:
                kwargs["generator"] = generator_of(_device(func, args, kwargs))
        return func(*args, **kwargs)

    def _like(self, func, input, *limits, low=None, high=None, generator=None, **kwargs):
        limits = (*limits, *(limit for limit in (low, high) if limit is not None))
        if func is torch.randint_like and len(limits) == 1:
            limits = (0, *limits)
        empty = torch.empty_like(input, **kwargs)
        with torch.no_grad():
            _LIKE[func](empty, *limits, generator=generator_of(empty.device))
        return empty


def _device(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Device:
    """Where a random function draws."""
    if kwargs.get("device") is not None:
        return kwargs["device"]
    tensors = [value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)]
    return tensors[0].device if tensors else torch.get_default_device()


def initial_weights() -> AbstractContextManager:
    """While modules of any origin are built, let their initial weights be the block's own draws.

    torch's layers take no generator, so all of its random functions are given one meanwhile, which is too slow for training.
    """
    return _OwnWeights() if _BLOCKS.open else nullcontext()
