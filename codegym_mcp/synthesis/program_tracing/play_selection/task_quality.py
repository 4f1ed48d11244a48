"""Measures whether the plays of an oracle make good tasks, and refuses those that do not."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from pydantic_core import to_json

from codegym_mcp.synthesis.problem_outcomes import Stage
from codegym_mcp.synthesis.program_tracing.lifting.lifted_program import LiftedProgram
from codegym_mcp.synthesis.program_tracing.oracle_play_record import Play, differ_in_tools, repeated_share
from codegym_mcp.synthesis.program_tracing.play_selection.oracle_player import MAX_CALLS
from codegym_mcp.synthesis.program_tracing.tracing_refusal import RefusedProblemError
from codegym_mcp.synthesis.program_tracing.value_shapes import Kind, shape_of
from codegym_mcp.synthesis.synthesis_options import Tier

LEAST_CALLS = 10
MOST_PEEKS = 0.5
"""Greatest share of calls that only read a hidden value."""
MOST_REPEATED = 0.3
"""Greatest share of calls that repeat an earlier one."""
MOST_CONSTANT = 0.5
"""The best constant answer solves a smaller share of the tasks."""
ENOUGH_TOOLS = 3
ENOUGH_ADAPTIVE = 0.5
_FIRST_CALLS = 3


def refuse_wrong_oracle(plays: Sequence[Play]) -> None:
    """Refuses an oracle that gives a wrong answer, and one that fails on many inputs."""
    wrong = next((play for play in plays if not play.correct and not play.error), None)
    if wrong is not None:
        raise RefusedProblemError("The oracle does not agree with the solution.", Stage.ORACLE)
    failed = [play for play in plays if play.error and play.error != "too many calls"]
    if failed:
        raise RefusedProblemError(f"The oracle fails: {failed[0].error[:120]}", Stage.ORACLE)


def fit_plays(plays: Sequence[Play], least: int) -> list[Play]:
    """Returns the plays that could become tasks.

    Raises:
        RefusedProblemError: fewer than `least` have a suitable length.
    """
    fit = [play for play in plays if LEAST_CALLS <= len(play.calls) <= MAX_CALLS and not _shows_answer(play)]
    if len(fit) < least:
        raise RefusedProblemError(_length_reason(plays, fit), Stage.LENGTH)
    return fit


def refuse_poor_tasks(lifted: LiftedProgram, chosen: Sequence[Play]) -> None:
    """Refuses tasks that can be guessed, mostly read hidden values, repeat calls, or leave a tool unused."""
    constant = max(Counter(to_json(play.answer) for play in chosen).values()) / len(chosen)
    is_bool = shape_of(play.answer for play in chosen).kinds <= {Kind.BOOL}
    if constant > MOST_CONSTANT or (constant == MOST_CONSTANT and not is_bool):
        reason = f"One answer is right for {constant:.0%} of the inputs."
        raise RefusedProblemError(reason, Stage.AUDIT)
    peeks = _share(chosen, {tool.name for tool in lifted.tools if tool.is_raw})
    if peeks > MOST_PEEKS:
        raise RefusedProblemError(f"{peeks:.0%} of the calls only read hidden values.", Stage.AUDIT)
    repeated = max(repeated_share(play, lifted.changing_tools) for play in chosen)
    if repeated > MOST_REPEATED:
        reason = f"{repeated:.0%} of the calls of a task repeat an earlier one."
        raise RefusedProblemError(reason, Stage.AUDIT)
    unused = {tool.name for tool in lifted.tools} - {call.name for play in chosen for call in play.calls}
    if unused:
        reason = f"No task of a suitable length uses the tool {min(unused)}."
        raise RefusedProblemError(reason, Stage.LENGTH)


def tier_of(plays: Sequence[Play], adaptive: float | None, read_out: float | None) -> Tier:
    """Returns the tier of tasks."""
    used = {call.name for play in plays for call in play.calls}
    strict = len(used) >= ENOUGH_TOOLS and adaptive is not None and adaptive >= ENOUGH_ADAPTIVE
    if not strict:
        return Tier.USABLE
    return Tier.NOT_BYPASSABLE if read_out is None or read_out >= 1 else Tier.STRICT


def numeric_adaptivity(plays: Sequence[Play]) -> float | None:
    """Returns the share of tasks that call other tools than the task with the next number of calls.

    Numbers cannot change places. Arguments and the number of calls may differ because the numbers do, so only
    the order of the tools counts, as far as both plays go.
    """
    ordered = sorted(plays, key=lambda play: len(play.calls))
    pairs = list(pairwise(ordered))
    if not pairs:
        return None
    return sum(differ_in_tools(one, other) for one, other in pairs) / len(pairs)


def _shows_answer(play: Play) -> bool:
    """Returns whether one of the first calls returns the answer."""
    if isinstance(play.answer, bool):
        return False
    return any(call.result == play.answer for call in play.calls[:_FIRST_CALLS])


def _length_reason(plays: Sequence[Play], fit: Sequence[Play]) -> str:
    counts = sorted(len(play.calls) for play in plays)
    middle = f"; the median is {counts[len(counts) // 2]}" if counts else ""
    return f"{len(fit)} of {len(plays)} inputs take {LEAST_CALLS} to {MAX_CALLS} calls{middle}."


def _share(plays: Sequence[Play], names: set[str]) -> float:
    calls = [call for play in plays for call in play.calls]
    return sum(call.name in names for call in calls) / len(calls)
