"""A system served to other processes, by Pyro5 and by the standard library's xmlrpc: real servers, real sockets, the examples as they stand."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from http.client import HTTPException
from pathlib import Path
from socketserver import StreamRequestHandler, TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from xmlrpc.client import Fault, ServerProxy
from xmlrpc.server import SimpleXMLRPCServer

import pytest
from Pyro5.api import Daemon, Proxy
from Pyro5.errors import CommunicationError, SerializeError, get_pyro_traceback

from coopy import control, init_system, readonly, unlocked
from coopy.cluster.local import free_ports
from coopy.error import ClosedError, ReplicaError, UsageError
from coopy.serve import for_pyro, for_xmlrpc, receive_exceptions
from examples.wiki import Wiki
from examples.xmlrpc import server as xmlrpc_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
NOT_REACHABLE = (
    "close", "take_snapshot", "basedir_abspath", "stock", "stock.clear", "counted", "Shelf", "_secret", "_hide", "_clock", "_clock.now", "_random",
    "__init__", "__class__", "__dict__", "__reduce__", "__enter__", "__exit__", "__call__", "put.__globals__", "put.__wrapped__",
    "put.__wrapped__.__self__", "put.__func__.__closure__", "label.fset",
)  # fmt: skip


class SoldOut(Exception):  # noqa: N818 - what a shop says
    """There are not enough."""

    def __init__(self, name: str, left: int) -> None:
        super().__init__(f"Only {left} of {name} left.")
        self.name, self.left = name, left


class Unpaid(SoldOut):
    """Keeps some of what it knows in slots, and is made of other things than it tells."""

    __slots__ = ("__by", "debt", "due")

    def __new__(cls, debt: int, by: str) -> Self:
        return super().__new__(cls, debt)

    def __init__(self, debt: int, by: str) -> None:
        super().__init__("tea", 1)
        self.debt, self.__by = debt, by

    @property
    def by(self) -> str:
        return self.__by


class Keeper:
    """Remembers what it raised."""

    def __init__(self) -> None:
        self.raised: list[Exception] = []

    def fail(self, kind: str) -> None:
        try:
            raise {"own": Unpaid(3, "ann"), "lookup": KeyError("tea"), "file": FileNotFoundError(2, "There is none", "tea.txt")}[kind]
        except Exception as error:
            self.raised.append(error)
            raise


UNSAYABLE = ("a\x00b", "a\x1bb\x7f", "a\ud800b", "a\ufffeb", "tab\t, line\n, \xe9, \U0001f600")
TOLD = ("a\\x00b", "a\\x1bb\x7f", "a\\ud800b", "a\\ufffeb", "tab\t, line\n, \xe9, \U0001f600")


class Refuser:
    """Says no in words that XML has not, and in some that it has."""

    def refuse(self, number: int) -> None:
        raise ValueError(UNSAYABLE[number])


class Busybody(type):
    """Whoever looks its classes up in a table has an action called meanwhile, if that can be."""

    def __hash__(cls) -> int:
        SEEN.extend(attempt(shop.put, "in between") for shop in ASKED)
        return 1


class Tag(metaclass=Busybody):
    """Looked up while it is handed out and while it is copied, and where anybody asks of what type it is."""


class Shop:
    """A domain with everything that others may reach, and what they may not."""

    Shelf = dict
    counted = True

    def __init__(self) -> None:
        self.stock: dict[str, int] = {}
        self._secret = "secret"
        self._label = ""

    def put(self, name: str, count: int = 1) -> int:
        """Put some there; how many there are."""
        self.stock[name] = self.stock.get(name, 0) + count
        return self.stock[name]

    def take(self, name: str, count: int = 1) -> None:
        if self.stock.get(name, 0) < count:
            raise SoldOut(name, self.stock.get(name, 0))
        self.stock[name] -= count

    def add(self, name: str) -> Self:
        self.put(name)
        return self

    def pay(self, debt: int) -> None:
        raise Unpaid(debt, "ann")

    def put_all(self, stock: dict[str, int]) -> dict[str, int]:
        self.stock.update(stock)
        return self.stock

    def echo(self, value: Any) -> Any:
        return value

    @readonly
    def all(self) -> dict[str, int]:
        return self.stock

    @readonly
    def names(self) -> Iterator[str]:
        yield from self.stock

    @readonly
    def read(self, name: str) -> int:
        return self.stock[name]

    @readonly
    @unlocked
    def read_beside(self, name: str) -> int:
        return self.stock[name]

    @readonly
    def tags(self) -> Tag:
        return Tag()

    def lock_itself(self) -> Any:
        self.put("locked")
        return [len, lambda: 0]

    def hand_out(self) -> Any:
        return self._hide

    @staticmethod
    def tidied(name: str) -> str:
        return name.strip()

    @property
    def label(self) -> str:
        return self._label

    @label.setter
    def label(self, text: str) -> None:
        if text == "unpaid":
            raise Unpaid(3, "bob")
        self._label = text

    def _hide(self) -> None:
        self.stock.clear()

    def __len__(self) -> int:
        return len(self.stock)

    def __getitem__(self, name: str) -> int:
        return self.stock[name]

    def __setitem__(self, name: str, count: int) -> None:
        self.stock[name] = count

    def __delitem__(self, name: str) -> None:
        del self.stock[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.stock)


class Door:
    """A domain with a name of the system's own."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> int:
        self.closed += 1
        return self.closed


