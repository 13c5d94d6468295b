"""Whether a key is certainly in a mapping where it is read: a test has said so, or it comes from there. Looks at how the function is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from coopy.validation import summary as s

if TYPE_CHECKING:
    from collections.abc import Iterator


def is_there(body: list[s.Stmt], node: s.Subscript) -> bool:
    """Whether a function asks for `key in mapping`, or goes over the mapping, with the key of `mapping[key]`."""
    key, mapping = _shape(node.index), _shape(node.value)
    return any(_tells(one, key, mapping) for one in _walk(body))


def reads(node: s.Expr | None, target: s.Subscript) -> bool:
    """Whether `target = node` reads the target first: a key that is missing raises."""
    return node is not None and _mentions(node, _shape(target))


def _tells(one: Any, key: object, mapping: object) -> bool:
    if isinstance(one, s.Compare):
        tested = any(op in ("in", "notin") and _mentions(right, mapping) for op, right in zip(one.ops, one.rights, strict=True))
        return tested and _shape(one.left) == key
    if isinstance(one, s.For):
        return _comes_from(one.target, one.iter, key, mapping)
    return isinstance(one, s.Comprehension) and any(_comes_from(target, iterated, key, mapping) for target, iterated, _ in one.loops)


def _comes_from(target: s.Expr, iterated: s.Expr, key: object, mapping: object) -> bool:
    return _mentions(iterated, mapping) and any(_shape(one) == key for one in _walk(target))


def _mentions(node: s.Expr, shape: object) -> bool:
    return any(_shape(one) == shape for one in _walk(node))


def _walk(node: Any) -> Iterator[Any]:
    """Every expression and statement in a node; bodies of inner functions aside."""
    stack = [node]
    while stack:
        one = stack.pop()
        if isinstance(one, msgspec.Struct):
            yield one
            stack.extend(getattr(one, field) for field in one.__struct_fields__)
        elif isinstance(one, (list, tuple)):
            stack.extend(one)


def _shape(node: Any) -> object:
    """A node without its place."""
    if isinstance(node, msgspec.Struct):
        return type(node), *(_shape(getattr(node, field)) for field in node.__struct_fields__ if field != "at")
    return tuple(map(_shape, node)) if isinstance(node, (list, tuple)) else node
