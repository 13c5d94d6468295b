"""A Prometheus collector: what `stats()` says, of every system that is open in this process when somebody asks.

    from coopy import prometheus

    prometheus.register()     # once, before or after systems are opened; prometheus_client serves it with everything else

Each metric is a row of a table: its kind, its name, what it is, and how it is read from a `Stats`. Names are those of Prometheus: seconds and bytes, and
`_total` behind what only grows. Labels say which system: `system` (its class) and `directory`. Nothing here holds up a call.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from coopy.engine.stats import NodeStats, PrimaryStats, ReplicaStats, Stats
from coopy.error import UsageError
from coopy.measured import LIMITS, Timing, Trouble
from coopy.wiring.systems import open_systems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from prometheus_client.metrics_core import Metric
    from prometheus_client.registry import CollectorRegistry

    Read = Callable[[Stats], float | None]

__all__ = ["SystemCollector", "register"]

LABELS = ("system", "directory")


def register(registry: CollectorRegistry | None = None) -> SystemCollector:
    """Have the systems of this process collected in this registry, by default the one that prometheus_client serves.

    Raises UsageError where prometheus_client is not installed, and ValueError, which is prometheus_client's, where it was done before.
    """
    collector = SystemCollector()
    (_client("registry").REGISTRY if registry is None else registry).register(collector)
    return collector


def _client(module: str) -> Any:
    """A part of the library. Raises UsageError that says how to install it where it is missing."""
    try:
        return importlib.import_module(f"prometheus_client.{module}")
    except ImportError as error:
        raise UsageError('This collector needs prometheus_client: `pip install "coopy[prometheus]"`.') from error


def _of_primary(read: Callable[[PrimaryStats], float]) -> Read:
    return lambda stats: read(stats.replication) if isinstance(stats.replication, PrimaryStats) else None


def _of_replica(read: Callable[[ReplicaStats], float]) -> Read:
    return lambda stats: read(stats.replication) if isinstance(stats.replication, ReplicaStats) else None


def _of_node(read: Callable[[NodeStats], float]) -> Read:
    return lambda stats: read(stats.replication) if isinstance(stats.replication, NodeStats) else None


GAUGES: tuple[tuple[str, str, Read], ...] = (
    ("coopy_open", "1 while the system takes actions, 0 where it ended itself.", lambda stats: stats.state == "open"),
    ("coopy_opened_timestamp_seconds", "When it was opened.", lambda stats: stats.opened.timestamp()),
    ("coopy_lsn", "LSN of the last action.", lambda stats: stats.lsn),
    ("coopy_durable_lsn", "LSN up to which all is on stable storage.", lambda stats: stats.durable),
    ("coopy_first_lsn", "LSN of the oldest action that is kept.", lambda stats: stats.first_lsn),
    ("coopy_epoch", "How often it was opened or promoted.", lambda stats: stats.epoch),
    ("coopy_queued_calls", "Calls that wait for a batch.", lambda stats: stats.queued),
    ("coopy_unlocked_actions", "@unlocked actions that run.", lambda stats: stats.unlocked),
    ("coopy_restore_duration_seconds", "How long the opening took to make the state.", lambda stats: stats.restored.seconds),
    ("coopy_restored_actions", "Actions that the opening replayed.", lambda stats: stats.restored.actions),
    ("coopy_snapshot_pause_seconds", "How long calls waited for the last snapshot.", lambda stats: stats.snapshot_pause),
    ("coopy_segments", "Segments of the journal.", lambda stats: stats.segments),
    ("coopy_journal_bytes", "Their size.", lambda stats: stats.journal_bytes),
    ("coopy_snapshots", "Snapshots that are kept.", lambda stats: len(stats.snapshot_lsns)),
    ("coopy_snapshot_bytes", "Their size.", lambda stats: stats.snapshot_bytes),
    ("coopy_snapshot_lsn", "LSN of the newest one.", lambda stats: stats.snapshot_lsns[-1]),
    ("coopy_keys", "Keys of once that are remembered.", lambda stats: stats.keys),
    ("coopy_damaged_snapshots", "Snapshots that were passed over.", lambda stats: stats.damaged_snapshots),
    ("coopy_replicas", "Replicas that are connected.", _of_primary(lambda primary: primary.replicas)),
    ("coopy_replicas_acked_lsn", "LSN up to which all of them have everything.", _of_primary(lambda primary: primary.acked)),
    ("coopy_replica_connected", "1 while the replica follows.", _of_replica(lambda replica: replica.connected)),
    ("coopy_replica_lag_actions", "Actions of the primary not executed here.", _of_replica(lambda replica: replica.lag)),
    ("coopy_replica_staleness_seconds", "How old answers may be at most.", _of_replica(lambda replica: replica.staleness)),
    ("coopy_node_connected", "1 while the node takes and sends.", _of_node(lambda node: node.connected)),
    ("coopy_node_generation", "Generation of the stream that is taken from.", _of_node(lambda node: node.generation)),
    ("coopy_node_former_streams", "Streams before that, last seen to be there.", _of_node(lambda node: node.former)),
    ("coopy_node_sequence", "Sequence of the last message taken.", _of_node(lambda node: node.sequence)),
    ("coopy_node_lag_messages", "Messages that came and were not taken yet.", _of_node(lambda node: node.lag)),
    ("coopy_node_waiting_calls", "Calls that were not sent yet.", _of_node(lambda node: node.waiting)),
    ("coopy_node_messages_under_way", "Messages whose fate is not known.", _of_node(lambda node: node.under_way)),
    ("coopy_node_compared_lsn", "LSN at which most nodes had this one's state.", _of_node(lambda node: node.compared)),
)
COUNTERS: tuple[tuple[str, str, Read], ...] = (
    ("coopy_actions", "Actions that were executed.", lambda stats: stats.actions),
    ("coopy_actions_raised", "Of these, those that raised.", lambda stats: stats.raised),
    ("coopy_actions_undone", "Of those, those that were undone.", lambda stats: stats.undone),
    ("coopy_snapshots_failed", "Snapshots that were not completed.", lambda stats: stats.snapshots_failed),
    ("coopy_divergences", "Outcomes that differed from the recorded ones.", lambda stats: stats.divergences),
    ("coopy_shipped_bytes", "Sent to replicas.", _of_primary(lambda primary: primary.shipped_bytes)),
    ("coopy_refused_peers", "Peers that were turned away.", _of_primary(lambda primary: primary.refused)),
    ("coopy_replica_sessions", "How often the replica began to follow.", _of_replica(lambda replica: replica.sessions)),
    ("coopy_received_bytes", "Received from the primary.", _of_replica(lambda replica: replica.received_bytes)),
    ("coopy_node_messages_taken", "Messages taken from the stream.", _of_node(lambda node: node.taken)),
    ("coopy_node_messages_published", "Messages put into the stream.", _of_node(lambda node: node.published)),
    ("coopy_node_messages_republished", "How often one went out again.", _of_node(lambda node: node.republished)),
    ("coopy_node_messages_refused", "Messages that the stream refused.", _of_node(lambda node: node.refused)),
    ("coopy_node_reconnects", "How often another server was found.", _of_node(lambda node: node.reconnects)),
)
HISTOGRAMS: tuple[tuple[str, str, Callable[[Stats], Timing]], ...] = (
    ("coopy_sync_duration_seconds", "Forcing the journal to stable storage.", lambda stats: stats.syncs),
    ("coopy_batch_duration_seconds", "A batch, from framing to the last result.", lambda stats: stats.batches),
    ("coopy_snapshot_duration_seconds", "A snapshot, from the call to the listed file.", lambda stats: stats.snapshots),
    ("coopy_rebuild_duration_seconds", "Making memory anew.", lambda stats: stats.rebuilds),
)


class SystemCollector:
    """What prometheus_client asks at each scrape. Raises UsageError where that is not installed."""

    _bounds: ClassVar = (*(str(limit) for limit in LIMITS), "+Inf")

    def __init__(self) -> None:
        self._core = _client("metrics_core")

    def collect(self) -> Iterator[Metric]:
        """Every metric, of every open system."""
        return self._metrics([one.stats() for one in open_systems()])

    def describe(self) -> Iterator[Metric]:
        """Which there are."""
        return self._metrics([])

    def _metrics(self, every: list[Stats]) -> Iterator[Metric]:
        yield self._about(every)
        yield self._errors(every)
        for kind, rows in ((self._core.GaugeMetricFamily, GAUGES), (self._core.CounterMetricFamily, COUNTERS)):
            for name, what, read in rows:
                metric = kind(name, what, labels=LABELS)
                for stats in every:
                    value = read(stats)
                    if value is not None:
                        metric.add_metric(_labels(stats), float(value))
                yield metric
        for name, what, timing in HISTOGRAMS:
            metric = self._core.HistogramMetricFamily(name, what, labels=LABELS)
            for stats in every:
                metric.add_metric(_labels(stats), self._buckets(timing(stats)), timing(stats).total)
            yield metric

    def _about(self, every: Iterable[Stats]) -> Metric:
        metric = self._core.InfoMetricFamily("coopy_system", "What it is.", labels=LABELS)
        for stats in every:
            about = {"identity": stats.system, "role": stats.role, "durability": stats.durability, "state": stats.state}
            metric.add_metric(_labels(stats), about)
        return metric  # type: ignore[no-any-return]

    def _errors(self, every: Iterable[Stats]) -> Metric:
        what = "When something went wrong last; it may be over."
        metric = self._core.GaugeMetricFamily("coopy_last_error_timestamp_seconds", what, labels=(*LABELS, "area"))
        for stats in every:
            for area, trouble in _troubles(stats).items():
                metric.add_metric((*_labels(stats), area), trouble.when.timestamp())
        return metric  # type: ignore[no-any-return]

    def _buckets(self, timing: Timing) -> list[tuple[str, float]]:
        """As Prometheus has them: each holds those before it."""
        below, buckets = 0, []
        for bound, count in zip(self._bounds, timing.counts, strict=True):
            below += count
            buckets.append((bound, float(below)))
        return buckets


def _labels(stats: Stats) -> tuple[str, str]:
    return stats.domain, stats.directory


def _troubles(stats: Stats) -> dict[str, Trouble]:
    every: dict[str, Trouble | None] = {**msgspec.structs.asdict(stats.errors)}
    if isinstance(stats.replication, ReplicaStats):
        every["replication"] = stats.replication.trouble
    return {area: trouble for area, trouble in every.items() if trouble is not None}