ASKED: list[Any] = []
SEEN: list[object] = []


def attempt(function: Callable[..., object], *args: object) -> object:
    """What it gives, or the error that it raises."""
    try:
        return function(*args)
    except Exception as error:  # noqa: BLE001 - which one is what is asked
        return error


# --- servers -------------------------------------------------------------------------------------------------------------


class Server(ThreadingMixIn, SimpleXMLRPCServer):
    daemon_threads = True


@contextmanager
def running(loop: Callable[[], None], end: Callable[[], None]) -> Iterator[None]:
    """In a thread, to its end."""
    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        end()
        thread.join()


@contextmanager
def by_pyro(proxy: object, **options: Any) -> Iterator[Callable[[], Any]]:
    """Serve; gives what makes a client."""
    with Daemon() as daemon:
        uri = daemon.register(for_pyro(proxy, **options), "it")
        with running(daemon.requestLoop, daemon.shutdown):
            yield lambda: Proxy(uri)


@contextmanager
def by_xmlrpc(proxy: object, *, dotted: bool = False, **options: Any) -> Iterator[Callable[[], Any]]:
    """The same. `dotted`: as the standard library warns not to."""
    with Server(("127.0.0.1", 0), allow_none=True, use_builtin_types=True, logRequests=False) as server:
        server.register_instance(for_xmlrpc(proxy, **options), allow_dotted_names=dotted)
        server.register_introspection_functions()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        with running(lambda: server.serve_forever(0.01), server.shutdown):
            yield lambda: ServerProxy(address, allow_none=True, use_builtin_types=True)


@pytest.fixture(params=[by_pyro, by_xmlrpc])
def serve(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Any]:
    with control(init_system(Shop, tmp_path / "shop")) as one:
        yield one


# --- what is reachable -----------------------------------------------------------------------------------------------------


def test_a_client_calls_the_domain_and_a_restart_remembers(serve: Any, tmp_path: Path) -> None:
    with control(init_system(Shop, tmp_path / "shop")) as shop, serve(shop) as connect, connect() as client:
        assert [client.put("tea"), client.put("tea", 4), client.take("tea", 2), client.read("tea")] == [1, 5, None, 3]
        assert client.read_beside("tea") == 3
        assert client.tidied(" tea ") == "tea"
    with control(init_system(Shop, tmp_path / "shop")) as shop:
        assert shop.all() == {"tea": 3}


def test_pyro_gives_methods_properties_and_what_python_asks_by_itself(shop: Any) -> None:
    """Names of arguments too. Setting a property is an action."""
    with by_pyro(shop) as connect, connect() as client:
        assert client.put(count=2, name="tea") == 2
        client.label = "new"
        client["jam"] = 3
        assert (client.label, len(client), client["jam"], list(client)) == ("new", 2, 3, ["tea", "jam"])
        del client["jam"]
        assert control(shop).lsn == 4
        assert client._pyroAttrs == {"label"}
        assert {name for name in client._pyroMethods if not name.startswith("__")} == METHODS


