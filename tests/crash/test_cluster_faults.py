"""Three schedules of faults: three nodes call through a network that is cut, on servers that are killed and frozen. The rest is `make faults ARGS=cluster`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.crash.fates import (
    Ended,
    answers_cut_off,
    check_answers,
    leader_cut_off,
    leader_frozen,
    leader_killed,
    node_burnt,
    node_cut_off,
    node_frozen,
    node_killed,
    node_unheard,
    node_without_power,
    run,
    snapshots_taken,
    stream_followed,
    streams_pruned,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.fates import Fate


SCHEDULES: dict[int, list[list[Fate]]] = {  # by seed
    1: [[answers_cut_off, stream_followed], [node_without_power], [leader_killed, node_killed, stream_followed], [node_burnt]],
    2: [[node_cut_off], [streams_pruned, snapshots_taken, node_without_power], [leader_frozen]],
    3: [[node_frozen, node_unheard, stream_followed], [leader_cut_off]],
}


def test_whatever_befalls_a_cluster_it_gets_on_by_itself_and_nobody_was_told_wrong(tmp_path: Path) -> None:
    """Equal in the end; nothing acknowledged is lost, nothing happens twice, and the answers are those of one desk.

    The schedules run beside each other, each on servers of its own: nearly all of their time they wait for servers to elect another leader.
    """
    with ThreadPoolExecutor() as beside:
        trials = [beside.submit(run, tmp_path / str(seed), seed, fates) for seed, fates in SCHEDULES.items()]
    for trial in trials:
        assert trial.result().acknowledged > 100


def test_the_judge_of_answers_knows_which_object_it_was() -> None:
    """What is there in the end counts as an answer; what is of unknown outcome, and has left its mark, has happened some time."""
    begun: dict[str, list[Any]] = {
        "a": [0, "register0", "write"],
        "b": [2, "queue0", "put"],
        "c": [4, "queue0", "take"],
        "d": [6, "register0", "write"],
    }
    ended = {"a": Ended(1, "ok", None), "b": Ended(3, "ok", None), "c": Ended(5, "ok", "b")}
    check_answers(begun, ended, ["a", "b", "c"], {"register0": "a"}, {"queue0": []})
    check_answers(begun, ended, ["a", "b", "c", "d"], {"register0": "d"}, {"queue0": []})
    with pytest.raises(AssertionError, match="register0: no order"):
        check_answers(begun, ended, ["a", "b", "c"], {"register0": "d"}, {"queue0": []})
    with pytest.raises(AssertionError, match="queue0: no order"):
        check_answers(begun, ended, ["a", "b", "c"], {"register0": "a"}, {"queue0": ["b"]})
