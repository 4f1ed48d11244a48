"""Checks that the oracle earns the reward on every task and uses every tool."""

from collections.abc import Sequence

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episodes.scoring import reference_answer
from codegym_mcp.errors import EnvironmentFailedError
from codegym_mcp.verification.gate_results import Gate, GateProblem
from codegym_mcp.verification.gates.oracle_call_results import FAILURES
from codegym_mcp.verification.recorded_play import (
    RecordedPlay,
    format_call,
    format_submission,
    format_value,
)
from codegym_mcp.verification.verification_context import VerificationContext


def is_hindered(play: RecordedPlay) -> bool:
    """Returns whether the environment failed, so that the play does not show whether the oracle is right."""
    return (
        play.opening_error is not None or play.failed or any(step.status in FAILURES for step in play.steps)
    )


async def check_solved(
    context: VerificationContext, environment: Environment, plays: Sequence[RecordedPlay]
) -> list[GateProblem]:
    """Returns a problem for each task that the oracle did not solve although the environment worked."""
    unsolved = [play for play in plays if not play.correct and not is_hindered(play)]
    return [await _problem(context, environment, play) for play in unsolved]


async def _problem(context: VerificationContext, environment: Environment, play: RecordedPlay) -> GateProblem:
    last = format_call(play.steps[-1].name, play.steps[-1].arguments) if play.steps else ""
    if play.submitted:
        return GateProblem(
            gate=Gate.SOLVED,
            message="The oracle's answer is wrong."
            if environment.final_state is None
            else "The judge refuses the state that the oracle's calls lead to, or its answer.",
            task=play.task.id,
            call=format_submission(environment, play.answer),
            difference=await _expected(context, environment, play),
        )
    if play.policy_error is not None:
        message, difference = "The oracle failed.", str(play.policy_error)
    else:
        message, difference = "The oracle submitted nothing.", f"the episode ended as {play.state}"
    return GateProblem(gate=Gate.SOLVED, message=message, task=play.task.id, call=last, difference=difference)


async def _expected(context: VerificationContext, environment: Environment, play: RecordedPlay) -> str:
    if not environment.takes_answer:
        return f"the final state is {format_value(play.final_state)}"
    try:
        expected = format_value(await reference_answer(context.pool, environment, play.task, context.limits))
    except EnvironmentFailedError as error:
        return f"the reference fails: {error}"
    return f"the reference is {expected}"


def check_tools_used(environment: Environment, plays: Sequence[RecordedPlay]) -> list[GateProblem]:
    """Returns a problem for each tool that the oracle never called successfully."""
    used = {step.name for play in plays for step in play.steps if step.status == "ok"}
    return [
        GateProblem(gate=Gate.TOOLS_USED, message=f"The oracle never uses the tool {tool.name}.")
        for tool in environment.tools
        if tool.name not in used
    ]
