import functools
import inspect
from typing import Any, Callable, Protocol

HOOKS: dict[str, list[Callable[..., Any]]] = {}


class Context(Protocol):
    def emit(self, name: str, **data: Any) -> None: ...


def hook(name: str, *, first: bool = False):
    def register(fn):
        chain = HOOKS.setdefault(name, [])
        chain.insert(0 if first else len(chain), fn)
        return fn
    return register


def traced(fn):
    @functools.wraps(fn)
    def wrapper(self, *args, **kwargs):
        self.trace.append((fn.__name__, args, tuple(sorted(kwargs))))
        return fn(self, *args, **kwargs)
    return wrapper
