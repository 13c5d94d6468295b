"""The command: exit statuses, formats, choices, and bad input that gets a clear error and never a crash."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from coopy.validate import main
from coopy.validation.cache import Cache
from coopy.validation.run import Options, run
from coopy.validation.source import Sources

BAD = "import time\n\n\nclass Domain:\n    def act(self):\n        self.at = time.time()\n"
GOOD = "class Domain:\n    def act(self):\n        self.at = self._clock.time()\n"


def write(folder: Path, **files: str) -> str:
    """Files of a program; its folder."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(folder)


def validate(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, report and comments."""
    status = main([*arguments, "--no-cache"])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_an_error_makes_exit_1_and_a_report_with_line_caret_and_help(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = validate(capsys, write(tmp_path, app=BAD), "--domain", "app:Domain")
    assert status == 1
    assert "app.py:6:19: error CPY101 [clock] time.time reads a clock." in out
    assert "        self.at = time.time()\n                      ^" in out
    assert "help: Write self._clock.time()." in out


def test_a_clean_domain_makes_exit_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert validate(capsys, write(tmp_path, app=GOOD), "--domain", "app:Domain")[0] == 0


def test_the_call_path_leads_from_the_entry_point_to_the_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(
        tmp_path,
        app="from tools import now\nclass Domain:\n    def act(self):\n        return now()\n",
        tools="import time\ndef now():\n    return time.time()\n",
    )
    _, out, _ = validate(capsys, folder, "--domain", "app:Domain", "--format", "json")
    (finding,) = json.loads(out)["findings"]
    assert (finding["rule"], finding["severity"], finding["entry_point"]) == ("CPY101", "error", "app:Domain.act")
    assert [(Path(step["path"]).name, step["line"], step["name"]) for step in finding["call_path"]] == [
        ("app.py", 4, "Domain.act"),
        ("tools.py", 3, "now"),
    ]


def test_github_format_escapes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = validate(capsys, write(tmp_path, app=BAD), "--domain", "app:Domain", "--format", "github")
    assert out.startswith("::error file=")
    assert ",line=6,col=19,title=CPY101 clock::" in out


def test_select_and_ignore(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path, app=BAD)
    assert validate(capsys, folder, "--domain", "app:Domain", "--ignore", "clock")[0] == 0
    assert validate(capsys, folder, "--domain", "app:Domain", "--select", "CPY2")[0] == 0
    assert validate(capsys, folder, "--domain", "app:Domain", "--select", "CPY1")[0] == 1


def test_configuration_names_the_domain(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, app=BAD)
    (tmp_path / "pyproject.toml").write_text('[tool.coopy]\ndomains = ["app:Domain"]\npaths = ["."]\n')
    monkeypatch.chdir(tmp_path)
    assert validate(capsys)[0] == 1


def test_explain_and_statistics(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "datetime.now()" in validate(capsys, "--explain", "CPY101")[1]
    err = validate(capsys, write(tmp_path, app=BAD), "--domain", "app:Domain", "--statistics")[2]
    assert "call sites resolved" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{missing}"], "no such file or folder"),
        (["{folder}"], "no domain class was found"),
        (["{folder}", "--domain", "app"], "write it as module:Class"),
        (["{folder}", "--domain", "nowhere:Domain"], "there is no module nowhere"),
        (["{folder}", "--domain", "app:Nothing"], "has no class Nothing"),
        (["{folder}", "--domain", "app:Domain", "--select", "CPY999"], "there is no rule CPY999"),
        (["--explain", "CPY999"], "there is no rule CPY999"),
    ],
)
def test_wrong_calls_make_exit_2_and_say_what_to_do(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, app=GOOD)
    status, _, err = validate(capsys, *(one.format(folder=tmp_path, missing=tmp_path / "missing") for one in arguments))
    assert status == 2
    assert message in err


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"x = 1\ndef broken(:\n    pass\n", 2, "a syntax error: "),
        (b"x = 1\ny = '\0'\n", 2, "null byte"),
        (b"x = 1\ny = '\xff'\n", 2, "it is not utf-8"),
        (b"# -*- coding: klingon -*-\n", 1, "klingon"),
        (b"x = " + b"(" * 100_000 + b")" * 100_000 + b"\n", 1, "nested more than 200 deep"),
        (b"x = " + b"- " * 100_000 + b"1\n", 1, "more than 1000 operators"),
        (b"x = 1" + b" + 1" * 100_000 + b"\n", 1, "more than 1000 operators"),
        (b"if 1:\n    pass\n" + b"elif 1:\n    pass\n" * 50_000, 3, "more than 1000 elif"),
    ],
)
def test_a_file_that_cannot_be_analysed_is_named_and_outranks_findings(
    content: bytes, line: int, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, app=BAD)
    (tmp_path / "broken.py").write_bytes(content)
    status, out, _ = validate(capsys, str(tmp_path), "--domain", "app:Domain", "--format", "json")
    report = json.loads(out)
    assert status == 2
    assert len(report["findings"]) == 1
    (error,) = report["errors"]
    assert (Path(error["path"]).name, error["line"]) == ("broken.py", line)
    assert message in error["message"]


@pytest.mark.parametrize(
    "content", [b"\xef\xbb\xbfx = 1\n", b"# -*- coding: latin-1 -*-\nx = '\xe4'\n", b"x = 1\r\ny = 2\r\n", b"", b"\n\n"]
)
def test_what_python_reads_is_read(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "one.py").write_bytes(content)
    sources = Sources([str(tmp_path)], Cache(None))
    assert sources.summary(sources.files[0]) is not None
    assert not sources.problems


def test_a_loop_of_symbolic_links_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, app=BAD)
    (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
    status, out, _ = validate(capsys, str(tmp_path), "--domain", "app:Domain", "--format", "json")
    assert status == 1
    assert len(json.loads(out)["findings"]) == 1


def test_nothing_is_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path, pack____init__="raise SystemExit('imported')\n", pack__app=BAD)
    assert validate(capsys, folder, "--domain", "pack.app:Domain")[0] == 1


def test_two_modules_of_one_name_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, a__app=BAD, b__app=GOOD)
    status, _, err = validate(capsys, str(tmp_path / "a"), str(tmp_path / "b"), "--domain", "app:Domain")
    assert status == 2
    assert "two modules have that name" in err


def test_a_damaged_cache_is_made_again_and_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, cache = write(tmp_path / "program", app=BAD), tmp_path / "cache"
    arguments = [folder, "--domain", "app:Domain", "--cache-dir", str(cache), "--format", "json"]
    assert main(arguments) == 1
    first = capsys.readouterr().out
    for path in (one for one in cache.rglob("*") if one.is_file()):
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert main(arguments) == 1
    damaged = capsys.readouterr()
    assert damaged.out == first
    assert "damaged" in damaged.err
    assert main(arguments) == 1
    again = capsys.readouterr()
    assert (again.out, again.err) == (first, "")


def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path / "program", app=BAD)
    (tmp_path / "file").write_text("not a folder")
    assert main([folder, "--domain", "app:Domain", "--cache-dir", str(tmp_path / "file")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_results_do_not_depend_on_order_workers_or_cache(tmp_path: Path) -> None:
    filler = "".join(f"def f{number}(a, b):\n    return [a for a in range(b) if a > {number}]\n" for number in range(400))
    files = {f"part{number}": filler for number in range(24)}
    folder = write(tmp_path / "program", app=BAD, **files)
    results: list[Any] = []
    for jobs, cache in ((1, None), (2, None), (1, str(tmp_path / "cache")), (2, str(tmp_path / "cache"))):
        sources = Sources([folder], Cache(cache))
        if jobs == 2:
            sources.files.reverse()
        results.append(run(sources, Options(("app:Domain",), jobs=jobs)).findings)
    assert all(one == results[0] for one in results)
    assert len(results[0]) == 1


@pytest.mark.parametrize("seed", ["0", "1", "77"])
def test_results_do_not_depend_on_the_hash_seed(seed: str, tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        app="import time, random\nclass Domain:\n    def act(self, live):\n        return (time.time if live else random.random)()\n",
    )
    command = [sys.executable, "-m", "coopy.validate", folder, "--domain", "app:Domain", "--format", "json", "--no-cache"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONHASHSEED": seed})
    assert [one["category"] for one in json.loads(done.stdout)["findings"]] == ["clock", "random"]


def test_importing_coopy_loads_neither_libcst_nor_the_validator() -> None:
    code = "import coopy, sys; print([one for one in sys.modules if one.startswith(('libcst', 'coopy.validat', 'coopy.catalogue'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_warm_cache_does_not_load_libcst(tmp_path: Path) -> None:
    folder = write(tmp_path / "program", app=BAD)
    arguments = [folder, "--domain", "app:Domain", "--cache-dir", str(tmp_path / "c"), "--format", "json"]
    code = f"import sys; from coopy.validate import main; main({arguments!r}); print('libcst' in sys.modules)"
    outputs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert [one.strip().rpartition("\n")[2] for one in outputs] == ["True", "False"]


def test_a_process_of_the_command_never_looks_through_what_it_made(tmp_path: Path) -> None:
    """It ends with it: a last look would take a tenth of the time of a cold run."""
    folder = write(tmp_path, app=BAD)
    code = (
        "import gc, sys\n"
        "from coopy.validate import command\n"
        "looks = []\n"
        "gc.callbacks.append(lambda phase, info: looks.append(phase))\n"
        f"command([{folder!r}, '--domain', 'app:Domain', '--no-cache'])\n"
        "made = [[] for _ in range(100_000)]\n"
        "print(looks)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("files", "line"),
    [
        (1, "1 error, 0 warnings in 1 domain (app:Domain), 1 file, 6 lines"),
        (2, "1 error, 0 warnings in 1 domain (app:Domain), 2 files, 7 lines"),
    ],
)
def test_what_was_found_is_counted_in_words_that_fit_the_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], files: int, line: str
) -> None:
    folder = write(tmp_path, **{"app": BAD, "more": "ONE = 1\n"} if files > 1 else {"app": BAD})
    assert validate(capsys, folder, "--domain", "app:Domain")[2] == f"{line}\n"
