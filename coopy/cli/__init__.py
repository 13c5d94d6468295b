"""The command `coopy` (also `python -m coopy`): operations on a data directory, without its program. docs/operations.md shows each.

    group       which commands there are, each loaded when it is called; exit status, errors, broken pipes
    place       what most commands take: a directory, a key, classes that may be unpickled
    looking     status, check          past        log, show
    mending     repair, prune          proving     verify, rehearse, validate
    moving      export, import
    terminal    progress and questions; text, plain, standard: values for people and for programs

Each is thin: what it does is done by a room below. Exit status: 0 fine, 1 damage or a difference was found (or opening is not safe), 2 it could not be done.
"""

from coopy.cli.group import main

__all__ = ["main"]
