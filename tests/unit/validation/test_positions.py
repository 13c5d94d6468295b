"""Where things stand: names of a file are found exactly where Python finds them, in every corner of the syntax."""

from __future__ import annotations

import ast
import asyncio
import dataclasses
import textwrap
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from coopy.validation import summary as s
from coopy.validation.extract import extract

if TYPE_CHECKING:
    from types import ModuleType

CORNERS = """
x = f"{a!r:>{b}} {c['x']} {{}} {d:%Y} {e=}" f"{f}" "g" + rf"\\{h}"
y = {i: j for i in k if l if m} | {n} | {**o, 1: p}
def q(r, /, s: "t" = u, *v: w, x: int = y, **z) -> a[b]: return lambda c, *d, e=f: (yield g)
async def h(): return [i async for i in j if await k]
@l.m(n)
class o(p, metaclass=q):
    r: s = t
    u, *v = w
match x:
    case {"a": [b, *c], **d} | e.f(g, h=i) if j: pass
    case (1 | 2) as k: pass
    case _: l
with (m as n, o): del p[q:r:s], t.u
try: raise v from w
except (x, y) as z: assert a, b
else: global c
while (d := e) if f else not g: break
for h, (i, *j) in k[l, m:n, ...]: print(*o, **p); continue
type = 1; match = type; case = match
# a comment with names and "strings"
q = 1 if r else 0x1f + 1_000j  # another
s = t \\
    .u \\
    .v
w = ("x"
     f"{y}" 'z')
"""


def names_of(module: s.Module) -> set[tuple[int, int, str]]:
    """Line, column and text of every name that is read or assigned."""
    out, stack = set(), [module.body]
    while stack:
        one: Any = stack.pop()
        if isinstance(one, msgspec.Raw):
            one = s.decode_block(one)
        if isinstance(one, s.Name):
            out.add((*module.place(one.at), one.name))
        if isinstance(one, msgspec.Struct):
            stack += [getattr(one, field) for field in one.__struct_fields__]
        elif isinstance(one, list | tuple):
            stack += one
    return out


def names_by_python(text: str) -> set[tuple[int, int, str]]:
    """The same, as Python's own parser sees it; a name that := binds is kept as text only, bounds of type parameters not at all."""
    tree, lines = ast.parse(text), text.split("\n")
    for node in ast.walk(tree):
        if hasattr(node, "type_params"):
            node.type_params = []
    walrus = {id(node.target) for node in ast.walk(tree) if isinstance(node, ast.NamedExpr)}
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in walrus]
    return {(one.lineno, len(lines[one.lineno - 1].encode()[: one.col_offset].decode()) + 1, one.id) for one in found}


@pytest.mark.parametrize("module", [ast, asyncio.base_events, dataclasses, textwrap, typing], ids=lambda module: module.__name__)
def test_names_of_real_files_stand_where_python_finds_them(module: ModuleType) -> None:
    text = Path(module.__file__ or "").read_text(encoding="utf-8")
    assert not names_by_python(text) - names_of(extract(text))


def test_names_in_the_corners_of_the_syntax() -> None:
    text = "\n".join(line for line in CORNERS.split("\n") if "await k" not in line)
    assert not names_by_python(text) - names_of(extract(text))


def test_half_a_surrogate_pair_is_kept_as_it_is_written() -> None:
    assert s.encode(extract("x = '\\ud800', '\\U0001f600'\n"))


def test_new_syntax_is_read_by_every_python() -> None:
    """PEP 695 and 701, whatever Python runs the validator."""
    module = extract("type A[T: int, *U, **P] = list[T]\ndef f[T](x: T) -> T: return x\nclass C[T]: y = f'{x['a']}'\n")
    assert {(3, 20, "x")} <= names_of(module)


@pytest.mark.parametrize("end", ["", "\n", "\nlast = after"])
def test_only_newlines_end_lines(end: str) -> None:
    """Characters at which `str.splitlines` splits too may stand in a string."""
    text = f"before = one\nx = 'a\x0b\x0c\x1c\x85\u2028b'\nthen = two{end}"
    assert names_of(extract(text)) == names_by_python(text)
    assert len(extract(text).lines) - 1 == len(text.removesuffix("\n").split("\n"))
