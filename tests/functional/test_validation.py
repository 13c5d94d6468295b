"""A domain is validated before it is wrapped, and what that leaves behind: errors, warnings, memory of what was seen."""

from __future__ import annotations

import linecache
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coopy import control, init_system
from coopy.error import PrevalentError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[2]


class Late:
    """Wrong: a clock behind coopy's back, through a helper."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def look(self) -> None:
        self.seen.append(moment())


def moment() -> float:
    import time

    return time.time()


class Many:
    """Wrong in more places than a message shows."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def look(self) -> None:
        import time

        self.seen.append(time.time())
        self.seen.append(time.time_ns())
        self.seen.append(time.monotonic())
        self.seen.append(time.time())
        self.seen.append(time.time())
        self.seen.append(time.time())
        self.seen.append(time.time())


def run(folder: Path, program: str, cache: Path | str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program beside the files of a folder."""
    (folder / "program.py").write_text(program)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COOPY_CACHE": str(cache or folder / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "program.py"], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def write(folder: Path, files: dict[str, str]) -> None:
    """Files with their folders."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


# --- strict, warn, off -----------------------------------------------------------------------------------------------


def test_strict_refuses_before_anything_is_created(tmp_path: Path) -> None:
    """The error shows the line, the way to it, what to write instead, and how to see all."""
    with pytest.raises(PrevalentError) as caught:
        init_system(Late, tmp_path / "late")
    message = str(caught.value)
    for part in ("Late cannot be replayed", "return time.time()", "Late.look", "help: ", "python -m coopy.validate", 'validation="warn"'):
        assert part in message
    assert [(one.rule, one.category) for one in caught.value.findings] == [("CPY101", "clock")]  # type: ignore[attr-defined]
    assert not (tmp_path / "late").exists()


def test_a_long_list_is_shortened(tmp_path: Path) -> None:
    with pytest.raises(PrevalentError, match=r"7 places(.|\n)*and 2 more") as caught:
        init_system(Many(), tmp_path / "many")
    assert len(caught.value.findings) == 7


def test_warn_shows_it_and_goes_on_and_off_says_nothing(tmp_path: Path) -> None:
    with (
        pytest.warns(RuntimeWarning, match="Late cannot be replayed"),
        control(init_system(Late, tmp_path / "late", validation="warn")) as late,
    ):
        late.look()
    with control(init_system(Late, tmp_path / "late", validation="off")) as late:
        assert len(late.seen) == 1


def test_a_directory_that_exists_is_no_reason_to_trust_the_code(tmp_path: Path) -> None:
    """And it is neither locked nor changed."""
    control(init_system(Late, tmp_path / "late", validation="off")).close()
    before = {path.name: path.read_bytes() for path in (tmp_path / "late").iterdir()}
    with pytest.raises(PrevalentError):
        init_system(Late, tmp_path / "late")
    assert {path.name: path.read_bytes() for path in (tmp_path / "late").iterdir()} == before
    control(init_system(Late, tmp_path / "late", validation="off")).close()


def test_another_word_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="validation"):
        init_system(Late, tmp_path / "late", validation="maybe")  # type: ignore[call-overload]


# --- where a class may come from -------------------------------------------------------------------------------------

SCRIPT = """
from datetime import datetime
from coopy import init_system

class Diary:
    def __init__(self):
        self.days = []

    def note(self):
        self.days.append(datetime.now())

init_system(Diary, "diary")
"""


def test_a_class_of_the_program_itself(tmp_path: Path) -> None:
    ran = run(tmp_path, SCRIPT)
    assert "PrevalentError: Diary cannot be replayed" in ran.stderr
    assert "program.py:10" in ran.stderr
    assert not (tmp_path / "diary").exists()