METHODS = {
    "put",
    "take",
    "add",
    "put_all",
    "echo",
    "all",
    "names",
    "pay",
    "read",
    "read_beside",
    "tags",
    "lock_itself",
    "hand_out",
    "tidied",
}


def test_xmlrpc_gives_methods_and_their_documentation(shop: Any) -> None:
    with by_xmlrpc(shop) as connect, connect() as client:
        assert {name for name in client.system.listMethods() if not name.startswith("system.")} == METHODS
        assert client.system.methodHelp("put") == "Put some there; how many there are."


def test_nothing_else_is_reachable_by_pyro(shop: Any) -> None:
    shop.put("tea")
    before = control(shop).digest()
    with by_pyro(shop) as connect, connect() as client:
        client._pyroBind()
        for name in NOT_REACHABLE:
            for method, arguments in ((name, ()), (name, ("tea",)), ("__getattr__", (name,)), ("__setattr__", (name, "x"))):
                assert isinstance(attempt(client._pyroInvoke, method, arguments, {}), AttributeError), (name, method)
    assert (control(shop).digest(), control(shop).lsn) == (before, 1)


@pytest.mark.parametrize("dotted", [False, True])
def test_nothing_else_is_reachable_by_xmlrpc(shop: Any, dotted: bool) -> None:
    """Not even from a server that allows dotted names, where the proxy itself would hand out the state."""
    shop.put("tea")
    before = control(shop).digest()
    with by_xmlrpc(shop, dotted=dotted) as connect, connect() as client:
        for name in NOT_REACHABLE:
            with pytest.raises(Fault, match="is not supported"):
                client._ServerProxy__request(name, ())
    assert (control(shop).digest(), control(shop).lsn) == (before, 1)


def test_a_server_may_let_clients_take_snapshots(serve: Any, shop: Any) -> None:
    with serve(shop, operations=("take_snapshot",)) as connect, connect() as client:
        client.put("tea")
        assert client.take_snapshot() == 1
        with pytest.raises((AttributeError, Fault)):
            client.close()
    assert control(shop).stats().snapshots.count == 1


def test_what_the_domain_calls_close_is_the_domains(serve: Any, tmp_path: Path) -> None:
    """And reachable like any other method of it."""
    with control(init_system(Door, tmp_path / "door")) as door, serve(door) as connect, connect() as client:
        assert [client.close(), client.close()] == [1, 2]


@pytest.mark.parametrize("face", [for_pyro, for_xmlrpc])
def test_what_cannot_be_served_is_refused(face: Any, shop: Any) -> None:
    with pytest.raises(UsageError, match="not a proxy of coopy"):
        face(Shop())
    with pytest.raises(UsageError, match="there are take_snapshot, close, basedir_abspath"):
        face(shop, operations=("digest",))


# --- exceptions ------------------------------------------------------------------------------------------------------------


def test_exceptions_arrive_by_pyro_as_what_they_are(shop: Any) -> None:
    """The domain's own after the client has said which; with their attributes, and without their `__init__`."""
    with by_pyro(shop) as connect, connect() as client:
        with pytest.raises(KeyError, match="nothing"):
            client.read("nothing")
        with pytest.raises(TypeError, match="positional argument"):
            client.put()
        with pytest.raises(SerializeError, match=r"test_client_server\.SoldOut"):
            client.take("tea")
        receive_exceptions(SoldOut)
        with pytest.raises(SoldOut, match="Only 0 of tea left") as caught:
            client.take("tea")
        assert (caught.value.name, caught.value.left) == ("tea", 0)


def test_an_exceptions_slots_arrive_by_pyro(shop: Any) -> None:
    """With its other attributes, whatever its class is made of; what it has not set is not set."""
    receive_exceptions(Unpaid)
    with by_pyro(shop) as connect, connect() as client:
        with pytest.raises(Unpaid, match="Only 1 of tea left") as caught:
            client.pay(3)
        error = caught.value
        assert (error.name, error.left, error.debt, error.by, hasattr(error, "due")) == ("tea", 1, 3, "ann", False)
        assert not {"debt", "_Unpaid__by"} & {*vars(error)}
        with pytest.raises(Unpaid) as caught:
            client.label = "unpaid"
        assert caught.value.by == "bob"


