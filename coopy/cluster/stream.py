"""What the shared journal must look like at the servers: made so by the first node, and refused where it is otherwise.

The settings keep history: nothing expires, nothing may be deleted, and where there is no room a message is refused. A stream that is gone is never
made again, or a node would go on in another history.

A shared journal is one stream after the other, its generations: no name of a cluster holds an @.

    coopy-NAME@GENERATION           the stream
    coopy.NAME.GENERATION.KIND      where its messages go: genesis, calls, join, due, digest, claim, snapshot, seal
    coopy-NAME                      the object store, which all of them share
"""

from __future__ import annotations

import base64
import contextlib
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from coopy.cluster.link import ASK_ADMIN, PATIENCE, LostError, NoStreamError, RefusedError
from coopy.cluster.message import LARGEST, MAX_SIZE
from coopy.error import ClusterError, UsageError

if TYPE_CHECKING:
    from coopy.cluster.link import Link

__all__ = ["NODE", "REPLICAS", "Stream", "check_name", "stream_name"]

REPLICAS = 3
NODE = "coopy-node"  # under which a consumer says whose it is
WINDOW = 120_000_000_000  # nanoseconds in which the servers themselves know a message again
AWAY = 2_500_000_000  # nanoseconds after which one that the leader has not heard, each second, is not there
SETTINGS: dict[str, Any] = {
    "retention": "limits", "max_consumers": -1, "max_msgs": -1, "max_bytes": -1, "max_age": 0, "max_msgs_per_subject": -1, "max_msg_size": MAX_SIZE,
    "discard": "new", "storage": "file", "duplicate_window": WINDOW, "deny_delete": True, "deny_purge": True, "allow_rollup_hdrs": False,
    "allow_direct": False, "sealed": False,
}  # fmt: skip
FREE = ("max_bytes", "max_msg_size", "duplicate_window")  # an administrator may choose them otherwise, within reason
CHOSEN = (*FREE, "num_replicas", "placement")
NEVER = (  # others write into it, or change, count, hold back or do not acknowledge what is written; or messages end some day
    "mirror", "sources", "republish", "subject_transform", "persist_mode", "no_ack", "allow_msg_ttl", "subject_delete_marker_ttl",
    "allow_msg_counter", "allow_msg_schedules", "first_seq",
)  # fmt: skip
NO_MESSAGE, NAME_TAKEN, WRONG_LAST, WRONG_LAST_OF_SUBJECT = 10037, 10058, 10071, 10164
NOT_CLUSTERED, NO_PLACE, IN_PROCESS = 10074, 10005, 10158
GATHER = 10.0  # seconds in which servers that have begun, and take each other for offline, find each other
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


def check_name(name: Any) -> str:
    """Raises UsageError for what cannot be the name of a cluster's journal."""
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise UsageError(f"name={name!r} is not possible: it is of letters, digits, - and _, and not longer than 64.", option="name")
    found: str = name
    return found


def stream_name(name: str) -> str:
    """What the shared journal of a cluster with this name is called; each of its streams, with its generation behind it."""
    return f"coopy-{name}"


class About(msgspec.Struct, frozen=True):
    """What the servers say of it.

    `created`: when, which tells it from another of this name; `peers`: the servers that keep it and are there, by name; `replicas`: how many are to keep it;
    `size`: in bytes; `chosen`: what an administrator may choose.
    """

    created: str
    first: int
    last: int
    deleted: int
    peers: tuple[str, ...]
    replicas: int
    size: int
    chosen: dict[str, Any] = {}


