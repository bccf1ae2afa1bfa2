import threading

import numpy as np
import pytest
import torch

from skgan import _device
from skgan._batches import BalancedBatches, ShuffledBatches, distinct_rows
from skgan._device import available_memory, resolve_device
from skgan._draws import (
    drop_values,
    gumbel_softmax,
    initial_weights,
    multinomial,
    rand,
    randint,
    randn,
    randn_like,
    random_state,
    randperm,
    replayed,
)
from skgan._random import draw_seeds, private_rng, seed_of, sub_seed
from skgan._settings import plain_torch
from skgan._tensors import to_unit_range

DRAWS = {
    "randn": (lambda: randn(6, 5), lambda: torch.randn(6, 5)),
    "randn_like": (lambda: randn_like(torch.zeros(4, 5)), lambda: torch.randn(4, 5)),
    "rand": (lambda: rand(7, dtype=torch.float64), lambda: torch.rand(7, dtype=torch.float64)),
    "randint": (lambda: randint(9, (3, 4)), lambda: torch.randint(9, (3, 4))),
    "randperm": (lambda: randperm(20), lambda: torch.randperm(20)),
    "multinomial": (
        lambda: multinomial(torch.arange(5.0), 40),
        lambda: torch.multinomial(torch.arange(5.0), 40, replacement=True),
    ),
    "dropout": (
        lambda: drop_values(torch.ones(9, 9), 0.3),
        lambda: (
            (torch.empty(21, dtype=torch.int64).random_(-(2**63), None).view(torch.int16)[:81].view(9, 9) >= -13107)
            / 0.7
        ),
    ),
    "dropout of all": (lambda: drop_values(torch.ones(9), 1), lambda: torch.zeros(9)),
    "gumbel_softmax": (
        lambda: gumbel_softmax(torch.ones(4, 3), 0.2),
        lambda: torch.nn.functional.gumbel_softmax(torch.ones(4, 3), tau=0.2),
    ),
}


@pytest.fixture
def disturbed():
    """A thread that draws from torch's global stream for as long as the test runs."""
    over = threading.Event()

    def draw():
        while not over.is_set():
            torch.randn(3)

    thread = threading.Thread(target=draw)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.mark.parametrize("name", DRAWS)
def test_draws_are_torchs_outside_of_a_block_and_the_blocks_own_inside(name):
    own, of_torch = DRAWS[name]
    torch.manual_seed(3)
    outside = own()
    torch.manual_seed(3)
    assert torch.equal(outside, of_torch())
    before = torch.get_rng_state()
    with private_rng(5, lend_global=False):
        first = own()
        torch.manual_seed(0)
    with private_rng(5, lend_global=False):
        assert torch.equal(own(), first)
        torch.set_rng_state(before)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_thread_that_draws_changes_nothing_in_a_block(disturbed):
    def drawn():
        with private_rng(1, lend_global=False), initial_weights():
            return torch.cat([randn(10), *(torch.nn.Linear(3, 3).weight.detach().flatten() for _ in range(200))])

    assert torch.equal(drawn(), drawn())


def test_a_block_leaves_the_stream_of_another_thread_alone():
    torch.manual_seed(0)
    undisturbed = torch.cat([torch.randn(5) for _ in range(300)])
    torch.manual_seed(0)
    over = threading.Event()

    def work():
        while not over.is_set():
            with private_rng(1, lend_global=False), initial_weights():
                torch.nn.Linear(9, 9)

    thread = threading.Thread(target=work)
    thread.start()
    drawn = torch.cat([torch.randn(5) for _ in range(300)])
    over.set()
    thread.join()
    assert torch.equal(drawn, undisturbed)


def test_blocks_that_lend_the_global_stream_draw_other_numbers_from_it():
    with private_rng(0):
        assert not torch.equal(torch.randn(5), randn(5))


