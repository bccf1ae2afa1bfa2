"""The site: `make docs` builds it into docs/_build/html, and runs every script of the gallery."""

import os
import re
import sys
from pathlib import Path

import jupytext
import matplotlib

os.environ.setdefault("OMP_NUM_THREADS", "1")
matplotlib.use("agg")
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))  # this tree, whatever is installed

import skgan  # noqa: E402

project = "skgan"
author = copyright = "The skgan developers"
version = release = skgan.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "gallery", "auto_gallery/*.ipynb"]
templates_path = ["_templates"]

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 4

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_gallery",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": False,
    "download_all_examples": False,
    "show_memory": False,
    "capture_repr": ("_repr_html_",),
    "write_computation_times": False,
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("skgan",),
    "reference_url": {"skgan": None},
}


def skip_routing(app, what, name, obj, skip, options):
    """Leave out methods that scikit-learn writes for every estimator; their texts link to its own pages."""
    return (
        skip
        or name in ("get_metadata_routing", "set_output")
        or (name.startswith("set_") and name.endswith("_request"))
    )


def link_to_page(app, pagename, templatename, context, doctree):
    """From a listing of source back to a page, which is that of one class, not to a place in it.

    Sphinx names the place by the first module that it finds a class of the listing in, which not all of them are in.
    """
    if pagename.startswith("_modules/"):
        back = r'(class="viewcode-back" href="[^"#]*)#[^"]*'
        context["body"] = re.sub(back, r"\1", context["body"])


def setup(app):
    app.connect("html-page-context", link_to_page)
    app.connect("autodoc-skip-member", skip_routing)


html_theme = "pydata_sphinx_theme"
html_title = "skgan"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/favicon.svg"
html_context = {"default_mode": "auto"}
ALONE = (
    "getting_started results results_summary reports when_not when_not_tables photographs own_network clusters pitfalls"
)
html_sidebars = {
    page: []
    for page in [
        *ALONE.split(),
        "reports/*",
        "extending",
        "architecture",
        "architecture_training",
        "architecture_files",
        "same_numbers",
        "glossary",
    ]
}
html_show_sourcelink = False
html_theme_options = {"show_toc_level": 2, "navigation_with_keys": False, "header_links_before_dropdown": 4}

notebook = HERE / "generated" / "getting_started.ipynb"
notebook.parent.mkdir(exist_ok=True)
text = re.sub(r"; \{download\}`[^`]+`", "", (HERE / "getting_started.md").read_text())
text = re.sub(r"\[([^]]+)\]\([^)]+\.md\)", r"\1", text)  # the other pages are not beside the notebook
jupytext.write(jupytext.reads(text, "md"), notebook)
