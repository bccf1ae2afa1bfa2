"""Imports point one way (docs/architecture.md); this keeps it so."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import skgan

PACKAGE = Path(skgan.__file__).parent

# What every unit may import: helpers that know nothing of samplers, nets or codecs
HELPERS = {
    "_batches",
    "_compat",
    "_device",
    "_draws",
    "_parallel",
    "_random",
    "_resample",
    "_settings",
    "_skorch",
    "_statistics",
    "_tensors",
    "_warnings",
}
# Unit → what else of skgan it may import
ALLOWED = {
    **{helper: HELPERS for helper in HELPERS},
    "_folds": set(),
    "losses": set(),
    "penalties": set(),
    "augment": set(),
    "strategies": set(),
    "modules": set(),
    "codecs": set(),
    "metrics": set(),
    "filters": set(),
    "plotting": set(),
    "datasets": {"codecs"},
    "callbacks": {"plotting"},
    "_image_statistics": {"augment"},
    "nets": {"_image_statistics", "losses", "penalties", "augment", "callbacks"},
    "presets": {"nets", "modules", "losses", "penalties", "augment", "callbacks"},
    "_classifier_data": {"augment"},
    "classifier": {"_classifier_data", "_image_statistics", "augment", "codecs", "modules"},
    "embedding": {"codecs", "samplers"},
    "samplers": {"_folds", "presets", "nets", "codecs", "filters", "strategies"},
    "zero_shot": {"presets", "nets", "codecs", "samplers"},
    "prior": {"samplers"},
    "_tuning": set(),
    "_decision": {"_tuning", "prior", "samplers"},
    "imbalanced": {"_decision", "_folds", "_tuning", "prior", "samplers"},
    "model_selection": {"samplers"},
    "_report": {"metrics", "plotting", "samplers"},
    "_verdict": {"samplers"},
    "_compared_rows": {"_decision", "_verdict", "nets", "presets", "prior", "samplers"},
    "comparison": {
        *("_compared_rows", "_decision", "_folds", "_report", "_tuning", "_verdict", "plotting", "samplers"),
    },
    "checks": {"codecs", "filters", "losses", "nets", "penalties"},
    "_written_numbers": {"codecs"},
    "_reading": {"_written_numbers", "codecs", "datasets"},
    "_sample_command": {"_reading", "codecs", "datasets", "samplers", "strategies"},
    "_compare_images": {"codecs", "embedding"},
    "cli": {
        "__init__",
        "_compare_images",
        "_compared_rows",
        "_reading",
        "_sample_command",
        "_tuning",
        "classifier",
        "codecs",
        "comparison",
        "plotting",
        "presets",
        "samplers",
        "strategies",
    },
}
# What knows torch alone: it may import no helper that brings another library
TORCH_ONLY = {"losses", "penalties", "augment", "modules", "_draws", "_resample"}
# Library → the only units that may import it
ONLY_IN = {
    "skorch": {"_skorch", "nets", "callbacks", "classifier"},
    "imblearn": {"samplers", "_compat", "_compared_rows", "comparison", "imbalanced", "prior"},
    "matplotlib": {"plotting"},
    "PIL": {"datasets"},
    "sklearn_compat": {"_compat"},
}


def imports_of(path: Path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module == "skgan":
                yield from (f"skgan.{alias.name}" for alias in node.names)
            else:
                yield node.module


def unit_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_one_way(path):
    unit = unit_of(path)
    if unit == "__init__":
        return
    for name in imports_of(path):
        library, *rest = name.split(".")
        if library == "skgan":
            other = (
                rest[0]
                if (rest and (PACKAGE / rest[0]).with_suffix(".py").exists()) or (rest and (PACKAGE / rest[0]).is_dir())
                else "__init__"
            )
            helpers = {"_draws", "_resample"} if unit in TORCH_ONLY else HELPERS
            assert other == unit or other in ALLOWED[unit] | helpers, f"{unit} imports {name}"
        elif library in ONLY_IN:
            assert unit in ONLY_IN[library], f"{unit} imports {name}"


def test_importing_skgan_leaves_matplotlib_alone_and_the_random_streams_too():
    code = (
        "import sys, numpy as np, torch; a = np.random.get_state()[1].copy(); t = torch.random.get_rng_state().clone()\n"
        "import skgan\n"
        "assert 'matplotlib' not in sys.modules\n"
        "assert (np.random.get_state()[1] == a).all() and (torch.random.get_rng_state() == t).all()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_public_names_are_documented():
    for name in skgan.__all__:
        assert getattr(skgan, name).__doc__, name
