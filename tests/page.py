"""Runs the examples of README.md and docs/, each page in a folder and a module of its own, from top to bottom.

    ```python                a program: it runs, and may await
    ```python                a file, if its first line is the comment `# wiki.py`: it is written; `# wiki.py, continued` adds to it
    ```pycon                 a session in Python's shell: what it shows is what is shown
    ```console               a session in a shell: the same, for each `$ command`, with both outputs of it as they come
    ```toml                  a file, if its first line says so; else it must parse

`…` in an output stands for what is another each time. What a page takes for granted, a program of the reader's, is in tests/pages/<page>/.
"""

from __future__ import annotations

import ast
import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from doctest import ELLIPSIS
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

from sybil import Document, Example, Region, Sybil
from sybil.evaluators.doctest import DocTestEvaluator
from sybil.parsers.abstract.doctest import DocTestStringParser
from sybil.parsers.myst import CodeBlockParser, SkipParser

from coopy import aio, control
from coopy.wiring import is_proxy

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["examples"]

ROOT = Path(__file__).parents[1]
FILE = re.compile(r"# (\w[\w./]*\.\w+)(, continued)?\n")
COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


class Page(Document):
    """A page, whose programs share a module: what a system stores names its classes by module and name."""

    def __init__(self, text: str, path: str) -> None:
        super().__init__(text, path)
        self.module = ModuleType("page_" + re.sub(r"\W", "_", Path(path).stem).lower())
        self.namespace = self.module.__dict__
        self.namespace["page"] = self

    def enter(self) -> None:
        """In a new folder, which is the working directory and where modules are found."""
        self.folder = Path(tempfile.mkdtemp(prefix="coopy-page-"))
        self.before = Path.cwd(), list(sys.path)
        self.loop = asyncio.Runner()
        self.source = ""
        name = self.module.__name__
        given = ROOT / "tests" / "pages" / name.removeprefix("page_")
        if given.exists():
            shutil.copytree(given, self.folder, dirs_exist_ok=True)
        self.module.__file__ = str(self.folder / f"{name}.py")
        sys.modules[name] = self.module
        sys.path.insert(0, str(self.folder))
        os.chdir(self.folder)

    def leave(self) -> None:
        """Nothing of the page is left; systems that its programs leave open are closed, as by their end. Those of tasks they close themselves."""
        for value in self.namespace.values():
            if is_proxy(value) and not isinstance(value, aio.Proxy):
                control(value).close()
        working_directory, sys.path[:] = self.before
        os.chdir(working_directory)
        self.loop.close()
        inside = f"{self.folder}{os.sep}"
        for name in [name for name, module in sys.modules.items() if (getattr(module, "__file__", None) or "").startswith(inside)]:
            del sys.modules[name]
        shutil.rmtree(self.folder)

    def write(self, text: str) -> bool:
        """Whether this was a file."""
        found = FILE.match(text)
        if found is None:
            return False
        path = self.folder / found[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a" if found[2] else "w") as file:
            file.write(text)
        return True

    def run(self, text: str, line: int) -> None:
        """A program, which stands in the module's file at the line that it has on the page: the validator reads it there."""
        path = Path(str(self.module.__file__))
        self.source += "\n" * (line - self.source.count("\n")) + text
        path.write_text(self.source)
        code = compile("\n" * line + text, path, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        result = FunctionType(code, self.namespace)()
        if result is not None:
            self.loop.run(result)


def of_page(example: Example) -> Page:
    """The page that an example is on."""
    assert isinstance(example.document, Page)
    return example.document


def python(example: Example) -> None:
    """A file, or a program."""
    if not of_page(example).write(example.parsed):
        of_page(example).run(example.parsed, example.line)


def toml(example: Example) -> None:
    """A file, or a part of one."""
    of_page(example).write(example.parsed)
    tomllib.loads(example.parsed)


def console(example: Example) -> str:
    """Commands. Gives what one says otherwise than the page shows."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for command, shown in COMMAND.findall(example.parsed):
        ran = subprocess.run(
            ["bash", "-c", command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if not re.fullmatch(re.escape(shown).replace("…", ".*?"), ran.stdout, re.DOTALL):
            return f"$ {command}\n{ran.stdout}"
    return ""


class Shell(CodeBlockParser):
    """Sessions of Python's shell: each `>>>` is an example."""

    language = "pycon"

    def __init__(self) -> None:
        super().__init__(self.language, self.evaluate)
        self.parts = DocTestStringParser(DocTestEvaluator(ELLIPSIS))

    def __call__(self, document: Document) -> Iterable[Region]:
        for block in super().__call__(document):
            for part in self.parts(block.parsed, document.path):
                part.parsed.want = part.parsed.want.replace("…", "...")
                part.adjust(block, block.parsed)
                yield part


examples = Sybil(
    [CodeBlockParser("python", python), CodeBlockParser("toml", toml), CodeBlockParser("console", console), Shell(), SkipParser()],
    path=str(ROOT),
    patterns=["README.md", "docs/*.md", "docs/api/*.md"],
    document_types={".md": Page},
    setup=lambda namespace: namespace["page"].enter(),
    teardown=lambda namespace: namespace["page"].leave(),
    fixtures=["cache_of_the_tests"],
)
