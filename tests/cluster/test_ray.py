"""On a Ray cluster of two worker processes."""

import logging
import os
from pathlib import Path

import joblib
import numpy as np
import pytest
import workloads
from cluster_tests import ClusterTests

ray = pytest.importorskip("ray", reason="ray is not installed (extra: cluster)")
from ray.util.joblib import register_ray  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster():
    register_ray()
    paths = [str(Path(workloads.__file__).parent), os.environ.get("PYTHONPATH", "")]
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(paths)}},  # workers import the callbacks of this folder
    )
    yield
    ray.shutdown()


@pytest.fixture
def backend(cluster):
    with joblib.parallel_config("ray"):
        yield


class TestCluster(ClusterTests):
    """On Ray."""


def test_a_worker_that_dies_once_changes_nothing_where_ray_may_try_again(cluster, tmp_path):
    alone = workloads.sampler(per_class=True).fit_resample(workloads.X, workloads.Y)[0]
    with joblib.parallel_config("ray", ray_remote_args={"max_restarts": 2, "max_task_retries": 2}):
        rows = workloads.dying(tmp_path, times=1).fit_resample(workloads.X, workloads.Y)[0]
    np.testing.assert_array_equal(rows, alone)
    assert (tmp_path / "deaths").read_text() == "x"


def test_a_training_that_kills_its_worker_is_told(backend, tmp_path):
    with pytest.raises(
        RuntimeError, match=r"A worker process died .*no result came back of the training of class 1, the"
    ):
        workloads.dying(tmp_path, times=100).fit_resample(workloads.X, workloads.Y)
    assert workloads.kept(tmp_path) == 1
