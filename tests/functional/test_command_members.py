"""The command on the directory of a cluster's node and of a replica, open and closed, good and damaged: what it says is true of them, too."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from coopy import control, init_system
from coopy.cli import main
from tests.functional.test_command import DAMAGE, EVERY, NEW, READING, SECOND, STOPPED, WRITING, begin, cut, flip, go_on, on, run
from tests.functional.test_repair import WHOLE
from tests.functional.test_replication import House
from tests.servers import Cluster, level, servers
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from coopy.cluster.local import LocalServers

__all__ = ["servers"]
TEXT = "abcd-ef"
# A node's segment ends with what it noted: to cut off an action takes more there.
WORSE: dict[str, Callable[[Path], str]] = {
    "the newest segment cut off": lambda where: cut(where, SECOND, (where / SECOND).stat().st_size - 700)
}


class Member:
    """One kind of directory that is not alone. `made`: one that was closed, to be copied; `open`: has a directory be one of these again."""

    def __init__(
        self, name: str, made: Path, open_it: Callable[[Path], Any], catch_up: Callable[[Any], object], manifest: list[str]
    ) -> None:
        self.name, self.made, self._open, self._catch_up, self.manifest = name, made, open_it, catch_up, manifest

    def open(self, directory: Path) -> AbstractContextManager[Any]:
        """Open it, with all that the others have."""
        proxy = self._open(directory)
        self._catch_up(proxy)
        return closing(proxy)


def a_node(servers: LocalServers, folder: Path, ends: ExitStack) -> Member:
    """Of two, each with a snapshot of its own."""
    cluster = ends.enter_context(closing(Cluster(servers, folder)))
    other, word = cluster.node(2), cluster.node(1)
    begin(word)
    control(word).take_snapshot()
    go_on(other)
    level(word, other)
    control(word).close()

    def opened(directory: Path) -> Any:
        return init_system(Word, directory, cluster=servers.urls, name=cluster.name, validation="off")

    return Member("node", folder / "node1", opened, lambda word: level(word, other), ["--node", cluster.name])


def a_replica(folder: Path, ends: ExitStack) -> Member:
    """With a snapshot of its own."""
    house = ends.enter_context(House())
    primary = house.primary(folder / "primary")
    port = control(primary).address[1]

    def opened(directory: Path) -> Any:
        return init_system(Word, directory, replication=True, port=port, validation="off")

    def caught_up(word: Any) -> None:
        control(word).wait_for(control(primary).token, 60)

    with closing(opened(folder / "replica")) as word:
        begin(primary)
        caught_up(word)
        control(word).take_snapshot()
        go_on(primary)
        caught_up(word)
    return Member("replica", folder / "replica", opened, caught_up, ["--replica"])


@pytest.fixture(scope="module", params=["node", "replica"])
def member(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Member]:
    """One of each, for all tests here; what it follows runs."""
    folder = tmp_path_factory.mktemp(request.param)
    with ExitStack() as ends:
        yield a_node(request.getfixturevalue("servers"), folder, ends) if request.param == "node" else a_replica(folder, ends)


@pytest.fixture
def here(member: Member, tmp_path: Path) -> Path:
    """A directory of one that was closed."""
    shutil.copytree(member.made, tmp_path / "w")
    return tmp_path / "w"


def mended(member: Member, directory: Path) -> list[str]:
    """What each way said that was gone, the first that is advised each time, until all is whole."""
    said: list[str] = []
    for _ in range(3):
        advised = run("repair", directory, code=1)
        ways = re.findall(r"^  (--drop-tail|--manifest|coopy prune --keep \d+)(?: --node NAME)?  ", advised, re.MULTILINE)
        command = (
            ways[0].split()[1:]
            if ways[0].startswith("coopy")
            else ["repair", ways[0], *(member.manifest if ways[0] == "--manifest" else [])]
        )
        said.append(advised + attempt(*command, "--yes", directory))
        if attempt("repair", directory) == WHOLE:
            return said
    pytest.fail("it was not whole after three steps")


def attempt(*arguments: Any) -> str:
    """What it says, whatever status it ends with."""
    return CliRunner().invoke(main, [str(one) for one in arguments]).output


def test_it_is_read_and_not_changed_beside_the_system(member: Member, here: Path) -> None:
    """Which goes on. Its status says what it is."""
    with member.open(here) as word:
        for command in READING:
            assert run(*on(command, here))
        run("check", "--full", here)
        assert {"node": "node      of the cluster", "replica": "follows   a primary"}[member.name] in run("status", here)
        for command in WRITING:
            assert f"process {os.getpid()}" in run(*on(command, here), code=2)
        assert word.text == TEXT


def test_it_is_read_when_it_is_closed(member: Member, here: Path, tmp_path: Path) -> None:
    """By every command; and what leaves it can arrive, as a system of its own."""
    for command in (*READING, ["repair"], ["verify"], ["rehearse", "tests.words:Word"]):
        assert run(*on(command, here))
    run("export", here, "--output", tmp_path / "x")
    run("import", tmp_path / "x", tmp_path / "own")
    with control(init_system(Word, tmp_path / "own")) as word:
        assert word.text == TEXT
    run("prune", "--keep", 1, "--yes", here)
    with member.open(here) as word:
        assert word.text == TEXT


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_named_and_mended_as_advised(member: Member, here: Path, name: str) -> None:
    """Afterwards it has what the others have: what was cut off, too."""
    damaged = WORSE.get(name, DAMAGE[name])(here)
    assert damaged in run("check", here, code=1)
    for command in sorted(EVERY - {"prune"}):
        told = run(command, here, code=int(command in STOPPED[name]))
        assert command not in STOPPED[name] or damaged in told
    said = "\n".join(mended(member, here))
    assert "actions are lost" not in said.replace("the actions in there are lost", "")
    with member.open(here) as word:
        assert word.text == TEXT
    assert member.manifest[0][2:] in run("status", here) or "follows   a primary" in run("status", here)


def test_what_is_missing_comes_again(member: Member, here: Path) -> None:
    """From the others, and that is said instead of that it is lost; so is that the whole directory may come from there."""
    (here / SECOND).write_bytes(b"")
    whence = {"node": "the node takes from the cluster", "replica": "a replica takes from its primary"}[member.name]
    advised = run("repair", here, code=1)
    assert f"at least 3 acknowledged actions are missing here, which {whence} again when it is opened" in advised
    assert "  the directory anew  " in advised
    here.rename(here.parent / "away")
    with member.open(here) as word:
        assert word.text == TEXT


def test_a_manifest_is_no_others(member: Member, here: Path) -> None:
    """It says whose directory it is."""
    flip(here, "MANIFEST", 60)
    assert "from a backup of this directory, loses nothing; that of a replica or another node says that it is theirs" in run(
        "repair", here, code=1
    )
    said = run("repair", "--manifest", *member.manifest, "--yes", here)
    assert "--replica" not in said
    flip(here, NEW, -60)
    assert {"node": "as a node's", "replica": "as a replica's"}[member.name] in run("repair", "--manifest", "--yes", here)


def test_an_action_is_left_out_on_one_side_only_and_that_is_said(member: Member, here: Path) -> None:
    """The others have executed it."""
    others = {"node": "do the same in the directory of each other node", "replica": "do the same in its primary's"}
    assert others[member.name] in run("repair", "--skip", 7, here, code=2)
