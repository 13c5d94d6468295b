"""A branch that nothing can take by what its test calls, or by the classes of the program, is not followed; one that may be taken is."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from coopy.validation.cache import Cache
from coopy.validation.run import Options, run
from coopy.validation.source import Sources


def categories(program: str) -> list[str]:
    """What is found in a program of one file, by category."""
    with TemporaryDirectory() as folder:
        Path(folder, "app.py").write_text(f"import time\n{program}")
        return [one.category for one in run(Sources([folder], Cache(None)), Options(("app:Domain",))).findings]


GUARDED = "class Domain:\n    def __init__(self):\n        self.one = One()\n    def act(self):\n        if {test}:\n            self.at = time.time()\n"
ONE = "class Base:\n    def live(self):\n        return True\nclass One:\n    def live(self):\n        return False\n"


@pytest.mark.parametrize(
    "test", ["self.one.live()", "not not self.one.live()", "self.one.live() and self.one", "isinstance(self.one, Base)", "isinstance(self.one, (Base, str))"]
)  # fmt: skip
def test_a_test_that_cannot_come_out_true_guards_what_is_behind_it(test: str) -> None:
    found = [] if "str" not in test else ["clock"]  # of what is no class of the program nothing is concluded
    assert categories(ONE + GUARDED.format(test=test)) == found
    assert categories(ONE.replace("False", "True").replace("class One", "class One(Base)") + GUARDED.format(test=test)) == ["clock"]


@pytest.mark.parametrize("test", ["not self.one.live()", "not isinstance(self.one, One)"])
def test_neither_is_what_stands_behind_a_test_that_always_comes_out_true(test: str) -> None:
    assert categories(ONE.replace("False", "True") + GUARDED.format(test=test)) == []


@pytest.mark.parametrize(
    "program",
    [
        "class One:\n    def live(self):\n        return self\n",
        "class One:\n    def live(self):\n        return len(self.__dict__)\n",
        "class One:\n    def live(self):\n        pass\n    def live(self):\n        return len('a')\n",
    ],
)
def test_what_a_test_calls_and_may_give_something_decides_nothing(program: str) -> None:
    assert categories(program + GUARDED.format(test="self.one.live()")) == ["clock"]


@pytest.mark.parametrize(
    ("base", "one"),
    [
        ("import abc\nclass Base(abc.ABC):\n    pass\n", "@Base.register\nclass One:\n    pass\n"),
        ("class Kind(type):\n    def __instancecheck__(cls, one):\n        return True\nclass Base(metaclass=Kind):\n    pass\n", "class One:\n    pass\n"),
        ("import typing\n@typing.runtime_checkable\nclass Base(typing.Protocol):\n    def live(self): ...\n", "class One:\n    def live(self): ...\n"),
        ("class Base:\n    pass\nKINDS = {}\n", "class One(KINDS['one']):\n    pass\n"),
        ("class Base:\n    pass\n", "class One:\n    def __new__(cls, *args):\n        return args[0]\n"),
    ],
)  # fmt: skip
def test_a_class_that_may_have_other_instances_decides_nothing(base: str, one: str) -> None:
    program = base + one + GUARDED.format(test="isinstance(self.one, Base)").replace("One()", "One(Base)")
    assert categories(program) == ["clock"]


def test_a_parameter_that_an_annotation_tells_may_be_of_any_class_that_derives() -> None:
    act = "class Domain:\n    def act(self, one: One):\n        if isinstance(one, Base):\n            self.at = time.time()\n"
    assert categories(f"{ONE}class Both(One, Base):\n    pass\n{act}") == ["clock"]
