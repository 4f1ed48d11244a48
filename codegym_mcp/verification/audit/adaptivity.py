"""Measures how often the oracle's later calls depend on earlier results.

A scan that calls a getter with 0, 1, 2, … makes the same calls whatever is hidden. Two inputs that look the
same before the first call show the difference: if the oracle makes different calls, results decided about
them.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from pydantic_core import to_json

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.verification.audit.oracle_agreement import OracleComparison
from codegym_mcp.verification.recorded_play import RecordedPlay


def measure_adaptivity(environment: Environment, comparisons: Sequence[OracleComparison]) -> float | None:
    """Returns the share of inputs for which another input with the same public values leads to other calls.

    Args:
        comparisons: the oracle's plays of tasks and of changed inputs; those without an answer are left out.

    Returns:
        A number from 0 to 1, or None if no two inputs have the same public values.
    """
    groups: dict[bytes, list[bytes]] = defaultdict(list)
    for comparison in comparisons:
        if comparison.compared:
            task = comparison.play.task
            look = to_json([environment.public_values(task), task.text])
            groups[look].append(_calls(comparison.play))
    comparable = [group for group in groups.values() if len(group) > 1]
    if not comparable:
        return None
    adaptive = sum(len(group) for group in comparable if len(set(group)) > 1)
    return round(adaptive / sum(map(len, comparable)), 4)


def _calls(play: RecordedPlay) -> bytes:
    calls: list[tuple[str, dict[str, Any]]] = [(step.name, step.arguments) for step in play.steps]
    return to_json(calls)