def test_an_exception_that_the_domain_keeps_is_not_pyros(tmp_path: Path) -> None:
    """Pyro writes the traceback into what it sends; a restart would not have that."""
    receive_exceptions(Unpaid)
    with control(init_system(Keeper, tmp_path / "keeper", validation="off")) as keeper, by_pyro(keeper) as connect, connect() as client:
        for kind, expected in [("own", Unpaid), ("lookup", KeyError), ("file", FileNotFoundError)]:
            with pytest.raises(expected, match=r"tea|There is none") as caught:
                client.fail(kind)
            assert "in fail" in "".join(get_pyro_traceback(type(caught.value), caught.value, caught.tb))
        assert [vars(error) for error in keeper.raised] == [{"name": "tea", "left": 1}, {}, {}]
        assert str(keeper.raised[2]) == "[Errno 2] There is none: 'tea.txt'"
        digest = control(keeper).digest()
    with control(init_system(Keeper, tmp_path / "keeper", validation="off")) as keeper:
        assert control(keeper).digest() == digest


def test_exceptions_arrive_by_xmlrpc_as_a_fault_with_their_class(shop: Any) -> None:
    with by_xmlrpc(shop) as connect, connect() as client:
        for call, expected in [
            (client.read, "KeyError: 'tea'"),
            (client.take, f"{__name__}.SoldOut: Only 0 of tea left."),
        ]:
            with pytest.raises(Fault) as caught:
                call("tea")
            assert (caught.value.faultCode, caught.value.faultString) == (1, expected)


def test_an_exception_with_what_xml_cannot_say_arrives_by_xmlrpc_all_the_same(tmp_path: Path) -> None:
    """As a Fault that shows it as Python's source would: what an exception says may come from a file, or from another client."""
    with control(init_system(Refuser, tmp_path / "refuser")) as refuser, by_xmlrpc(refuser) as connect, connect() as client:
        for number, said in enumerate(TOLD):
            with pytest.raises(Fault) as caught:
                client.refuse(number)
            assert caught.value.faultString == f"ValueError: {said}"


def test_a_closed_system_says_so_to_its_clients(serve: Any, shop: Any) -> None:
    receive_exceptions()
    with serve(shop) as connect, connect() as client:
        control(shop).close()
        with pytest.raises((ClosedError, Fault), match="The system is closed"):
            client.put("tea")


def test_a_replica_answers_queries_and_names_the_primary(serve: Any, tmp_path: Path) -> None:
    receive_exceptions()
    with ExitStack() as house:
        primary = house.enter_context(control(init_system(Shop, tmp_path / "primary", master=True, port=0)))
        host, port = control(primary).address
        replica = house.enter_context(control(init_system(Shop, tmp_path / "replica", replication=True, port=port)))
        primary.put("tea", 3)
        control(replica).wait_for(control(primary).token, 60)
        client = house.enter_context(house.enter_context(serve(replica))())
        assert client.read("tea") == 3
        with pytest.raises((ReplicaError, Fault), match=rf"put\(\) changes the state.*primary at {host}:{port}") as caught:
            client.put("tea")
        told = caught.value.faultString if isinstance(caught.value, Fault) else f"coopy.error.ReplicaError: {caught.value}"
        assert told.startswith("coopy.error.ReplicaError: ")


# --- values ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("face", [for_pyro, for_xmlrpc])
def test_a_result_is_a_copy(face: Any, shop: Any) -> None:
    """It goes onto the wire later, while other calls change what it was made of."""
    served = face(shop)
    stock, names = served.put_all({"tea": 1}), served.names()
    seen = served.all()
    shop.put("jam")
    assert (stock, names, seen) == ({"tea": 1}, ["tea"], {"tea": 1})


def test_a_query_and_its_copy_show_one_moment(shop: Any) -> None:
    """No action comes in between: the copy is made while the query holds the system."""
    served: Any = for_pyro(shop)
    SEEN.clear()
    ASKED[:] = [shop]
    tag = served.tags()
    ASKED.clear()
    assert type(tag) is Tag
    assert SEEN
    assert {type(one) for one in SEEN} == {UsageError}
    assert len(shop) == 0


