"""--fix: what is certain is rewritten and nothing else, once; --diff shows it and writes nothing."""

from __future__ import annotations

import ast
import stat
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopy.validate import main
from coopy.validation.cache import Cache
from coopy.validation.fix import plan, write
from coopy.validation.run import Options, run
from coopy.validation.source import Sources

ACT = "\n\nclass Domain:\n    def act(self, x=None):\n        self.at = {}\n"
LEFT = {  # whatever else is right with these files, the call stays
    "an argument that is not the same": "import random" + ACT.format("random.sample([1], counts=[2], k=1)"),
    "arguments that are not seen": "from datetime import datetime" + ACT.format("datetime.now(*x)"),
    "a size that may be None": "import secrets" + ACT.format("secrets.token_hex(x)"),
    "another origin": "import time" + ACT.format("time.monotonic()"),
    "a function that is passed on": "import time" + ACT.format("(time.time,)[0]()"),
    "a default argument": "import time\n\n\nclass Domain:\n    def act(self, at=time.time()):\n        self.at = at\n",
    "a class body": "import time\n\n\nclass Page:\n    made = time.time()\n" + ACT.format("Page.made"),
    "a name that is assigned too": "import time\nif len('x') > 1:\n    time = None" + ACT.format("time.time()"),
    "a name that a function makes global": "import time\n\n\ndef f():\n    global time\n    time = 3" + ACT.format("time.time()"),
    "a name with two imports": "try:\n    from time import time as now\nexcept ImportError:\n    from time import monotonic as now"
    + ACT.format("now()"),
    "text that is shown": "import time" + ACT.format("f'{time.time()=}'"),
    "a comment within": "import time" + ACT.format("(time  # now\n                   .time())"),
    "a star import": "import time\nfrom os.path import *" + ACT.format("time.time()"),
    "seeded numbers": "import random\nrandom.seed(4)" + ACT.format("random.random()"),
    "a clock of its own": "import time\nclock = 3\n\n\ndef f():\n    return time.time(), clock" + ACT.format("f()"),
    "a clock in that function": "import time\n\n\ndef f(clock):\n    return time.time()" + ACT.format("f(3)"),
    "random of another use": "import random\n\n\ndef f():\n    return random.random(), random.Random(3)" + ACT.format("f()"),
}


def load(folder: Path) -> dict[str, str]:
    return {path.name: path.read_bytes().decode() for path in sorted(folder.glob("*.py"))}


def fix(folder: Path, text: str, **others: str) -> str:
    """The text of app.py once it was fixed; then a second time, which must change nothing."""
    for name, one in {"app": text, **others}.items():
        (folder / f"{name}.py").write_bytes(one.encode())
    arguments = [str(folder), "--domain", "app:Domain", "--no-cache", "--fix"]
    main(arguments)
    first = load(folder)
    main(arguments)
    assert load(folder) == first
    return first["app.py"]


@pytest.mark.parametrize("text", LEFT.values(), ids=LEFT.keys())
def test_what_is_not_certain_stays_and_is_reported(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fix(tmp_path, text) == text
    assert main([str(tmp_path), "--domain", "app:Domain", "--no-cache"]) in {0, 1}
    assert "CPY1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("statement", "call", "fixed"),
    [
        ("import time", "time.time()", "self._clock.time()"),
        ("import time as t", "t.time_ns( )", "self._clock.time_ns( )"),
        ("import datetime", "datetime.datetime.now()", "self._clock.now()"),
        ("import datetime as dt", "dt.datetime.utcnow()", "self._clock.utcnow()"),
        ("from datetime import datetime", "datetime.today()", "self._clock.now()"),
        ("from datetime import date as day", "day.today()", "self._clock.today()"),
        ("from datetime import datetime, UTC", "datetime.now(tz=UTC)", "self._clock.now(tz=UTC)"),
        ("import uuid", "str(uuid.uuid4())", "str(self._random.uuid4())"),
        ("from uuid import uuid4", "f'{uuid4()}'", "f'{self._random.uuid4()}'"),
        ("import secrets", "secrets.token_hex(8)", "self._random.token_hex(8)"),
        ("import secrets", "secrets.randbelow(3)", "self._random.randrange(3)"),
        ("import random", "random.choice([1, random.random()])", "self._random.choice([1, self._random.random()])"),
        ("from random import *\nimport time", "3", "3"),
    ],
)
def test_calls_in_a_method_of_the_domain(statement: str, call: str, fixed: str, tmp_path: Path) -> None:
    text = fix(tmp_path, statement + ACT.format(call))
    assert text.endswith(ACT.format(fixed).lstrip("\n"))
    assert ("import" in text) == (statement.count(" UTC") > 0 or call == fixed)