class Stream:
    """One stream of a cluster, of one generation. All that is asked is asked on the link's thread."""

    def __init__(self, link: Link, name: str, generation: int = 1, *, assume_durable: bool) -> None:
        self.link, self.short, self.generation, self.assume_durable = link, name, generation, assume_durable
        self.bucket = stream_name(name)
        self.name = f"{self.bucket}@{generation}"

    def of(self, generation: int) -> Stream:
        """That of another generation."""
        return Stream(self.link, self.short, generation, assume_durable=self.assume_durable)

    def subject(self, what: str) -> str:
        """Where messages of one kind go."""
        return f"coopy.{self.short}.{self.generation}.{what}"

    # --- there ---------------------------------------------------------------------------------------------------------

    async def look(self) -> About | None:
        """What it is now; None where there is none. Raises ClusterError where its settings are not as they must be."""
        try:
            found = await self.link.ask(f"STREAM.INFO.{self.name}")
        except NoStreamError:
            return None
        self._check(found["config"])
        return _about(found)

    async def within_reach(self) -> bool:
        """Whether anybody could answer such a question: not where no server that is there has JetStream."""
        return await self.link.reaches_jetstream(f"STREAM.INFO.{self.name}")

    async def about(self) -> About | None:
        """As `look`; where nobody answers, for a while."""
        return await self.link.again(self.look, PATIENCE)

    async def generations(self) -> list[int]:
        """Of this cluster's streams those that are there, in order."""
        found, total, name = list[str](), 1, re.compile(f"{re.escape(self.bucket)}@([1-9][0-9]*)", re.ASCII)
        while len(found) < total:
            page = await self.link.ask("STREAM.NAMES", {"subject": f"coopy.{self.short}.>", "offset": len(found)})
            found += page.get("streams") or []
            total = page.get("total", 0) if page.get("streams") else 0
        return sorted(int(match[1]) for match in map(name.fullmatch, found) if match is not None)

    async def create(self, like: About | None = None) -> About:
        """Make it, unless it is there; with what an administrator has chosen for another. Raises ClusterError where the servers cannot keep it as it must be."""
        wanted = {"name": self.name, "subjects": [self.subject(">")], "num_replicas": REPLICAS, **SETTINGS}
        wanted |= {"metadata": {"coopy": "1"}, **(like.chosen if like is not None else {})}
        try:
            found = await self.link.again(lambda: self._create(wanted), GATHER)
        except RefusedError as error:
            if error.code != NAME_TAKEN:
                raise self._not_made(error) from error
            about = await self.look()
            if about is None:
                raise
            return about
        self._check(found["config"])
        return _about(found)

    def _not_made(self, error: RefusedError) -> ClusterError:
        few = error.code in {NOT_CLUSTERED, NO_PLACE} and not self.assume_durable
        ways = f"{REPLICAS} servers of one cluster are to keep it; for a trial assume_durable=True lets one do" if few else ASK_ADMIN
        return ClusterError(f"The stream {self.name} could not be made: {error.why}. Nothing was changed. {ways}.", code=error.code)

    async def _create(self, wanted: dict[str, Any]) -> dict[str, Any]:
        try:
            return await self.link.ask(f"STREAM.CREATE.{self.name}", wanted)
        except RefusedError as error:
            if error.code == NO_PLACE and "offline" in error.why and not self.assume_durable:
                raise LostError(str(self._not_made(error))) from error
            if error.code not in {NOT_CLUSTERED, NO_PLACE} or not self.assume_durable:
                raise
            return await self.link.ask(f"STREAM.CREATE.{self.name}", {**wanted, "num_replicas": 1})

    def _check(self, config: dict[str, Any]) -> None:
        wrong = [
            f"{name} is {config.get(name, _none(value))!r}, not {value!r}"
            for name, value in SETTINGS.items()
            if name not in FREE and config.get(name, _none(value)) != value
        ]
        replicas, window = config.get("num_replicas", 1), config.get("duplicate_window", 0)
        if replicas < REPLICAS and not self.assume_durable:
            wrong.append(f"num_replicas is {replicas}, not {REPLICAS} or more")
        if window < WINDOW:
            wrong.append(f"duplicate_window is {window}, not {WINDOW} or more")
        if config.get("subjects") != [self.subject(">")]:
            wrong.append(f"subjects is {config.get('subjects')!r}, not {[self.subject('>')]!r}")
        if 0 <= config.get("max_msg_size", -1) < LARGEST:
            wrong.append(f"max_msg_size is {config['max_msg_size']}, not {LARGEST} or more")
        wrong += [f"{name} is {config[name]!r}, and must not be" for name in NEVER if config.get(name)]
        if wrong:
            what = f"The stream {self.name} is not as a shared journal must be: {'; '.join(wrong)}. Nothing was changed."
            raise ClusterError(f"{what} Choose another name=, or have an administrator set it right.")

    async def delete(self) -> None:
        """With all that is in it, for good. Raises RefusedError, DeniedError, LostError."""
        with contextlib.suppress(NoStreamError):
            await self.link.ask(f"STREAM.DELETE.{self.name}")

    # --- its messages --------------------------------------------------------------------------------------------------

    async def get(self, sequence: int) -> bytes | None:
        """One message, as the stream's leader has it; None where it has none of that number."""
        found = await self._get({"seq": sequence})
        return _data(found) if found is not None else None

    async def _get(self, which: dict[str, Any]) -> dict[str, Any] | None:
        try:
            return await self.link.ask(f"STREAM.MSG.GET.{self.name}", which)
        except RefusedError as error:
            if error.code == NO_MESSAGE:
                return None
            raise

    async def begin(self, data: bytes, tag: str) -> None:
        """Publish the first message, unless there is one: which it is, reading it says."""
        try:
            await self.put("genesis", data, {"Nats-Expected-Last-Sequence": "0", "Nats-Msg-Id": tag})
        except RefusedError as error:
            if error.code != WRONG_LAST:
                raise ClusterError(f"The stream {self.name} took no first message: {error.why}. {ASK_ADMIN}.") from error

    async def last(self, what: str) -> tuple[int, bytes] | None:
        """The newest message of one kind, with its sequence, as the stream's leader has it; None where there is none."""
        found = await self._get({"last_by_subj": self.subject(what)})
        return (_sequence(found), _data(found)) if found is not None else None

    async def all(self, what: str) -> list[tuple[int, bytes]]:
        """All messages of one kind, in order, each with its sequence."""
        messages, sequence = list[tuple[int, bytes]](), 0
        while (found := await self._get({"seq": sequence + 1, "next_by_subj": self.subject(what)})) is not None:
            sequence = _sequence(found)
            messages.append((sequence, _data(found)))
        return messages

    async def age(self, what: str) -> float:
        """How many seconds ago the newest message of one kind came, by the servers' clocks; 0 where there is none."""
        found = await self._get({"last_by_subj": self.subject(what)})
        about = await self.link.ask(f"STREAM.INFO.{self.name}")
        if found is None:
            return 0.0
        try:
            now, then = (datetime.fromisoformat(one) for one in (about["ts"], found["message"]["time"]))
        except (KeyError, TypeError, ValueError) as error:
            raise LostError(f"A time could not be read from the servers' answer: {error}.") from None
        return max((now - then).total_seconds(), 0.0)

    async def put_surely(self, what: str, data: bytes, tag: str) -> None:
        """Publish a message of one kind, again until it is known that it is there, once in two minutes. Raises LostError, where nobody answers for long."""
        await self.link.again(lambda: self.put(what, data, {"Nats-Msg-Id": tag}), PATIENCE)

    async def put_behind(self, what: str, data: bytes, sequence: int, tag: str) -> bool:
        """Publish a message of one kind, unless there is another of that kind behind this sequence (0: any). Whether this one is there. Raises LostError."""
        headers = {"Nats-Msg-Id": tag, "Nats-Expected-Last-Subject-Sequence": str(sequence)}
        try:
            await self.link.again(lambda: self.put(what, data, headers), PATIENCE)
        except RefusedError as error:
            if error.code not in {WRONG_LAST, WRONG_LAST_OF_SUBJECT}:
                raise
            found = await self.link.again(lambda: self.last(what), PATIENCE)
            return found is not None and found[1] == data
        return True

    async def nodes(self) -> list[bytes]:
        """Who takes from it now, by what they said of themselves: nobody from one that is gone. Raises LostError, also where not all servers have answered."""
        found, total = list[dict[str, Any]](), 1
        while len(found) < total:
            try:
                page = await self.link.ask(f"CONSUMER.LIST.{self.name}", {"offset": len(found)})
            except NoStreamError:
                return []
            if page.get("missing"):
                raise LostError(f"Not all servers said who takes from the stream {self.name}.")
            found += page.get("consumers") or []
            total = page.get("total", 0) if page.get("consumers") else 0
        said = [one["config"].get("metadata", {}).get(NODE, "") for one in found if one.get("push_bound")]
        return [bytes.fromhex(one) for one in said if _ID.fullmatch(one) is not None]

    async def put(self, what: str, data: bytes, headers: dict[str, str]) -> None:
        """Publish a message of one kind, and hear that it is there. Raises RefusedError, and LostError where nobody knows."""
        answer = await self.link.request(self.subject(what), data, {**headers, "Nats-Expected-Stream": self.name})
        try:
            found = self.link.answer(answer.data, f"a message to {self.subject(what)}")
        except RefusedError as error:
            if error.code == IN_PROCESS:  # another one under this id, whose fate is open
                raise LostError(str(error)) from error
            raise
        if "seq" not in found:
            raise LostError(f"The stream {self.name} did not acknowledge a message.")