def test_an_unlocked_query_waits_for_nobody(shop: Any) -> None:
    """As in the process itself."""
    shop.put("tea")
    served: Any = for_pyro(shop)
    with control(shop)._system.engine.lock:
        thread = threading.Thread(target=served.read_beside, args=("tea",))
        thread.start()
        thread.join(60)
        assert not thread.is_alive()


def test_a_result_that_cannot_be_sent_says_that_the_call_has_happened(serve: Any, shop: Any) -> None:
    receive_exceptions()
    with serve(shop) as connect, connect() as client:
        with pytest.raises((UsageError, Fault), match=r"lock_itself\(\) was called, and what it did stays"):
            client.lock_itself()
        with pytest.raises((UsageError, Fault), match=r"hand_out\(\) was called.*leads to the domain object itself"):
            client.hand_out()
    assert shop.all() == {"locked": 1}


def test_a_method_that_returns_the_domain_object_can_be_chained_by_pyro(shop: Any) -> None:
    with by_pyro(shop) as connect, connect() as client:
        client.add("tea").add("jam")
    with by_xmlrpc(shop) as connect, connect() as client:
        assert client.add("tea") is None
    assert shop.all() == {"tea": 2, "jam": 1}


class Passed(NamedTuple):
    """A value, and what there is of it after it went to the domain and came back; an error where it does not go."""

    value: object
    pyro: object
    xmlrpc: object


WHAT_PASSES = [
    Passed(None, None, None),
    Passed(2**31 - 1, 2**31 - 1, 2**31 - 1),
    Passed(2**31, 2**31, OverflowError),
    Passed(1.5, 1.5, 1.5),
    Passed("a\r\nb é", "a\r\nb é", "a\nb é"),
    Passed("\0", "\0", Fault),
    Passed(b"ab", {"data": "YWI=", "encoding": "base64"}, b"ab"),
    Passed([1, [2]], [1, [2]], [1, [2]]),
    Passed((1, 2), (1, 2), [1, 2]),
    Passed({1, 2}, {1, 2}, TypeError),
    Passed({"a": 1}, {"a": 1}, {"a": 1}),
    Passed({1: 2}, {1: 2}, TypeError),
    Passed(datetime(2026, 1, 2, 3, 4, 5, 6), "2026-01-02T03:04:05.000006", datetime(2026, 1, 2, 3, 4, 5)),
    Passed(datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00", datetime(2026, 1, 2)),
    Passed(date(2026, 1, 2), "2026-01-02", TypeError),
    Passed(Decimal("1.5"), "1.5", TypeError),
    Passed(Door(), SerializeError, {"closed": 0}),
]


@pytest.mark.parametrize("door", ["pyro", "xmlrpc"])
def test_what_passes(door: str, shop: Any) -> None:
    """As the table in docs/client-server.md says."""
    with {"pyro": by_pyro, "xmlrpc": by_xmlrpc}[door](shop) as connect, connect() as client:
        for one in WHAT_PASSES:
            expected, got = getattr(one, door), attempt(client.echo, one.value)
            assert isinstance(got, expected) if isinstance(expected, type) else (got, type(got)) == (expected, type(expected)), one


# --- many clients, kill -9 -------------------------------------------------------------------------------------------------


def test_several_clients_at_once(serve: Any, shop: Any) -> None:
    """Each answer is an action of its own."""
    answers: list[int] = []

    def work() -> None:
        with connect() as client:
            answers.extend(client.put("tea") for _ in range(25))

    with serve(shop) as connect:
        clients = [threading.Thread(target=work) for _ in range(6)]
        for one in clients:
            one.start()
        for one in clients:
            one.join()
    assert sorted(answers) == list(range(1, 151))


EXAMPLES = {"pyro": Proxy, "xmlrpc": ServerProxy}


@contextmanager
def example(kind: str, directory: Path, port: int = 0) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The example's server, listening; gives the process and where."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(ROOT / "examples" / kind / "server.py"), str(directory), str(port)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_server_killed_during_its_clients_calls_loses_nothing_that_it_answered(kind: str, tmp_path: Path) -> None:
    """Neither does it make calls up: at most the one that each client was in happened without an answer."""
    answered = {f"page {number}": 0 for number in range(3)}
    enough = threading.Event()

    def edit(title: str) -> None:
        with EXAMPLES[kind](address) as wiki:
            answered[title] = wiki.create_page(title, "1", "a client")
            while True:
                try:
                    answered[title] = wiki.edit_page(title, str(answered[title] + 1), "a client")
                except (CommunicationError, OSError, HTTPException):
                    return
                if min(answered.values()) >= 20:
                    enough.set()

    with example(kind, tmp_path / "wiki") as (process, address):
        clients = [threading.Thread(target=edit, args=(title,)) for title in answered]
        for one in clients:
            one.start()
        assert enough.wait(60)
        process.kill()
        for one in clients:
            one.join()
        assert process.wait() == -signal.SIGKILL
    with example(kind, tmp_path / "wiki") as (_, address), EXAMPLES[kind](address) as wiki:
        for title, last in answered.items():
            history = wiki.history(title)
            assert last <= len(history) <= last + 1
            assert history == [str(number) for number in range(1, len(history) + 1)]


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_client_goes_on_after_the_server_was_restarted(kind: str, tmp_path: Path) -> None:
    """At the same place; the client's proxy connects anew by itself."""
    (port,) = free_ports(1)
    with ExitStack() as house:
        with example(kind, tmp_path / "wiki", port) as (_, address):
            wiki = house.enter_context(EXAMPLES[kind](address))
            wiki.create_page("Home", "Welcome", "a client")
        with pytest.raises((CommunicationError, OSError)):
            wiki.titles()
        with example(kind, tmp_path / "wiki", port) as (_, again):
            assert again == address
            assert wiki.titles() == ["Home"]


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_examples_client_uses_the_examples_server(kind: str, tmp_path: Path) -> None:
    """Twice; and Ctrl-C closes the server, which says nothing of it."""
    with example(kind, tmp_path / "wiki") as (process, address):
        command = [sys.executable, str(ROOT / "examples" / kind / "client.py"), address]
        for revision in (1, 2):
            ran = subprocess.run(command, capture_output=True, text=True, check=True)
            assert ran.stdout == f"Home, revision {revision}\n"
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
    with control(init_system(Wiki, tmp_path / "wiki")) as wiki:
        assert wiki.history("Home") == ["Welcome", "Welcome"]


class HangsUp(StreamRequestHandler):
    """Reads a call and says nothing."""

    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        CALLS.append("call")


CALLS: list[str] = []


def test_as_many_clients_as_come_at_once_need_not_knock_again() -> None:
    """Each call of XML-RPC is a connection of its own, and one that finds no room is tried again by the kernel after a second."""
    with xmlrpc_server.Server(("127.0.0.1", 0)) as server, ExitStack() as clients:  # it takes none of them yet
        for _ in range(30):
            clients.enter_context(socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=0.9))


