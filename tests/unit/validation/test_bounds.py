"""Where more meets in one variable than is told apart, less is told apart; nothing is lost, and what is cut short is counted."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from coopy.validation.cache import Cache
from coopy.validation.link import contexts, families, machine
from coopy.validation.link.names import MAX_FOLLOWED
from coopy.validation.run import Options, Outcome, run
from coopy.validation.source import Sources

MANY = 40


def analyse(program: str) -> Outcome:
    """What is found in a program of one file."""
    with TemporaryDirectory() as folder:
        Path(folder, "app.py").write_text(program)
        return run(Sources([folder], Cache(None)), Options(("app:Domain",)))


def severities(program: str) -> list[tuple[str, str]]:
    """What is found, by category and severity."""
    return [(one.category, one.severity) for one in analyse(program).findings]


def categories(program: str) -> list[str]:
    """What is found, by category."""
    return [one.category for one in analyse(program).findings]


def family(base: str, last: str) -> str:
    """Many classes that answer a number, and a last one."""
    classes = "".join(f"class C{one}({base}):\n    def answer(self):\n        return {one}\n" for one in range(MANY))
    return f"import time\nclass Base:\n    pass\n{classes}class Last({base}):\n    def answer(self):\n        return {last}\n"


ALL = ", ".join([*(f"C{one}()" for one in range(MANY)), "Last()"])
USES = {
    "a list": f"class Domain:\n    def act(self):\n        self.value = [one.answer() for one in [{ALL}]]\n",
    "an attribute": (
        "class Domain:\n    def __init__(self):\n        self.one = None\n"
        + "".join(f"    def set{number}(self):\n        self.one = {one}\n" for number, one in enumerate(ALL.split(", ")))
        + "    def act(self):\n        self.value = self.one.answer()\n"
    ),
    "classes in a table": (
        f"T = {{{', '.join(f'{name[:-2]!r}: {name[:-2]}' for name in ALL.split(', '))}}}\n"
        "class Domain:\n    def act(self, name):\n        cls = T[name]\n        self.value = cls().answer()\n"
    ),
}


@pytest.mark.parametrize("base", ["Base", "object"])
@pytest.mark.parametrize("use", USES)
def test_a_hazard_in_the_last_of_many_classes_is_found(use: str, base: str) -> None:
    assert categories(family(base, "time.time()") + USES[use]) == ["clock"]


@pytest.mark.parametrize("base", ["Base", "object"])
@pytest.mark.parametrize("use", USES)
def test_many_classes_without_a_hazard_are_clean(use: str, base: str) -> None:
    assert categories(family(base, "3") + USES[use]) == []


@pytest.mark.parametrize(("empty", "place"), [("[]", "[0]"), ("{}", "['z']"), ("()", "[0]")])
def test_what_is_put_into_one_of_many_containers_is_found_in_any(empty: str, place: str) -> None:
    def container(number: str, inside: str) -> str:
        return {"[]": f"[{inside}]", "()": f"tuple([{inside}])", "{}": f"{{'{number}': {inside}}}"}[empty]

    setters = "".join(f"    def set{one}(self):\n        self.one = {container(f'k{one}', f'C{one}()')}\n" for one in range(MANY))
    last = f"    def last(self):\n        self.one = {container('z', 'Last()')}\n    def act(self):\n        self.value = self.one{place}.answer()\n"
    domain = f"class Domain:\n    def __init__(self):\n        self.one = None\n{last}{setters}"
    assert categories(family("Base", "time.time()") + domain) == ["clock"]
    assert categories(family("Base", "3") + domain) == []


@pytest.mark.parametrize("base", ["Base", "object"])
@pytest.mark.parametrize("use", USES)
def test_a_program_that_is_too_large_is_told_apart_less_and_nothing_is_lost(use: str, base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contexts, "VAST", 3)
    assert categories(family(base, "time.time()") + USES[use]) == ["clock"]


def test_what_is_cut_short_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    program = family("Base", "time.time()") + USES["an attribute"]
    assert analyse(program).statistics[0].bounded == 0
    monkeypatch.setattr(machine, "RUNS", ((20, 1),))
    assert analyse(program).statistics[0].bounded > 0


@pytest.mark.parametrize("name", ["aa", "zz"])
@pytest.mark.parametrize("first", [True, False])
def test_a_subclass_counts_wherever_its_file_stands_and_whatever_is_read_first(name: str, tmp_path: Path, *, first: bool) -> None:
    (tmp_path / "base.py").write_text("class Clock:\n    def read(self):\n        return 3\n")
    (tmp_path / f"{name}.py").write_text("import time, base\nclass Live(base.Clock):\n    def read(self):\n        return time.time()\n")
    methods = [
        f"    def other(self):\n        import {name}\n        {name}.Live\n",
        "    def act(self, one: Clock):\n        self.at = one.read()\n",
    ]
    body = "".join(methods if first else reversed(methods))
    (tmp_path / "app.py").write_text(f"from base import Clock\nclass Domain:\n{body}")
    outcome = run(Sources([str(tmp_path)], Cache(None)), Options(("app:Domain",)))
    assert [(Path(one.path).stem, one.category) for one in outcome.findings] == [(name, "clock")]


@pytest.mark.parametrize(("more", "found"), [(0, ["clock"]), (1, [])])
def test_modules_that_only_register_are_run_in_programs_of_some_size(tmp_path: Path, more: int, found: list[str]) -> None:
    """A table that starts empty asks for all that is imported; of very much, nothing is run for that alone."""
    names = [f"m{index}" for index in range(MAX_FOLLOWED - 3 + more)]
    act = "    def act(self, name):\n        self.value = TABLE[name]()\n"
    files = {f"{name}.py": "" for name in names} | {
        "app.py": "\n".join(f"import {name}" for name in names) + f"\nimport near\nfrom table import TABLE\n\nclass Domain:\n{act}",
        "table.py": "TABLE = {}\n",
        "near.py": "from table import TABLE\nimport time\nTABLE['time'] = time.time\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    outcome = run(Sources([str(tmp_path)], Cache(None)), Options(("app:Domain",)))
    assert [one.category for one in outcome.findings] == found


@pytest.mark.parametrize(("most", "found"), [(MANY + 1, ["clock"]), (MANY, [])])
def test_a_class_from_which_very_many_derive_says_nothing_of_an_object(
    most: int, found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(families, "MAX_DERIVED", most)
    act = "class Domain:\n    def act(self, one: Base):\n        self.value = one.answer()\n"
    assert categories(family("Base", "time.time()") + act) == found


def test_a_member_that_the_base_of_a_very_large_family_has_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(families, "MAX_DERIVED", 3)
    act = "class Domain:\n    def act(self, one: Base):\n        self.value = one.stamp()\n"
    program = family("Base", "3").replace("    pass", "    def stamp(self):\n        return time.time()", 1)
    assert categories(program + act) == ["clock"]


DECORATED = "".join(f"{{mark}}\ndef f{one}():\n    return {one}\n" for one in range(MANY)) + "{mark}\ndef last():\n    return time.time()\n"
DECORATORS = {
    "what it is given": ("def mark(f):\n    return f\n", "@mark"),
    "what it is given, in a program with a switch": (
        (
            "def plain(f):\n    return f\ndef wrapping(f):\n    def wrapper():\n        return f()\n    return wrapper\n"
            "mark = wrapping if 'debug' in __name__ else plain\n"
        ),
        "@mark",
    ),
    "a partial of itself, if it is called first": (
        (
            "from functools import partial\nMARKED = []\n"
            "def mark(f=None, *, name=''):\n    if f is None:\n        return partial(mark, name=name)\n    MARKED.append(f)\n    return f\n"
        ),
        "@mark(name='n')",
    ),
}


@pytest.mark.parametrize("made", DECORATORS)
def test_functions_that_one_decorator_decorates_are_told_apart_however_large_the_program(
    made: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LARGE", "HUGE", "VAST"):
        monkeypatch.setattr(contexts, name, 3)
    decorator, mark = DECORATORS[made]
    program = f"import time\n{decorator}{DECORATED.format(mark=mark)}"
    calls = "".join(f"        self.value = f{one}()\n" for one in range(MANY))
    domain = f"class Domain:\n    def name(self):\n        return last.__name__\n    def act(self):\n{calls}"
    assert categories(program + domain) == []
    assert categories(f"{program}{domain}        self.value = last()\n") == ["clock"]


@pytest.mark.parametrize(("vast", "severity"), [(1000, "error"), (3, "warning")])
def test_a_way_that_is_one_of_many_is_an_error_only_where_calls_are_told_apart(
    vast: int, severity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One class of 41 reads a clock, and each of their methods is a function that this call may mean."""
    monkeypatch.setattr(contexts, "VAST", vast)
    act = "class Domain:\n    def act(self, one: Base):\n        self.value = one.answer()\n"
    assert severities(family("Base", "time.time()") + act) == [("clock", severity)]
    finding = analyse(family("Base", "time.time()") + act).findings[0]
    assert ("not certain that any call takes this way" in finding.message) is (severity == "warning")


