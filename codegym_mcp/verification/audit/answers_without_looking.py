"""Measures how many tasks an agent solves without looking at them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import prod
from typing import Any

from codegym_mcp.environment_definition.environment import Environment, Judge, Task
from codegym_mcp.episodes.scoring import judge
from codegym_mcp.errors import EnvironmentFailedError
from codegym_mcp.verification.audit.audit_measurements import Answers
from codegym_mcp.verification.audit.oracle_agreement import OracleComparison
from codegym_mcp.verification.audit.unearned_rewards import earns_without_acting
from codegym_mcp.verification.recorded_play import format_value
from codegym_mcp.verification.verification_context import VerificationContext

_MAX_COUNT = 1000
_MAX_CANDIDATES = 8


async def measure_answers(
    context: VerificationContext, environment: Environment, comparisons: Sequence[OracleComparison]
) -> Answers:
    """Measures how much the right answers differ, and for how many tasks the best constant answer is right.

    Args:
        comparisons: one for each task, with its reference answer.
    """
    references = [(comparison.play.task, comparison.reference) for comparison in comparisons]
    if not references:
        return Answers()
    groups: list[list[OracleComparison]] = []
    for comparison in comparisons:
        group = next((group for group in groups if _is_same(environment, group[0], comparison)), None)
        groups.append([comparison]) if group is None else group.append(comparison)
    candidates = [group[0].reference for group in sorted(groups, key=len, reverse=True)]
    solved = [
        await _count_solved(context, environment, candidate, references)
        for candidate in candidates[:_MAX_CANDIDATES]
    ]
    best = max(range(len(solved)), key=lambda index: solved[index])
    return Answers(
        tasks=len(references),
        distinct=len(groups),
        best_constant=round(solved[best] / len(references), 4),
        commonest=format_value(candidates[best]),
    )


def _is_same(environment: Environment, left: OracleComparison, right: OracleComparison) -> bool:
    """Checks whether two tasks have the same right answer, and the oracle leaves the same state."""
    return (
        environment.answer.equal(left.reference, right.reference)
        and left.play.final_state == right.play.final_state
    )


async def _count_solved(
    context: VerificationContext,
    environment: Environment,
    candidate: Any,
    references: Sequence[tuple[Task, Any]],
) -> int:
    """Counts the tasks for which an answer is right."""
    if environment.judge is Judge.REFERENCE:
        return sum(environment.answer.equal(answer, candidate) for _, answer in references)
    tasks = [task for task, _ in references]
    return sum(await context.run_all(partial(_is_right, context, environment, candidate), tasks))


async def _is_right(
    context: VerificationContext, environment: Environment, candidate: Any, task: Task
) -> bool:
    if environment.final_state is not None:
        return await earns_without_acting(context, environment, task, candidate)
    try:
        return (await judge(context.pool, environment, task, candidate, context.limits)).correct
    except EnvironmentFailedError:
        # Judges that fail are reported by `find_unjudged`.
        return False


def count_values(schema: Mapping[str, Any]) -> int | None:
    """Counts the values that fit a JSON Schema; returns None if there are more than a thousand."""
    counted = _count(schema)
    return counted if counted is not None and counted <= _MAX_COUNT else None


def _count(schema: Mapping[str, Any]) -> int | None:
    if "const" in schema:
        return 1
    if "enum" in schema:
        return len(schema["enum"])
    if "anyOf" in schema:
        return _combine([_count(choice) for choice in schema["anyOf"]], sum)
    match schema.get("type"):
        case "boolean":
            return 2
        case "null":
            return 1
        case "array" if "prefixItems" in schema:
            return _combine([_count(item) for item in schema["prefixItems"]], prod)
        case "object" if schema.get("properties") and schema.get("additionalProperties") is False:
            # An optional member has one more value: it may be missing.
            required = schema.get("required", ())
            counts = {name: _count(member) for name, member in schema["properties"].items()}
            return _combine(
                [count if name in required else _one_more(count) for name, count in counts.items()], prod
            )
    return None


def _one_more(count: int | None) -> int | None:
    return None if count is None else count + 1


def _combine(counts: Sequence[int | None], operation: Callable[[list[int]], int]) -> int | None:
    known = [count for count in counts if count is not None]
    return operation(known) if len(known) == len(counts) else None