def test_a_class_of_a_package_that_runs_as_a_program(tmp_path: Path) -> None:
    helper = "import time\ndef now():\n    return time.time()\n"
    text = SCRIPT.replace("from datetime import datetime", "from .helper import now").replace("datetime.now()", "now()")
    write(tmp_path, {"shop/__init__.py": "", "shop/helper.py": helper, "shop/run.py": text})
    ran = run(tmp_path, "import runpy\nrunpy.run_module('shop.run', run_name='__main__', alter_sys=True)\n")
    assert "helper.py:3" in ran.stderr


def test_a_class_in_a_function(tmp_path: Path) -> None:
    class Inner:
        def act(self) -> None:
            from datetime import date

            self.at = date.today()

    with pytest.raises(PrevalentError, match="today"):
        init_system(Inner, tmp_path / "inner")


def test_a_class_without_source_is_warned_of_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = type(sys)("shell")
    monkeypatch.setitem(sys.modules, "shell", shell)
    exec("class Domain:\n    def act(self):\n        return 1\n", vars(shell))  # noqa: S102 - that is the case
    with pytest.warns(RuntimeWarning, match=r"shell\.Domain is in no file(.|\n)*was not checked") as caught:
        control(init_system(shell.Domain, tmp_path / "d")).close()
    assert caught[0].filename == __file__
    control(init_system(shell.Domain, tmp_path / "d")).close()


def test_a_class_made_by_type_is_judged_by_its_base() -> None:
    from coopy.validation import validate_system

    with pytest.warns(RuntimeWarning, match="was not checked"):
        validate_system(type("Made", (), {"act": lambda _self: 1}))
    with pytest.raises(PrevalentError, match="time"):
        validate_system(type("Later", (Late,), {}))


def test_cells_of_a_notebook_are_one_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier cell imports counts; a finding is shown in its own cell."""
    from coopy.validation import validate_system

    module = type(sys)("cells_of_a_notebook")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    cells = ["from time import time as now\n", "this is no python", "\n\nclass Diary:\n    def note(self):\n        self.at = now()\n"]
    for number, text in enumerate(cells):
        name = f"<cell-{number}-abc>"
        monkeypatch.setitem(linecache.cache, name, (len(text), None, text.splitlines(keepends=True), name))
        if "no python" not in text:
            exec(compile(text, name, "exec"), vars(module))  # noqa: S102 - as a notebook does
    with pytest.raises(PrevalentError, match=r"<cell-2-abc>:5:(.|\n)*self\.at = now\(\)"):
        validate_system(module.Diary)


# --- what is its own -------------------------------------------------------------------------------------------------

PACKAGE = {
    "mine/__init__.py": "",
    "mine/model.py": "from mine.inside import a\nfrom others.tool import b\nclass Domain:\n    def act(self):\n        self.x = (a(), b())\n",
    "others/__init__.py": "",
    "others/tool.py": "import time\ndef b():\n    return time.time()\n",
}
CLEAN, DIRTY = "def a():\n    return 1\n", "import time\ndef a():\n    return time.time()\n"
OPEN = "import sys\nfrom coopy import init_system\nfrom mine.model import Domain\ninit_system(Domain, 'd'{})\nprint(*sorted(sys.modules))\n"


def test_only_its_own_packages_are_looked_at(tmp_path: Path) -> None:
    """The package of its module, and what `allow` names as one's own."""
    write(tmp_path, {**PACKAGE, "mine/inside.py": CLEAN})
    ran = run(tmp_path, OPEN.format(""))
    assert ran.returncode == 0, ran.stderr
    assert "tool.py:3" in run(tmp_path, OPEN.format(", allow=['others']")).stderr


def test_a_module_without_a_package_has_what_lies_beside_it(tmp_path: Path) -> None:
    write(tmp_path, {"model.py": "from helper import a\nclass Domain:\n    def act(self):\n        self.x = a()\n", "helper.py": DIRTY})
    assert "helper.py:3" in run(tmp_path, OPEN.format("").replace("mine.model", "model")).stderr


# --- memory ----------------------------------------------------------------------------------------------------------


