"""`validate_system`: what `init_system` does before it wraps a domain, by hand."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from coopy.error import PrevalentError

if TYPE_CHECKING:
    from coopy.validation.findings import Finding


def validate_system(domain: Any) -> bool:
    """Analyse the class of a domain, or of an object of it. True, or PrevalentError with `findings`. Warnings do not raise."""
    cls = domain if isinstance(domain, type) else type(domain)
    errors = [one for one in validate_class(cls) if one.severity == "error"]
    if errors:
        from coopy.validation import report

        raise PrevalentError(f"{cls.__qualname__} cannot be replayed:\n\n{report.text(errors, [])}", findings=tuple(errors))
    return True


def validate_class(cls: type) -> list[Finding]:
    """All findings of a class, and of what it reaches in its own top-level packages."""
    from coopy.validation.cache import Cache, default_folder
    from coopy.validation.run import Options, run
    from coopy.validation.source import Sources, root_of

    path = inspect.getsourcefile(cls)
    assert path is not None
    sources = Sources([path], Cache(default_folder()))
    sources.files[:] = [sources.files[0]]
    name = sources.module_name(sources.files[0])[0]
    sources.roots[:] = [root_of(sources.files[0])]
    return run(sources, Options((f"{name}:{cls.__qualname__}",))).findings
