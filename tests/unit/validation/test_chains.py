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
    "key": "class C{0}:\n    def __hash__(self):\n        {inner}()\n        return 5\ndef f{0}():\n    return len({{C{0}(): 1}})\n",
    "element": "class C{0}:\n    def __hash__(self):\n        {inner}()\n        return 5\ndef f{0}():\n    seen = set()\n    seen.add((1, C{0}()))\n    return len(seen)\n",
    "hash": "class C{0}:\n    def __hash__(self):\n        {inner}()\n        return 5\ndef f{0}():\n    return hash(C{0}())\n",
    "equality in a list": "class C{0}:\n    def __eq__(self, other):\n        return {inner}()\ndef f{0}():\n    return [C{0}()].count(1)\n",
    "order of tuples": "class C{0}:\n    def __lt__(self, other):\n        return {inner}()\ndef f{0}():\n    return len(sorted([(1, C{0}()), (1, C{0}())]))\n",
    "truth": "class C{0}:\n    def __bool__(self):\n        {inner}()\n        return True\ndef f{0}():\n    return any([C{0}()])\n",
    "filter": "class C{0}:\n    def __len__(self):\n        {inner}()\n        return 1\ndef f{0}():\n    return len(list(filter(None, [C{0}()])))\n",
    "index": "class C{0}:\n    def __index__(self):\n        {inner}()\n        return 1\ndef f{0}():\n    return 'text'[C{0}()]\n",
    "contains": "class C{0}:\n    def __contains__(self, one):\n        return {inner}()\ndef f{0}():\n    return 1 in C{0}()\n",
    "instance check": (
        "class M{0}(type):\n    def __instancecheck__(cls, one):\n        return {inner}()\nclass C{0}(metaclass=M{0}):\n    pass\n"
        "def f{0}():\n    return isinstance(1, C{0})\n"
    ),
    "pattern": (
        "class C{0}:\n    __match_args__ = ('value',)\n    @property\n    def value(self):\n        return {inner}()\n"
        "def f{0}():\n    match C{0}():\n        case C{0}(one):\n            return one\n"
    ),
    "finalizer": (
        "class C{0}:\n    def __del__(self):\n        try:\n            {inner}()\n        except (TypeError, ValueError):\n            pass\n"
        "def f{0}():\n    C{0}()\n    return 3\n"
    ),
    "getattribute": "class C{0}:\n    def __getattribute__(self, name):\n        return {inner}()\ndef f{0}():\n    return C{0}().value\n",
    "getattr dunder": "class C{0}:\n    def __getattr__(self, name):\n        return {inner}()\ndef f{0}():\n    return C{0}().value\n",
    "setter": (
        "class C{0}:\n    @property\n    def value(self):\n        return self.kept\n    @value.setter\n    def value(self, new):\n        self.kept = {inner}()\n"
        "def f{0}():\n    one = C{0}()\n    one.value = 1\n    return one.value\n"
    ),
    "setting descriptor": (
        "class D{0}:\n    def __set__(self, obj, new):\n        {inner}()\nclass C{0}:\n    value = D{0}()\ndef f{0}():\n    C{0}().value = 1\n    return 3\n"
    ),
    "leaving": (
        "class C{0}:\n    def __enter__(self):\n        return self\n    def __exit__(self, *exc):\n        {inner}()\ndef f{0}():\n    with C{0}():\n        return 3\n"
    ),
    "context decorator": (
        "import contextlib\nclass C{0}(contextlib.ContextDecorator):\n    def __enter__(self):\n        {inner}()\n    def __exit__(self, *exc):\n        return False\n"
        "@C{0}()\ndef f{0}():\n    return 3\n"
    ),
    "decorating generator": "import contextlib\n@contextlib.contextmanager\ndef c{0}():\n    yield {inner}()\n@c{0}()\ndef f{0}():\n    return 3\n",
    "exit stack": (
        "import contextlib\ndef g{0}():\n    {inner}()\ndef f{0}():\n    with contextlib.ExitStack() as stack:\n        stack.callback(g{0})\n    return 3\n"
    ),
    "class made by a function": (
        "def m{0}(name):\n    def run(self):\n        return {inner}()\n    return type(name, (), {{'run': run}})\ndef f{0}():\n    return m{0}('C')().run()\n"
    ),
    "class dictionary": "class C{0}:\n    def run(self):\n        return {inner}()\ndef f{0}():\n    return C{0}.__dict__['run'](C{0}())\n",
    "globals": "def g{0}():\n    return {inner}()\ndef f{0}():\n    return globals()['g{0}']()\n",
    "own module": "import sys\ndef g{0}():\n    return {inner}()\ndef f{0}():\n    return sys.modules[__name__].g{0}()\n",
    "name put together": "class C{0}:\n    def run_it(self):\n        return {inner}()\ndef f{0}():\n    return getattr(C{0}(), 'run' + '_' + 'it')()\n",
    "visitor": (
        "class N{0}:\n    pass\nclass V{0}:\n    def visit(self, node):\n        return getattr(self, f'visit_{{type(node).__name__}}')()\n"
        "    def visit_N{0}(self):\n        return {inner}()\ndef f{0}():\n    return V{0}().visit(N{0}())\n"
    ),
    "missing key": "class C{0}(dict):\n    def __missing__(self, key):\n        return {inner}()\ndef f{0}():\n    return '%(now)s' % C{0}()\n",
    "format map": "class C{0}(dict):\n    def __missing__(self, key):\n        return {inner}()\ndef f{0}():\n    return '{{now}}'.format_map(C{0}())\n",
    "template field": "class C{0}:\n    @property\n    def value(self):\n        return {inner}()\ndef f{0}():\n    return '{{one.value}}'.format(one=C{0}())\n",
    "repr in a list": "class C{0}:\n    def __repr__(self):\n        return str({inner}())\ndef f{0}():\n    return str([C{0}()])\n",
    "single dispatch": (
        "import functools\n@functools.singledispatch\ndef g{0}(one):\n    return 3\n@g{0}.register\ndef _(one: int):\n    return {inner}()\ndef f{0}():\n    return g{0}(1)\n"
    ),
    "cached property": "import functools\nclass C{0}:\n    @functools.cached_property\n    def value(self):\n        return {inner}()\ndef f{0}():\n    return C{0}().value\n",
    "partial method": (
        "import functools\nclass C{0}:\n    def run(self, n):\n        return {inner}()\n    one = functools.partialmethod(run, 1)\ndef f{0}():\n    return C{0}().one()\n"
    ),
    "class decorator": (
        "def d{0}(cls):\n    cls.run = lambda self: {inner}()\n    return cls\n@d{0}\nclass C{0}:\n    pass\ndef f{0}():\n    return C{0}().run()\n"
    ),
    "init subclass": (
        "class B{0}:\n    kinds = {{}}\n    def __init_subclass__(cls, **words):\n        super().__init_subclass__(**words)\n        B{0}.kinds[cls.__name__] = cls\n"
        "class C{0}(B{0}):\n    def run(self):\n        return {inner}()\ndef f{0}():\n    return B{0}.kinds['C{0}']().run()\n"
    ),
    "metaclass": (
        "class M{0}(type):\n    def __call__(cls):\n        one = super().__call__()\n        one.value = {inner}()\n        return one\n"
        "class C{0}(metaclass=M{0}):\n    pass\ndef f{0}():\n    return C{0}().value\n"
    ),
    "enumeration": "import enum\nclass E{0}(enum.Enum):\n    A = 1\n    def run(self):\n        return {inner}()\ndef f{0}():\n    return E{0}['A'].run()\n",
    "method caller": "import operator\nclass C{0}:\n    def run(self):\n        return {inner}()\ndef f{0}():\n    return operator.methodcaller('run')(C{0}())\n",
    "attribute getter": (
        "import operator\nclass C{0}:\n    @property\n    def value(self):\n        return {inner}()\ndef f{0}():\n    return operator.attrgetter('value')(C{0}())\n"
    ),
    "reversed": "class C{0}:\n    def __reversed__(self):\n        yield {inner}()\ndef f{0}():\n    return list(reversed(C{0}()))\n",
    "copy": "import copy\nclass C{0}:\n    def __copy__(self):\n        return {inner}()\ndef f{0}():\n    return copy.copy(C{0}())\n",
    "class subscript": "class C{0}:\n    def __class_getitem__(cls, key):\n        return {inner}()\ndef f{0}():\n    return C{0}[1]\n",
    "sum": "class C{0}:\n    def __radd__(self, other):\n        return {inner}()\ndef f{0}():\n    return sum([C{0}()])\n",
    "walrus": "def f{0}():\n    return [two for one in [{inner}] if (two := one())]\n",
    "exception": (
        "class E{0}(Exception):\n    def __init__(self):\n        self.value = {inner}()\ndef f{0}():\n    try:\n        raise E{0}\n    except E{0} as error:\n        return error.value\n"
    ),
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
