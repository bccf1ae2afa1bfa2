"""Private randomness: seeds, and blocks that draw from generators of their own."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import numpy as np
import torch

from skgan._draws import Block, drawing_from
from skgan._settings import plain_torch

_LOCK = threading.RLock()


@contextmanager
def private_rng(seed: int, device: str = "cpu", *, lend_global: bool = True) -> Iterator[None]:
    """Run a block on random generators of its own, seeded, and on torch's default settings.

    What draws by ``skgan._draws`` draws from the block's generators, and another thread neither changes that nor is disturbed.
    Code that knows torch alone (a user's ``nn.Dropout``, ``torch.randn`` in a ``forward``) draws from torch's global
    generators, because torch offers it no others.

    Parameters
    ----------
    seed : int
        Seed of the block, at least 0.
    device : str
        The device that gets a generator beside the CPU's.
    lend_global : bool, default=True
        Whether the block may draw from torch's global generators: these are seeded for it and given back as they were. They
        are the whole process's, so a lock lets one such block run at a time.
    """
    lending: AbstractContextManager[list[torch.Generator]] = _lent(seed, device) if lend_global else nullcontext([])
    with plain_torch(), lending as lent, drawing_from(Block(generators(seed, device), lent)):
        yield


def generators(seed: int, device: str) -> dict[str, torch.Generator]:
    """A generator for the CPU and one for the device, by the type of each."""
    devices = {torch.device(name).type: name for name in ("cpu", device)}
    # Another seed than the global generators': the same would give the same numbers twice.
    return {kind: torch.Generator(name).manual_seed(sub_seed(seed, 1)) for kind, name in devices.items()}


@contextmanager
def _lent(seed: int, device: str) -> Iterator[list[torch.Generator]]:
    """torch's global generators, seeded, until the block ends; then they are as they were."""
    cuda = [torch.device(device).index or 0] if torch.device(device).type == "cuda" else []
    with _LOCK, torch.random.fork_rng(devices=cuda):
        lent = [torch.default_generator, *(torch.cuda.default_generators[index] for index in cuda)]
        # torch.manual_seed would also seed the devices that were not forked.
        for generator in lent:
            generator.manual_seed(seed)
        yield lent


def draw_seeds(random_state, n: int) -> list[int]:
    """Draw n seeds; ``None`` takes fresh entropy instead of NumPy's global generator."""
    if random_state is None:
        rng = np.random.RandomState()
    elif isinstance(random_state, int | np.integer):
        rng = np.random.RandomState(random_state)
    else:
        rng = random_state
    return [int(seed) for seed in rng.randint(2**31 - 1, size=n)]


def seed_of(random_state) -> int:
    """The seed that a ``random_state`` stands for: an int is its own, anything else draws one."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return draw_seeds(random_state, 1)[0]


def sub_seed(*entropy: int) -> int:
    """One seed out of several numbers, such as (seed, class, block); streams of different numbers are independent."""
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint32)[0])
