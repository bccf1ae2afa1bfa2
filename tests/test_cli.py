import re
import sys

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

import skgan
from skgan import _demo_command, cli


def test_version_and_help(capsys):
    for arguments, words in (
        (["--version"], f"skgan {skgan.__version__}"),
        (["--help"], "demo"),
        (["--help"], "Exit codes: 0 done; 2 a wrong argument"),
        (["demo", "--help"], "--out"),
    ):
        with pytest.raises(SystemExit) as stop:
            cli.main(arguments)
        assert stop.value.code == 0
        assert words in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "COMMAND"),
        (["dance"], "invalid choice"),
        (["demo", "--folds", "2"], "at least 3"),
        (["demo", "--folds", "x"], "invalid int"),
        (["demo", "--seed", "-1"], "--seed must be at least 0"),
    ],
)
def test_wrong_arguments_are_refused_with_the_usage(arguments, words, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == 2
    assert words in capsys.readouterr().err


def test_an_out_that_is_a_file_is_refused(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit):
        cli.main(["demo", "--out", str(tmp_path / "file")])
    assert "is a file; name a folder" in capsys.readouterr().err


def test_without_matplotlib_the_demo_says_how_to_get_pictures(tmp_path, capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "skgan.plotting", raising=False)
    monkeypatch.delattr(skgan, "plotting", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
    _demo_command._write_pictures(tmp_path / "pictures", None)
    told = capsys.readouterr().out
    assert 'No pictures: Pictures and reports need matplotlib: pip install "matplotlib>=3.8".' in told
    assert "skgan[" not in told  # that name is on no index
    assert not list(tmp_path.iterdir())


def test_demo_splits_cut_the_training_side_only():
    y = load_digits().target
    splits = _demo_command.demo_splits(y, 5, 0)
    assert sorted(np.concatenate([test for _, test in splits])) == list(range(len(y)))
    for train, test in splits:
        assert not set(train) & set(test)
        for rare in _demo_command.RARE:
            assert (y[train] == rare).sum() == 7
            assert (y[test] == rare).sum() > 30
        assert (y[train] == 0).sum() > 130


def test_the_demo_prints_its_table_and_writes_its_pictures(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(_demo_command, "UPDATES", 5)
    monkeypatch.setattr(_demo_command, "STEPS", 3)
    threads = torch.get_num_threads()
    assert cli.main(["demo", "--out", str(tmp_path / "pictures"), "--folds", "3"]) == 0
    assert torch.get_num_threads() == threads
    out = capsys.readouterr().out
    for name in ("nothing", "nothing, prior-corrected", "class weights", "copies", "SMOTE", "GANOverSampler"):
        assert re.search(rf"^{name} +\d\.\d{{3}} ± \d\.\d{{3}} .*\d\.\d$", out, re.MULTILINE), name
    assert re.search(
        "Take GANOverSampler: it is better|No difference was found; take|GANOverSampler is worse than", out
    )
    assert re.search(
        r"^ImbalancedClassifierCV, which .* would choose: [\w ]+, (as it is|corrected|tuned decision)\.$",
        out,
        re.MULTILINE,
    )
    pictures = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert pictures == ["confusion-matrices.png", "loss-curves.png", "real-beside-generated.png"]
    assert all((tmp_path / "pictures" / name).read_bytes().startswith(b"\x89PNG") for name in pictures)