def _about(found: dict[str, Any]) -> About:
    state, cluster = found["state"], found.get("cluster") or {}
    peers = [cluster.get("leader"), *(one["name"] for one in cluster.get("replicas") or [] if _is_there(one))]
    return About(
        found["created"], state["first_seq"], state["last_seq"], state.get("num_deleted", 0), tuple(one for one in peers if one),
        found["config"].get("num_replicas", 1), state.get("bytes", 0),
        {one: found["config"][one] for one in CHOSEN if one in found["config"]},
    )  # fmt: skip


def _is_there(peer: dict[str, Any]) -> bool:
    """Whether the leader hears of it. That it is offline is said of one that was killed after minutes only."""
    silent = peer.get("active", 0)
    return not peer.get("offline") and (silent < AWAY if silent else bool(peer.get("current")))


def _data(found: dict[str, Any]) -> bytes:
    """The bytes of a message in an answer."""
    try:
        return base64.b64decode(found["message"].get("data", ""), validate=True)
    except (KeyError, AttributeError, ValueError) as error:
        raise LostError(f"A message could not be read from the servers' answer: {error}.") from None


def _sequence(found: dict[str, Any]) -> int:
    try:
        return int(found["message"]["seq"])
    except (KeyError, TypeError, ValueError) as error:
        raise LostError(f"A message could not be read from the servers' answer: {error}.") from None


def _none(value: object) -> object:
    """What a setting is that the servers leave out."""
    return type(value)()
