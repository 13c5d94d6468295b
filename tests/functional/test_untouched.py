"""`@abort_exception` for free: where nothing is changed before the raise nothing is put back, and only there."""

from __future__ import annotations

import importlib.util
import random
import sys
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from coopy import abort_exception, clock, control, init_system, once
from coopy.validation.wrap import verdict_of

if TYPE_CHECKING:
    from pathlib import Path


class Refused(Exception):  # noqa: N818 - a word of the domain
    pass


def check(number: int) -> None:
    if number < 0:
        raise Refused(number)


class Account:
    def __init__(self) -> None:
        self.balance = 0


class Bank:
    """Of each kind one: those that are named `maybe_...` may not be called free."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.numbers: dict[str, int] = {"a": 1}
        self.seen: defaultdict[str, int] = defaultdict(int)
        self.log: list[str] = []
        self.total = 0

    @abort_exception
    def open(self, name: str, number: int = 0) -> str:
        """Checks, then one change."""
        check(number)
        if name in self.numbers or len(name) > 5:
            raise Refused(f"{name} is taken")
        self.numbers[name] = number
        return name

    @abort_exception
    def count(self, name: str, number: int) -> None:
        """The change itself may fail, before it changes."""
        self.numbers[name] -= number

    @abort_exception
    def take(self, name: str) -> int:
        return self.numbers.pop(name)

    @abort_exception
    def note(self, name: str, number: int) -> str:
        """Through another method, a loop, the action's time, and two assignments that cannot fail."""
        for one in self.log:
            if one == name:
                raise ValueError(one)
        at = clock.time_ns()
        self._check(name, at)
        self.total = number
        self.last = name
        return self.last

    def _check(self, name: str, at: int) -> None:
        if not name.strip() or at < 0:
            raise Refused

    @abort_exception
    def spend(self, number: int) -> int:
        """A guard, one change, what it made of it."""
        if number < 0:
            raise Refused(number)
        self.total += number
        return self.total

    @abort_exception
    def maybe_half(self, name: str, number: int) -> None:
        self.total += number
        self.numbers[name] += number

    @abort_exception
    def maybe_counted(self, name: str) -> None:
        if self.seen[name] == 0:
            raise Refused(name)

    @abort_exception
    def maybe_each(self, name: str) -> None:
        for letter in name:
            self.log.append(letter)
            check(ord(letter) - ord("c"))

    @abort_exception
    def maybe_after(self, name: str) -> None:
        self.log.append(name)
        raise Refused(name)

    @abort_exception
    def maybe_caught(self, name: str) -> None:
        try:
            self.log.append(name)
            check(-1)
        except Refused as error:
            raise ValueError(name) from error

    @abort_exception
    def maybe_through(self, name: str) -> None:
        self._put(name)
        check(-1)

    def _put(self, name: str) -> None:
        self.log.append(name)


@pytest.mark.parametrize("durability", ["sync", "buffered"])
def test_what_changes_nothing_first_is_not_put_back(tmp_path: Path, durability: Any) -> None:
    """And a restart leaves it out, as always."""
    with control(init_system(Bank, tmp_path / "b", durability=durability)) as bank:
        bank.open("b", 2)
        before = control(bank).digest()
        for method, args in (
            ("open", ("b",)),
            ("open", ("longer",)),
            ("open", ("c", -1)),
            ("count", ("x", 1)),
            ("take", ("x",)),
            ("note", (" ", 1)),
            ("spend", (-1,)),
        ):
            with pytest.raises((Refused, KeyError)):
                getattr(bank, method)(*args)
            assert control(bank).digest() == before
        assert (control(bank).stats().rebuilds.count, control(bank).stats().rebuilds.total) == (0, 0.0)
        for method, args in (("maybe_half", ("x", 1)), ("maybe_counted", ("x",)), ("maybe_each", ("ca",)), ("maybe_after", ("x",))):
            with pytest.raises((Refused, KeyError)):
                getattr(bank, method)(*args)
            assert control(bank).digest() == before
        assert control(bank).stats().rebuilds.count == 4
        assert 0 < control(bank).stats().rebuilds.total < 60
        bank.note("n", 7)
        before = control(bank).digest()
    with control(init_system(Bank, tmp_path / "b")) as bank:
        assert control(bank).digest() == before


def test_a_key_changes_nothing_of_that(tmp_path: Path) -> None:
    """What is proved of a method holds for a call of it with a key, and the key is free again."""
    with control(init_system(Bank, tmp_path / "b")) as bank:
        for _ in range(2):
            with once("a"), pytest.raises(Refused):
                bank.spend(-1)
        assert (control(bank).stats().rebuilds.count, control(bank).stats().keys) == (0, 0)
        with once("a"):
            assert bank.spend(5) == 5
        with once("b"), pytest.raises(Refused):
            bank.maybe_after("x")
        assert (control(bank).stats().rebuilds.count, control(bank).stats().keys) == (1, 1)


def test_only_what_is_certain_is_called_free() -> None:
    """`maybe_counted` would be, if its attribute held a plain dictionary: the executor sees that it does not."""
    facts = verdict_of(Bank).facts
    assert {one.method for one in facts.free} == {"open", "count", "take", "note", "spend", "maybe_counted"}
    assert "_check" not in facts.readonly
    assert facts.attributes["numbers"] == ("builtins.dict",)


