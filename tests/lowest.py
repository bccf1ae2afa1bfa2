"""Some of the fast tests with the lowest versions that pyproject.toml allows: ``make test-lowest``.

They are installed into a folder of their own, with torch as the package index has it: on Linux some 2.5 GB are downloaded.
"""

import os
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
TOOLS = ("pytest", "hypothesis", "polars", "pyarrow", "pillow", "matplotlib")
TESTS = (
    *("samplers/test_over_sampler.py", "samplers/test_polars.py", "samplers/test_saved.py", "samplers/test_memory.py"),
    *("test_codecs.py", "test_sample_command.py", "test_parallel.py", "test_prior.py"),
)


def lowest() -> list[str]:
    """What pip is asked for: the libraries of the core, and what the tests need, as low as they may be."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    bounds = [requirement.partition(">=") for requirement in wanted]
    core = len(project["dependencies"])
    return [f"{name}=={low}" for i, (name, _, low) in enumerate(bounds) if i < core or name in TOOLS]


def main(folder: Path) -> int:
    """Install and test; the exit code of pytest."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "-q", *lowest()], check=True)
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", "-e", ROOT], check=True)
    tests = [ROOT / "tests" / name for name in TESTS]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run([python, "-m", "pytest", *tests], cwd=ROOT, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute()))
