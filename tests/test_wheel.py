"""The wheel: what is in it, and that it works where nothing else of this project is. Building it needs a package index."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import lowest
import pytest

ROOT = Path(__file__).parent.parent
USE = """
import importlib, pkgutil
import numpy as np
import skgan
from skgan import GANOverSampler

for module in pkgutil.walk_packages(skgan.__path__, "skgan."):
    importlib.import_module(module.name)
X, y = np.random.RandomState(0).normal(size=(40, 3)), np.repeat([0, 1], [30, 10])
X_new, y_new = GANOverSampler(max_steps=2, random_state=0).fit_resample(X, y)
print(skgan.__file__, X_new.shape, int((y_new == 1).sum()))
"""


def run(*command, cwd: Path) -> str:
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([*map(str, command)], cwd=cwd, env=clean, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_lowest_versions_are_asked_for_as_they_are_written():
    asked = lowest.lowest()
    assert {"numpy==1.26", "torch==2.4", "pytest==8"} <= set(asked)
    assert all(version.partition("==")[2][0].isdigit() for version in asked)
    assert all((ROOT / "tests" / name).exists() for name in lowest.TESTS)


@pytest.mark.slow
def test_the_wheel_is_whole_and_works_in_an_environment_of_its_own(tmp_path):
    source, env = tmp_path / "source", tmp_path / "env"
    source.mkdir()  # setuptools would leave folders in the tree that it builds
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "skgan", source / "skgan", ignore=shutil.ignore_patterns("__pycache__"))
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path / "dist", source, cwd=tmp_path)
    (wheel,) = (tmp_path / "dist").glob("skgan-*.whl")

    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    written = {path.relative_to(ROOT).as_posix() for path in (ROOT / "skgan").rglob("*.py")}
    assert {name for name in names if not name.partition("/")[0].endswith(".dist-info")} == written | {"skgan/py.typed"}
    assert any(name.endswith("LICENSE") for name in names)

    # The libraries are those of this environment; its own skgan is found by hooks of its site-packages, which a path has not
    venv.create(env, with_pip=True)
    home = Path(
        run(env / "bin" / "python", "-c", "import site; print(site.getsitepackages()[0])", cwd=tmp_path).strip()
    )
    (home / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n")
    run(env / "bin" / "python", "-m", "pip", "install", "-q", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    assert run(env / "bin" / "skgan", "--version", cwd=tmp_path).startswith("skgan 0.1")
    file, *rest = run(env / "bin" / "python", "-c", USE, cwd=tmp_path).split(maxsplit=1)
    assert Path(file).is_relative_to(home)
    assert rest == ["(60, 3) 30\n"]
