"""What a Prometheus server finds when it scrapes a process that has systems open."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.parser import text_string_to_metric_families

from coopy import control, init_system, prometheus
from coopy.engine.stats import NodeStats
from coopy.measured import LIMITS
from tests.asked import primary_stats
from tests.functional.test_replication import wait_until
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Iterator

    Samples = dict[tuple[str, str], float]  # by name and directory

ROOT = Path(__file__).resolve().parents[2]


class Scraped:
    """An endpoint as a program has it, and who reads it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        prometheus.register(self.registry)
        self.server, self._thread = start_http_server(0, "127.0.0.1", self.registry)

    def text(self) -> str:
        """What it serves."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.server.server_port}/metrics") as answer:
            return str(answer.read().decode())

    def samples(self) -> Samples:
        """Values by their names and directories, those of other labels but for the last."""
        return {
            (sample.name, Path(sample.labels["directory"]).name): sample.value
            for family in text_string_to_metric_families(self.text())
            for sample in family.samples
        }

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def scraped() -> Iterator[Scraped]:
    found = Scraped()
    yield found
    found.close()


def test_every_open_system_is_found(tmp_path: Path, scraped: Scraped) -> None:
    """Also one that was opened later, and no longer one that was closed."""
    one = init_system(Word(), tmp_path / "one")
    one.add("a")
    other = init_system(Word(), tmp_path / "other", durability="buffered")
    found = scraped.samples()
    assert (found["coopy_lsn", "one"], found["coopy_lsn", "other"]) == (1, 0)
    assert (found["coopy_actions_total", "one"], found["coopy_open", "one"]) == (1, 1)
    assert (found["coopy_batch_duration_seconds_count", "one"], found["coopy_batch_duration_seconds_count", "other"]) == (1, 0)
    control(one).close()
    assert {directory for _, directory in scraped.samples()} & {"one", "other"} == {"other"}
    control(other).close()


def test_what_it_is_stands_in_labels(tmp_path: Path, scraped: Scraped) -> None:
    """The class and the directory at each number; the rest at one."""
    with control(init_system(Word(), tmp_path / "w")) as word:
        labels = f'directory="{tmp_path / "w"}"'
        lines = [line for line in scraped.text().splitlines() if labels in line]
        assert all('system="tests.words:Word"' in line for line in lines)
        about = next(line for line in lines if line.startswith("coopy_system_info{"))
        assert all(f'{name}="' in about for name in ("identity", "role", "durability", "state"))
        assert control(word).stats().system in about


def test_numbers_are_those_of_stats(tmp_path: Path, scraped: Scraped) -> None:
    """Of a primary and of its replica, each with what it has."""
    with (
        control(init_system(Word(), tmp_path / "p", master=True, port=0)) as word,
        control(init_system(Word, tmp_path / "r", replication=True, port=control(word).address[1])) as replica,
    ):
        word.add("a")
        control(replica).wait_for(control(word).token, 60)
        wait_until(lambda: primary_stats(word).replicas == 1)  # no more the connection by which the first state came
        control(word).take_snapshot()
        found, stats = scraped.samples(), control(word).stats()
        assert found["coopy_journal_bytes", "p"] == stats.journal_bytes
        assert (found["coopy_snapshot_lsn", "p"], found["coopy_snapshots", "p"]) == (1, 2)
        assert found["coopy_opened_timestamp_seconds", "p"] == pytest.approx(stats.opened.timestamp())
        assert (found["coopy_replicas", "p"], found["coopy_replica_connected", "r"], found["coopy_replica_lag_actions", "r"]) == (
            1,
            1,
            0,
        )
        assert found["coopy_shipped_bytes_total", "p"] > 0
        assert not {("coopy_replicas", "r"), ("coopy_replica_connected", "p")} & found.keys()


def test_a_node_has_metrics_of_its_own(tmp_path: Path) -> None:
    """Every number that it says of itself, but for its consumers."""
    with control(init_system(Word(), tmp_path / "w")) as word:
        node = NodeStats(True, "", *range(10, 23))
        stats = msgspec.structs.replace(control(word).stats(), replication=node)
    found = {sample.name: sample.value for family in prometheus.SystemCollector()._metrics([stats]) for sample in family.samples}
    said = {value for name, value in found.items() if name.startswith("coopy_node_")}
    assert said == {1.0, *map(float, range(10, 23))} - {20.0}


def test_a_histogram_holds_what_is_below_each_bound(tmp_path: Path, scraped: Scraped) -> None:
    """In the order of Prometheus, with the count and the sum of `stats()`."""
    with control(init_system(Word(), tmp_path / "w")) as word:
        for _ in range(5):
            word.add("a")
        family = next(one for one in text_string_to_metric_families(scraped.text()) if one.name == "coopy_batch_duration_seconds")
        mine = [one for one in family.samples if one.labels["directory"] == str(tmp_path / "w")]
        buckets = [one for one in mine if one.name.endswith("_bucket")]
        timing = control(word).stats().batches
        assert [float(one.labels["le"]) for one in buckets] == [*LIMITS, float("inf")]
        assert [one.value for one in buckets] == sorted(one.value for one in buckets)
        assert buckets[-1].value == timing.count == 5
        assert next(one.value for one in mine if one.name.endswith("_sum")) == pytest.approx(timing.total)


def test_what_went_wrong_is_told_with_its_time(tmp_path: Path, scraped: Scraped) -> None:
    """By area; a system that ended itself is not open."""
    word = init_system(Word(), tmp_path / "w")
    word.add("a")
    (tmp_path / "w").rename(tmp_path / "moved")
    with pytest.raises(Exception, match="was moved"):
        control(word).take_snapshot()
    assert ("coopy_last_error_timestamp_seconds", "w") in scraped.samples()
    assert 'area="snapshot"' in scraped.text()
    assert scraped.samples()["coopy_snapshots_failed_total", "w"] == 1
    control(word).close()


def test_names_are_as_prometheus_wants_them(scraped: Scraped) -> None:
    """Base units, and a description of each; registering twice is refused by the library."""
    families = list(text_string_to_metric_families(scraped.text()))
    assert all(family.name.startswith("coopy_") and family.documentation for family in families)
    names = [name for name, _, _ in (*prometheus.GAUGES, *prometheus.COUNTERS, *prometheus.HISTOGRAMS)]
    assert not [name for name in names if name.endswith(("_ms", "_us", "_total", "_count", "_kb"))]
    with pytest.raises(ValueError, match="Duplicated"):
        prometheus.register(scraped.registry)


def test_without_the_library_it_says_what_to_install() -> None:
    """As every extra does."""
    code = 'import sys; sys.modules["prometheus_client"] = None\nfrom coopy import prometheus\nprometheus.register()'
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False).stderr
    assert 'UsageError: This collector needs prometheus_client: `pip install "coopy[prometheus]"`.' in said


def test_every_metric_is_on_the_page() -> None:
    """And so is no other."""
    page = (ROOT / "docs/monitoring.md").read_text()
    names = {name for name, _, _ in (*prometheus.GAUGES, *prometheus.HISTOGRAMS)} | {f"{name}_total" for name, _, _ in prometheus.COUNTERS}
    names |= {"coopy_system_info", "coopy_last_error_timestamp_seconds"}
    assert {word for word in page.replace("`", " ").split() if word.startswith("coopy_")} == names
