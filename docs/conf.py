"""Sphinx: `make docs`."""

project = "coopy"
author = "the coopy authors"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "coopy"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