def test_elsewhere_it_is_the_module_with_one_import_behind_the_standard_library(tmp_path: Path) -> None:
    text = '"""Doc."""\n\nimport os\nimport time\n\nfrom tools import y\n\n\ndef f():\n    return time.time(), y, os\n\n\ndef g():\n    return time.time_ns()\n'
    expected = (
        '"""Doc."""\n\nimport os\n\nfrom coopy import clock\n\nfrom tools import y\n\n\n'
        "def f():\n    return clock.time(), y, os\n\n\ndef g():\n    return clock.time_ns()\n"
    )
    use = "\n\nclass Domain:\n    def act(self):\n        self.at = f(), g()\n"
    assert fix(tmp_path, text + use, tools="y = 1\n") == expected + use


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import time\n", "from coopy import clock\n"),
        ("from __future__ import annotations\nimport time\n", "from __future__ import annotations\n\nfrom coopy import clock\n"),
        ("from coopy import readonly\nimport time\n", "from coopy import clock, readonly\n"),
        ("import coopy\nimport time\n", "import coopy\n"),
        ("from coopy import clock as c\nimport time\n", "from coopy import clock as c\n"),
        ("from time import time_ns, time, sleep\n", "from time import time_ns, sleep\n\nfrom coopy import clock\n"),
        ("from time import (\n    time,\n    sleep,\n)\n", "from time import (\n    sleep,\n)\n\nfrom coopy import clock\n"),
        ("from time import (\n    sleep,\n    time,\n)\n", "from time import (\n    sleep,\n)\n\nfrom coopy import clock\n"),
        ("import time  # why\n", "import time  # why\n\nfrom coopy import clock\n"),
        ("import time; import os\n", "import time; import os\n\nfrom coopy import clock\n"),
    ],
)
def test_imports(before: str, after: str, tmp_path: Path) -> None:
    call = "time()" if "from time" in before else "time.time()"
    spelled = "coopy.clock" if "import coopy\n" in before else "c" if " as c" in before else "clock"
    rest = "\n\ndef f():\n    return {}, 'sleeping'\n" + ACT.format("f()")
    assert fix(tmp_path, before + rest.format(call)) == after + rest.format(f"{spelled}.time()")


def test_coopys_random_takes_the_place_of_the_other(tmp_path: Path) -> None:
    rest = "\n\ndef f():\n    return random.random()\n" + ACT.format("f()")
    assert fix(tmp_path, "import random\n" + rest) == "from coopy import random\n" + rest


@pytest.mark.parametrize(
    "other",
    [
        "from app import time\n",
        "import app\napp.time\n",
        "from app import *\n",
        "from app import (\n    time,\n)\n",
        "import app as a\nprint(a.time)\n",
    ],
)
def test_an_import_that_another_file_takes_stays(other: str, tmp_path: Path) -> None:
    assert fix(tmp_path, "import time\n" + ACT.format("time.time()"), other=other) == "import time\n" + ACT.format("self._clock.time()")


