"""What is kept for a cluster on one machine: a node's manifest, and servers that do not outlive whoever started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coopy import control
from coopy.cluster.local import LocalServers
from coopy.error import CorruptionError, LockedError
from tests.functional.test_replication_bad_days import run_coopy
from tests.servers import Cluster, cluster, level, servers

__all__ = ["cluster", "servers"]
PATIENCE = 30.0
STARTED = """
import sys, threading, time
from coopy.cluster.local import LocalServers

def start():  # on a thread that ends: the servers stay
    servers.start()

servers = LocalServers(sys.argv[1], 1)
starter = threading.Thread(target=start)
starter.start()
starter.join()
assert servers.servers[0].is_ready()
print(servers.servers[0]._process.pid, flush=True)
time.sleep(600)
"""


def test_a_lost_manifest_of_a_node_is_rebuilt_as_one(cluster: Cluster) -> None:
    """Its journal says that it is a node's, and the operator of which cluster."""
    one, two = cluster.node(1), cluster.node(2)
    one.add("a")
    control(one).close()
    directory = cluster.folder / "node1"
    (directory / "MANIFEST").unlink()
    with pytest.raises(CorruptionError, match="--node NAME"):
        cluster.node(1)
    assert run_coopy("repair", "--node", cluster.name, directory).exit_code == 2
    assert run_coopy("repair", "--yes", "--manifest", "--replica", "--node", cluster.name, directory).exit_code == 2
    refused = run_coopy("repair", "--yes", "--manifest", directory)
    assert refused.exit_code != 0
    assert "is a node's directory" in refused.output
    assert "a b" in run_coopy("repair", "--yes", "--manifest", "--node", "a b", directory).output
    assert not (directory / "MANIFEST").exists()
    done = run_coopy("repair", "--yes", "--manifest", "--node", cluster.name, directory)
    assert (done.exit_code, f"of the cluster whose stream is coopy-{cluster.name}" in done.output) == (0, True)
    two.add("b")
    one = cluster.node(1)
    level(one, two)
    assert one.add("c") == "abc"


def test_servers_that_somebody_has_started_are_not_started_again(tmp_path: Path) -> None:
    """As by `coopy cluster up` in two windows: the first ones go on. When they have ended, others may."""
    one, two = LocalServers(tmp_path / "servers", 1), LocalServers(tmp_path / "servers", 1)
    with one:
        with pytest.raises(LockedError, match=r"servers is open for writing by process"):
            two.start()
        told = run_coopy("cluster", "up", "--servers", "1", tmp_path / "servers")
        assert (told.exit_code, "nats://" in told.output, "is open for writing by process" in told.output) == (2, False, True)
        assert one.servers[0].is_ready()
    with two:
        assert two.servers[0].is_ready()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody tells a process that its parent has ended")
def test_servers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    """Also where that was killed; not with the thread that did."""
    process = subprocess.Popen([sys.executable, "-c", STARTED, tmp_path / "servers"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        pid = int(process.stdout.readline())
    os.kill(pid, 0)
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + PATIENCE
    while runs(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_servers_go_on_where_a_forked_child_leaves_their_block(tmp_path: Path) -> None:
    """They are its parent's, as a node is."""
    with LocalServers(tmp_path / "servers", 1) as servers:
        child = os.fork()
        if child == 0:
            servers.stop()
            os._exit(0)
        deadline = time.monotonic() + PATIENCE
        while not (ended := os.waitpid(child, os.WNOHANG)[0]) and time.monotonic() < deadline:
            time.sleep(0.01)
        if not ended:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        assert ended
        assert servers.servers[0].is_ready()


def runs(pid: int) -> bool:
    """Whether this process does; one that ended, and that nobody took note of, does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False
