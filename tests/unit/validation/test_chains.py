# ruff: noqa: E501 - one program fragment a line
"""Programs whose hazard is reachable by construction, through a random chain of mechanisms: always found; with the last link cut, never.

Every mechanism takes an expression that gives a callable, and makes another that calls it in the end; some of it goes to other modules.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from coopy.validation.cache import Cache
from coopy.validation.run import Options, run
from coopy.validation.source import Sources

if TYPE_CHECKING:
    from collections.abc import Callable

MECHANISMS: dict[str, str] = {
    # name -> statements of a module; {0} is the number, {inner} the callable of no arguments within, f{0} the callable that is made
    "function": "def f{0}():\n    return {inner}()\n",
    "lambda": "f{0} = lambda: {inner}()\n",
    "alias": "f{0} = {inner}\n",
    "partial": "import functools\nf{0} = functools.partial({inner})\n",
    "partial of a caller": "import functools\ndef c{0}(g):\n    return g()\nf{0} = functools.partial(c{0}, {inner})\n",
    "closure": "def m{0}(g):\n    def inner():\n        return g()\n    return inner\nf{0} = m{0}({inner})\n",
    "decorator": "def d{0}(g):\n    def wrapper(*args, **kwargs):\n        return g(*args, **kwargs)\n    return wrapper\n@d{0}\ndef f{0}():\n    return {inner}()\n",
    "decorator with wraps": (
        "import functools\ndef d{0}(n):\n    def deco(g):\n        @functools.wraps(g)\n        def wrapper(*args):\n            return g(*args)\n"
        "        return wrapper\n    return deco\n@d{0}(3)\ndef f{0}():\n    return {inner}()\n"
    ),
    "method": "class C{0}:\n    def run(self):\n        return {inner}()\ndef f{0}():\n    return C{0}().run()\n",
    "inherited": "class B{0}:\n    def run(self):\n        return {inner}()\nclass C{0}(B{0}):\n    pass\ndef f{0}():\n    return C{0}().run()\n",
    "super": (
        "class B{0}:\n    def run(self):\n        return {inner}()\nclass C{0}(B{0}):\n    def run(self):\n        return super().run()\n"
        "def f{0}():\n    return C{0}().run()\n"
    ),
    "template": (
        "class B{0}:\n    def run(self):\n        return self.step()\nclass C{0}(B{0}):\n    def step(self):\n        return {inner}()\n"
        "def f{0}():\n    return C{0}().run()\n"
    ),
    "property": "class C{0}:\n    @property\n    def value(self):\n        return {inner}()\ndef f{0}():\n    return C{0}().value\n",
    "class method": "class C{0}:\n    @classmethod\n    def run(cls):\n        return {inner}()\ndef f{0}():\n    return C{0}.run()\n",
    "static method": "class C{0}:\n    @staticmethod\n    def run():\n        return {inner}()\ndef f{0}():\n    return C{0}().run()\n",
    "constructor": "class C{0}:\n    def __init__(self):\n        self.value = {inner}()\ndef f{0}():\n    return C{0}().value\n",
    "attribute": "class C{0}:\n    def __init__(self, g):\n        self.g = g\n    def run(self):\n        return self.g()\ndef f{0}():\n    return C{0}({inner}).run()\n",
    "bound method": "class C{0}:\n    def run(self):\n        return {inner}()\nf{0} = C{0}().run\n",
    "call": "class C{0}:\n    def __call__(self):\n        return {inner}()\nf{0} = C{0}()\n",
    "dictionary": "T{0} = {{'a': len, 'b': {inner}}}\ndef f{0}():\n    return T{0}['b']()\n",
    "list": "T{0} = [{inner}]\ndef f{0}():\n    return [g() for g in T{0}]\n",
    "map": "def f{0}():\n    return list(map(lambda _: {inner}(), range(3)))\n",
    "sorted": "def f{0}():\n    return sorted([1, 2], key=lambda _: {inner}())\n",
    "helper": "def h{0}(g, *args):\n    return g(*args)\ndef f{0}():\n    return h{0}({inner})\n",
    "keyword": "def h{0}(*, g=None):\n    return g() if g is not None else None\ndef f{0}():\n    return h{0}(g={inner})\n",
    "default": "def f{0}(g={inner}):\n    return g()\n",
    "context manager": (
        "class C{0}:\n    def __enter__(self):\n        return {inner}()\n    def __exit__(self, *exc):\n        return False\n"
        "def f{0}():\n    with C{0}() as value:\n        return value\n"
    ),
    "contextlib": "import contextlib\n@contextlib.contextmanager\ndef c{0}():\n    yield {inner}()\ndef f{0}():\n    with c{0}() as value:\n        return value\n",
    "operator": "class C{0}:\n    def __add__(self, other):\n        return {inner}()\ndef f{0}():\n    return C{0}() + 1\n",
    "comparison": "class C{0}:\n    def __lt__(self, other):\n        return {inner}()\ndef f{0}():\n    return C{0}() < 1\n",
    "subscript": "class C{0}:\n    def __getitem__(self, key):\n        return {inner}()\ndef f{0}():\n    return C{0}()[1]\n",
    "iteration": "class C{0}:\n    def __iter__(self):\n        yield {inner}()\ndef f{0}():\n    return [one for one in C{0}()]\n",
    "generator": "def g{0}():\n    yield {inner}()\ndef f{0}():\n    return list(g{0}())\n",
    "dataclass": (
        "import dataclasses\n@dataclasses.dataclass\nclass C{0}:\n    value: object = dataclasses.field(default_factory={inner})\n"
        "def f{0}():\n    return C{0}().value\n"
    ),
    "post init": (
        "import dataclasses\n@dataclasses.dataclass\nclass C{0}:\n    def __post_init__(self):\n        self.value = {inner}()\ndef f{0}():\n    return C{0}().value\n"
    ),
    "descriptor": (
        "class D{0}:\n    def __get__(self, obj, owner):\n        return {inner}()\nclass C{0}:\n    value = D{0}()\ndef f{0}():\n    return C{0}().value\n"
    ),
    "annotation": "class C{0}:\n    def run(self):\n        return {inner}()\ndef h{0}(x: 'C{0}'):\n    return x.run()\ndef f{0}(x=None):\n    return h{0}(x or C{0}())\n",
    "getattr": "class C{0}:\n    def run(self):\n        return {inner}()\ndef f{0}():\n    return getattr(C{0}(), 'run')()\n",
    "condition": "def f{0}(flag=0):\n    return ({inner} if flag else len)()\n",
    "try": "def f{0}():\n    try:\n        raise ValueError\n    except ValueError:\n        return {inner}()\n",
    "local function": "def f{0}():\n    def inner():\n        return {inner}()\n    return inner()\n",
    "registry": "R{0} = {{}}\ndef reg{0}(g):\n    R{0}['x'] = g\n    return g\n@reg{0}\ndef g{0}():\n    return {inner}()\ndef f{0}():\n    return R{0}['x']()\n",
    "recursion": "def f{0}(n=2):\n    return f{0}(n - 1) if n else {inner}()\n",
    "reduce": "import functools\ndef f{0}():\n    return functools.reduce(lambda a, b: {inner}(), [1, 2])\n",
    "f string": "class C{0}:\n    def __str__(self):\n        return str({inner}())\ndef f{0}():\n    return f'{{C{0}()}}'\n",
    "tuple": "T{0} = (1, {inner})\ndef f{0}():\n    _, g = T{0}\n    return g()\n",
    "cached": "import functools\n@functools.lru_cache(maxsize=None)\ndef f{0}():\n    return {inner}()\n",
}
IMPORTS: dict[str, Callable[[str, str], tuple[str, str]]] = {
    "same module": lambda _module, name: ("", name),
    "from import": lambda module, name: (f"from {module} import {name}\n", name),
    "from import as": lambda module, name: (f"from {module} import {name} as other_{name}\n", f"other_{name}"),
    "import": lambda module, name: (f"import {module}\n", f"{module}.{name}"),
    "import as": lambda module, name: (f"import {module} as m_{name}\n", f"m_{name}.{name}"),
    "star": lambda module, name: (f"from {module} import *\n", name),
}
LINKS = st.lists(st.tuples(st.sampled_from(sorted(MECHANISMS)), st.sampled_from(sorted(IMPORTS))), min_size=1, max_size=6)


def build(links: list[tuple[str, str]], last: str) -> dict[str, str]:
    """The files of a program: the innermost callable is `last`, every link wraps it once more."""
    files: dict[str, str] = {}
    module, inner = "part0", "last"
    files[module] = last
    for number, (mechanism, way) in enumerate(links, 1):
        text, name = IMPORTS[way](module, inner)
        if way != "same module":
            module = f"part{number}"
        files[module] = (
            files.get(module, "")
            + text
            + MECHANISMS[mechanism].replace("{0}", str(number)).replace("{inner}", name).replace("{{", "{").replace("}}", "}")
        )
        inner = f"f{number}"
    files["app"] = f"from {module} import {inner}\nclass Domain:\n    def act(self):\n        self.value = {inner}()\n"
    return files


def analyse(files: dict[str, str]) -> list[tuple[str, str]]:
    """File and category of what is found."""
    with TemporaryDirectory() as folder:
        for name, text in files.items():
            Path(folder, f"{name}.py").write_text(text)
        outcome = run(Sources([folder], Cache(None)), Options(("app:Domain",)))
    assert not outcome.problems
    return [(Path(one.path).stem, one.category) for one in outcome.findings]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(LINKS)
def test_a_hazard_at_the_end_of_a_chain_is_found(links: list[tuple[str, str]]) -> None:
    files = build(links, "import uuid\ndef last():\n    return uuid.uuid4()\n")
    assert analyse(files) == [("part0", "random")], files


@settings(max_examples=150, deadline=None, derandomize=True)
@given(LINKS)
def test_a_chain_that_is_cut_is_clean(links: list[tuple[str, str]]) -> None:
    files = build(links, "import uuid\ndef unused():\n    return uuid.uuid4()\ndef last():\n    return 3\n")
    assert analyse(files) == [], files


@settings(max_examples=60, deadline=None, derandomize=True)
@given(LINKS)
def test_every_program_of_the_generator_runs(links: list[tuple[str, str]]) -> None:
    """What the generator calls reachable is reached when the program runs."""
    import sys

    files = build(links, "reached = []\ndef last():\n    reached.append(1)\n    return 3\n")
    with TemporaryDirectory() as folder:
        for name, text in files.items():
            Path(folder, f"{name}.py").write_text(text)
        sys.path.insert(0, folder)
        try:
            app = __import__("app")
            try:
                app.Domain().act()
            except TypeError:
                return  # 3 is no iterable, nor what len() was given: the call was made, or the random way was not taken
            finally:
                reached = sys.modules["part0"].reached
            assert reached or "condition" in [mechanism for mechanism, _ in links], files
        finally:
            sys.path.remove(folder)
            for name in files:
                sys.modules.pop(name, None)
