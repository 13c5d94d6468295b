"""What the plugin reports: an error code each, under the parent `coopy`, with its words.

A message says what is lost and what to write instead. mypy knows a code from the moment this file is imported.
"""

from __future__ import annotations

from mypy.errorcodes import ErrorCode

__all__ = ["ALIAS", "CLASH", "CODES", "INTERNAL", "MUTATE", "PARENT", "PICKLE", "PRIVATE", "READONLY", "REPLICA", "SET"]

PARENT = ErrorCode("coopy", "Use of coopy that a restart would not repeat", "Coopy")


def _code(name: str, what: str) -> ErrorCode:
    return ErrorCode(f"coopy-{name}", what, "Coopy", sub_code_of=PARENT)


SET = _code("set", "An attribute of a proxy is set from outside")
MUTATE = _code("mutate", "Something reached through a proxy is changed outside of an action")
PRIVATE = _code("private", "A private name is taken from a proxy")
REPLICA = _code("replica", "An action is called on a replica")
READONLY = _code("readonly", "A @readonly method changes the state")
PICKLE = _code("pickle", "An argument of an action cannot be recorded")
ALIAS = _code("alias", "An argument of an action is a live part of a system")
CLASH = _code("clash", "A domain class defines a name that coopy injects")
CODES = (SET, MUTATE, PRIVATE, REPLICA, READONLY, PICKLE, ALIAS, CLASH)

INTERNAL = "coopy's mypy plugin failed here ({error}) and reports nothing more about this place; the types are not affected"
