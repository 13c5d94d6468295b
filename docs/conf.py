"""Sphinx: `make docs`."""

from sphinx.pycode import ModuleAnalyzer

project = "coopy"
author = "the coopy authors"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
smartquotes = False  # what is in quotes is often to be typed
default_role = "code"  # docstrings write code as Markdown does

html_theme = "furo"
html_title = "coopy"
html_static_path = ["_static"]
html_favicon = "_static/coopy.svg"
html_css_files = ["wide.css"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False
html_use_index = False
html_domain_indices = False

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
autodoc_inherit_docstrings = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
add_module_names = False

# One signature says what the overloads of `init_system` and `open` say twice: a class or an object.
for name in ("coopy.base", "coopy.aio.opening"):
    analyzer = ModuleAnalyzer.for_module(name)
    analyzer.analyze()
    analyzer.overloads.clear()
