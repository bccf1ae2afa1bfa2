"""What holds on every cluster; a module of tests has a fixture ``backend`` and derives from the class."""

import joblib
import numpy as np
import pytest
import workloads


class ClusterTests:
    @pytest.mark.parametrize("case", workloads.CASES, ids=lambda case: case.__name__)
    def test_the_same_rows_as_in_one_process(self, case, backend, tmp_path):
        (tmp_path / "alone").mkdir()
        (tmp_path / "cluster").mkdir()
        with joblib.parallel_config("sequential"):
            alone = case(tmp_path / "alone")
        np.testing.assert_array_equal(case(tmp_path / "cluster"), alone)

    def test_one_training_a_key(self, backend, tmp_path):
        workloads.one_training_a_key(tmp_path)

    def test_warnings_of_workers_reach_the_caller_once(self, backend):
        assert workloads.warned_of_max_time() == [workloads.__file__] * 2
