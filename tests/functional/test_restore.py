"""`coopy.restore`: what a directory holds as a plain object, with which another system begins."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from coopy import control, init_system, restore
from coopy.error import AuthenticationError, CorruptionError, UsageError
from tests.servers import Cluster, cluster, level, servers
from tests.words import Word

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["cluster", "servers"]
KEY = b"k" * 32
SCRIPT = """
from coopy import init_system, restore

class Note:
    def __init__(self):
        self.text = ""
    def write(self, text):
        self.text += text

if __name__ == "__main__":
    init_system(Note, "one").write("a")
    init_system(restore(Note, "one"), "two").write("b")
    print(restore(Note, "two").text)
"""


def test_what_is_restored_is_a_plain_object_and_the_directory_stays_as_it_is(tmp_path: Path) -> None:
    """Also beside whoever has it open. Another system begins with it, by value."""
    word = init_system(Word, tmp_path / "one", validation="off")
    word.add("a")
    control(word).take_snapshot()
    word.add("b")
    kept = files_in(tmp_path / "one")
    found = restore(Word, tmp_path / "one")
    assert files_in(tmp_path / "one") == kept
    assert (type(found), found.text, sorted(vars(found))) == (Word, "ab", ["kept", "text"])
    word.close()
    other = init_system(found, tmp_path / "two", validation="off")
    found.add("never")
    assert (other.add("c"), control(other).lsn, restore(Word, tmp_path / "one").text) == ("abc", 1, "ab")
    other.close()


def test_a_class_of_the_script_that_runs(tmp_path: Path) -> None:
    """Its name is not that of a module."""
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("ab\n", 0), done.stderr


def test_what_holds_no_such_object_is_said(tmp_path: Path) -> None:
    """A directory with nothing, or another class's, or a signed one; what is no class; and what is damaged."""
    init_system(Word, tmp_path / "one", validation="off").close()
    init_system(Word, tmp_path / "signed", validation="off", signing_key=KEY).close()
    (tmp_path / "empty").mkdir()
    for wrong, directory, said in (
        (Word, "empty", "holds no system.*nothing to restore"),
        (Word, "nowhere", "holds no system.*nothing to restore"),
        (Other, "one", r"tests\.words:Word"),
        (Word(), "one", "takes a class and its directory"),
    ):
        with pytest.raises(UsageError, match=said):
            restore(wrong, tmp_path / directory)  # type: ignore[arg-type]
    assert not (tmp_path / "nowhere").exists()
    with pytest.raises(AuthenticationError):
        restore(Word, tmp_path / "signed")
    assert restore(Word, tmp_path / "signed", signing_key=KEY).text == ""
    (snapshot,) = (tmp_path / "one").glob("*.snap")
    snapshot.write_bytes(snapshot.read_bytes()[:-100])
    with pytest.raises(CorruptionError, match=r"\.snap"):
        restore(Word, tmp_path / "one")


def test_a_node_s_directory_begins_another_cluster_and_a_system_of_its_own(cluster: Cluster) -> None:
    """Nobody is asked where it was. Tokens of before are refused, and directories of before, too."""
    one, two = cluster.node(1), cluster.node(2)
    one.add("a")
    control(one).take_snapshot()
    two.add("b")
    level(one, two)
    token = control(one).token
    for node in (one, two):
        control(node).close()
    moved = Cluster(cluster.servers, cluster.folder)
    new: list[Any] = [moved.node(number, restore(Word, cluster.folder / "node1")) for number in (3, 4)]
    assert (new[0].add("c"), new[1].add("d")) == ("abc", "abcd")
    level(*new)
    with pytest.raises(UsageError, match="no token of this cluster"):
        control(new[0]).wait_for(token)
    with pytest.raises(UsageError, match=f"of the cluster whose stream is coopy-{cluster.name}"):
        moved.node(1)
    moved.close()
    alone = init_system(restore(Word, cluster.folder / "node4"), cluster.folder / "alone", validation="off")
    assert alone.add("e") == "abcde"
    alone.close()
    again = Cluster(cluster.servers, cluster.folder)
    assert again.node(5, restore(Word, cluster.folder / "alone")).add("f") == "abcdef"
    again.close()


def files_in(directory: Path) -> dict[str, bytes]:
    """All, by name."""
    return {one.name: one.read_bytes() for one in directory.iterdir()}


class Other:
    """Of another name."""
