"""Runs a solution on generated arguments, twice, and keeps those on which it behaves like a function."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from codegym_mcp.synthesis.problem_outcomes import Stage
from codegym_mcp.synthesis.program_tracing.solution_execution.confined_programs import (
    ConfinedProgram,
    Failure,
)
from codegym_mcp.synthesis.program_tracing.solution_execution.step_counting import MOST_STEPS, count_steps
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import Program
from codegym_mcp.synthesis.program_tracing.tracing_refusal import RefusedProblemError
from codegym_mcp.synthesis.program_tracing.typed_json_values import decode, encode
from codegym_mcp.synthesis.program_tracing.value_shapes import Shape, shape_of
from codegym_mcp.verification.verification_context import VerificationContext

_MAX_RESULT = 4_000
_MOST_EXCEEDING = 8
"""Calls that take too many steps before the others, which are larger, are not tried."""
_EVALUATOR = """
EXCEEDING = []


def handle(request):
    if len(EXCEEDING) >= {most_exceeding}:
        raise RuntimeError("It was not tried, because smaller inputs take too many steps.")
    values = [untag_value(value) for value in request]
    STEPS[0] = 0
    try:
        result = {entry}(*values)
    except Exception:
        if STEPS[0] > {most_steps}:
            EXCEEDING.append(1)
        raise
    iterator = False
    known = (bool, int, float, str, list, tuple, dict, set, frozenset)
    if not isinstance(result, known) and result is not None:
        found = []
        for item in result:
            found.append(item)
            if len(found) > 2000:
                raise ValueError("the result does not end")
        result, iterator = found, True
    return [tag_value(result), iterator, STEPS[0]]
"""


@dataclass(frozen=True)
class Evaluated:
    """A call of the solution.

    Attributes:
        arguments: the arguments.
        result: what it returned.
        is_iterator: whether it returned an iterator; the result is then the list of its members.
        steps: how often a loop or a function of the solution began.
    """

    arguments: tuple[Any, ...]
    result: Any
    is_iterator: bool
    steps: int = 0


async def evaluate(
    context: VerificationContext, program: Program, calls: Sequence[tuple[Any, ...]], examples: int
) -> list[Evaluated]:
    """Calls a solution in two processes that differ in their hash seeds and in the order of the calls.

    Args:
        calls: the calls; the first `examples` of them come from the tests.

    Returns:
        The calls that returned a result like those of the tests.

    Raises:
        RefusedProblemError: the results depend on more than the arguments, or cannot be used.
    """
    counted = ast.unparse(count_steps(program.tree))
    source = f"STEPS = [0]\n\n{counted}\n\n{_evaluator(program.entry.name)}"
    requests = [[encode(value) for value in call] for call in calls]
    first = await ConfinedProgram(context.pool, source).run(requests)
    # What failed, for example because it takes too long, is not tried again.
    places = [place for place, response in enumerate(first) if not isinstance(response, Failure)]
    again = await ConfinedProgram(context.other_pool, source).run([requests[k] for k in reversed(places)])
    second = dict(zip(reversed(places), again, strict=True))
    found: list[Evaluated] = []
    reason, shown = "", 0
    for number, (call, one) in enumerate(zip(calls, first, strict=True)):
        other = second.get(number, one)
        if isinstance(one, Failure) or isinstance(other, Failure):
            failure = one if isinstance(one, Failure) else other
            reason = reason or failure.reason
            continue
        if one[:2] != other[:2]:
            raise RefusedProblemError(
                "The result depends on more than the arguments: two runs differ.", Stage.PROBLEM
            )
        try:
            result = decode(one[0])
        except RefusedProblemError as error:
            reason = error.reason
            continue
        if len(repr(result)) > _MAX_RESULT:
            continue
        shown += number < examples
        found.append(Evaluated(call, result, bool(one[1]), int(one[2])))
    if not shown:
        raise RefusedProblemError(f"The solution gives no usable result. {reason}".strip(), Stage.PROBLEM)
    known = _result_kinds(found[:shown])
    return [each for each in found if type(each.result).__name__ in known]


def _evaluator(entry: str) -> str:
    return _EVALUATOR.format(entry=entry, most_exceeding=_MOST_EXCEEDING, most_steps=MOST_STEPS)


def choose_inputs(evaluated: Sequence[Evaluated], count: int) -> list[Evaluated]:
    """Chooses calls with different results; of those with equal results, every other one takes many steps.

    Many questions are answered early for most random inputs: whether a list is sorted, whether values differ.
    If most results differ, the calls are spread evenly over the sizes.
    """
    groups: dict[str, list[Evaluated]] = {}
    for each in evaluated:
        groups.setdefault(repr(each.result), []).append(each)
    waiting = list(groups.values())
    if len(waiting) > count:
        waiting = [waiting[place * len(waiting) // count] for place in range(count)]
    chosen: list[Evaluated] = []
    while waiting and len(chosen) < count:
        is_long = len(chosen) // len(groups) % 2 == 0
        for group in waiting[: count - len(chosen)]:
            longest = max(range(len(group)), key=lambda place: group[place].steps) if is_long else 0
            chosen.append(group.pop(longest))
        waiting = [group for group in waiting if group]
    places = {id(each): place for place, each in enumerate(evaluated)}
    return sorted(chosen, key=lambda each: places[id(each)])


def _result_kinds(examples: Sequence[Evaluated]) -> set[str]:
    kinds = {type(each.result).__name__ for each in examples}
    if "int" in kinds or "float" in kinds:
        kinds |= {"int", "float"}
    return kinds


def parameter_shapes(program: Program, evaluated: Sequence[Evaluated]) -> dict[str, Shape]:
    """Returns the shape of each parameter over all calls."""
    return {
        name: shape_of(each.arguments[place] for each in evaluated)
        for place, name in enumerate(program.parameters)
    }


def changes_its_arguments(program: Program) -> bool:
    """Returns whether the solution returns nothing, so that only its changes of the arguments count."""
    return not any(
        (isinstance(each, ast.Return) and each.value is not None)
        or isinstance(each, ast.Yield | ast.YieldFrom)
        for each in ast.walk(program.entry)
    )
