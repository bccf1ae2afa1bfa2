"""The rows that samplers return are the rows that they returned before."""

import numpy as np
import pytest
import torch
from freeze import FROZEN
from golden_cases import cases, make

QUICK = {
    *(("images", name) for name in ("cyclegan", "offspring", "dcgan", "vae")),
    *(("table", name) for name in ("mlp_gan", "gaussian", "offspring", "gtn", "genclass")),
    *(("mixed frame", name) for name in ("mlp_gan", "offspring", "cyclegan")),
    *(("conditions", name) for name in ("predictor_mlp_gan", "mlp_gan")),
    *(("per class", name) for name in ("mlp_gan", "offspring")),
    *(("filter", name) for name in ("mlp_gan", "offspring")),
    *(("memory", name) for name in ("autoencoder",)),
    *(("domains", name) for name in ("cyclegan",)),
    *(("tiny classes", name) for name in ("offspring", "gaussian")),
}


@pytest.fixture(scope="module")
def frozen():
    with np.load(FROZEN) as file:
        return dict(file)


@pytest.mark.parametrize(
    ("situation", "name"),
    [pytest.param(*case, marks=() if case in QUICK else pytest.mark.slow, id="-".join(case)) for case in cases()],
)
def test_rows_are_as_frozen(situation, name, frozen):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        made = make(situation, name)
    finally:
        torch.set_num_threads(threads)
    expected = {key.split("/")[-1]: rows for key, rows in frozen.items() if key.startswith(f"{situation}/{name}/")}
    if not expected:
        assert f"{situation}/{name}" in frozen
        assert made is None
        return
    assert made is not None
    assert made.keys() == expected.keys()
    for what, rows in expected.items():
        np.testing.assert_allclose(made[what], rows, rtol=1e-4, atol=1e-4, err_msg=what)
