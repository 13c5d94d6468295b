"""Who is measured, and how each is opened: this is where a comparison is fair or not.

Every subject opens a bank in a directory at one of the two levels of durability and hands out something with the same two methods, so
that one loop measures all of them, method look-up included:

    subject          "sync": on stable storage when the call returns         "buffered": survives the death of the process
    coopy            durability="sync"                                       durability="buffered" (synced once a second)
    coopy 0.7.0      durability="sync"; flush and fsync under its lock       durability="buffered", its default: flushes every record to the
                                                                             system; an fsync only where a file ends, each 1 MB
    coopy 0.7.0      the same with group_commit_delay=0.002, the best of     -
      grouped        0, 0.1, 0.5, 1, 2 and 5 ms for 32 threads
    SQLite           WAL, synchronous=FULL: one sync a transaction           WAL, synchronous=NORMAL: synced at checkpoints
    SQLite unsynced  -                                                       WAL, synchronous=OFF
    ZODB             FileStorage as it is: one sync a transaction            FileStorage with its fsync taken away
    direct           -                                                       the plain object: nothing is kept

Validation is off for both coopys: it is work at opening, once, and not what is measured. SQLite and ZODB have one connection, which
threads share under a lock: with one each they fight for the same write lock and are slower. What a subject needs is imported when it is
opened, because each lives in an environment of its own. A child process runs this file (worker.py); the parent never does.
"""

from __future__ import annotations

import importlib
import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SUBJECTS", "Bank", "journal_bytes"]


Durability = Literal["sync", "buffered"]


class Bank(Protocol):
    """What every subject hands out."""

    def deposit(self, account: str, amount: int) -> object:
        """An action: it is as durable as asked when it returns."""

    def balance(self, account: str) -> object:
        """A query."""


Opened = tuple[Any, "Callable[[], object]"]  # the bank, and what closes it


def open_coopy(directory: str, durability: Durability) -> Opened:
    """This coopy."""
    from coopy import control, init_system
    from tests.benchmarks.bank import Bank

    bank = init_system(Bank, directory, durability=durability)
    return bank, control(bank).close


def open_coopy07(directory: str, durability: Durability, **options: Any) -> Opened:
    """The last release before this one, from the package index."""
    from tests.benchmarks.bank import Bank

    old = importlib.import_module("coopy.base")  # of that version, so nothing here knows its types
    bank = old.init_persistent_system(Bank, directory, durability=durability, validation="off", **options)
    return bank, old.control(bank).close


def open_coopy07_grouped(directory: str, durability: Durability) -> Opened:
    """The same, with its group commit switched on."""
    return open_coopy07(directory, durability, group_commit_delay=0.002)


class SqliteBank:
    """A table of accounts; a transaction for each deposit."""

    def __init__(self, directory: str, synchronous: str) -> None:
        Path(directory).mkdir()
        self.lock = threading.Lock()
        self.connection = sqlite3.connect(Path(directory, "bank.db"), isolation_level=None, check_same_thread=False)
        self.execute = self.connection.execute
        self.execute("PRAGMA journal_mode=WAL")
        self.execute(f"PRAGMA synchronous={synchronous}")
        self.execute("CREATE TABLE accounts (account TEXT PRIMARY KEY, amount INTEGER) WITHOUT ROWID")

    def deposit(self, account: str, amount: int) -> object:
        """An upsert, which is a transaction of its own."""
        with self.lock:
            return self.execute(
                "INSERT INTO accounts VALUES (?, ?) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount", (account, amount)
            )

    def balance(self, account: str) -> object:
        """One row by its key."""
        with self.lock:
            return self.execute("SELECT amount FROM accounts WHERE account = ?", (account,)).fetchone()


def open_sqlite(directory: str, durability: Durability) -> Opened:
    """SQLite in its write-ahead mode."""
    bank = SqliteBank(directory, {"sync": "FULL", "buffered": "NORMAL"}[durability])
    return bank, bank.connection.close


def open_sqlite_unsynced(directory: str, durability: Durability) -> Opened:
    """SQLite that leaves all syncing to the operating system."""
    assert durability == "buffered"
    bank = SqliteBank(directory, "OFF")
    return bank, bank.connection.close


ZODB_PARTS = ("BTrees.OOBTree", "ZODB.DB", "ZODB.FileStorage.FileStorage", "transaction")


class ZodbBank:
    """A B-tree of accounts; a transaction for each deposit."""

    def __init__(self, directory: str, durability: Durability) -> None:
        parts: list[Any] = [importlib.import_module(part) for part in ZODB_PARTS]
        trees, database, storage, transaction = parts
        if durability == "buffered":
            storage.fsync = None
        Path(directory).mkdir()
        manager = transaction.TransactionManager()
        self.lock, self.commit = threading.Lock(), manager.commit
        self.database = database.DB(storage.FileStorage(str(Path(directory, "bank.fs"))))
        self.connection = self.database.open(manager)
        self.accounts = self.connection.root.accounts = trees.BTree()
        self.commit()

    def deposit(self, account: str, amount: int) -> object:
        """Change the tree and commit."""
        with self.lock:
            self.accounts[account] = self.accounts.get(account, 0) + amount
            return self.commit()

    def balance(self, account: str) -> object:
        """One look into the tree; cached, as it is all the time here."""
        with self.lock:
            return self.accounts.get(account, 0)

    def close(self) -> None:
        """Close connection and storage."""
        self.connection.close()
        self.database.close()


def open_zodb(directory: str, durability: Durability) -> Opened:
    """ZODB on a FileStorage."""
    bank = ZodbBank(directory, durability)
    return bank, bank.close


def open_direct(directory: str, durability: Durability) -> Opened:
    """No persistence at all."""
    from tests.benchmarks.bank import Bank

    return Bank(), lambda: None


SUBJECTS: dict[str, Callable[[str, Durability], Opened]] = {
    "coopy": open_coopy,
    "coopy 0.7.0": open_coopy07,
    "coopy 0.7.0 grouped": open_coopy07_grouped,
    "SQLite": open_sqlite,
    "SQLite unsynced": open_sqlite_unsynced,
    "ZODB": open_zodb,
    "direct": open_direct,
}

JOURNALS = ("journal-*.log", "transaction_*.log", "bank.fs")  # an SQLite file keeps no history, so it has no size per action


def journal_bytes(directory: str) -> int:
    """What the history of a closed bank takes on disk."""
    return sum(path.stat().st_size for pattern in JOURNALS for path in Path(directory).glob(pattern))
