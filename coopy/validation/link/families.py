"""Families: a class and all that derive from it, where a value may be of any of them; and the attributes of objects, one by one or for all.

    ANY    an annotation says so: of the class, or of any class of the program that derives from it
    MADE   a variable would hold objects of more than MAX_OBJECTS classes: of their nearest common base, or of any class derived from it
           of which the program makes objects. Where they have no base in common, of anything of which the program makes objects: what
           has a member of the name that is asked for is found by that name

A class from which very many others derive says nothing of an object: of so large a family only what the class itself has is looked up, and
what another class makes of a member is not known, as of an object of which nothing is known.

Which classes there are is learnt while the program is read, so who has asked for a family runs again when it grows: what is found does not
depend on what was read first. Classes of files that nothing has read yet are found by the names of their bases, which summaries list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.validation import summary as s
from coopy.validation.link.classes import Classes
from coopy.validation.link.lone import grown
from coopy.validation.link.scopes import ClassInfo
from coopy.validation.link.values import ANY, MADE, Box, Cell, ClassValue, Object

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from coopy.catalogue import Catalogue
    from coopy.validation.link.machine import Context
    from coopy.validation.link.scopes import Program
    from coopy.validation.link.values import Value, Values

MAX_BOXES = 6  # containers of one kind in one variable, before they become one
_POURED = frozenset(("list", "tuple", "dict", "deque", "set", "frozenset"))
MAX_OBJECTS = 12  # classes of one mode in one variable, before they are told apart no longer
MAX_DERIVED = 200  # classes that derive from one, above which what they make of its members is not followed
MAX_CLASSES = 1000  # of a program that have a base, above which nothing is followed of objects that have none in common
REMEMBERED = 3000  # widenings
FEW_OBJECTS = 4  # in a VAST program
WORTHWHILE = 6  # of which a common base must cover as many


class Asked:
    """A member of a family that somebody has asked for: a class for each other definition, by who defines it, and who has asked."""

    __slots__ = ("owners", "readers")

    def __init__(self) -> None:
        self.owners: dict[ClassInfo, ClassInfo] = {}
        self.readers: dict[Context, None] = {}


def whole_of(box: Box) -> Box:
    """The container that one has become."""
    while box.into is not None:
        box = box.into
    return box


class Families(Classes):
    """Families of classes, and attributes."""

    def __init__(self, program: Program, catalogue: Catalogue) -> None:
        super().__init__(program, catalogue)
        self.attributes: dict[tuple[ClassInfo, str], dict[str, Cell]] = {}
        self._by_name: dict[tuple[str, str], dict[ClassInfo, Cell]] = {}  # the same, by mode and name
        self._wide: dict[tuple[str, str], dict[ClassInfo, Cell]] = {}  # attributes of families, by mode and name
        self._derived: dict[tuple[ClassInfo, str], dict[ClassInfo, None]] = {}
        self._asked: dict[tuple[ClassInfo, str], dict[str, Asked]] = {}
        self._sought: dict[str, set[str]] = {}  # names of classes whose families were asked for -> the files that were looked at
        self._modules = self._made = 0  # how many modules and classes were looked at
        self._root: ClassInfo | None = None
        self._widenings: dict[Values, Values] = {}

    # attributes

    def attribute_cell(self, cls: ClassInfo, mode: str, name: str) -> Cell:
        """What an attribute of the objects of a class and mode may hold."""
        try:
            return self.attributes[cls, mode][name]
        except KeyError:
            return self._new_cell(cls, mode, name)

    def _new_cell(self, cls: ClassInfo, mode: str, name: str) -> Cell:
        made = self.attributes.setdefault((cls, mode), {})[name] = Cell()
        self._by_name.setdefault((mode, name), {})[cls] = made
        if wide := self._wide.get((mode, name)):
            made.above = tuple(cell for base, cell in wide.items() if self.covers(base, cls))
        return made

    def family_cell(self, cls: ClassInfo, mode: str, name: str) -> Cell:
        """What that attribute may hold in objects of the class or of any that derives from it."""
        wide = self._wide.setdefault((mode, name), {})
        found = wide.get(cls)
        if found is None:
            found = wide[cls] = Cell()
            for other, cell in list(self._by_name.get((mode, name), {}).items()):
                if self.covers(cls, other):
                    cell.above = (*cell.above, found)
                    self.write(found, cell.values)
        return found

    # members

    def overriders(self, cls: ClassInfo, name: str, how: str) -> Collection[ClassInfo]:
        """Classes of a family, one for each definition of a member that is not the class's own; none of a large family."""
        if self.is_large(cls):
            return ()
        asked = self._asked.setdefault((cls, how), {}).get(name)
        if asked is None:
            asked = self._asked[cls, how][name] = Asked()
            self._take_made()
            if cls is self._root:
                self._derived[cls, how] = dict(self.pool.made)
            if how == ANY:
                self._seek(cls)
            for one in list(self._derived.get((cls, how), ())):
                self._consider(asked, cls, name, one)
        if self.current is not None:
            asked.readers[self.current] = None
        return asked.owners.values()

    def derived(self, cls: ClassInfo, how: str) -> Collection[ClassInfo]:
        """The classes of a family that are known by now."""
        self.overriders(cls, "__class__", how)
        return list(self._derived.get((cls, how), ()))

    def is_large(self, cls: ClassInfo) -> bool:
        """Whether so many classes derive from this one that nothing is known of an object that may be of any of them."""
        if cls is self._root:
            return self.program.classes() > MAX_CLASSES
        return self.program.has_more_than(MAX_DERIVED, cls.node.name)

    def _consider(self, asked: Asked, cls: ClassInfo, name: str, derived: ClassInfo) -> None:
        """Whether a derived class brings another definition."""
        found = self.member(derived, name)
        if not isinstance(found, tuple) or found[0] in asked.owners:
            return
        own = self.member(cls, name)
        if isinstance(own, tuple) and own[0] is found[0]:
            return
        asked.owners[found[0]] = found[0] if self.covers(cls, found[0]) else derived
        self.wake(asked.readers)

    def _derives(self, one: ClassInfo, how: str) -> None:
        """A class is seen for the first time."""
        for base in (*self.order(one)[1:], *([self._root] if self._root is not None and how == MADE else ())):
            if not isinstance(base, str):
                family = self._derived.setdefault((base, how), {})
                if one not in family:
                    family[one] = None
                    for name, asked in list(self._asked.get((base, how), {}).items()):
                        self._consider(asked, base, name, one)

    def _take_made(self) -> None:
        """Classes of which the program has made objects since this was last asked."""
        while self._made < len(self.pool.made):
            new = list(self.pool.made)[self._made :]
            self._made += len(new)
            for one in new:
                self._derives(one, MADE)
                self._derives(one, ANY)

    def _seek(self, cls: ClassInfo) -> None:
        """Find the classes that derive from one, whether or not anything that was read leads to them."""
        left = [cls]
        while left:
            name = left.pop().node.name
            if name in self._sought:
                continue
            self._sought[name] = set()
            for path in self.program.deriving(name):
                left += self._look_into(path, name)

    def _look_into(self, path: str, name: str) -> list[ClassInfo]:
        """The classes of a file, which has some that derive from a class of that name."""
        if path in self._sought[name]:
            return []
        self._sought[name].add(path)
        module = self.program.at_path(path)
        if module is None:
            return []
        bindings = [one for several in list(module.scope.bindings.values()) for one in several]
        found = [module.cls(one.statement, None) for one in bindings if isinstance(one.statement, s.Class)]
        for one in found:
            self._derives(one, ANY)
        return found

    def settle(self) -> None:
        """Run what waits until nothing does, and no family has grown."""
        super().settle()
        while self._grown():
            super().settle()

    def _grown(self) -> bool:
        """Whether there are new classes or modules, for which somebody runs again."""
        self._take_made()
        if self._modules < len(self.program.modules):
            self._modules = len(self.program.modules)
            for name in list(self._sought):
                for path in self.program.deriving(name):
                    for one in self._look_into(path, name):
                        self._seek(one)
        return bool(self.queue) or self._made < len(self.pool.made) or self._modules < len(self.program.modules)

    # widening

    def grow_vast(self) -> None:
        """From now on less is told apart."""
        self.vast = True
        self._widenings.clear()

    def widened(self, values: Values) -> Values:
        """Fewer values that stand for at least these."""
        found = self._widenings.get(values)
        if found is None:
            found = super().widened(self._joined(self._poured(values)))
            if len(self._widenings) > REMEMBERED:
                self._widenings.clear()
            self._widenings[values] = found
        return found

    def _poured(self, values: Values) -> Values:
        """Many containers of one kind become one: what is put into any of them is in all."""
        groups: dict[tuple[str, str], list[Box]] = {}
        for one in values:
            if type(one) is Box and one.kind in _POURED and not one.default:
                groups.setdefault((one.kind, one.mode), []).append(one)
        for group in groups.values():
            whole = dict.fromkeys(whole_of(one) for one in group)
            if len(whole) > MAX_BOXES:
                first = min(whole, key=lambda one: one.number)
                for one in whole:
                    if one is not first:
                        one.into = first
                        self.poured.append((one, first))
                whole = {first: None}
            if len(whole) < len(group):
                values = (values - frozenset(group)) | frozenset(whole)
        return values

    def pour(self) -> None:
        """Containers that became one get the same cells."""
        poured, self.poured = self.poured, []
        for one, other in poured:
            other.typed, other.filling = other.typed or one.typed, other.filling or one.filling
            for box in (one, other):
                grown(self, box)
                slots, box.slots, box.loose = box.slots, {}, True
                for key, cell in slots.items():
                    self.write(other.keys, frozenset((self.pool.text(key),)))
                    self._unite(cell, other.items)
            for name in ("items", "keys", "hint", "factory"):
                old, new = getattr(one, name), getattr(other, name)
                setattr(one, name, new)
                self._unite(old, new)

    def _unite(self, old: Cell, new: Cell) -> None:
        """What was in a cell is in another, and who reads it there sees that."""
        if old is not new:
            values = old.values
            readers = [*old.readers, *new.readers] if values != new.values else ()
            new.readers.update(old.readers)
            self.write(new, values)
            self.wake(readers)

    def _joined(self, values: Values) -> Values:
        """Objects of many classes become a family."""
        groups: dict[tuple[type, str], list[Object | ClassValue]] = {}
        for one in values:
            if (type(one) is Object or type(one) is ClassValue) and (one.open != ANY or self.vast):
                groups.setdefault((type(one), one.mode if type(one) is Object else ""), []).append(one)
        for group in groups.values():
            whole = [one for one in group if one.open == MADE]
            for one in group:
                if any(one is not other and self.covers(other.cls, one.cls) for other in whole):
                    values -= {one}
            left = [one for one in group if one in values]
            while len(left) > (FEW_OBJECTS if self.vast else MAX_OBJECTS) and (base := self._common([one.cls for one in left])) is not None:
                covered = {one for one in left if self.covers(base, one.cls)}
                self.pool.made.update(dict.fromkeys(one.cls for one in covered if not one.open and isinstance(one, ClassValue)))
                values = (values - covered) | {self._family(left[0], base)}
                left = [one for one in left if one not in covered]
            if self.vast and len(left) > FEW_OBJECTS and isinstance(left[0], Object):
                self.pool.made.update(dict.fromkeys(one.cls for one in left if one.open != MADE))
                values = (values - frozenset(group)) | {self._family(left[0], self._anything(left[0].cls))}
        return values

    def _anything(self, cls: ClassInfo) -> ClassInfo:
        """The class that all others derive from."""
        if self._root is None:
            self._root = ClassInfo(cls.module, s.Class(0, "object", [], [], [], []), None)
            self.order(self._root)
        return self._root

    def covers(self, base: ClassInfo, cls: ClassInfo) -> bool:
        """Whether a class derives from another, or is it."""
        return base is self._root or base in self.order(cls)

    def is_anything(self, cls: ClassInfo) -> bool:
        """Whether this is the class that all others derive from."""
        return cls is self._root

    def _family(self, one: Object | ClassValue, base: ClassInfo) -> Value:
        return self.pool.object(base, one.mode, MADE) if isinstance(one, Object) else self.pool.cls(base, MADE)

    def _common(self, classes: Iterable[ClassInfo]) -> ClassInfo | None:
        """The base that most of them have in common, the nearest of several; None if it is none of many."""
        counts: dict[ClassInfo, int] = {}
        for cls in classes:
            for base in self.order(cls):
                if not isinstance(base, str):
                    counts[base] = counts.get(base, 0) + 1
        most = max(counts.values())
        if most < (FEW_OBJECTS if self.vast else WORTHWHILE):
            return None
        return max((one for one, count in counts.items() if count == most), key=lambda one: (len(self.order(one)), one.full))
