"""Writes docs/gallery.md from the bundled environments, their fixed tasks and their audits.

python docs/build_gallery.py
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.catalog.catalog_entries import Entry
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.verification.audit.audit import Audit
from codegym_mcp.verification.audit.audit_files import current_audit

GALLERY = Path(__file__).parent / "gallery.md"
_HEAD = """# Gallery

The bundled environments. `python docs/build_gallery.py` writes this page from the environments, their fixed
tasks and their audits; a test compares it with them.

- **Scored on** says what the reward depends on: the answer, the state that the agent leaves, or both.
- **Calls** are those of the oracle, without the submission: the median of the fixed tasks of each difficulty.
- **A weak agent** plays at random, or submits one constant answer everywhere; the better of the two counts.
- **A careless agent** looks once and answers, or submits the right answer without the work.
- **Misunderstandings** are what a forgotten rule leads to. The figure is the share of tasks in which
  the most harmless of them is right all the same.

[Verification and audit](verification.md) explains how the figures are measured.
"""


def main() -> None:
    GALLERY.write_text(gallery(), encoding="utf-8")


def gallery() -> str:
    """Returns the page."""
    entries = sorted(Catalog.load().entries, key=lambda entry: entry.read().title)
    return "\n".join(
        [_HEAD, *_overview(entries), "", *(line for entry in entries for line in _section(entry))]
    )


def _overview(entries: list[Entry]) -> Iterator[str]:
    yield "| environment | work | tools | scored on | calls, 1 to 5 |"
    yield "|---|---|---|---|---|"
    for entry in entries:
        found = entry.read()
        calls = _calls(found)
        anchor = found.title.lower().replace(" ", "-")
        yield (
            f"| [{found.title}](#{anchor}) | {', '.join(found.tags)} | {len(found.tools)} "
            f"| {_scored_on(found)} | {calls[min(calls)]:g} to {calls[max(calls)]:g} |"
        )


def _section(entry: Entry) -> Iterator[str]:
    found, audit = entry.read(), current_audit(entry)
    assert audit is not None, f"{entry.name} has no current audit"
    yield f"## {found.title}"
    yield ""
    yield f"`{found.name}` · {', '.join(found.tags)} · {found.license}"
    yield ""
    yield _first_paragraph(found)
    yield ""
    yield f"- Tools: {', '.join(f'`{tool.name}`' for tool in found.tools)}"
    yield f"- Scored on: {_scored_on(found)}"
    calls = (f"{count:g} at {difficulty}" for difficulty, count in _calls(found).items())
    yield f"- Calls: {', '.join(calls)}"
    yield f"- Audit: {_audit_line(audit)}"
    yield ""


def _first_paragraph(environment: Environment) -> str:
    text = environment.template.split("\n\n", 1)[0]
    # Public values have other values in each task.
    return " ".join(text.split()).replace("{", "*").replace("}", "*")


def _scored_on(environment: Environment) -> str:
    if environment.final_state is None:
        return "the answer"
    return "the answer and the state" if environment.submission.parameters else "the state"


def _calls(environment: Environment) -> dict[int, float]:
    found = defaultdict(list)
    for task in environment.tasks:
        if task.difficulty is not None and task.oracle_calls is not None:
            found[task.difficulty].append(task.oracle_calls)
    return {difficulty: median(found[difficulty]) for difficulty in sorted(found)}


def _audit_line(audit: Audit) -> str:
    figures = audit.figures
    weak = max(figures.random, figures.answers.best_constant)
    careless = max(figures.observe, figures.answer_only or 0.0)
    line = f"grade {audit.grade}; a weak agent earns {weak:.0%}, a careless one {careless:.0%}"
    if figures.mistakes:
        worst = max(mistake.right for mistake in figures.mistakes)
        line += f"; {len(figures.mistakes)} misunderstandings, the most harmless right in {worst:.0%}"
    return line


if __name__ == "__main__":
    main()
