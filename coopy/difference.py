"""Where two states differ: paths from the root, with what stands there in each. What the digest does not see, this does not report.

Walks both in step, pairing what stands at the same place: attributes by name, items by place, what a dictionary holds by key, elements of
sets by what they are. Objects that were paired once must be paired wherever they come again.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

from coopy.digest.dump import Dump, hash_of
from coopy.digest.path import in_words, name_of, sections, short
from coopy.digest.shape import HOW, class_name, shape_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

__all__ = ["Difference", "difference"]

NEW_HERE = ", met nowhere before"  # said of an object that is one of before on the other side
AROUND = 20  # characters shown on both sides of where two texts differ
CANDIDATES = 50
DEPTH = 2  # elements of sets are told apart by what they refer to, so many references away
NOTHING = "nothing"
MISSING: Any = object()


class Difference(Struct, frozen=True):
    """One place. `path` from the root, what stands there in the one state and in the other, in a few words."""

    path: str
    left: str
    right: str

    def __str__(self) -> str:
        return f"{self.path}: {self.left} != {self.right}"


def difference(left: object, right: object, limit: int = 10) -> list[Difference]:
    """The first places at which two states differ, at most `limit`. None if their digests are equal, and only then.

    An element that is missing in a list makes all behind it differ. Raises NotSerializableError for what cannot be part of a state.
    """
    walk = _Walk(left, right)
    return walk.differences(limit) if walk.differ else []


class _Way(NamedTuple):
    """A step from a place to one in it. A tuple: a chain of Structs is freed by recursion, and ways may be long."""

    before: _Way | None
    label: str


class _Walk:
    """Both states in step."""

    def __init__(self, left: object, right: object) -> None:
        self._left, self._right = Dump(), Dump()  # afterwards they know the numbers
        self._parts = Dump()  # knows none
        self.differ = hash_of(self._left, left) != hash_of(self._right, right)
        self._found: list[Difference] = []
        self._pairs = deque([(left, right, _Way(None, name_of(left)))])
        self._sets: deque[tuple[Sequence[Any], Sequence[Any], _Way]] = deque()
        self._met: tuple[dict[int, _Meeting], dict[int, _Meeting]] = {}, {}  # by the id of an object of the left, of the right
        self._compared: set[tuple[int, int]] = set()
        self._alive: list[Any] = []  # what shapes are made of: an id must not come again

    def differences(self, limit: int) -> list[Difference]:
        """The first that there are."""
        while (self._pairs or self._sets) and len(self._found) < limit:
            if self._pairs:
                self._compare(*self._pairs.popleft())
            else:  # when all that can be met otherwise was met
                self._loose(*self._sets.popleft())
        return self._found[:limit]

    def _report(self, way: _Way, left: str, right: str) -> None:
        self._found.append(Difference(_path(way), left, right))

    def _compare(self, left: Any, right: Any, way: _Way) -> None:
        one, other = self._parts.part(left), self._parts.part(right)
        if one is not None and one == other:
            return
        if type(left) is not type(right) or HOW[type(left)].text is not None:
            self._report(way, *_told_apart(left, right))
        elif (one is not None or other is not None or self._meet(left, right, way)) and (id(left), id(right)) not in self._compared:
            self._compared.add((id(left), id(right)))
            self._go_in(left, right, way)

    def _meet(self, left: Any, right: Any, way: _Way) -> bool:
        """Whether two objects may stand for each other: neither has stood for another one."""
        one, other = self._met[0].get(id(left)), self._met[1].get(id(right))
        if one is None and other is None:
            self._met[0][id(left)] = self._met[1][id(right)] = _Meeting(left, right, way)
        elif one is not other:
            self._report(way, _met_as(one, left), _met_as(other, right))
            return False
        return True

    # --- inside of two of one type -----------------------------------------------------------------------------------

    def _go_in(self, left: Any, right: Any, way: _Way) -> None:
        one, other = (sections(value, *shape_of(value)) for value in (left, right))
        self._alive += (one, other)
        self._named(one.named, other.named, way)
        if len(one.items) != len(other.items):
            self._report(way, *(f"{type(left).__name__} of {len(some.items)}" for some in (one, other)))
        self._pairs += [(*both, _Way(way, f"[{at}]")) for at, both in enumerate(zip(one.items, other.items, strict=False))]
        self._keyed(one.pairs, other.pairs, way)
        if one.loose or other.loose:
            self._sets.append((one.loose, other.loose, way))

    def _named(self, left: Mapping[str, Any], right: Mapping[str, Any], way: _Way) -> None:
        """Attributes. A key of a dictionary is a label, too."""
        for label, value in left.items():
            if label in right:
                self._pairs.append((value, right[label], _Way(way, label)))
            else:
                self._report(_Way(way, label), short(value), NOTHING)
        for label, value in right.items():
            if label not in left:
                self._report(_Way(way, label), NOTHING, short(value))

    def _keyed(self, left: Sequence[tuple[Any, Any]], right: Sequence[tuple[Any, Any]], way: _Way) -> None:
        """Entries of dictionaries. Keys that are objects are paired in their order."""
        one, other = self._by_key(left), self._by_key(right)
        for here, there, swapped in ((one, other, False), (other, one, True)):
            for token in [token for token in here if token not in there]:
                key, value = here[token]
                both = (short(value), NOTHING)
                self._report(_Way(way, f"[{short(key)}]"), *(reversed(both) if swapped else both))
        mine, theirs = [token for token in one if token in other], [token for token in other if token in one]
        if mine != theirs:
            at = next(at for at, both in enumerate(zip(mine, theirs, strict=True)) if both[0] != both[1])
            self._report(way, *(f"{short(one[tokens[at]][0])} as key {at} of those in both" for tokens in (mine, theirs)))
        for token in mine:
            (key, value), (other_key, other_value) = one[token], other[token]
            if type(token) is int:
                self._pairs.append((key, other_key, _Way(way, f"<key {short(key)}>")))
            self._pairs.append((value, other_value, _Way(way, f"[{short(key)}]")))

    def _by_key(self, pairs: Sequence[tuple[Any, Any]]) -> dict[Hashable, tuple[Any, Any]]:
        found: dict[Hashable, tuple[Any, Any]] = {}
        objects = 0
        for key, value in pairs:
            token: Hashable = self._parts.part(key)
            if token is None:
                token, objects = objects, objects + 1
            found[token] = key, value
        return found

    # --- sets ------------------------------------------------------------------------------------------------------

    def _loose(self, left: Sequence[Any], right: Sequence[Any], way: _Way) -> None:
        """Elements of sets: values are there or not. Objects are paired as they were met elsewhere, then by what they are."""
        (one, mine), (other, theirs) = self._parted(left), self._parted(right)
        for token in sorted(one.keys() ^ other.keys()):
            self._one_sided(one.get(token, MISSING), other.get(token, MISSING), way)
        met, met_right = self._met
        for value in [value for value in mine.values() if id(value) in met]:
            partner = met[id(value)].right
            if theirs.pop(id(partner), None) is None:
                self._one_sided(value, MISSING, way)
            del mine[id(value)]
        for value in [value for value in theirs.values() if id(value) in met_right]:
            self._one_sided(MISSING, value, way)
            del theirs[id(value)]
        for one_value, other_value in self._alike(list(mine.values()), list(theirs.values())):
            if one_value is MISSING or other_value is MISSING:
                self._one_sided(one_value, other_value, way)
            else:
                self._pairs.append((one_value, other_value, _Way(way, _element(one_value))))

    def _parted(self, values: Sequence[Any]) -> tuple[dict[bytes, Any], dict[int, Any]]:
        """Values by what stands for them, objects by id."""
        found: dict[bytes, Any] = {}
        objects: dict[int, Any] = {}
        for one in values:
            token = self._parts.part(one)
            if token is None:
                objects[id(one)] = one
            else:
                found[token] = one
        return found, objects

    def _one_sided(self, left: Any, right: Any, way: _Way) -> None:
        if left is MISSING:
            self._report(_Way(way, _element(right)), NOTHING, short(right))
        else:
            self._report(_Way(way, _element(left)), short(left), NOTHING)

    def _alike(self, left: list[Any], right: list[Any]) -> Iterator[tuple[Any, Any]]:
        """Pairs of objects; MISSING stands beside what has no partner."""
        known: dict[int, tuple[Any, bytes]] = {}
        by_key: dict[bytes, tuple[list[Any], list[Any]]] = defaultdict(lambda: ([], []))
        for side, (dump, values) in enumerate(((self._left, left), (self._right, right))):
            for value in sorted(values, key=lambda one, dump=dump: dump.numbers[id(one)]):  # type: ignore[misc]
                by_key[self._parts.key(value, DEPTH, known)][side].append(value)
        rest: tuple[list[Any], list[Any]] = [], []
        for mine, theirs in by_key.values():
            yield from zip(mine, theirs, strict=False)
            rest[0].extend(mine[len(theirs) :])
            rest[1].extend(theirs[len(mine) :])
        yield from self._similar(*rest)

    def _similar(self, left: list[Any], right: list[Any]) -> Iterator[tuple[Any, Any]]:
        """Each with the one of its class with which it has most in common, as far as the first CANDIDATES show."""
        for value in left:
            candidates = [one for one in right[:CANDIDATES] if type(one) is type(value)]
            partner = max(candidates, key=lambda one, value=value: self._in_common(value, one), default=MISSING)  # type: ignore[misc]
            right = [one for one in right if one is not partner]
            yield value, partner
        yield from ((MISSING, one) for one in right)

    def _in_common(self, left: Any, right: Any) -> int:
        one, other = ([self._parts.part(part) for part in shape_of(value)[1]] for value in (left, right))
        return sum(mine is not None and mine == theirs for mine, theirs in zip(one, other, strict=False))


class _Meeting(Struct, frozen=True):
    """Two objects that stand for each other, and where they were met."""

    left: Any
    right: Any
    way: _Way


def _path(way: _Way | None) -> str:
    labels = []
    while way is not None:
        labels.append(way.label)
        way = way.before
    return "".join(reversed(labels))


def _met_as(meeting: _Meeting | None, value: Any) -> str:
    return f"{short(value)}{NEW_HERE}" if meeting is None else f"the one at {_path(meeting.way)}"


def _element(value: Any) -> str:
    return f"{{{short(value)}}}"


def _told_apart(left: Any, right: Any) -> tuple[str, str]:
    """Both in so many words that they are not the same."""
    one, other = short(left), short(right)
    if one == other and type(left) is type(right):
        mine, theirs = in_words(left), in_words(right)
        at = next((at for at, both in enumerate(zip(mine, theirs, strict=False)) if both[0] != both[1]), min(len(mine), len(theirs)))
        one, other = (f"...{words[max(0, at - AROUND) : at + AROUND]}..." for words in (mine, theirs))
    if one == other:
        one, other = (f"{words} ({class_name(type(value))})" for words, value in ((one, left), (other, right)))
    return one, other
