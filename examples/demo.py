"""The demonstration: a wiki of real text, killed in mid-write, restored and compared with what had been acknowledged.

    parent                                    child
    starts it                                 four threads call the wiki: create a page, edit it, edit it ...
    reads acknowledgements from a pipe        ... and after each call that returned write its title and revision into the pipe
    kill -9 at a random moment                gone, in the middle of its calls
    restarts the wiki, compares

The pipe is the independent record: coopy knows nothing of it, and what is in it survives the child. A revision in it that the restarted
wiki lacks, or tells otherwise, is lost. At most one call of each thread may have happened without being acknowledged; any more would be
invented. The exit status is 1 if anything was lost or invented.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from coopy import control, init_system
from examples.corpus import read_corpus
from examples.wiki import Wiki

THREADS = 4
Corpus = dict[str, list[str]]
console = Console()


def main() -> int:
    """Run the whole story. Gives the exit status."""
    console.print("Reading the docstrings of Python's standard library ...")
    corpus = read_corpus()
    total = sum(map(len, corpus.values()))
    console.print(f"{len(corpus):,} pages with {total:,} revisions. {THREADS} threads write them, durability 'sync'.\n")
    with tempfile.TemporaryDirectory(prefix="coopy-demo-") as parent:
        directory = str(Path(parent, "wiki"))
        load = fill_and_kill(directory, kill_after=random.randrange(total * 6 // 10, total * 8 // 10))
        console.print(f"Killed with SIGKILL after {sum(load.acknowledged.values()):,} acknowledged calls. Restarting ...\n")
        return report(load, *restart_twice(directory, corpus, load.acknowledged))


# --- the child ---------------------------------------------------------------------------------------------------------


def fill(directory: str) -> None:
    """Write the whole corpus with several threads; the parent sees to it that this never ends."""
    corpus = read_corpus()
    wiki = init_system(Wiki(), directory)
    titles = list(corpus)
    writers = [
        threading.Thread(target=write_pages, args=(wiki, corpus, titles[part::THREADS], f"writer {part}")) for part in range(THREADS)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()


def write_pages(wiki: Wiki, corpus: Corpus, titles: list[str], author: str) -> None:
    """Create each page and edit it through all its revisions, acknowledging each call after it returned."""
    for title in titles:
        for text in corpus[title]:
            write = wiki.edit_page if text is not corpus[title][0] else wiki.create_page
            number = write(title, text, author)
            os.write(sys.stdout.fileno(), f"{title}\t{number}\n".encode())  # one short write into a pipe is never mixed with another


# --- the parent --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Load:
    """What the child had acknowledged when it was killed: title -> last revision; and how long it took, in seconds."""

    acknowledged: dict[str, int]
    seconds: float


def fill_and_kill(directory: str, kill_after: int) -> Load:
    """Let a child write, and kill it after so many acknowledgements. What it put into the pipe counts, also what is read afterwards."""
    bar = Progress(TextColumn("writing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console)
    with subprocess.Popen([sys.executable, __file__, "--fill", directory], stdout=subprocess.PIPE) as child, bar:
        assert child.stdout
        load = listen(child, child.stdout, bar, kill_after)
    if child.returncode != -signal.SIGKILL:
        raise SystemExit(f"The child ended by itself (status {child.returncode}) instead of being killed in mid-write.")
    return load


def listen(child: subprocess.Popen[bytes], pipe: IO[bytes], bar: Progress, kill_after: int) -> Load:
    """Read acknowledgements to the end of the pipe; the child is killed on the way."""
    task, begin, seconds, acknowledged = bar.add_task("", total=kill_after), 0.0, 0.0, dict[str, int]()
    for count, line in enumerate(pipe):
        if not count:
            begin = time.perf_counter()
        elif count == kill_after:
            child.kill()
        title, number = line.decode().rstrip("\n").split("\t")
        acknowledged[title] = int(number)
        seconds = time.perf_counter() - begin
        if count % 100 == 0:
            bar.update(task, completed=min(count, kill_after))
    bar.update(task, completed=kill_after)
    return Load(acknowledged, seconds)


@dataclass(frozen=True)
class Restart:
    """A restarted wiki against the record: revisions in it, lost ones, invented ones; seconds until it could be used."""

    restored: int
    lost: int
    invented: int
    seconds: float


def restart_twice(directory: str, corpus: Corpus, acknowledged: dict[str, int]) -> tuple[Restart, Restart]:
    """Restart from the journal alone, take a snapshot, restart with it."""
    begin = time.perf_counter()
    with control(init_system(Wiki, directory)) as wiki:
        replayed = compare(wiki, corpus, acknowledged, time.perf_counter() - begin)
        control(wiki).take_snapshot()
    begin = time.perf_counter()
    with control(init_system(Wiki, directory)) as wiki:
        return replayed, compare(wiki, corpus, acknowledged, time.perf_counter() - begin)


def compare(wiki: Wiki, corpus: Corpus, acknowledged: dict[str, int], seconds: float) -> Restart:
    """Hold every page against the text and against the record of what was acknowledged."""
    restored = lost = invented = unasked = 0
    for title in corpus.keys() | set(wiki.titles()):
        history, expected, number = wiki.history(title), corpus.get(title, []), acknowledged.get(title, 0)
        restored += len(history)
        right = sum(kept == text for kept, text in zip(history, expected, strict=False))
        lost += sum(kept != text for kept, text in zip(history[:number], expected, strict=False)) + max(0, number - len(history))
        invented += len(history) - right
        unasked += max(0, len(history) - number)
    return Restart(restored, lost, max(invented, unasked - THREADS), seconds)


def report(load: Load, replayed: Restart, snapshot: Restart) -> int:
    """Print the table. Gives the exit status."""
    acknowledged = sum(load.acknowledged.values())
    lost, invented = max(replayed.lost, snapshot.lost), max(replayed.invented, snapshot.invented)
    table = Table(show_header=False)
    table.add_row("acknowledged before the kill", f"{acknowledged:,}")
    table.add_row("restored (with calls in flight at the kill)", f"{replayed.restored:,}")
    table.add_row("lost", f"[bold {'red' if lost else 'green'}]{lost:,}[/]")
    table.add_row("invented", f"[bold {'red' if invented else 'green'}]{invented:,}[/]")
    table.add_row(f"actions per second, {THREADS} threads, each durable", f"{acknowledged / load.seconds:,.0f}")
    table.add_row("restart from the journal alone", f"{replayed.seconds:.2f} s")
    table.add_row("restart with a snapshot", f"{snapshot.seconds:.2f} s")
    console.print(table)
    return 1 if lost or invented else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--fill"]:
        fill(sys.argv[2])
    else:
        sys.exit(main())
