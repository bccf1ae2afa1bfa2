"""On a Dask cluster of two worker processes."""

import joblib
import numpy as np
import pytest
import workloads
from cloudpickle import dumps
from cluster_tests import ClusterTests

from skgan._parallel import Call, results_of

distributed = pytest.importorskip("distributed", reason="dask[distributed] is not installed (extra: cluster)")
import dask  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client():
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def backend(client):
    client.wait_for_workers(2)
    with joblib.parallel_config("dask", client=client):
        yield


class TestCluster(ClusterTests):
    """On Dask."""


def test_warnings_of_threads_reach_the_caller_once():
    with (
        distributed.LocalCluster(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config("dask", client=client),
    ):
        assert workloads.warned_of_max_time() == [workloads.__file__] * 2


def test_an_array_is_on_each_worker_once_and_not_in_the_tasks(client, backend, monkeypatch):
    sizes, submit = [], client.submit
    monkeypatch.setattr(
        client, "submit", lambda *a, tasks, **k: sizes.append(len(dumps(tasks))) or submit(*a, tasks=tasks, **k)
    )
    X = np.zeros((1000, 100))
    assert list(results_of([Call("", np.shape, (X,))] * 12, 2)) == [(1000, 100)] * 12
    assert len(sizes) > 1
    assert max(sizes) < 20_000 < X.nbytes


def test_a_worker_that_dies_once_changes_nothing(backend, tmp_path):
    alone = workloads.sampler(per_class=True).fit_resample(workloads.X, workloads.Y)[0]
    rows = workloads.dying(tmp_path, times=1).fit_resample(workloads.X, workloads.Y)[0]
    np.testing.assert_array_equal(rows, alone)
    assert (tmp_path / "deaths").read_text() == "x"


def test_a_training_that_kills_its_workers_is_named(backend, tmp_path):
    with pytest.raises(
        RuntimeError, match=r"died \(KilledWorker\), and no result came back of the training of class 2\."
    ):
        workloads.dying(tmp_path, times=100).fit_resample(workloads.X, workloads.Y)
    assert workloads.kept(tmp_path) == 1