@pytest.mark.parametrize("vast", [1000, 3])
def test_a_way_on_which_there_is_little_to_choose_is_an_error_however_large_the_program(vast: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contexts, "VAST", vast)
    helpers = "".join(f"def h{one}(x):\n    return h{one + 1}(x)\n" for one in range(MANY)) + f"def h{MANY}(x):\n    return time.time()\n"
    assert severities(f"import time\n{helpers}class Domain:\n    def act(self):\n        self.value = h0(1)\n") == [("clock", "error")]


@pytest.mark.parametrize(("tests", "severity"), [(5, "error"), (6, "warning")])
def test_each_test_that_says_what_something_is_makes_a_way_less_certain(tests: int, severity: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the arguments nothing is known; the function is called only if all are what they are tested for."""
    monkeypatch.setattr(contexts, "VAST", 3)
    names = [f"x{one}" for one in range(tests)]
    checks = "".join(f"        if not isinstance({one}, Base):\n            return\n" for one in names)
    act = f"class Domain:\n    def act(self, {', '.join(names)}):\n{checks}        self.value = now()\n"
    helpers = "import time\nclass Base:\n    pass\ndef now():\n    return one() + two() + three() + time.time()\n"
    helpers += "".join(f"def {one}():\n    return 1\n" for one in ("one", "two", "three"))
    assert severities(helpers + act) == [("clock", severity)]


def test_calls_that_share_a_run_of_a_function_make_a_way_less_certain(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done with the last of 41 kinds of arguments is done on no way that begins with another."""
    monkeypatch.setattr(contexts, "LARGE", 0)
    monkeypatch.setattr(contexts, "VAST", 0)
    kinds = "".join(f"class C{one}:\n    pass\n" for one in range(MANY))
    shared = "def shared(x):\n    if x.due:\n        return now()\ndef now():\n    return time.time()\n"
    calls = "".join(f"        shared(C{one}())\n" for one in range(MANY))
    assert severities(f"import time\n{kinds}{shared}class Domain:\n    def act(self):\n{calls}") == [("clock", "warning")]