INITIAL = {
    "linear": lambda: torch.nn.Linear(5, 4).weight,
    "convolution": lambda: torch.nn.ConvTranspose2d(2, 3, 3).weight,
    "embedding": lambda: torch.nn.Embedding(4, 3).weight,
    "recurrent": lambda: torch.nn.LSTM(3, 4).weight_hh_l0,
    "attention": lambda: torch.nn.MultiheadAttention(4, 2).in_proj_weight,
    "bilinear": lambda: torch.nn.Bilinear(2, 3, 4).weight,
    "spectral norm": lambda: torch.nn.utils.parametrizations.spectral_norm(torch.nn.Linear(5, 4)).weight,
    "orthogonal parametrisation": lambda: torch.nn.utils.parametrizations.orthogonal(torch.nn.Linear(4, 4)).weight,
    **{
        name: lambda fill=fill: fill(torch.empty(4, 6))
        for name, fill in vars(torch.nn.init).items()
        if name.endswith(("uniform_", "normal_", "orthogonal_")) and not name.startswith("_")
    },
    "sparse_": lambda: torch.nn.init.sparse_(torch.empty(6, 6), 0.5),
    "randn": lambda: torch.randn(3, 4),
    "rand": lambda: torch.rand((3, 4)),
    "randint": lambda: torch.randint(100, (9,)),
    "randperm": lambda: torch.randperm(30),
    "normal": lambda: torch.normal(0.0, 1.0, (9,)),
    "normal of tensors": lambda: torch.normal(torch.zeros(9), torch.ones(9)),
    "bernoulli": lambda: torch.bernoulli(torch.full((60,), 0.5)),
    "multinomial": lambda: torch.ones(40).multinomial(20),
    "exponential_": lambda: torch.empty(9).exponential_(),
    "rand_like": lambda: torch.rand_like(torch.zeros(9)),
    "randn_like": lambda: torch.randn_like(torch.nn.Parameter(torch.zeros(9)), dtype=torch.float64),
    "randint_like": lambda: torch.randint_like(torch.zeros(30), 50),
    "randint_like of a range": lambda: torch.randint_like(torch.zeros(30), low=10, high=90),
}


@pytest.mark.parametrize("name", INITIAL)
def test_initial_weights_of_any_origin_are_the_blocks_own(name):
    before = torch.get_rng_state()
    with private_rng(2, lend_global=False), initial_weights():
        first, second = INITIAL[name](), INITIAL[name]()
    assert torch.equal(torch.get_rng_state(), before)
    with private_rng(2, lend_global=False), initial_weights():
        assert torch.equal(INITIAL[name](), first)
    assert not torch.equal(first, second)


def test_a_random_function_that_is_given_a_generator_keeps_it():
    expected = torch.randn(4, generator=torch.Generator().manual_seed(8))
    with private_rng(2), initial_weights():
        assert torch.equal(torch.randn(4, generator=torch.Generator().manual_seed(8)), expected)
    with initial_weights():  # no block: torch's own
        torch.manual_seed(8)
        assert torch.equal(torch.randn(4), expected)


@pytest.mark.parametrize("lend_global", [False, True])
def test_a_replay_draws_the_same_again_and_gives_the_generators_back(lend_global):
    draws = (lambda: torch.cat([randn(2), torch.randn(2)])) if lend_global else (lambda: randn(4))
    with private_rng(0, lend_global=lend_global):
        state = random_state()
        first, then = draws(), random_state()
        with replayed(state):
            assert torch.equal(draws(), first)
        after = draws()
        with replayed(then):
            assert torch.equal(draws(), after)


def surroundings():
    return (
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
    )


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_plain_torch_is_torch_by_default_and_gives_settings_back(error):
    plain = torch.float32, torch.device("cpu"), True, False, False
    assert surroundings() == plain
    torch.set_default_dtype(torch.float64)
    try:
        with torch.device("meta"), torch.inference_mode(), torch.autocast("cpu"):
            before = surroundings()
            try:
                with plain_torch():
                    assert surroundings() == plain
                    with plain_torch(grad=False):
                        assert surroundings() == (*plain[:2], False, False, False)
                    assert surroundings() == plain
                    torch.set_grad_enabled(False)  # as a Ctrl-C within torch.no_grad leaves it
                    if error:
                        raise error
            except (ValueError, KeyboardInterrupt):
                pass
            assert surroundings() == before == (torch.float64, torch.device("meta"), False, True, True)
        with torch.no_grad(), plain_torch():
            assert torch.ones(1, requires_grad=True).sum().requires_grad
    finally:
        torch.set_default_dtype(torch.float32)
    torch.set_default_device("meta")
    try:
        with plain_torch():
            assert surroundings() == plain
        assert torch.get_default_device().type == "meta"
    finally:
        torch.set_default_device(None)
    assert surroundings() == plain


