"""mypy with `plugins = coopy.mypy_plugin` reports uses of a system that the next restart would not repeat.

    codes, tree     what can be reported; walks over mypy's syntax trees
    marks           what a value is to coopy, carried by its type
    facts, domain   what the body of a class tells, noted while it is defined
    calls           what a call or an assignment means, by its mark
    hooks           what mypy's hooks do
    plugin          when mypy has to ask
    page            the documentation of the codes

It only adds reports, each under a code of its own; types are the same with and without it, but for what the proxy has beside the domain
class (`close`, `take_snapshot`, `basedir_abspath`, `with`) and for `_clock` and `_random`, which a domain class need not declare.
Knows mypy and coopy's tables, never the running system.
"""

from __future__ import annotations

from coopy.mypy_plugin.plugin import CoopyPlugin

__all__ = ["CoopyPlugin", "plugin"]


def plugin(version: str) -> type[CoopyPlugin]:  # noqa: ARG001 - mypy's protocol
    """What mypy asks for: the class of the plugin. `version` is mypy's own."""
    return CoopyPlugin
