"""Summarizes audits as Markdown: grades, findings and medians.

    codegym-mcp audit classes/ --json > audits.json
    python benchmarks/audit_summary.py audits.json

Reads what `codegym-mcp audit --json` prints. Nothing of the environments themselves is shown.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from pydantic import TypeAdapter

from codegym_mcp.verification.audit.audit import Audit
from codegym_mcp.verification.audit.grading_rules import Grade

_AUDITS = TypeAdapter(list[Audit])


def main() -> None:
    for line in summary(_AUDITS.validate_json(Path(sys.argv[1]).read_bytes())):
        print(line)


def summary(audits: Sequence[Audit]) -> Iterator[str]:
    """Yields the lines of the tables."""
    yield "| grade | environments | share |"
    yield "|---|---|---|"
    for grade in Grade:
        count = sum(audit.grade is grade for audit in audits)
        yield f"| {grade} | {count} | {count / len(audits):.0%} |"
    yield ""
    yield "| finding | environments |"
    yield "|---|---|"
    findings = Counter(
        weakness for audit in audits for weakness in {finding.weakness for finding in audit.findings}
    )
    for weakness, count in findings.most_common():
        yield f"| `{weakness}` | {count} |"
    yield ""
    yield "| figure | median |"
    yield "|---|---|"
    for name, values in _figures(audits).items():
        yield f"| {name} | {median(values):.2f} |"


def _figures(audits: Sequence[Audit]) -> dict[str, list[float]]:
    figures = [audit.figures for audit in audits]
    return {
        "tasks": [float(each.answers.tasks) for each in figures],
        "different answers": [float(each.answers.distinct) for each in figures],
        "calls of the oracle": [each.oracle_calls.median for each in figures],
        "reward of the best constant answer": [each.answers.best_constant for each in figures],
        "reward of one call and an answer": [each.observe for each in figures],
        "reward of random play": [each.random for each in figures],
        "tasks whose hidden input one call shows": [each.input_in_one_call.rate for each in figures],
        "tasks whose answer one call shows": [each.answer_in_one_call.rate for each in figures],
        "agreement on changed inputs": [each.on_perturbed.rate for each in figures],
        "tasks in which a call depends on a result": [
            each.adaptive for each in figures if each.adaptive is not None
        ],
    }


if __name__ == "__main__":
    main()