def loaded(ran: subprocess.CompletedProcess[str]) -> set[str]:
    """The modules that a program has loaded."""
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.split())


def test_what_has_not_changed_is_not_analysed_again(tmp_path: Path) -> None:
    """The second opening loads neither LibCST nor the linker, nor the rules."""
    write(tmp_path, {**PACKAGE, "mine/inside.py": CLEAN})
    assert "libcst" in loaded(run(tmp_path, OPEN.format("")))
    again = loaded(run(tmp_path, OPEN.format("")))
    assert not {"libcst", "coopy.validation.run", "coopy.validation.rules", "coopy.validation.link", "coopy.catalogue"} & again
    assert not {
        name for name in loaded(run(tmp_path, OPEN.format(", validation='off'"))) if name.startswith(("libcst", "coopy.validation"))
    }


def test_a_change_anywhere_it_looked_is_seen(tmp_path: Path) -> None:
    """In a helper, in a file that was not there before, and in one that goes."""
    write(tmp_path, {**PACKAGE, "mine/inside.py": CLEAN})
    loaded(run(tmp_path, OPEN.format("")))
    write(tmp_path, {"mine/inside.py": DIRTY})
    assert "inside.py:3" in run(tmp_path, OPEN.format("")).stderr
    write(tmp_path, {"mine/inside.py": "try:\n    from mine.extra import a\nexcept ImportError:\n    def a():\n        return 1\n"})
    loaded(run(tmp_path, OPEN.format("")))
    write(tmp_path, {"mine/extra.py": DIRTY})
    assert "extra.py:3" in run(tmp_path, OPEN.format("")).stderr
    (tmp_path / "mine/extra.py").unlink()
    assert "libcst" not in loaded(run(tmp_path, OPEN.format("")))


def damaged(cache: Path) -> Iterable[bytes]:
    """Ways in which a record may be wrong."""
    for path in cache.glob("verdicts-*/*"):
        whole = path.read_bytes()
        for data in (b"", b"something else", whole[:-1], whole[:40] + bytes([whole[40] ^ 1]) + whole[41:]):
            path.write_bytes(data)
            yield data


def test_a_damaged_memory_is_made_again(tmp_path: Path) -> None:
    write(tmp_path, {**PACKAGE, "mine/inside.py": DIRTY})
    run(tmp_path, OPEN.format(""))
    tried = [run(tmp_path, OPEN.format("")).stderr for _ in damaged(tmp_path / "cache")]
    assert len(tried) == 4
    assert all("inside.py:3" in text for text in tried)


@pytest.mark.parametrize("where", ["program.py/below", "/proc/nowhere", ""])
def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path: Path, where: str) -> None:
    write(tmp_path, {**PACKAGE, "mine/inside.py": CLEAN})
    for _ in range(2):
        ran = run(tmp_path, OPEN.format("").replace("import sys\n", f"import os, sys\nos.environ['COOPY_CACHE'] = {where!r}\n"))
        assert "libcst" in loaded(ran)
        assert ran.stderr == ""


def test_the_project_may_say_where_the_cache_is(tmp_path: Path) -> None:
    write(tmp_path, {**PACKAGE, "mine/inside.py": CLEAN, "pyproject.toml": '[tool.coopy]\ncache = ".kept"\n'})
    loaded(run(tmp_path, OPEN.format("").replace("import sys\n", "import os, sys\ndel os.environ['COOPY_CACHE']\n")))
    assert list((tmp_path / ".kept").glob("verdicts-*/*"))


def test_a_folder_for_caches_that_is_relative_counts_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be another one in each working directory."""
    write(tmp_path, {**PACKAGE, "mine/inside.py": CLEAN})
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", "caches")
    loaded(run(tmp_path, OPEN.format("").replace("import sys\n", "import os, sys\ndel os.environ['COOPY_CACHE']\n")))
    assert not (tmp_path / "caches").exists()
    assert list((tmp_path / "home").rglob("verdicts-*/*"))
