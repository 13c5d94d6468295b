"""`validate_system`: what is to be done before a domain is wrapped, by hand. The class is found in its file; nothing is imported again."""

from __future__ import annotations

import inspect
import warnings
from typing import TYPE_CHECKING, Any

from coopy.error import PrevalentError

if TYPE_CHECKING:
    from coopy.validation.findings import Finding


def validate_system(domain: Any) -> bool:
    """Analyse the class of a domain, or of an object of it. True, or PrevalentError with `findings`.

    Warnings do not raise. A class without a source file cannot be analysed: a RuntimeWarning says so, and the answer is True.
    """
    cls = domain if isinstance(domain, type) else type(domain)
    errors = tuple(one for one in validate_class(cls) if one.severity == "error")
    if errors:
        from coopy.validation import report

        raise PrevalentError(f"{cls.__qualname__} cannot be replayed:\n\n{report.text(errors, [])}", findings=errors)
    return True


def validate_class(cls: type) -> list[Finding]:
    """All findings of a class, and of what it reaches in the modules beside its own."""
    from coopy.validation.cache import Cache, default_folder
    from coopy.validation.run import Options, run
    from coopy.validation.source import Sources

    path = _file(cls)
    if path is None:
        why = f"the source of {cls.__module__}.{cls.__qualname__} is in no file, so whether it can be replayed was not checked"
        warnings.warn(why, RuntimeWarning, stacklevel=3)
        return []
    sources = Sources([path], Cache(default_folder()))
    return run(sources, Options((f"{sources.module_name(sources.files[0])[0]}:{cls.__qualname__}",))).findings


def _file(cls: type) -> str | None:
    """The file that a class was defined in, if there is one."""
    try:
        path = inspect.getsourcefile(cls)
    except (OSError, TypeError):  # a class of a REPL, of exec(), or built in
        return None
    return path if path is not None and not path.startswith("<") else None