def test_the_default_dtype_comes_back_when_the_last_of_two_threads_is_done():
    inside, leave = threading.Event(), threading.Event()
    seen = []

    def work():
        with plain_torch():
            inside.set()
            leave.wait(5)
            seen.append(torch.get_default_dtype())

    torch.set_default_dtype(torch.float64)
    try:
        thread = threading.Thread(target=work)
        with plain_torch():
            thread.start()
            assert inside.wait(5)
        assert torch.get_default_dtype() == torch.float32
        leave.set()
        thread.join()
        assert seen == [torch.float32]
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_private_rng_repeats_and_gives_the_global_stream_back():
    before = torch.random.get_rng_state().clone()
    with private_rng(7):
        first = torch.randn(3)
    with private_rng(7):
        second = torch.randn(3)
    assert torch.equal(first, second)
    assert torch.equal(before, torch.random.get_rng_state())


def test_private_rng_keeps_threads_apart():
    results = []

    def work():
        with private_rng(3):
            results.append(torch.cat([torch.randn(10) for _ in range(200)]))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(results[0], other) for other in results[1:])


def test_draw_seeds_of_none_leaves_numpy_alone_and_differs():
    before = np.random.get_state()[1].copy()
    assert draw_seeds(None, 2) != draw_seeds(None, 2)
    assert (np.random.get_state()[1] == before).all()
    assert draw_seeds(5, 2) == draw_seeds(5, 2) == draw_seeds(np.int64(5), 2)
    rng = np.random.RandomState(5)
    assert draw_seeds(rng, 2) != draw_seeds(rng, 2)


def test_a_seed_is_its_own_and_anything_else_draws_one():
    assert seed_of(5) == seed_of(np.int64(5)) == 5
    assert seed_of(None) != seed_of(None)
    rng = np.random.RandomState(5)
    assert [seed_of(rng), seed_of(rng)] == draw_seeds(5, 2)


def test_sub_seeds_differ_by_every_number():
    seeds = {sub_seed(1, a, b) for a in range(20) for b in range(20)}
    assert len(seeds) == 400


@pytest.mark.skipif(torch.cuda.is_available(), reason="shows the fallback of machines without CUDA")
def test_a_missing_cuda_device_becomes_the_cpu_with_a_warning():
    with pytest.warns(UserWarning, match="no CUDA device here; the CPU is used"):
        assert resolve_device("cuda:1") == "cpu"
    assert resolve_device("auto") == resolve_device(None) == "cpu"


@pytest.mark.parametrize("device", ["mps", "xpu", "hpu"])
def test_other_accelerators_that_are_missing_become_the_cpu_with_a_warning(device, monkeypatch):
    monkeypatch.setattr(_device, "_backend", lambda kind: None)
    with pytest.warns(
        UserWarning, match=f"device='{device}' was asked for, but torch sees no {device.upper()} device here"
    ):
        assert resolve_device(device) == "cpu"


@pytest.mark.parametrize("device", ["meta", "vulkan"])
def test_a_device_that_nothing_can_be_trained_on_is_refused(device):
    with pytest.raises(ValueError, match=f"device='{device}' is a device that nothing can be trained on; use 'auto'"):
        resolve_device(device)


def test_an_unknown_device_is_refused_in_a_sentence():
    with pytest.raises(ValueError, match="device='gpu' is no device that torch knows; use 'auto'"):
        resolve_device("gpu")


def test_uint8_is_scaled_in_the_batch_and_floats_pass():
    scaled = to_unit_range(torch.tensor([0, 255], dtype=torch.uint8))
    torch.testing.assert_close(scaled, torch.tensor([-1.0, 1.0]))
    floats = torch.tensor([0.5])
    assert to_unit_range(floats) is floats


@pytest.mark.parametrize(("power", "expected"), [(0.0, [1 / 3, 1 / 3, 1 / 3]), (0.5, [9, 3, 1]), (1.0, [81, 9, 1])])
def test_classes_are_drawn_with_the_power_of_their_counts(power, expected):
    y = torch.tensor([0] * 81 + [1] * 9 + [2])[torch.randperm(91)]
    X = torch.arange(91)
    batches = BalancedBatches(X, y, batch_size=1000, max_steps=5, steps_per_epoch=20, power=power)
    drawn = [labels for rows, labels in batches if torch.equal(y[rows], labels)]
    assert len(drawn) == 5
    shares = torch.cat(drawn).bincount(minlength=3) / 5000
    torch.testing.assert_close(shares, torch.tensor(expected) / sum(expected), atol=0.03, rtol=0)


