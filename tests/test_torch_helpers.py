import threading

import numpy as np
import pytest
import torch

from skgan._batches import BalancedBatches, ShuffledBatches, distinct_rows
from skgan._device import available_memory, resolve_device
from skgan._random import draw_seeds, private_rng, seed_of, sub_seed
from skgan._tensors import to_unit_range


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
    rows, labels = distinct_rows(X, y)
    assert rows.tolist() == [[3, 1], [0, 2], [3, 1]]
    assert labels.tolist() == [1, 0, 0]
    images = X.to(torch.uint8)[:, :, None, None].expand(-1, -1, 3, 2)  # not contiguous
    rows, labels = distinct_rows(images, y[:, None].float())
    assert torch.equal(rows, images[[0, 1, 3]])
    assert torch.equal(labels, y[[0, 1, 3], None].float())
    once = rows, labels
    assert all(a is b for a, b in zip(distinct_rows(*once), once, strict=True))


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
