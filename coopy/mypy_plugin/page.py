"""The documentation of the codes: `python -m coopy.mypy_plugin.page docs` writes a page for each, and their part of typing.md.

The output that stands there is mypy's own, of the examples.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from coopy.mypy_plugin.codes import TOPICS, Topic

__all__ = ["output_of", "page", "with_codes", "write"]

BEGIN, END = "<!-- the codes, written by python -m coopy.mypy_plugin.page docs -->", "<!-- end of the codes -->"
CONFIGURATION = "[mypy]\nstrict = True\nplugins = coopy.mypy_plugin\n"


def output_of(texts: dict[str, str]) -> dict[str, list[str]]:
    """What mypy prints for each of these modules, by name, in one run."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "mypy.ini").write_text(CONFIGURATION, encoding="utf-8")
        for name, text in texts.items():
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
        files = [str(folder / f"{name}.py") for name in texts]
        options = ["--config-file", str(folder / "mypy.ini"), "--cache-dir", str(folder / "cache"), "--no-pretty", "--hide-error-context"]
        # In a process of its own: mypy raises the recursion limit of the one it runs in, and leaves it there.
        done = subprocess.run([sys.executable, "-m", "mypy", *options, *files], capture_output=True, text=True, check=False)  # noqa: S603 - mypy, on examples of ours
    if done.stderr:
        raise RuntimeError(done.stderr)
    found: dict[str, list[str]] = {name: [] for name in texts}
    for line in done.stdout.splitlines():
        match = re.match(r"(?:.*/)?(\w+)\.py:(\d+): (.*)", line)
        if match:
            found[match[1]].append(f"app.py:{match[2]}: {match[3]}")
    return found


def _name(topic: Topic, kind: str) -> str:
    return f"{topic.code.code.replace('-', '_')}_{kind}"


def _shown(text: str) -> str:
    """An example as it is printed: without the marks of the reported lines."""
    return text.replace("  # here", "").rstrip()


def page(topic: Topic, output: dict[str, list[str]]) -> str:
    """The page of one code."""
    parts = [
        f"# {topic.code.code}",
        f"*{topic.code.description}.*",
        topic.why,
        f"**Instead:** {topic.instead}",
        "## Reported",
        f"```python\n{_shown(topic.bad)}\n```",
        "```text\n" + "\n".join(output[_name(topic, "bad")]) + "\n```",
        "## Fine",
        f"```python\n{_shown(topic.good)}\n```",
        "## Silence it",
        f"`# type: ignore[{topic.code.code}]` on the line, or `disable_error_code = {topic.code.code}` in mypy's configuration.",
    ]
    return "\n\n".join(parts) + "\n"


def section(topic: Topic, output: dict[str, list[str]]) -> str:
    """The part of typing.md about one code: its last lines and what mypy says of them."""
    lines = _shown(topic.bad).splitlines()
    numbers = [int(line.split(":")[1]) for line in output[_name(topic, "bad")]]
    first = min(numbers)
    while first > 1 and lines[first - 2].strip():
        first -= 1
    return "\n\n".join(
        (
            f"### [{topic.code.code}](typing/{topic.code.code}.md)",
            topic.why,
            "```python\n" + "\n".join(lines[first - 1 : max(numbers)]) + "\n```",
            "```text\n" + "\n".join(output[_name(topic, "bad")]) + "\n```",
        )
    )


def with_codes(text: str, output: dict[str, list[str]]) -> str:
    """typing.md with the sections of today."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "\n\n" + "\n\n".join(section(one, output) for one in TOPICS) + "\n\n" + END + after


def outputs() -> dict[str, list[str]]:
    """What mypy says of all examples."""
    return output_of({_name(one, kind): getattr(one, kind) for one in TOPICS for kind in ("bad", "good")})


def write(docs: Path) -> None:
    """Write the pages and their part of typing.md below this folder."""
    output = outputs()
    folder = docs / "typing"
    folder.mkdir(exist_ok=True)
    for topic in TOPICS:
        (folder / f"{topic.code.code}.md").write_text(page(topic, output), encoding="utf-8")
    overview = docs / "typing.md"
    overview.write_text(with_codes(overview.read_text(encoding="utf-8"), output), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
