"""Several calls at once: whose backend, which device, and who hears of warnings."""

import multiprocessing
import os
import threading
import warnings

import numpy as np
import pytest
import torch
from joblib import Parallel, delayed, parallel_config
from joblib.parallel import BACKENDS, ThreadingBackend
from sklearn.dummy import DummyClassifier

from skgan import CNNClassifier, GANOverSampler
from skgan._device import at_place, place, resolve_device
from skgan._folds import cross_validated
from skgan._parallel import Call, results_of, single_threaded_processes
from skgan._warnings import recorded, warn
from skgan.presets import flow, mlp_gan
from skgan.samplers import _training


def thread(_):
    return threading.get_ident()


def calls(function, n):
    return [Call(f"call {i}", function, (i,)) for i in range(n)]


def test_the_users_backend_and_number_of_jobs_count():
    here = threading.get_ident()
    with parallel_config("threading", n_jobs=2):
        assert here not in results_of(calls(thread, 4), None)
        assert list(results_of(calls(thread, 4), 1)) == [here] * 4
        assert list(results_of(calls(thread, 1), None)) == [here]
    assert list(results_of(calls(thread, 4), None)) == [here] * 4


def threads_of_a_worker(_):
    return os.getpid(), torch.get_num_threads()


def test_processes_of_one_thread(monkeypatch):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with single_threaded_processes(6):
            assert torch.get_num_threads() == 1
            workers = list(results_of(calls(threads_of_a_worker, 2), None))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert {n for _, n in workers} == {1}
    assert os.getpid() not in {pid for pid, _ in workers}


@pytest.mark.parametrize(("n_jobs", "first"), [(1, "a"), (2, "bc")])
def test_of_several_fits_at_once_the_last_begins_first_and_all_come_in_order(n_jobs, first):
    X, y, begun = np.eye(8), np.arange(8) % 2, []
    # No thread takes a second fit before each has its first; which of those comes to its line first is chance.
    met, all_have_one = threading.Barrier(n_jobs), threading.Event()

    class Told(DummyClassifier):
        def fit(self, X, y):
            begun.append(self.strategy)
            if not all_have_one.is_set():
                met.wait(30)
                all_have_one.set()
            return super().fit(X, y)

    rows = {name: Told(strategy=kind) for name, kind in (("a", "prior"), ("b", "uniform"), ("c", "stratified"))}
    split = [(np.arange(6), np.arange(6, 8))]
    with parallel_config("threading", n_jobs=n_jobs):
        for _, cells in cross_validated(rows, X, y, split, lambda *_: None):
            assert [cell.name for cell in cells] == ["a", "b", "c"]
    assert set(begun[:n_jobs]) == {rows[name].strategy for name in first}


def test_without_a_backend_there_are_processes(monkeypatch):
    used = []
    init = Parallel.__init__
    monkeypatch.setattr(Parallel, "__init__", lambda self, *a, **k: used.append(k["prefer"]) or init(self, *a, **k))
    list(results_of(calls(thread, 2), 1))
    assert used == ["processes"]


def test_results_come_in_the_order_of_the_calls_and_as_they_are_done():
    gate = threading.Event()

    def wait(i):
        assert i or gate.wait(30)
        if i:
            gate.set()
        return i

    with parallel_config("threading", n_jobs=2):
        assert list(results_of(calls(wait, 4), None)) == [0, 1, 2, 3]
    seen: list[int] = []
    asked = results_of(calls(lambda i: seen.append(i) or i, 3), 1)
    next(asked)
    assert len(seen) < 3


class Lists(ThreadingBackend):
    """A backend that returns lists alone, as Ray's does."""

    supports_return_generator = False


def test_a_backend_that_returns_lists_alone(monkeypatch):
    monkeypatch.setitem(BACKENDS, "lists", Lists)
    with parallel_config("lists", n_jobs=2):
        assert list(results_of(calls(abs, 3), None)) == [0, 1, 2]


