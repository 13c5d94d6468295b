"""The example of a web service: started for real, put under load, killed, and started again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coopy.cluster.local import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVICE = Path(__file__).parents[2] / "examples" / "service"


@contextmanager
def served(directory: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """The service, from when it listens on."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SERVICE.parents[1]), *sys.path[1:]])}
    command = [sys.executable, str(SERVICE / "service.py"), str(directory), str(port)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = []
            for line in process.stderr:
                said.append(line)
                if "Uvicorn running" in line:
                    break
            else:
                pytest.fail("".join(said))
            yield process
        finally:
            process.kill()


def ask(port: int, method: str, path: str) -> tuple[int, bytes]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - to this machine
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_the_service_answers_counts_and_remembers(tmp_path: Path) -> None:
    """Whatever was answered before kill -9 is there after it."""
    (port,) = free_ports(1)
    with served(tmp_path / "poll", port) as process:
        assert ask(port, "POST", "/choices/tea/votes")[0] == 404
        assert ask(port, "PUT", "/choices/tea")[0] == 201
        assert ask(port, "PUT", "/choices/tea")[0] == 409
        load = [sys.executable, str(SERVICE / "load.py"), str(port), "20", "5"]
        ran = subprocess.run(load, capture_output=True, text=True, timeout=100, check=False)
        assert (ran.returncode, "100 were answered, 100 counted" in ran.stdout) == (0, True), ran.stdout + ran.stderr
        process.kill()
    with served(tmp_path / "poll", port) as process:
        assert json.loads(ask(port, "GET", "/choices")[1]) == {"tea": 100}
        assert json.loads(ask(port, "POST", "/choices/tea/votes")[1]) == {"votes": 101}
        process.terminate()
        assert process.stderr is not None
        assert "Application shutdown complete" in process.stderr.read()