def test_the_standard_librarys_client_calls_again_and_the_pages_does_not() -> None:
    """Why docs/client-server.md shows a transport."""
    (block,) = re.findall(r"```python\n([^`]*class Once.*?)```", (ROOT / "docs/client-server.md").read_text(), re.DOTALL)
    with TCPServer(("127.0.0.1", 0), HangsUp) as server, running(lambda: server.serve_forever(0.01), server.shutdown):
        address = f"http://127.0.0.1:{server.server_address[1]}"
        once: dict[str, Any] = {}
        exec(block.replace("http://127.0.0.1:7767", address), once)  # noqa: S102 - the documentation's own
        for client, calls in [(ServerProxy(address), 2), (once["wiki"], 1)]:
            CALLS.clear()
            with pytest.raises(OSError, match=r"closed|reset|Broken"):
                client.put("tea")
            assert len(CALLS) == calls


def test_without_pyro5_an_error_says_what_to_install() -> None:
    """And xmlrpc is served without it."""
    program = (
        "import sys; sys.modules['Pyro5'] = None\n"
        "from coopy import init_system; from coopy.serve import for_pyro, for_xmlrpc; from examples.wiki import Wiki\n"
        "wiki = init_system(Wiki, sys.argv[1]); for_xmlrpc(wiki); for_pyro(wiki)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-c", program, "wiki"],
        cwd=environment["COOPY_CACHE"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr.rstrip().endswith('UsageError: Serving by Pyro needs Pyro5: `pip install "coopy[pyro]"`.')
