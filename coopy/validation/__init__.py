"""The validator: proves, before a domain is wrapped, that its replay can give the same state again.

    source -> extract -> summary -> link -> rules -> report

Nothing is ever imported or executed, and nothing here knows the running system. `validate_system` does by hand what `init_system` does.
"""

from __future__ import annotations

from coopy.validation.wrap import validate_system

__all__ = ["validate_system"]