def test_calls_within_a_worker_that_has_threads_run_one_after_another():
    def nested(_):
        return len(set(results_of(calls(thread, 4), 4)))

    with parallel_config("threading", n_jobs=2):
        assert list(results_of(calls(nested, 2), None)) == [1, 1]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_warnings_reach_the_caller_once(n_jobs):
    with parallel_config("threading", n_jobs=n_jobs), pytest.warns(UserWarning, match="number") as told:
        list(results_of(calls(lambda i: warn(f"number {i}"), 3), None))
    assert sorted(str(one.message) for one in told) == ["number 0", "number 1", "number 2"]
    assert {one.filename for one in told} == {__file__}


def test_a_worker_process_records_the_warnings_of_every_library_by_thread():
    def work(i):
        with recorded(whole_process=True) as told:
            started.wait(30)
            warnings.warn(f"library {i}", RuntimeWarning, stacklevel=1)
            warnings.warn("for developers", DeprecationWarning, stacklevel=1)
            warn(f"ours {i}")
            done.wait(30)
        return told

    before, started, done = (warnings.showwarning, list(warnings.filters)), threading.Barrier(2), threading.Barrier(2)
    found = Parallel(2, backend="threading")(delayed(work)(i) for i in range(2))
    assert found == [[(f"library {i}", RuntimeWarning), (f"ours {i}", UserWarning)] for i in range(2)]
    assert (warnings.showwarning, list(warnings.filters)) == before


class TerminatedWorkerError(RuntimeError):
    """As loky's."""


def test_a_dead_worker_is_told_in_a_sentence_and_other_errors_stay():
    def die(i):
        if i == 1:
            raise TerminatedWorkerError
        return i

    died = r"A worker process died \(TerminatedWorkerError\), and no result came back of call 1, call 2\. .*a smaller n_jobs"
    with pytest.raises(RuntimeError, match=died):
        list(results_of(calls(die, 3), 1))
    with pytest.raises(ZeroDivisionError):
        list(results_of(calls(lambda i: 1 / i, 2), 1))


# Several GPUs


@pytest.fixture
def three_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)


def test_each_training_takes_the_next_device(three_gpus, monkeypatch):
    monkeypatch.setattr(_training, "train_generator", lambda X, y, net, *_: resolve_device(net.device))
    monkeypatch.setattr(_training, "Generator", lambda net, export, source: export)
    jobs = [_training.Job(np.zeros((4, 2)), np.zeros(4, int), flow(device="cuda:auto"), 0)] * 4
    for n_jobs in (1, 2):
        with parallel_config("threading"):
            assert _training.train_all(jobs, None, n_jobs) == ["cuda:0", "cuda:1", "cuda:2", "cuda:0"]
    assert resolve_device("cuda:auto") == "cuda:0"
    assert resolve_device("auto") == "cuda"


def test_a_worker_takes_the_device_of_its_number(three_gpus, monkeypatch):
    process = multiprocessing.current_process()
    monkeypatch.setattr(process, "name", "LokyProcess-4")
    assert resolve_device("cuda:auto") == "cuda:1"
    with at_place(5):
        assert resolve_device("cuda:auto") == "cuda:2"
        assert list(results_of(calls(lambda i: place(), 3), 1)) == [5, 6, 7]
    process.name = "Dask Worker process (from Nanny)"
    assert resolve_device("cuda:auto") in {"cuda:0", "cuda:1", "cuda:2"}


def test_without_a_gpu_it_is_the_cpu(table, images):
    rows = [
        GANOverSampler(net=mlp_gan(alpha=1, max_steps=4), device=device, random_state=0).fit_resample(*table)[0]
        for device in ("cpu", "cuda:auto")
    ]
    np.testing.assert_array_equal(*rows)
    classifier = CNNClassifier(max_updates=2, device="cuda:auto", random_state=0).fit(*images)
    assert classifier.device == "cuda:auto"
    assert classifier.device_ == "cpu"
