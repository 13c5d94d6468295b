"""A network between nodes and servers, and between the servers, that can be cut: each pair has a way of its own."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from tests.cut import Way

if TYPE_CHECKING:
    from types import TracebackType

    from coopy.cluster.local import LocalServers

__all__ = ["Net"]


class Net:
    """Made before the servers start: it changes what they are told of each other. `nodes`: the ways of each node; `routes`: by the names of two servers."""

    def __init__(self, servers: LocalServers, nodes: int) -> None:
        self._servers, self._stack = servers, ExitStack()
        ports = {name: one["route"] for name, one in json.loads((servers.directory / "servers.json").read_text())["servers"].items()}
        self.nodes = [[self._stack.enter_context(Way(one.port)) for one in servers.servers] for _ in range(nodes)]
        self.routes = {
            (name, other): self._stack.enter_context(Way(port)) for name in ports for other, port in ports.items() if name != other
        }
        for name in ports:
            self._configure(name, ports)

    def _configure(self, name: str, ports: dict[str, int]) -> None:
        """Its routes lead through the ways, and what it tells of itself leads nowhere."""
        path = self._servers.directory / f"{name}.conf"
        front, routes = re.split(r"(?=  routes: )", path.read_text())
        for other, port in ports.items():
            if other != name:
                routes = routes.replace(f"127.0.0.1:{port}", f"127.0.0.1:{self.routes[name, other].port}")
        path.write_text(f'{front}  advertise: "127.0.0.1:1"\n{routes}')

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._stack.close()

    def addresses(self, node: int) -> str:
        """What `cluster=` is on a node."""
        return ",".join(self._servers.url(one, way.port) for one, way in zip(self._servers.servers, self.nodes[node], strict=True))

    def routes_of(self, server: str) -> list[Way]:
        """To it and from it."""
        return [way for pair, way in self.routes.items() if server in pair]
