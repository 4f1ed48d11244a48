"""Whether the oracle earns the reward on every task, and has a use for every tool."""

from collections.abc import Sequence

from codegym_mcp.episodes.scoring import reference_answer
from codegym_mcp.errors import CodegymError, SandboxError
from codegym_mcp.spec.environment import Environment
from codegym_mcp.verification.gate_results import Gate, GateProblem
from codegym_mcp.verification.recorded_play import RecordedPlay, call_text, shown
from codegym_mcp.verification.verification_context import VerificationContext


def is_hindered(play: RecordedPlay) -> bool:
    """Whether the environment let the oracle down, so that its failure says nothing of the oracle."""
    return (
        play.opening_error is not None
        or play.failed
        or any(step.status in ("fault", "limit", "failed") for step in play.steps)
    )


async def check_solved(
    bench: VerificationContext, environment: Environment, plays: Sequence[RecordedPlay]
) -> list[GateProblem]:
    """The tasks on which the oracle, unhindered, does not earn the reward."""
    unsolved = [play for play in plays if not play.correct and not is_hindered(play)]
    return [await _problem(bench, environment, play) for play in unsolved]


async def _problem(bench: VerificationContext, environment: Environment, play: RecordedPlay) -> GateProblem:
    last = play.steps[-1].call if play.steps else ""
    if play.submitted:
        return GateProblem(
            gate=Gate.SOLVED,
            message="The oracle's answer is wrong.",
            task=play.task.id,
            call=call_text(environment.submission.name, {"answer": play.answer}),
            difference=await _expected(bench, environment, play),
        )
    if play.player_error is not None:
        message, difference = "The oracle failed.", str(play.player_error)
    else:
        message, difference = "The oracle submitted nothing.", f"the episode ended as {play.state}"
    return GateProblem(gate=Gate.SOLVED, message=message, task=play.task.id, call=last, difference=difference)


async def _expected(bench: VerificationContext, environment: Environment, play: RecordedPlay) -> str:
    try:
        expected = shown(await reference_answer(bench.pool, environment, play.task, bench.limits))
    except SandboxError:
        raise
    except CodegymError as error:
        expected = f"not to be had: {error}"
    return f"the reference is {expected}"


def check_tools_used(environment: Environment, plays: Sequence[RecordedPlay]) -> list[GateProblem]:
    """The tools that the oracle never called with success."""
    used = {step.name for play in plays for step in play.steps if step.status == "ok"}
    return [
        GateProblem(gate=Gate.TOOLS_USED, message=f"The oracle never uses the tool {tool.name}.")
        for tool in environment.tools
        if tool.name not in used
    ]
