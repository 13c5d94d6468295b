"""What is said of a file at a glance is what its summary says, or nothing: whichever comes first, the same is found."""

from __future__ import annotations

from pathlib import Path

import pytest

import coopy.validation
from coopy.validation import glance, summary
from coopy.validation.cache import analyse

PACKAGE = Path(coopy.validation.__file__).parent
SPELLINGS = (
    "class A: pass\n",
    "class A(B): pass\n",
    "class A(m.B, C[int], mixed(D, *more, key=E), *rest, metaclass=M): pass\n",
    "class A \\\n  (B): pass\n",
    "class A[T](B): pass\n",
    "class A(  # why\n    B,\n): pass\n",
    "from m import B as Base, C as C\nimport x.y as z\nclass A(Base, C, z): pass\n",
    "Base = m.B\nOther = Third = Base\nclass A(Base, Other, Third): pass\n",
    "class A((B)): pass\n",
    "def f():\n    class A(B):\n        class C(A): pass\n    return A\n",
    "try:\n    class A(B): pass\nexcept E:\n    class A(C): pass\nelse:\n    class D(A): pass\nfinally:\n    class E(A): pass\n",
    "for x in y:\n    class A(B): pass\nelse:\n    class C(B): pass\n",
    "match x:\n    case 1:\n        class A(B): pass\n",
    "if x: Base = B\nelif y: Base = C\nelse:\n    class A(Base): pass\n",
    "async def f():\n    async with x:\n        class A(B): pass\n",
    'text = "class A(B): pass"\n',
    "classes = (1,)\n",
    'class A(B):\n    pattern = "\\d"\n',
    "class \u210cA(\ufb01B): pass\n",
    "# caf\u00e9\nclass A(B): pass\n",
    "class A(B:\n",
    "\ufeffclass A(B): pass\n",
)


@pytest.mark.parametrize("text", SPELLINGS)
def test_the_classes_seen_at_a_glance_are_those_of_the_summary(text: str) -> None:
    """In their order, too: it decides which family is looked at first."""
    module, seen = analyse("x.py", text.encode()), glance.derives(text.encode())
    if isinstance(module, summary.Module) and seen is not None:
        assert [*seen.items()] == [*module.derives.items()]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_real_files_are_seen_as_they_are(path: Path) -> None:
    """And all of them can be."""
    data = path.read_bytes()
    module = analyse(str(path), data)
    assert isinstance(module, summary.Module)
    assert glance.derives(data) == module.derives
    assert glance.may_wrap(data) >= module.wraps


@pytest.mark.parametrize("text", ["class \u210cA(B): pass\n", "class A(B:\n", "# coding: latin-1\nclass A(B): pass\n"])
def test_of_what_another_parser_might_see_otherwise_nothing_is_said(text: str) -> None:
    """The summary is waited for."""
    assert glance.derives(text.encode("utf-8")) is None


@pytest.mark.parametrize(
    ("text", "may"),
    [
        (b"from coopy import init_system\n", True),
        (b"init_persistent_system(x)\n", True),
        (b"import coopy.aio\n", True),
        (b"# coding: utf-7\n+AGk-nit_system\n", True),
        (b"import coopy\nimport aio\n", False),
        (b"x = 1\n", False),
    ],
)
def test_a_file_that_may_wrap_a_domain_is_told_from_one_that_does_not(text: bytes, may: bool) -> None:
    """Where that is uncertain, it may."""
    assert glance.may_wrap(text) is may
