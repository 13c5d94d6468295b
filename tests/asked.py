"""What a primary and a replica say of themselves in numbers."""

from __future__ import annotations

from coopy import control
from coopy.engine.stats import PrimaryStats, ReplicaStats

__all__ = ["primary_stats", "replica_stats"]


def primary_stats(proxy: object) -> PrimaryStats:
    """Of a primary."""
    found = control(proxy).stats().replication
    assert isinstance(found, PrimaryStats)
    return found


def replica_stats(proxy: object) -> ReplicaStats:
    """Of a replica."""
    found = control(proxy).stats().replication
    assert isinstance(found, ReplicaStats)
    return found
