"""How far answers get that look at nothing."""

from collections.abc import Mapping, Sequence
from functools import partial
from math import prod
from typing import Any

from codegym_mcp.episodes.scoring import judge
from codegym_mcp.spec.environment import Environment, Task
from codegym_mcp.verification.audit.audit_figures import Answers
from codegym_mcp.verification.audit.oracle_agreement import OracleComparison
from codegym_mcp.verification.recorded_play import shown
from codegym_mcp.verification.verification_context import VerificationContext

_COUNTED = 1000
_CANDIDATES = 8


async def measure_answers(
    bench: VerificationContext, environment: Environment, comparisons: Sequence[OracleComparison]
) -> Answers:
    """How much right answers differ, and for how many tasks one of them is right.

    Args:
        comparisons: one of each task, with its right answer.
    """
    references = [(comparison.play.task, comparison.reference) for comparison in comparisons]
    if not references:
        return Answers()
    kinds: list[list[Any]] = []
    for _, answer in references:
        alike = next((kind for kind in kinds if environment.answer.equal(kind[0], answer)), None)
        kinds.append([answer]) if alike is None else alike.append(answer)
    candidates = [kind[0] for kind in sorted(kinds, key=len, reverse=True)]
    rights = [
        await _right_for(bench, environment, candidate, references) for candidate in candidates[:_CANDIDATES]
    ]
    best = max(range(len(rights)), key=lambda place: rights[place])
    return Answers(
        tasks=len(references),
        distinct=len(kinds),
        best_constant=round(rights[best] / len(references), 4),
        commonest=shown(candidates[best]),
    )


async def _right_for(
    bench: VerificationContext,
    environment: Environment,
    candidate: Any,
    references: Sequence[tuple[Task, Any]],
) -> int:
    """For how many tasks an answer is right."""
    if environment.judge == "reference":
        return sum(environment.answer.equal(answer, candidate) for _, answer in references)
    tasks = [task for task, _ in references]
    return sum(await bench.each(partial(_is_right, bench, environment, candidate), tasks))


async def _is_right(bench: VerificationContext, environment: Environment, candidate: Any, task: Task) -> bool:
    return (await judge(bench.pool, environment, task, candidate, bench.limits)).correct


def count_values(schema: Mapping[str, Any]) -> int | None:
    """How many values fit a JSON Schema as codegym-mcp makes it; None where they are many or without end."""
    counted = _count(schema, schema)
    return counted if counted is not None and counted <= _COUNTED else None


def _count(schema: Mapping[str, Any], root: Mapping[str, Any]) -> int | None:
    if "$ref" in schema:
        # A type that holds itself has no end.
        name = schema["$ref"].rpartition("/")[2]
        others = {**root, "$defs": {key: value for key, value in root["$defs"].items() if key != name}}
        return _count(root["$defs"][name], others) if name in root["$defs"] else None
    if "const" in schema:
        return 1
    if "enum" in schema:
        return len(schema["enum"])
    if "anyOf" in schema:
        return _combine([_count(choice, root) for choice in schema["anyOf"]], sum)
    match schema.get("type"):
        case "boolean":
            return 2
        case "null":
            return 1
        case "array" if "prefixItems" in schema:
            return _combine([_count(item, root) for item in schema["prefixItems"]], prod)
        case "object" if schema.get("properties") and schema.get("additionalProperties") is False:
            # A member that may be missing counts as one value more.
            required = schema.get("required", ())
            counts = {name: _count(member, root) for name, member in schema["properties"].items()}
            return _combine(
                [count if name in required else _one_more(count) for name, count in counts.items()], prod
            )
    return None


def _one_more(count: int | None) -> int | None:
    return None if count is None else count + 1


def _combine(counts: Sequence[int | None], how: Any) -> int | None:
    known = [count for count in counts if count is not None]
    return int(how(known)) if len(known) == len(counts) else None