@pytest.mark.parametrize("use", ["__all__ = ['time']\n", "print(globals())\n", "x: 'time.struct_time'\n"])
def test_an_import_that_may_be_used_in_other_ways_stays(use: str, tmp_path: Path) -> None:
    assert fix(tmp_path, "import time\n" + use + ACT.format("time.time()")) == "import time\n" + use + ACT.format("self._clock.time()")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("class Domain:\n    def __init__(self):\n        self.at = {}\n", "clock.time()"),
        ("class Domain:\n    def __init__(self):\n        self.fill()\n    def fill(self):\n        self.at = {}\n", "clock.time()"),
        ("class Domain:\n    @staticmethod\n    def act():\n        return {}\n", "clock.time()"),
        ("class Domain:\n    @classmethod\n    def act(cls):\n        return {}\n", "clock.time()"),
        ("class Domain:\n    def act(self):\n        self = 3\n        return {}\n", "clock.time()"),
        ("class Domain:\n    def act(self):\n        def inner():\n            return {}\n        return inner()\n", "clock.time()"),
        ("class Domain:\n    _clock = 3\n    def act(self):\n        return {}\n", "clock.time()"),
        ("class Domain:\n    __slots__ = ('at',)\n    def act(self):\n        return {}\n", "clock.time()"),
        ("class Domain:\n    def act(self):\n        self.child = Domain()\n        return {}\n", "clock.time()"),
        (
            "class Base:\n    def act(self):\n        return {}\nclass Other(Base):\n    pass\nclass Domain(Base):\n    x = Other()\n",
            "clock.time()",
        ),
        ("class Domain:\n    def act(this):\n        return [{} for _ in ()]\n", "this._clock.time()"),
        (
            "class Domain:\n    @property\n    def at(self):\n        return 1\n    @at.setter\n    def at(self, value):\n        self.x = {}\n",
            "self._clock.time()",
        ),
    ],
)
def test_the_domains_own_clock_is_used_where_it_certainly_is(text: str, expected: str, tmp_path: Path) -> None:
    start = "import time\n\n\n" + text
    import_line = "" if "_clock" in expected else "from coopy import clock\n\n\n"
    assert fix(tmp_path, start.format("time.time()")) == import_line + text.format(expected)


def test_a_file_keeps_its_mode_encoding_newlines_and_mark(tmp_path: Path) -> None:
    text = ("import time\n# é\n" + ACT.format("time.time(), 'é'")).replace("\n", "\r\n")
    for name, prefix, encoding in (("marked", b"\xef\xbb\xbf", "utf-8"), ("latin", b"# coding: latin-1\r\n", "latin-1")):
        folder = tmp_path / name
        folder.mkdir()
        path = folder / "app.py"
        path.write_bytes(prefix + text.encode(encoding))
        path.chmod(0o751)
        main([str(folder), "--domain", "app:Domain", "--no-cache", "--fix"])
        after = text.replace("import time\r\n", "").replace("time.time()", "self._clock.time()")
        assert path.read_bytes() == prefix + after.encode(encoding)
        assert stat.S_IMODE(path.stat().st_mode) == 0o751
        assert [one.name for one in folder.iterdir()] == ["app.py"]


def test_a_diff_writes_nothing_and_says_by_its_status_that_something_would_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "import time\n" + ACT.format("time.time()").rstrip("\n")
    (tmp_path / "app.py").write_text(text)
    arguments = [str(tmp_path), "--domain", "app:Domain", "--no-cache"]
    assert main([*arguments, "--diff"]) == 1
    out = capsys.readouterr().out
    assert "-        self.at = time.time()\n\\ No newline at end of file\n+        self.at = self._clock.time()\n" in out
    assert (tmp_path / "app.py").read_text() == text
    assert main([*arguments, "--fix"]) == 0
    assert main([*arguments, "--diff"]) == 0
    assert capsys.readouterr().out.strip() == ""


def test_pragmas_and_choices_are_respected(tmp_path: Path) -> None:
    text = "import time\n" + ACT.format("time.time()  # coopy: ignore[clock] shown only")
    assert fix(tmp_path, text) == text
    (tmp_path / "app.py").write_text(bare := "import time\n" + ACT.format("time.time()"))
    main([str(tmp_path), "--domain", "app:Domain", "--no-cache", "--fix", "--ignore", "clock"])
    assert (tmp_path / "app.py").read_text() == bare


