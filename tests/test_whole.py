"""A file is there whole, or as it was before."""

import os
import resource
import stat
from contextlib import contextmanager

import numpy as np
import pytest

from skgan import compare
from skgan._whole import write_picture, written_whole
from skgan.callbacks import SampleGrid


@contextmanager
def full_disk(n_bytes=100):
    """No file grows beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_is_replaced_when_it_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    for text in ("one", "two"):
        with written_whole(path) as half:
            half.write_text(text)
            assert not path.exists() or path.read_text() == "one"
        assert path.read_text() == text
    assert os.listdir(tmp_path) == ["a.txt"]


def test_mode_and_links_stay(tmp_path):
    path, link = tmp_path / "a.txt", tmp_path / "link"
    path.write_text("one")
    path.chmod(0o640)
    link.symlink_to(path)
    with written_whole(link) as half:
        half.write_text("two")
    assert link.is_symlink()
    assert path.read_text() == "two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_folder_takes_the_place_of_an_empty_one(tmp_path):
    (tmp_path / "new").mkdir()
    with written_whole(tmp_path / "new") as half:
        half.mkdir()
        (half / "a").write_text("one")
    assert [path.name for path in tmp_path.rglob("*")] == ["new", "a"]


def test_what_is_no_file_is_written_as_it_is():
    with written_whole("/dev/null") as half:
        half.write_text("one")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("folder", [True, False])
def test_nothing_is_left_of_what_fails(error, folder, tmp_path):
    (tmp_path / "a").mkdir() if folder else (tmp_path / "a").write_text("one")

    def fail():
        with written_whole(tmp_path / "a") as half:
            half.mkdir() if folder else half.write_text("two")
            raise error

    with pytest.raises(error):
        fail()
    assert os.listdir(tmp_path) == ["a"]
    assert folder or (tmp_path / "a").read_text() == "one"


@pytest.fixture(scope="module")
def comparison():
    rng = np.random.RandomState(0)
    from imblearn.over_sampling import SMOTE
    from sklearn.linear_model import LogisticRegression

    return compare(SMOTE(), LogisticRegression(), rng.randn(60, 2), np.arange(60) % 3 == 0, cv=3, random_state=0)


def test_a_full_disk_leaves_the_report_of_before(comparison, tmp_path):
    path = tmp_path / "report.html"
    path.write_text("before")
    with pytest.raises(OSError, match=r"report.html' could not be written \(File too large\)"), full_disk(5000):
        comparison.to_html(path)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["before"]


def test_a_full_disk_leaves_the_pictures_of_before(tmp_path):
    from matplotlib.figure import Figure

    path = tmp_path / "picture.png"
    path.write_text("before")
    with pytest.raises(OSError, match=r"picture.png' could not be written"), full_disk():
        write_picture(path, Figure(), dpi=80)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["before"]


def test_a_full_disk_leaves_a_trainings_pictures_of_before(tmp_path):
    from skgan.modules import DCGAN
    from skgan.nets import AdversarialNet

    path = tmp_path / "step-000001.png"
    path.write_text("before")
    X = np.zeros((8, 1, 8, 8), np.uint8)
    with pytest.raises(OSError, match=r"step-000001.png' could not be written"), full_disk():
        AdversarialNet(DCGAN, module__width=2, max_steps=1, callbacks=[SampleGrid(tmp_path)]).fit(X)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["before"]
