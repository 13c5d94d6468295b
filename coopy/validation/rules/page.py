"""A rule as a page: Markdown for `docs/rules/` (`python -m coopy.validation.rules.page docs/rules`), plain text for `--explain`."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from coopy.validation.rules import NOTICES, RULES

if TYPE_CHECKING:
    from coopy.validation.rules.rule import Rule

HOME = "https://coopy.readthedocs.io/en/latest/"
SEVERITIES = {
    "error": "an error: a domain with such a finding is refused",
    "warning": "a warning: it is shown, and refuses nothing",
    "off": "off: reported where `--select` names it, as a warning",
}


def uri(rule: Rule) -> str:
    """Where the page of a rule is."""
    return f"{HOME}rules/{rule.code}.html"


def markdown(rule: Rule) -> str:
    """The page of a rule."""
    parts = [
        f"# {rule.code}: {rule.category}",
        f"*The code {rule.title}.* This is {SEVERITIES[rule.severity]}.",
        rule.why,
        f"**Instead:** {rule.fix}",
    ]
    for title, examples in (("Reported", rule.bad), ("Fine", rule.good)):
        if examples:
            parts.append(f"## {title}")
            parts += [f"```python\n{one.rstrip()}\n```" for one in examples]
    if rule in RULES:
        silence = f"A line that is right all the same says so, with its reason: `# coopy: ignore[{rule.category}] reason`."
        parts += ["## Silence it", silence]
    return "\n\n".join(parts) + "\n"


def as_text(rule: Rule) -> str:
    """The page for a terminal."""
    parts = [f"{rule.code} {rule.category}: {rule.title} ({rule.severity})", rule.why, f"Instead: {rule.fix}"]
    for title, examples in (("Reported:", rule.bad), ("Fine:", rule.good)):
        for one in examples:
            parts += [title, textwrap.indent(one.rstrip(), "    ")]
    return "\n\n".join(parts)


def index() -> str:
    """The page that lists all others."""
    rows = [f"| [{one.code}]({one.code}.md) | {one.category} | {one.title} | {one.severity} |" for one in (*RULES, *NOTICES)]
    names = "\n".join(one.code for one in (*RULES, *NOTICES))
    head = "What the validator reports. CPY1xx: something outside the program that the catalogue names; CPY2xx: what the code itself does; CPY0xx: the run."
    table = "\n".join(("| rule | category | the code | severity |", "|---|---|---|---|", *rows))
    return f"# Rules\n\n{head}\n\n{table}\n\n```{{toctree}}\n:hidden:\n\n{names}\n```\n"


def pages() -> dict[str, str]:
    """File name and text of every page."""
    return {"index.md": index(), **{f"{one.code}.md": markdown(one) for one in (*RULES, *NOTICES)}}


def main(folder: str) -> None:
    """Write all pages; remove those of rules that are gone."""
    made = pages()
    Path(folder).mkdir(parents=True, exist_ok=True)
    for old in Path(folder).glob("*.md"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        Path(folder, name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
