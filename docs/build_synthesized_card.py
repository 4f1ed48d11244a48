"""Writes environments/synthesized/README.md, the card of the set, from the files of the set.

python docs/build_synthesized_card.py
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from codegym_mcp.bundled_environments import SYNTHESIZED, installed_path
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.synthesis.output_folder import Provenance
from codegym_mcp.verification.audit.audit import Audit
from codegym_mcp.verification.audit.audit_files import current_audit

CARD = Path(__file__).parents[1] / "environments" / "synthesized" / "README.md"
_HEAD = """# Synthesized environments

{environments} environments with {tasks} fixed tasks, which `codegym-mcp synthesize` made of problems in
`examples/problems.jsonl`. Problems and environments were written for this project. Licence: MIT.
`python docs/build_synthesized_card.py` writes this page from the files; a test compares it with them.

```sh
codegym-mcp list --environments synthesized
codegym-mcp eval --agent oracle --environments synthesized
```

They are not among the default environments; the word `synthesized` names them wherever a path of environments
may be given. Beside each `.py` are its fixed tasks (`.jsonl`), its audit (`.audit.json`) and its origin
(`.provenance.json`).

All have grade A: the oracle solves every task, no constant answer is right in a quarter of the tasks, and
nothing is earned by answering after one call. `docs/verification.md` explains the figures.
"""
_BY_MODEL = """## Written by a model

In place of a language model, two maintainers answered the requests of the pipeline, each from its prompt
alone; the provenance says `"model": "maintainers"`. Who wrote an environment wrote none of its oracles.
They tried their files before they sent them, so that the number of repairs is not that of a model.

Of 74 problems, all became environments with grade A; for one of them the audit found generated tasks on
which its oracle ran out of calls, and the generator was repaired. They took 301 requests. The task and the
tools of each environment were read, and fifteen left out: four with an `adaptive` below 0.5, ten that only
ask for reading and arithmetic, and one that asks for the table of an algorithm. After that, texts of six
of those that remain were corrected by hand, a tool was removed from `car_park_bookings`, one was renamed in
`pharmacy_trolley`, and the largest task of `dye_spill` was dropped.
"""
_BY_TRACING = """## Lifted by program analysis

Made with `--method trace`, without a model; the provenance has `"model": "trace"`. Kept are those
whose tier is `not-bypassable`.
"""
_COLUMNS = """**Calls** are those of the oracle: the least, the median and the most of the fixed tasks.
**Adaptive** is the share of tasks in which another input with the same public values leads to other calls.
**Read out** is what it costs to read every hidden value, as a multiple of the oracle's calls; it is empty if
no tool reveals them.
"""


@dataclass(frozen=True)
class Shipped:
    """An environment of the set with its audit and its origin."""

    environment: Environment
    audit: Audit
    provenance: Provenance


def main() -> None:
    CARD.write_text(card(), encoding="utf-8")


def card() -> str:
    """Returns the card."""
    shipped = list(_read())
    traced = [each for each in shipped if each.provenance.tracing is not None]
    written = [each for each in shipped if each.provenance.tracing is None]
    tasks = sum(len(each.environment.tasks) for each in shipped)
    parts = [_HEAD.format(environments=len(shipped), tasks=tasks), _COLUMNS]
    for text, group in ((_BY_MODEL, written), (_BY_TRACING, traced)):
        if group:
            parts.append("\n".join([text, *_summary(group), "", *_table(group), ""]))
    return "\n".join(parts)


def _read() -> Iterator[Shipped]:
    folder = installed_path(SYNTHESIZED)
    for entry in Catalog.load([SYNTHESIZED]).entries:
        audit = current_audit(entry)
        assert audit is not None, f"{entry.name} has no current audit"
        origin = (folder / f"{entry.name}.provenance.json").read_bytes()
        yield Shipped(entry.read(), audit, Provenance.model_validate_json(origin))


def _summary(group: Sequence[Shipped]) -> Iterator[str]:
    figures = [each.audit.figures for each in group]
    tools = [len(each.environment.tools) for each in group]
    repaired = sum(each.provenance.attempts > 0 for each in group)
    tasks = sum(len(each.environment.tasks) for each in group)
    yield f"- {len(group)} environments, {tasks} fixed tasks, {min(tools)} to {max(tools)} tools"
    calls = median(each.oracle_calls.median for each in figures)
    constant = max(each.answers.best_constant for each in figures)
    yield f"- calls of the oracle: {calls:g} for the median task"
    yield f"- adaptive: {_least(each.adaptive for each in figures)} at least"
    yield f"- reward of the best constant answer: {constant:.0%} at most"
    yield f"- reward of random play: {max(each.random for each in figures):.0%} at most"
    if any(each.provenance.costs.requests for each in group):
        requests = sum(each.provenance.costs.requests for each in group)
        yield f"- requests for an environment: {requests / len(group):.1f}; {repaired} needed a repair"


def _table(group: Sequence[Shipped]) -> Iterator[str]:
    yield "| environment | problem | tools | tasks | calls | adaptive | read out |"
    yield "|---|---|--:|--:|--:|--:|--:|"
    for each in group:
        figures = each.audit.figures
        calls = figures.oracle_calls
        yield (
            f"| `{each.environment.name}` | {each.provenance.problem} | {len(each.environment.tools)} "
            f"| {len(each.environment.tasks)} | {calls.least:g} / {calls.median:g} / {calls.most:g} "
            f"| {_figure(figures.adaptive)} | {_figure(figures.read_out)} |"
        )


def _least(values: Iterator[float | None]) -> str:
    return _figure(min(value for value in values if value is not None))


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    main()
