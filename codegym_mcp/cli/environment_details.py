"""Prints one environment: its task, its tools with their schemas, its tasks and its audit."""

import json
from pathlib import Path
from typing import Any

from rich.table import Table

from codegym_mcp.cli.command_output import out, print_json
from codegym_mcp.cli.environment_selection import find_entry
from codegym_mcp.environment_definition.environment_info import EnvironmentInfo
from codegym_mcp.verification.audit.audit import Audit
from codegym_mcp.verification.audit.audit_files import current_audit
from codegym_mcp.verification.audit.audit_measurements import Figures


def print_environment(name: str, paths: tuple[Path, ...], *, as_json: bool) -> None:
    """Prints an environment: its task, its tools with their schemas, its tasks, its audit."""
    entry = find_entry(name, paths)
    found, audit = entry.read(), current_audit(entry)
    tools = [*found.tools, found.submission]
    if as_json:
        described = [
            {
                "name": tool.name,
                "title": tool.title,
                "description": tool.description,
                "input_schema": tool.input_schema,
                "output_schema": tool.output_schema,
            }
            for tool in tools
        ]
        tasks = [task.model_dump(mode="json", exclude={"config", "text"}) for task in found.tasks]
        details = {"task": found.template, "tools": described, "tasks": tasks, "audit": _audit_info(audit)}
        info = EnvironmentInfo.of(found).model_dump(mode="json")
        print_json({**info, "grade": audit.grade if audit is not None else None, **details})
        return
    out.print_heading(found.title, f"  ({found.name}; {', '.join(found.tags)})\n")
    out.print(found.template + "\n", markup=False, highlight=False, soft_wrap=True)
    for tool in tools:
        signature = ", ".join(tool.input_schema["properties"])
        out.print_heading(tool.name, f"({signature})")
        out.print(f"    {tool.description}", markup=False, highlight=False)
        out.print(
            f"    takes   {json.dumps(tool.input_schema)}", markup=False, highlight=False, soft_wrap=True
        )
        out.print(
            f"    returns {json.dumps(tool.output_schema)}\n", markup=False, highlight=False, soft_wrap=True
        )
    if found.tasks:
        table = Table("task", "difficulty", "oracle calls", box=None, pad_edge=False)
        for task in found.tasks:
            table.add_row(task.id, str(task.difficulty or "-"), str(task.oracle_calls or "-"))
        out.print(table)
    _print_audit(audit)


def _audit_info(audit: Audit | None) -> dict[str, Any] | None:
    """What is told of an audit: nothing that would show an answer or an input."""
    if audit is None:
        return None
    figures = audit.figures
    return {
        "grade": audit.grade,
        "findings": [finding.model_dump(mode="json", exclude={"evidence"}) for finding in audit.findings],
        "figures": {
            "tasks": figures.answers.tasks,
            "distinct_answers": figures.answers.distinct,
            "oracle_calls": figures.oracle_calls.model_dump(),
            "best_constant": figures.answers.best_constant,
            "observe": figures.observe,
            "random": figures.random,
            "answer_only": figures.answer_only,
            "most_right_mistake": max((each.right for each in figures.mistakes), default=None),
        },
    }


def _state_lines(figures: Figures) -> list[str]:
    lines = []
    if figures.answer_only is not None:
        lines.append(f"{figures.answer_only:.0%} for the right answer without acting; the final state counts")
    if figures.mistakes:
        most = max(each.right for each in figures.mistakes)
        lines.append(f"{most:.0%} for the most successful of {len(figures.mistakes)} misunderstandings")
    return lines


def _print_audit(audit: Audit | None) -> None:
    if audit is None:
        out.print("\nNo current audit. Make one with: codegym-mcp audit", markup=False, highlight=False)
        return
    figures = audit.figures
    out.print(f"\nGrade {audit.grade}", highlight=False)
    for line in (
        f"{figures.oracle_calls.median:g} calls of the oracle for the median task",
        f"{figures.answers.distinct} different answers in {figures.answers.tasks} tasks",
        f"{figures.answers.best_constant:.0%} of the rewards for the best constant answer",
        f"{figures.observe:.0%} for looking once and answering",
        f"{figures.random:.0%} for random play",
        *_state_lines(figures),
        *(f"{finding.grade} {finding.weakness}: {finding.message}" for finding in audit.findings),
    ):
        out.print(f"    {line}", markup=False, highlight=False)
