"""SARIF 2.1.0: every object has the properties that the standard requires and only such as it knows; what they say is where the code is.

The table holds, for the objects that coopy writes, the required and the other known properties (OASIS SARIF 2.1.0, chapter 3).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from coopy.validate import main

SHAPES: dict[str, tuple[set[str], set[str]]] = {
    "log": ({"version", "runs"}, {"$schema"}),
    "run": ({"tool"}, {"results", "invocations", "columnKind", "originalUriBaseIds"}),
    "tool": ({"driver"}, set()),
    "driver": ({"name"}, {"version", "informationUri", "rules"}),
    "rule": ({"id"}, {"name", "shortDescription", "fullDescription", "helpUri", "help", "defaultConfiguration"}),
    "invocation": ({"executionSuccessful"}, {"toolExecutionNotifications"}),
    "notification": ({"message"}, {"level", "descriptor", "locations"}),
    "result": ({"message"}, {"ruleId", "ruleIndex", "level", "locations", "partialFingerprints", "codeFlows", "properties"}),
    "location": (set(), {"physicalLocation", "message"}),
    "physicalLocation": ({"artifactLocation"}, {"region"}),
    "artifactLocation": ({"uri"}, {"uriBaseId"}),
    "region": ({"startLine", "startColumn"}, {"endColumn"}),
    "codeFlow": ({"threadFlows"}, set()),
    "threadFlow": ({"locations"}, set()),
    "threadFlowLocation": ({"location"}, set()),
}


def shape(name: str, one: dict[str, Any]) -> dict[str, Any]:
    """The object, after its properties were checked."""
    required, known = SHAPES[name]
    assert required <= set(one) <= required | known, (name, set(one))
    return one


def check_location(one: dict[str, Any]) -> None:
    physical = shape("physicalLocation", shape("location", one)["physicalLocation"])
    place = shape("artifactLocation", physical["artifactLocation"])
    assert re.fullmatch(r"[\w.~/%:+-]+", place["uri"], re.ASCII), place
    assert place["uri"].startswith("file:///") or place["uriBaseId"] == "%SRCROOT%"
    region = shape("region", physical["region"])
    assert all(isinstance(number, int) and number >= 1 for number in region.values())
    assert region.get("endColumn", region["startColumn"]) >= region["startColumn"]


def check(text: str) -> dict[str, Any]:
    """The run of a log whose every object was checked."""
    log = shape("log", json.loads(text))
    assert log["version"] == "2.1.0"
    run = shape("run", log["runs"][0])
    rules = [shape("rule", one) for one in shape("driver", shape("tool", run["tool"])["driver"])["rules"]]
    assert len({one["id"] for one in rules}) == len(rules)
    for one in rules:
        assert one["defaultConfiguration"]["level"] in {"none", "note", "warning", "error"}
        assert one["helpUri"].startswith("https://")
        assert one["help"]["text"]
    for one in run["results"]:
        shape("result", one)
        assert rules[one["ruleIndex"]]["id"] == one["ruleId"]
        assert one["level"] in {"error", "warning"}
        for location in one["locations"]:
            check_location(location)
        for flow in one.get("codeFlows", []):
            for thread in shape("codeFlow", flow)["threadFlows"]:
                for step in shape("threadFlow", thread)["locations"]:
                    check_location(shape("threadFlowLocation", step)["location"])
    for invocation in run["invocations"]:
        for note in shape("invocation", invocation)["toolExecutionNotifications"]:
            for location in shape("notification", note).get("locations", []):
                check_location(location)
    return dict(run)


@pytest.fixture
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tools = 'import time\n\n\ndef now():\n    return "é", time.time()\n'
    Path("my tools").mkdir()
    Path("my tools", "tools.py").write_text(tools, encoding="utf-8")
    Path("app.py").write_text("from tools import now\n\n\nclass Domain:\n    def act(self):\n        return now()\n\n    act2 = act\n")


def run_sarif(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """The run that the command writes."""
    main([*arguments, "--format", "sarif", "--no-cache"])
    return check(capsys.readouterr().out)


@pytest.mark.usefixtures("_folder")
def test_a_result_has_its_region_and_the_way_there_as_code_flow(capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = run_sarif(capsys, "app.py", "my tools", "--domain", "app:Domain")["results"]
    place = one["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "my%20tools/tools.py", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 5, "startColumn": 17, "endColumn": 26}  # characters, not bytes
    assert (one["ruleId"], one["level"]) == ("CPY101", "error")
    steps = [step["location"] for step in one["codeFlows"][0]["threadFlows"][0]["locations"]]
    assert [(step["message"]["text"], step["physicalLocation"]["region"]["startLine"]) for step in steps] == [("Domain.act", 6), ("now", 5)]


@pytest.mark.usefixtures("_folder")
def test_a_fingerprint_survives_lines_above(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("app.py", "my tools", "--domain", "app:Domain")
    (before,) = run_sarif(capsys, *arguments)["results"]
    path = Path("my tools", "tools.py")
    path.write_text("import os\n\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    (after,) = run_sarif(capsys, *arguments)["results"]
    assert before["partialFingerprints"] == after["partialFingerprints"]
    assert before["locations"] != after["locations"]


@pytest.mark.usefixtures("_folder")
def test_a_file_that_cannot_be_analysed_is_a_notification(capsys: pytest.CaptureFixture[str]) -> None:
    Path("broken.py").write_text("x = (\n")
    run = run_sarif(capsys, ".", "--domain", "app:Domain")
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "broken.py"


@pytest.mark.usefixtures("_folder")
def test_a_run_that_was_refused_is_a_log_too(capsys: pytest.CaptureFixture[str]) -> None:
    run = run_sarif(capsys, "nowhere", "--domain", "app:Domain")
    assert "no such file" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
    assert run["results"] == []


def test_a_file_elsewhere_is_named_by_a_file_uri(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "app.py").write_text("import time\nclass Domain:\n    def act(self):\n        return time.time()\n")
    (one,) = run_sarif(capsys, str(tmp_path), "--domain", "app:Domain")["results"]
    assert one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == (tmp_path.resolve() / "app.py").as_uri()