def test_epochs_end_at_max_steps_and_an_absent_class_is_never_drawn():
    y = torch.tensor([0, 0, 2])
    batches = BalancedBatches(torch.arange(3), y, batch_size=4, max_steps=7, steps_per_epoch=5)
    assert [len(list(batches)) for _ in range(3)] == [5, 2, 0]
    many = BalancedBatches(torch.arange(3), y, batch_size=50, max_steps=2, steps_per_epoch=2)
    assert set(torch.cat([labels for _, labels in many]).tolist()) == {0, 2}


def test_parents_are_other_draws_of_the_same_class():
    y = torch.arange(60) % 3
    X = torch.arange(60.0)
    rows, labels, parents = next(
        iter(BalancedBatches(X, y, batch_size=500, max_steps=1, steps_per_epoch=1, n_candidates=1))
    )
    assert torch.equal(y[parents.long()], labels)
    assert (rows != parents).float().mean() > 0.9


def test_a_row_is_the_nearest_of_its_candidates_to_its_parent():
    X = torch.rand(1030, 2, 3)
    y = (torch.arange(1030) >= 1000).long()

    def distances(n_candidates):
        pairs = BalancedBatches(X, y, batch_size=400, max_steps=1, steps_per_epoch=1, n_candidates=n_candidates)
        rows, labels, parents = next(iter(pairs))
        for part in (rows, parents):
            found = torch.cdist(part.flatten(1), X.flatten(1)).argmin(1)
            assert torch.equal(X[found], part)
            assert torch.equal(y[found], labels)
        assert (rows != parents).flatten(1).any(1)[labels == 0].float().mean() > 0.97
        distance = (rows - parents).flatten(1).norm(dim=1)
        return [distance[labels == k].mean().item() for k in (0, 1)]

    any_row, near, nearest = distances(1), distances(5), distances(40)
    assert any_row[0] > 1.2 * near[0] > 1.2 * 1.2 * nearest[0]
    assert nearest[1] == pytest.approx(any_row[1], rel=0.15)  # one candidate in a class of 30
    # A class of one row has no other: the pair is the row twice.
    lonely = BalancedBatches(X[:1], y[:1], batch_size=3, max_steps=1, steps_per_epoch=1, n_candidates=4)
    rows, _, parents = next(iter(lonely))
    assert torch.equal(rows, parents)


def test_distinct_rows_keeps_the_first_of_equal_rows_with_equal_labels():
    X, y = torch.tensor([[3, 1], [0, 2], [3, 1], [3, 1], [0, 2]]), torch.tensor([1, 0, 1, 0, 0])
    assert distinct_rows(X, y).tolist() == [0, 1, 3]
    images = X.to(torch.uint8)[:, :, None, None].expand(-1, -1, 3, 2)  # not contiguous
    assert distinct_rows(images, y[:, None].float()).tolist() == [0, 1, 3]
    assert distinct_rows(X[[0, 1, 3]], y[[0, 1, 3]]) is None


def test_shuffled_batches_are_full_without_repeats_and_stop_at_max_updates():
    X = torch.arange(10)
    batches = ShuffledBatches(X, X, torch.arange(10), batch_size=4, max_updates=3)
    first, second = list(batches), list(batches)
    assert [len(rows) for rows, _ in first] == [4, 4]
    assert len(torch.cat([rows for rows, _ in first]).unique()) == 8
    assert [len(rows) for rows, _ in second] == [4]
    small = ShuffledBatches(X, X, torch.arange(3), batch_size=4)
    assert [len(rows) for rows, _ in small] == [3]


def test_available_memory_is_told_or_unknown():
    available = available_memory()
    assert available is None or 10**6 < available < 10**15


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("p", [0.001, 0.3, 0.999])
def test_dropout_sets_a_share_of_values_to_0_and_keeps_the_mean(p, layout):
    x = torch.ones(64, 8, 32, 32).to(memory_format=layout)
    with private_rng(0):
        dropped = drop_values(x, p)
    assert dropped.stride() == x.stride()
    assert float((dropped == 0).float().mean()) == pytest.approx(p, abs=4 * (p * (1 - p) / x.numel()) ** 0.5)
    torch.testing.assert_close(dropped[dropped != 0], torch.full((int((dropped != 0).sum()),), 1 / (1 - p)))
