"""Findings -> SARIF 2.1.0 (OASIS): what code scanning services and editors read. One run; every finding a result with its way there as code flow.

paths      relative to the working directory (the base %SRCROOT%), else file:// URIs; columns count code points from 1
problems   notifications of the invocation: a file that could not be analysed is no result, and the run did not succeed
"""

from __future__ import annotations

import json
from contextlib import suppress
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from coopy.validation.quote import Lines, relative
from coopy.validation.rules import NOTICES, RULES
from coopy.validation.rules.page import HOME, as_text, markdown, uri

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coopy.validation.rules import Rule
    from coopy.validation.summary import Problem
    from coopy.validation.verdict import Finding, Step

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
BASE = "%SRCROOT%"
_ALL = (*NOTICES, *RULES)
_INDEX = {one.code: number for number, one in enumerate(_ALL)}
_LEVELS = {"error": "error", "warning": "warning", "off": "none"}


def sarif(findings: Iterable[Finding], problems: Iterable[Problem]) -> str:
    """A SARIF log of one run."""
    lines, seen = Lines(), dict[str, int]()
    failed = [_notification(one) for one in problems]
    run = {
        "tool": {"driver": _driver()},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {BASE: {"description": {"text": "the working directory of the run"}}},
        "invocations": [{"executionSuccessful": not failed, "toolExecutionNotifications": failed}],
        "results": [_result(one, lines, seen) for one in findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1)


def _driver() -> dict[str, Any]:
    driver: dict[str, Any] = {"name": "coopy", "informationUri": HOME, "rules": [_rule(one) for one in _ALL]}
    with suppress(PackageNotFoundError):  # run from a folder that was never installed
        driver["version"] = version("coopy")
    return driver


def _rule(one: Rule) -> dict[str, Any]:
    return {
        "id": one.code,
        "name": "".join(part.capitalize() for part in one.category.split("-")),
        "shortDescription": {"text": f"{one.category}: {one.title}"},
        "fullDescription": {"text": one.why},
        "helpUri": uri(one),
        "help": {"text": as_text(one), "markdown": markdown(one)},
        "defaultConfiguration": {"level": _LEVELS[one.severity], "enabled": one.severity != "off"},
    }


def _result(one: Finding, lines: Lines, seen: dict[str, int]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": one.rule,
        "ruleIndex": _INDEX[one.rule],
        "level": one.severity,
        "message": {"text": f"{one.message} {one.help}"},
        "locations": [_location(one.path, one.line, one.column, lines)],
        "partialFingerprints": {"coopy/v1": _fingerprint(one, lines, seen)},
    }
    if one.call_path:
        result["codeFlows"] = [{"threadFlows": [{"locations": [{"location": _step(step, lines)} for step in one.call_path]}]}]
    if one.domain:
        result["properties"] = {"domain": one.domain, "entryPoint": one.entry_point}
    return result


def _fingerprint(one: Finding, lines: Lines, seen: dict[str, int]) -> str:
    """The same finding in a later version of the file: rule, file and the text of the line, not its number."""
    text = f"{one.rule}\0{relative(one.path)}\0{lines.line(one.path, one.line).strip()}"
    seen[text] = seen.get(text, 0) + 1
    return blake2b(f"{text}\0{seen[text]}".encode(errors="surrogatepass"), digest_size=16).hexdigest()


def _step(step: Step, lines: Lines) -> dict[str, Any]:
    text = lines.line(step.path, step.line)
    column = len(text) - len(text.lstrip()) + 1
    region = {"startLine": step.line, "startColumn": column, "endColumn": max(len(text.rstrip()) + 1, column)}
    return {"physicalLocation": {"artifactLocation": _artifact(step.path), "region": region}, "message": {"text": step.name}}


def _location(path: str, line: int, column: int, lines: Lines) -> dict[str, Any]:
    region = {"startLine": line, "startColumn": column, "endColumn": lines.end(path, line, column)}
    return {"physicalLocation": {"artifactLocation": _artifact(path), "region": region}}


def _artifact(path: str) -> dict[str, str]:
    short = relative(path)
    if short == path:
        return {"uri": Path(path).as_uri()}
    return {"uri": quote(short.replace("\\", "/"), errors="surrogateescape"), "uriBaseId": BASE}


def _notification(one: Problem) -> dict[str, Any]:
    out: dict[str, Any] = {
        "level": "error",
        "message": {"text": f"cannot be analysed: {one.message}"},
        "descriptor": {"id": "CPY003", "index": _INDEX["CPY003"]},
    }
    if one.path:
        region = {"startLine": one.line, "startColumn": one.column}
        out["locations"] = [{"physicalLocation": {"artifactLocation": _artifact(one.path), "region": region}}]
    return out
