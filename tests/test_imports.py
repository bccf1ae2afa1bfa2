"""Imports point one way (docs/architecture.md); this keeps it so."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.metrics import get_scorer_names

import skgan
from skgan import _compare_command, _options, presets
from skgan._names import PRESETS, SCORES

PACKAGE = Path(skgan.__file__).parent

# What every unit may import: helpers that know nothing of samplers, nets or codecs
HELPERS = {
    "_batches",
    "_compat",
    "_device",
    "_draws",
    "_mapped",
    "_interrupts",
    "_names",
    "_notebook",
    "_parallel",
    "_random",
    "_resample",
    "_scratch",
    "_settings",
    "_skorch",
    "_statistics",
    "_stored",
    "_tensors",
    "_warnings",
    "_whole",
    "exceptions",
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
    "_step_log": set(),
    "callbacks": {"_step_log", "plotting"},
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
    "_about": set(),
    "_columns_beside": set(),
    "_generated": {"_columns_beside", "metrics", "samplers"},
    "_report": {"_report_generated", "plotting"},
    "_report_generated": {"_columns_beside", "_generated", "_report_figures", "plotting"},
    "_report_figures": {"_columns_beside", "plotting"},
    "_report_json": {"_columns_beside", "_generated", "_verdict", "samplers"},
    "_verdict": {"samplers"},
    "_kept_fits": {"_decision", "_generated", "samplers"},
    "_one_split": {"_decision", "_tuning"},
    "_comparison_plan": {"_about", "_compared_rows", "_kept_fits", "_tuning", "samplers"},
    "_compared_rows": {"_decision", "_verdict", "nets", "presets", "prior", "samplers"},
    "comparison": {
        *(
            "_about",
            "_compared_rows",
            "_comparison_plan",
            "_decision",
            "_folds",
            "_generated",
            "_kept_fits",
            "_one_split",
        ),
        *("_report", "_report_json", "_tuning", "_verdict", "plotting", "samplers"),
    },
    "checks": {"codecs", "filters", "losses", "nets", "penalties"},
    "_written_numbers": {"codecs"},
    "_text_files": set(),
    "_time_order": {"_text_files", "_written_numbers", "codecs"},
    "_reading": {"_text_files", "_time_order", "_written_numbers", "codecs", "datasets"},
    "_test_file": {"_reading", "_text_files"},
    "_compare_images": {"codecs", "embedding"},
    "_options": {"__init__"},
    "_option_checks": {"_text_files"},
    "_demo_command": {"classifier", "codecs", "comparison", "plotting", "samplers"},
    "_compare_command": {
        *(
            "_compare_images",
            "_compared_rows",
            "_comparison_plan",
            "_option_checks",
            "_reading",
            "_test_file",
            "_tuning",
        ),
        *("classifier", "comparison", "plotting", "samplers", "strategies"),
    },
    "_sample_files": {"_options", "_text_files", "datasets"},
    "_sample_command": {
        *("_option_checks", "_options", "_reading", "_sample_files", "_text_files"),
        *("codecs", "datasets", "samplers", "strategies"),
    },
    "cli": {"_compare_command", "_demo_command", "_option_checks", "_options", "_sample_command"},
}
# What knows torch alone: it may import no helper that brings another library
TORCH_ONLY = {"losses", "penalties", "augment", "modules", "_draws", "_resample"}
# Library → the only units that may import it
ONLY_IN = {
    "skorch": {"_skorch", "_step_log", "nets", "callbacks", "classifier"},
    "imblearn": {"samplers", "_compat", "_compared_rows", "comparison", "imbalanced", "prior"},
    "matplotlib": {"plotting"},
    "PIL": {"datasets"},
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


def run(code: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, timeout=120)


def test_importing_skgan_leaves_matplotlib_alone_and_the_random_streams_too():
    run(
        "import sys, numpy as np, torch; a = np.random.get_state()[1].copy(); t = torch.random.get_rng_state().clone()\n"
        "from skgan import *\n"
        "assert 'skgan.comparison' in sys.modules and 'matplotlib' not in sys.modules\n"
        "assert (np.random.get_state()[1] == a).all() and (torch.random.get_rng_state() == t).all()"
    )


HEAVY = {"torch", "sklearn", "pandas", "skorch", "imblearn", "scipy", "numpy"}
LIGHT = f"import sys; loaded = {HEAVY} & set(sys.modules); assert not loaded, loaded"


def test_what_skgan_offers_is_imported_when_it_is_asked_for():
    run(
        "import sys, skgan\n"
        f"{LIGHT}\n"
        "assert {*skgan.__all__, 'samplers', 'nets', '__version__'} <= set(dir(skgan))\n"
        "assert not hasattr(skgan, 'Smote')\n"
        "assert skgan.samplers.GANOverSampler is skgan.GANOverSampler\n"
        "assert 'GANOverSampler' in vars(skgan)\n"
        "assert skgan.presets.dcgan().max_steps\n"
        "from skgan import *\n"
        "assert skgan.compare is compare"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["compare", "--help"],
        ["sample", "--help"],
        ["dance"],
        ["compare", "nosuchfile.csv"],
        ["compare", "data.csv"],
        ["compare", "data.csv", "--target", "outcom"],
        ["compare", "data.csv", "--target", "y", "--net", "ofspring"],
        ["compare", "data.csv", "--target", "y", "--estimator", "cnn"],
        ["compare", "data.csv", "--target", "y", "--folds", "1"],
        ["compare", "data.csv", "--target", "y", "--scoring", "balanced_acuracy"],
        ["compare", "data.csv", "--target", "y", "--groups", "nosuchfile.csv"],
        ["compare", "data.csv", "--target", "y", "--time", "when"],
        ["compare", "data.csv", "--target", "y", "--test", "nosuchfile.csv"],
        ["compare", "data.csv", "--target", "y", "--json", "nosuchfolder/report.json"],
        ["compare", "data.csv", "--target", "y", "--out", "nosuchfolder/report.html"],
        ["sample", "nosuchfolder", "--out", "new"],
        ["sample", "data.csv", "--target", "y", "--out", "data.csv"],
        ["sample", "data.csv", "--target", "y", "--out", "new.csv", "--net", "ofspring"],
        ["sample", "photos", "--out", "photos/new"],
        ["sample", "photos", "--out", "new", "--size", "0"],
        ["demo", "--seed", "-1"],
    ],
    ids=" ".join,
)
def test_help_and_refusals_import_nothing_that_takes_a_moment(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "data.csv").write_text("a,y\n1,u\n2,v\n")
    code = "import sys\nfrom skgan.cli import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
    run(f"{code}else:\n    raise AssertionError('it ran')\n{LIGHT}", *arguments)


def test_names_that_are_listed_without_the_imports():
    assert list(PRESETS) == presets.__all__
    assert set(get_scorer_names()) <= set(SCORES)
    assert list(_options.ESTIMATORS) == list(_compare_command.ESTIMATORS)


def test_the_lists_in_init_agree():
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    typed = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert typed - {"version", "TYPE_CHECKING"} == set(skgan.__all__) == set(skgan._MODULES)
    files = {path.stem for path in PACKAGE.iterdir() if path.suffix in ("", ".py") and path.name[0] != "_"}
    # Neither is needed by a session that asks for all there is: the one needs matplotlib, the other is the command
    assert files - {"plotting", "cli"} == skgan._SUBMODULES


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({*skgan._SUBMODULES, "plotting", "cli"}))
def test_every_module_can_be_the_first_to_be_imported(name):
    run(f"import skgan.{name}")


def test_public_names_are_documented():
    for name in skgan.__all__:
        assert getattr(skgan, name).__doc__, name
