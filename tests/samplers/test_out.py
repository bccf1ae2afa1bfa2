"""``fit_resample(…, out=folder)`` and ``sample_iter``: results that need not fit into memory."""

import errno
import os
import resource
import signal
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from skgan import ConditionalGANAugmenter, DomainOverSampler, GANOverSampler
from skgan.presets import cyclegan
from skgan.samplers import _written


def some_images(n=60):
    images = np.random.RandomState(0).randint(0, 256, (n, 1, 8, 8), dtype=np.uint8)
    return images, np.repeat([0, 1], [n * 2 // 3, n - n * 2 // 3])


def some_rows(n=60):
    rows = np.random.RandomState(0).randn(n, 4).astype(np.float32)
    return rows, np.repeat(["few", "many"], [n // 4, n - n // 4])


def sampler(**params):
    return GANOverSampler(**{"max_steps": 2, "random_state": 0, **params})


def fitted(made):
    return {name: repr(value) for name, value in vars(made).items() if name.endswith("_")}


@pytest.mark.parametrize("data", [some_images, some_rows])
def test_out_holds_what_is_returned_without_it(data, tmp_path):
    X, y = data()
    one, other = sampler(), sampler()
    X_new, y_new = one.fit_resample(X, y)
    X_out, y_out = other.fit_resample(X, y, out=tmp_path / "more")
    assert isinstance(X_out, np.memmap)
    assert isinstance(y_out, np.memmap)
    for array, expected, name in ((X_out, X_new, "X.npy"), (y_out, y_new, "y.npy")):
        assert array.dtype == expected.dtype
        np.testing.assert_array_equal(array, expected)
        np.testing.assert_array_equal(np.load(tmp_path / "more" / name), expected)
    assert os.listdir(tmp_path) == ["more"]
    for name in ("is_synthetic_", "origin_", "parent_indices_"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_out_of_new_rows_alone_and_of_none(tmp_path):
    X, y = some_rows()
    augmenter = ConditionalGANAugmenter(0.5, keep_real=False, net="mlp_gan", max_steps=2, random_state=0)
    X_out, y_out = augmenter.fit_resample(X, y, out=tmp_path / "new")
    X_new, y_new = augmenter.fit_resample(X, y)
    np.testing.assert_array_equal(X_out, X_new)
    np.testing.assert_array_equal(y_out, y_new)
    X_out, y_out = sampler(sampling_strategy={"few": 15}).fit_resample(X, y, out=str(tmp_path / "none"))
    np.testing.assert_array_equal(X_out, X)
    np.testing.assert_array_equal(y_out, y)


def test_out_of_domains(tmp_path):
    X, y = some_images()
    domain = np.repeat(["near", "far"], [40, 20])
    over = DomainOverSampler(net=cyclegan(max_steps=1), random_state=0)
    X_out, y_out = over.fit_resample(X, y, domain=domain, out=tmp_path / "more")
    assert len(X_out) == len(y_out) == 80
    np.testing.assert_array_equal(X_out[:60], X)


@pytest.mark.parametrize("make", ["folder", "file", "link"])
def test_out_that_is_there_is_refused_before_training(make, tmp_path, monkeypatch):
    out = tmp_path / "more"
    {"folder": out.mkdir, "file": out.touch, "link": lambda: out.symlink_to(tmp_path / "nowhere")}[make]()
    monkeypatch.setattr("skgan.samplers._base.built_factory", lambda *_: pytest.fail("it was trained"))
    with pytest.raises(ValueError, match="is there already: name a folder that is not, or delete it first"):
        sampler().fit_resample(*some_rows(), out=out)


def test_out_in_no_folder_and_of_frames_lists_and_objects_is_refused(tmp_path):
    X, y = some_rows()
    with pytest.raises(ValueError, match="which is no folder: make it first"):
        sampler().fit_resample(X, y, out=tmp_path / "a" / "b")
    for other in (pd.DataFrame(X), X.tolist(), X.astype(object)):
        with pytest.raises(ValueError, match=r"out= writes arrays of numbers, and X is a"):
            sampler().fit_resample(other, y, out=tmp_path / "b")
    for other in (pd.Series(y), y.tolist(), y.astype(object)):
        with pytest.raises(ValueError, match=r"out= writes y as an array of numbers or strings, and y is a"):
            sampler().fit_resample(X, other, out=tmp_path / "b")
    assert not os.listdir(tmp_path)


def test_a_result_larger_than_the_disk_is_refused_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(_written.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(ValueError, match=r"GiB left: name a folder on another disk, or take the new rows alone"):
        sampler().fit_resample(*some_rows(), out=tmp_path / "more")
    assert not os.listdir(tmp_path)


class FullDisk:
    """A file on a disk that is full after so many writes."""

    def __init__(self, file, left):
        self.file, self.left = file, left

    def write(self, data):
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self.file.write(data)

    def close(self):
        self.file.close()


@pytest.mark.parametrize("left", [0, 1, 2])
def test_a_full_disk_leaves_nothing_and_the_sampler_as_it_was(left, tmp_path, monkeypatch):
    made = sampler()
    made.fit_resample(*some_images())
    before = fitted(made)
    monkeypatch.setattr(_written, "open", lambda *a: FullDisk(open(*a), left), raising=False)  # noqa: SIM115
    with pytest.raises(OSError, match=r"could not be written to out=.*No space left.*nothing was left there") as raised:
        made.fit_resample(*some_rows(), out=tmp_path / "more")
    assert raised.value.errno == errno.ENOSPC
    assert not os.listdir(tmp_path)
    assert fitted(made) == before


def test_an_interrupt_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(_written.np, "save", interrupted)
    made = sampler()
    with pytest.raises(KeyboardInterrupt):
        made.fit_resample(*some_rows(), out=tmp_path / "more")
    assert not os.listdir(tmp_path)
    assert not fitted(made)


LIMITED = """
import os, resource, sys
import numpy as np
from skgan import GANOverSampler
X = np.random.RandomState(0).randn(3000, 50)
y = np.repeat([0, 1], [2000, 1000])
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
try:
    GANOverSampler(net="mlp_gan", max_steps=2, random_state=0).fit_resample(X, y, out=sys.argv[1])
except OSError as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="this system has no limit on files")
def test_a_file_that_may_not_grow_is_told(tmp_path):
    assert resource.RLIMIT_FSIZE is not None
    run = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "more")], capture_output=True, text=True, check=True
    )
    assert "could not be written to out=" in run.stdout
    assert "File too large" in run.stdout
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("batch", [1, 100, 256, 300, 4096])
@pytest.mark.parametrize("data", [some_images, some_rows])
def test_the_pieces_of_sample_iter_are_the_rows_of_sample(data, batch):
    X, y = data()
    first, second = np.unique(y).tolist()
    made = sampler(sampling_strategy={first: 50, second: 50})
    made.fit_resample(X, y)
    counts = {second: 700, first: 300} if batch > 1 else {second: 3, first: 2}
    X_all, y_all = made.sample(counts, 7)
    pieces = list(made.sample_iter(counts, 7, batch=batch))
    assert max(len(X_new) for X_new, _ in pieces) <= batch
    np.testing.assert_array_equal(np.concatenate([X_new for X_new, _ in pieces]), X_all)
    np.testing.assert_array_equal(np.concatenate([y_new for _, y_new in pieces]), y_all)
    assert pieces[0][0].dtype == X_all.dtype


def test_pieces_are_in_the_containers_of_what_was_fitted():
    X, y = some_rows()
    frame, labels = pd.DataFrame(X, columns=list("abcd")), pd.Series(y, name="kind")
    made = sampler()
    made.fit_resample(frame, labels)
    pieces = list(made.sample_iter({"few": 10}, batch=4))
    assert [len(rows) for rows, _ in pieces] == [4, 4, 2]
    pd.testing.assert_frame_equal(
        pd.concat([rows for rows, _ in pieces], ignore_index=True), made.sample({"few": 10})[0]
    )
    assert pieces[0][1].name == "kind"


def test_pieces_of_a_continuous_y_and_of_a_trained_factory():
    X, y = some_rows()
    augmenter = ConditionalGANAugmenter(0.5, max_steps=2, random_state=0)
    augmenter.fit_resample(X, X[:, 0])
    pieces = list(augmenter.sample_iter(9, batch=5))
    assert [len(values) for _, values in pieces] == [5, 4]
    np.testing.assert_array_equal(np.concatenate([values for _, values in pieces]), augmenter.sample(9)[1])
    made = sampler()
    factory = made.train(X, y)
    rows = np.concatenate([rows for rows, _ in factory.sample_iter({"few": 20}, batch=8)])
    made.fit_resample(X, y)
    np.testing.assert_array_equal(rows, made.sample({"few": 20})[0])


def test_sample_iter_refuses_in_the_call():
    X, y = some_rows()
    made = sampler()
    with pytest.raises(NotFittedError):
        made.sample_iter({"few": 1})
    made.fit_resample(X, y)
    with pytest.raises(ValueError, match="is no class of the data"):
        made.sample_iter({"others": 1})
    for batch in (0, 1.5, True):
        with pytest.raises(ValueError, match="batch is the number of rows of a piece"):
            made.sample_iter({"few": 1}, batch=batch)


def test_rows_that_a_filter_lets_through_are_the_same_in_pieces():
    from skgan.filters import NeighbourFilter

    X, y = some_rows(200)
    made = sampler(net="mlp_gan", row_filter=NeighbourFilter())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.fit_resample(X, y)
        expected = made.sample({"few": 400})[0]
    rows = np.concatenate([rows for rows, _ in made.sample_iter({"few": 400}, batch=64)])
    np.testing.assert_array_equal(rows, expected)
