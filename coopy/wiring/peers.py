"""A primary, a replica or a node beside a system, where one is asked for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from coopy.engine.confirmed import ConfirmedEngine
from coopy.engine.opening import domain_name, told
from coopy.engine.system import Origin
from coopy.error import UsageError
from coopy.fingerprint import whole
from coopy.header import derive_key
from coopy.logs import logger
from coopy.shapes import shape_of
from coopy.wiring.options import check_number

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from coopy.cluster.node import Node
    from coopy.engine.system import System
    from coopy.replication.place import Address
    from coopy.replication.replica import Replica
    from coopy.wiring.options import Options

__all__ = ["also_where_left_behind", "join", "listen", "node_of", "origin_of", "place_to_listen", "replica_of"]

log = logger("cluster")
TRIES = 3


def replica_of(options: Options, kind: type) -> Replica | None:
    """What follows a primary, if that is asked for. Raises UsageError for a place that is not safe, before anything is opened or created."""
    if not options.master and not options.replication:
        return None
    from coopy.replication.auth import scram
    from coopy.replication.place import check_place
    from coopy.replication.wire import LostError

    scram()
    try:
        check_place(options.host, options.password, options.tls, serving=options.master)
    except LostError as error:
        if options.master:
            raise UsageError(str(error), option="host") from error
    if options.master:
        return None
    from coopy.replication.replica import Replica

    return Replica(_address(options), domain_name(kind))


def _address(options: Options) -> Address:
    from coopy.replication.place import Address

    return Address(options.host, options.port, options.password, options.tls)


def node_of(options: Options, kind: type, source: dict[str, bytes]) -> Node | None:
    """What has a cluster order this system's actions, if that is asked for; it is not connected yet. Raises UsageError for what cannot be."""
    if options.cluster is None:
        return None
    from coopy.cluster.addresses import read_addresses
    from coopy.cluster.connection import check_context
    from coopy.cluster.node import Node, Program
    from coopy.cluster.stream import check_name

    addresses, shape = read_addresses(options.cluster), shape_of(kind)
    name = check_name(kind.__name__.lower() if options.name is None else options.name)
    if options.tls is not None:
        check_context(options.tls)
    program = Program(domain_name(kind), shape.versions if shape is not None else (), whole(source) if source else b"")
    return Node(addresses, options.tls, name, program, derive_key(options.signing_key), assume_durable=options.assume_durable)


def also_where_left_behind(begin: Callable[[], System]) -> System:
    """What it gives. Where the stream of a node was deleted in that very moment the directory begins with what follows, a few times."""
    from coopy.cluster.entering import LeftBehindError

    for _ in range(TRIES - 1):
        try:
            return begin()
        except LeftBehindError as error:
            log.info("%s", error)
    return begin()


def origin_of(replica: Replica | None, node: Node | None) -> Origin | None:
    """Where the system's actions come from, if from elsewhere."""
    if node is not None:
        return Origin(node.fetch, stream=node.stream.bucket, left_behind=node.left_behind)
    if replica is None:
        return None
    return Origin(lambda place, _initial: replica.fetch(place), primary=str(replica.address))


def join(system: System, options: Options, replica: Replica | None, node: Node | None) -> None:
    """Listen, or follow, if that is asked for. Where it is not possible the system is closed again."""
    try:
        if options.master:
            listen(system, _address(options), options.min_acks)
        elif node is not None:
            system.peers = node
            node.follow(system)
        elif replica is not None:
            system.peers = replica
            with told(system.archive.directory):
                replica.follow(system)
    except BaseException:
        system.close()
        raise


def place_to_listen(followed: Address, host: str, port: int | None, min_acks: int, tls: ssl.SSLContext | None) -> Address | None:
    """Where a replica that is to be promoted will listen, if anywhere. Raises UsageError where that is not possible."""
    from coopy.replication.place import Address, check_place
    from coopy.replication.transport import Listener
    from coopy.replication.unix import is_unix
    from coopy.replication.wire import LostError

    check_number("min_acks", min_acks)
    if not isinstance(host, str):
        raise UsageError("host= is a string.", option="host")
    if port is None and not is_unix(host):
        if min_acks or tls is not None:
            raise UsageError("min_acks= and tls= mean nothing without port=: nobody could follow. Nothing was changed.", option="port")
        return None
    port = 0 if port is None else port
    check_number("port", port)
    address = Address(host, port, followed.password, tls or followed.tls)
    try:
        check_place(address.host, address.password, address.tls, serving=True)
    except LostError as error:
        raise UsageError(str(error), option="host") from error
    Listener(host, port, time.monotonic).close()  # whether it is free; the replica goes on following until then
    return address


def listen(system: System, address: Address, min_acks: int) -> None:
    """Listen for replicas. Raises UsageError or DurabilityError where the place cannot be had."""
    from coopy.replication.primary import Primary

    primary = system.peers = Primary(system, address, min_acks)
    if min_acks and isinstance(system.engine, ConfirmedEngine):
        system.engine.confirm = primary.confirm
