"""mypy with `plugins = coopy.mypy_plugin` reports uses of a system that the next restart would not repeat.

    plugin                     when mypy has to ask
    hooks                      what its hooks do
    domain, facts, bodies      while a class is defined: what its body tells of its methods, kept for later runs
    injected, queries          the same: `_clock` and `_random`; what a query changes that no hook sees later
    marks                      what a value is to coopy, carried by its type
    places, origins, sites     while code is checked: whether the mark is believed, by where the value comes from
    calls                      what a call or an assignment means, by the mark
    codes, page, settings, tree    what can be reported, its documentation; `[tool.coopy]`; walks over syntax trees

It only adds reports, each under a code of its own; types are the same with and without it, but for what the proxy has beside the domain
class (`close`, `take_snapshot`, `basedir_abspath`, `with`) and for `_clock` and `_random`, which a domain class need not declare.
Knows mypy and coopy's tables, never the running system.
"""

from __future__ import annotations

from coopy.error import UsageError

try:
    from coopy.mypy_plugin.plugin import CoopyPlugin
except ModuleNotFoundError as error:
    if error.name != "mypy":
        raise
    raise UsageError('The plugin needs mypy: `pip install "coopy[mypy]"`.') from error

__all__ = ["CoopyPlugin", "plugin"]


def plugin(version: str) -> type[CoopyPlugin]:  # noqa: ARG001 - mypy's protocol
    """What mypy asks for: the class of the plugin. `version` is mypy's own."""
    return CoopyPlugin
