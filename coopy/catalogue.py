"""What is known of names that are never analysed: catalogue.toml, the source of truth, in a form that loads in a few milliseconds.

    catalogue.toml      -> python -m coopy.catalogue -> catalogue.msgpack (a test holds both together)

The header of the TOML says how a name is looked up and what its conditions mean; this is the look-up. Whether a condition holds is
for who knows the call: the validator's linker. Knows names only, nothing of a program, and imports nothing that it speaks of.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

__all__ = ["Catalogue", "Category", "Entry", "compiled", "load"]

SOURCE = Path(__file__).with_name("catalogue.toml")
COMPILED = Path(__file__).with_name("catalogue.msgpack")
PURE = -1


class Category(msgspec.Struct, frozen=True, array_like=True):
    """One of the closed set of categories."""

    name: str
    code: str
    severity: str
    title: str
    why: str
    fix: str


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A group of names that are flagged in the same way. `when`: conditions that must all hold."""

    kind: str
    category: str
    severity: str
    when: list[str]
    use: str
    note: str
    since: str
    until: str
    platform: str


class Catalogue(msgspec.Struct, frozen=True, array_like=True, dict=True):
    """The tables of the file. `decisions`: name -> numbers of entries, PURE for what is known to be harmless."""

    categories: dict[str, Category]
    entries: list[Entry]
    decisions: dict[str, list[int]]
    aliases: dict[str, str]
    modules: dict[str, str]
    bases: dict[str, list[str]]
    returns: dict[str, str]

    def canonical(self, name: str) -> str:
        """The name under which the catalogue lists it."""
        if alias := self.aliases.get(name):
            return alias
        end = len(name)
        while (end := name.rfind(".", 0, end)) > 0:
            if new := self.modules.get(name[:end]):
                return new + name[end:]
        return name

    def decide(self, name: str) -> tuple[Entry, ...] | None:
        """The entries that decide a dotted name, () if it is known to be harmless, None if nothing decides."""
        known: dict[str, tuple[Entry, ...] | None] = self.__dict__
        if name not in known:
            numbers = self._numbers(name, ())
            known[name] = None if numbers is None else tuple(self.entries[one] for one in numbers if one != PURE and self._applies(one))
        return known[name]

    def _numbers(self, name: str, seen: tuple[str, ...]) -> list[int] | None:
        name = self.canonical(name)
        owner, _, member = name.rpartition(".")
        if found := self.decisions.get(name) or self.decisions.get(owner + ".*"):
            return found
        for base in self.bases.get(owner, ()):
            if base not in seen and (found := self._numbers(f"{base}.{member}", (*seen, owner))):
                return found
        return self._above(name)

    def _above(self, name: str) -> list[int] | None:
        """What decides a name that is not listed itself: an attribute that it is read from, or a wildcard."""
        prefix = name
        while prefix := prefix.rpartition(".")[0]:
            attributes = [one for one in self.decisions.get(prefix, ()) if one != PURE and self.entries[one].kind == "attribute"]
            if found := attributes or self.decisions.get(prefix + ".*"):
                return found
        return None

    def _applies(self, number: int) -> bool:
        entry = self.entries[number]
        return (
            (not entry.since or _minor(entry.since) <= sys.version_info[:2])
            and (not entry.until or _minor(entry.until) >= sys.version_info[:2])
            and (not entry.platform or entry.platform == sys.platform)
        )

    def returned(self, name: str) -> str | None:
        """The type that a function or method returns, itself or by a base of its class; "self" for the receiver's own."""
        owner, _, member = name.rpartition(".")
        if found := self.returns.get(name):
            return found
        for base in self.bases.get(owner, ()):
            if found := self.returned(f"{base}.{member}"):
                return found
        return None

    def is_a(self, name: str, wanted: str) -> bool:
        """Whether a catalogued type is another, or has it among its bases."""
        return name == wanted or any(self.is_a(base, wanted) for base in self.bases.get(name, ()))


def _minor(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return int(major), int(minor or 0)


def compiled(text: str) -> bytes:
    """The bytes of catalogue.msgpack for the text of a catalogue.toml."""
    import tomllib

    data: dict[str, Any] = tomllib.loads(text)
    categories = {name: Category(name, **fields) for name, fields in data["categories"].items()}
    entries: list[Entry] = []
    decisions: dict[str, list[int]] = {}
    for group in data["entry"]:
        when = group.get("when", [])
        severity = group.get("severity", categories[group["category"]].severity)
        words = [group.get(key, "") for key in ("use", "note", "since", "until", "platform")]
        entries.append(Entry(group["kind"], group["category"], severity, [when] if isinstance(when, str) else when, *words))
        for name in group["names"]:
            decisions.setdefault(f"{group['module']}.{name}", []).append(len(entries) - 1)
    for group in data["pure"]:
        for name in group["names"]:
            decisions.setdefault(f"{group['module']}.{name}", []).append(PURE)
    tables = (data[key] for key in ("aliases", "modules", "bases", "returns"))
    return msgspec.msgpack.encode(Catalogue(categories, entries, decisions, *tables))


@lru_cache(maxsize=1)
def load() -> Catalogue:
    """The catalogue that coopy carries."""
    return msgspec.msgpack.decode(COMPILED.read_bytes(), type=Catalogue)


if __name__ == "__main__":
    COMPILED.write_bytes(compiled(SOURCE.read_text(encoding="utf-8")))
