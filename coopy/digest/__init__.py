"""The digest of a state: a hash of a canonical dump. Equal states give equal digests in any process.

Rooms, from the bottom: `shape` (what a value is made of: its class, and the values in it, in a fixed order), `path` (names a place in a state:
`wiki.pages['Home'].lock`), `order` (puts into order what only sets hold), `dump` (the walk, which numbers the objects and writes the record
of each; docs/format.md defines it).
"""

from coopy.digest.dump import digest

__all__ = ["digest"]