def test_arguments_and_attributes_of_other_kinds_are_put_back(tmp_path: Path) -> None:
    """The proof took plain ones for granted."""
    bank = Bank()
    bank.numbers = defaultdict(int)
    with control(init_system(bank, tmp_path / "b")) as system:
        with pytest.raises(Refused):
            system.open("longer")
        assert control(system).stats().rebuilds.count == 1
    with control(init_system(Bank, tmp_path / "c")) as system:
        with pytest.raises(TypeError):
            system.open([])  # type: ignore[arg-type]
        assert control(system).stats().rebuilds.count == 1


def test_a_method_that_was_replaced_since_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def loose(number: int) -> None:
        raise NameError(number)

    monkeypatch.setitem(globals(), "check", loose)
    with control(init_system(Bank, tmp_path / "b")) as bank:
        with pytest.raises(NameError):
            bank.open("x")
        assert control(bank).stats().rebuilds.count == 1


# --- any method ------------------------------------------------------------------------------------------------------

HEAD = """
from collections import defaultdict
from coopy import abort_exception, clock

class Refused(Exception):
    pass

def check(number):
    if number > 2:
        raise Refused(number)

class Page:
    def __init__(self, size):
        self.size = size

class Domain:
    def __init__(self):
        self.names = {"a": 1, "b": 2}
        self.counts = defaultdict(int)
        self.pages = {"a": Page(3)}
        self.log = ["a"]
        self.total = 0
        self.last = ""

    def _check(self, name):
        if name in self.log:
            raise ValueError(name)

    def _move(self, name, number):
        self.names[name] += number

    @property
    def lazy(self):
        self.total += 1  # a trap, for the proofs
        return self.total
"""
STEPS = (
    "if name in self.names:\n    raise ValueError(name)", "if number > 1:\n    raise Refused(name)", "value = self.names[name]", "check(number)",
    "self._check(name)", "first = self.log[number]", "low = len(self.names) - number", "for one in self.log:\n    if one == name:\n        raise ValueError(one)",
    "page = self.pages[name]", "value = self.counts[name]", "value = self.lazy", "at = clock.now()", "rows = self.log", "rows = list(self.log)",
    "self.total += number", "self.names[name] = number", "self.log.append(name)", "self.names.pop(name)", "self.total = 6 // (number - 1)",
    "self.pages[name].size -= number", "self._move(name, number)", "self.total = number", "self.last = name", "self.log += name", "del self.names[name]",
    "self.counts[name] += number", "rows = [*self.log, name]\nrows.append(name)", "self.last, self.total = name, number", "rows = self.log\nrows.append(name)",
    "if number:\n    self.total += 1\nelse:\n    raise ValueError(name)", "try:\n    check(number)\nexcept Refused:\n    self.total = -1",
    "while number > 5:\n    number -= 1", "names = sorted(self.names)", "self.log.remove(name)", "self.log.extend([name, number])",
    "value = self.names.get(name, 0) + number\nself.names[name] = value", "self.log.sort()", "self.names.setdefault(name, number)",
    "total = sum(n for n in self.names.values() if n != number)", "(value := number)", "rows = zip(self.names, self.log)",
    "rows = (6 // n for n in self.names.values())", "return rows", "return (6 // (n - 1) for n in [number])", "return enumerate(self.log)",
    "return self.log.pop()", "return self.total", "return self._move(name, number)",
    "raise ValueError(name)", "assert number",
)  # fmt: skip


def program(chance: random.Random, methods: int) -> str:
    """A domain with methods of a few random steps."""
    lines = [HEAD]
    for index in range(methods):
        steps = "\n".join(chance.choice(STEPS) for _ in range(chance.randint(1, 5)))
        body = "\n".join(f"        {line}" for line in steps.split("\n"))
        lines.append(f"    @abort_exception\n    def act{index}(self, name, number):\n{body}\n")
    return "\n".join(lines)


@pytest.mark.filterwarnings("ignore:Domain cannot be replayed")  # some steps return iterators: traps, for the proofs
@pytest.mark.parametrize("seed", range(6))
def test_whatever_raises_leaves_what_a_restart_finds(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of methods made of random steps: free or not, the state is as before the call. A good part of them is free."""
    chance, name = random.Random(seed), f"untouched_{seed}"
    (tmp_path / f"{name}.py").write_text(program(chance, 40))
    spec = importlib.util.spec_from_file_location(name, tmp_path / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    free = {one.method for one in verdict_of(module.Domain).facts.free}
    assert 5 <= len(free) <= 35
    with control(init_system(module.Domain, tmp_path / "d", durability="buffered", validation="warn")) as domain:
        raised = 0
        for _ in range(120):
            method, args = f"act{chance.randrange(40)}", (chance.choice("abc"), chance.randint(0, 3))
            before = control(domain).digest()
            try:
                getattr(domain, method)(*args)
            except Exception:  # noqa: BLE001 - whatever it is
                assert control(domain).digest() == before, (seed, method, args)
                raised += 1
        assert 0 < control(domain).stats().rebuilds.count < raised
        after = control(domain).digest()
    with control(init_system(module.Domain, tmp_path / "d", validation="warn")) as domain:
        assert control(domain).digest() == after
