"""On joblib's own worker processes."""

import numpy as np
import pytest
import workloads

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("case", workloads.CASES[:2], ids=lambda case: case.__name__)
def test_the_same_rows_as_in_one_process(case, tmp_path, monkeypatch):
    rows = case(tmp_path)
    monkeypatch.setattr("skgan._parallel._one_by_one", lambda n_calls: True)
    np.testing.assert_array_equal(rows, case(tmp_path))


def test_a_training_that_kills_its_worker_is_named_and_the_others_are_kept(tmp_path):
    with pytest.raises(
        RuntimeError, match=r"died \(TerminatedWorkerError\).* of the training of class 2\. .*smaller n_jobs"
    ):
        workloads.dying(tmp_path, times=1).fit_resample(workloads.X, workloads.Y)
    assert workloads.kept(tmp_path) == 1
    again = workloads.dying(tmp_path, times=1).fit_resample(workloads.X, workloads.Y)[0]
    np.testing.assert_array_equal(again, workloads.sampler(per_class=True).fit_resample(workloads.X, workloads.Y)[0])
