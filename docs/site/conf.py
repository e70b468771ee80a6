"""Sphinx settings of the site: ``make docs``, or ``sphinx-build -c docs/site . build/docs`` without running anything.

The source folder is the repository, so that a link that leads somewhere on a page in a checkout does so in the site.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import hyperctr  # noqa: E402

project, author, release = "HyperCTR", "HyperCTR contributors", hyperctr.__version__
copyright = "HyperCTR contributors, MIT licence"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "site_pages"]
root_doc = "README"
include_patterns = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/*.md", "docs/reference/*.md"]
exclude_patterns = [".*", "build", "dist", "reports/runs", "reports/out", "hyperctr", "tests", "notebooks"]
templates_path = ["templates"]

# the side bar, in the order in which a newcomer asks
live_contents = {
    "Begin": ["docs/install", "docs/tour", "docs/gallery", "docs/command-line"],
    "Use it": [
        "docs/own-data",
        "docs/import-formats",
        "docs/features-from-media",
        "docs/write-your-own-model",
        "docs/your-model",
        "docs/hypergraphs",
        "docs/inspector",
        "docs/scale",
    ],
    "Reference": [
        "docs/reference/data",
        "docs/reference/hypergraphs",
        "docs/reference/training",
        "docs/reference/results",
        "docs/reference/paper",
    ],
    "How it works": ["docs/method", "docs/architecture", "docs/systems", "docs/results", "docs/benchmarks"],
    "Work on it": ["CONTRIBUTING", "docs/extending", "CHANGELOG"],
}
live_pages = ["docs/gallery"]  # their Python is run and shown with what it gives, where a build runs things

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_maximum_signature_line_length = 88
python_display_short_literal_types = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False

html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = "HyperCTR"
html_extra_path = ["root"]  # index.html, which leads to README.html
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {"**": ["contents.html"]}
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "navbar_center": [],
}
