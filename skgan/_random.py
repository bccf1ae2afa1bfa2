"""Private randomness: seeds, and torch's generators on loan."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

_LOCK = threading.RLock()


@contextmanager
def private_rng(seed: int, device: str = "cpu") -> Iterator[None]:
    """Run a block on torch's own generators, seeded, and give them back as they were.

    ``torch.random.fork_rng`` is process-wide, so a lock keeps two threads from sharing one fork.

    Parameters
    ----------
    seed : int
        Seed of the block, at least 0.
    device : str
        The device whose generator is forked along with the CPU's.
    """
    cuda = [torch.device(device).index or 0] if torch.device(device).type == "cuda" else []
    with _LOCK, torch.random.fork_rng(devices=cuda):
        # torch.manual_seed would also seed the devices that were not forked.
        torch.default_generator.manual_seed(seed)
        for index in cuda:
            torch.cuda.default_generators[index].manual_seed(seed)
        yield


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