def test_a_folder_that_cannot_be_written_is_named_and_the_file_is_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app.py").write_text(text := "import time\n" + ACT.format("time.time()"))

    def refuse(_self: Path, _target: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    assert main([str(tmp_path), "--domain", "app:Domain", "--no-cache", "--fix"]) == 2
    assert "app.py cannot be written (Permission denied)" in capsys.readouterr().err
    assert (tmp_path / "app.py").read_text() == text
    assert [one.name for one in tmp_path.iterdir()] == ["app.py"]


def test_only_files_that_were_named_are_written(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("from tools import now\n" + ACT.format("now()"))
    (tmp_path / "tools.py").write_text(tools := "import time\ndef now():\n    return time.time()\n")
    main([str(tmp_path / "app.py"), "--domain", "app:Domain", "--no-cache", "--fix"])
    assert (tmp_path / "tools.py").read_text() == tools


# --- any program -----------------------------------------------------------------------------------------------------

IMPORTS = (
    "import time",
    "import datetime",
    "from datetime import datetime as dt, date",
    "import random",
    "import uuid as u",
    "from random import choice",
    "import os",
)
CALLS = (
    "time.time()", "datetime.datetime.now()", "dt.utcnow()", "date.today()", "random.random()", "u.uuid4()", "choice([1, 2])", "dt.now(None)",
    "random.gauss(0, sigma=2)", "time.monotonic()", "os.urandom(4)",
)  # fmt: skip
SHAPES = (
    "x = {}", "y = ({},\n         1)  # note", "z = [{} for _ in range(2)]", "w = lambda: {}\n        w()", "v = f'{{{}!r:>9}}'", "random = {}", "clock = {}",
    "def inner(time=1):\n            return {}\n        inner()", "if x := {}: pass", "print({}, sep='')", "for time in [{}]: pass", "import time\n        t = {}",
)  # fmt: skip
BODIES = st.lists(st.tuples(st.sampled_from(SHAPES), st.sampled_from(CALLS)), min_size=1, max_size=5)


COUNTERPARTS = {one.partition("(")[0].rpartition(".")[2] for one in CALLS} | {"token_bytes"}


class _Without(ast.NodeTransformer):
    """A tree without what may change: the names of what is called with a counterpart, and imports."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if ast.unparse(node.func).rpartition(".")[2] in COUNTERPARTS:
            node.func = ast.Name("called", ast.Load())
        return node

    def visit_Import(self, node: ast.Import) -> None:
        return None

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        return None


def skeleton(text: str) -> str:
    return ast.dump(_Without().visit(ast.parse(text)))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sets(st.sampled_from(IMPORTS), min_size=4), BODIES, BODIES)
def test_everything_else_is_unchanged_and_what_was_fixed_is_gone(
    imports: set[str], own: list[tuple[str, str]], helper: list[tuple[str, str]]
) -> None:
    """Line numbers, comments and spaces too: only lines of calls and imports differ."""

    def block(parts: list[tuple[str, str]]) -> str:
        return "\n        ".join(
            shape.replace("{{", "\0").replace("{}", call).replace("\0", "{").replace("}}", "}") for shape, call in parts
        )

    text = "\n".join([*sorted(imports), "", "", f"class Page:\n    def make(this):\n        {block(helper)}", "", ""])
    text += f"\nclass Domain:\n    def act(self):\n        Page().make()\n        {block(own)}\n"
    with TemporaryDirectory() as folder:
        path = Path(folder, "app.py")
        path.write_text(text)
        before = run(Sources([folder], Cache(None)), Options(("app:Domain",))).findings
        sources = Sources([folder], Cache(None))
        planned = plan(before, sources)
        for change in planned.changes:
            write(change)
        after = run(Sources([folder], Cache(None)), Options(("app:Domain",))).findings
        new = path.read_text()
        assert skeleton(new) == skeleton(text)
        assert len(after) == len(before) - sum(one.fixed for one in planned.changes), new
        assert not plan(after, Sources([folder], Cache(None))).changes, new
        kept = [line for line in new.split("\n") if "clock" not in line and "random" not in line and "import" not in line]
        assert not [line for line in kept if line not in text.split("\n")]
