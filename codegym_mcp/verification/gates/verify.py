"""Checks all gates of one environment."""

from collections.abc import Sequence
from functools import partial

from codegym_mcp.errors import SourceError
from codegym_mcp.policies.oracle import OraclePolicy
from codegym_mcp.spec.environment import Environment, Task
from codegym_mcp.verification.gate_results import Gate, GateProblem, Verification
from codegym_mcp.verification.gates.described import check_described
from codegym_mcp.verification.gates.deterministic import check_deterministic
from codegym_mcp.verification.gates.limits_and_results import check_calls, check_extremes
from codegym_mcp.verification.gates.solved import check_solved, check_tools_used
from codegym_mcp.verification.generated_tasks import generate_tasks
from codegym_mcp.verification.recorded_play import RecordedPlay, play_episode
from codegym_mcp.verification.verification_context import VerificationContext

_PLAYED = {Gate.SOLVED, Gate.DETERMINISTIC, Gate.LIMITS, Gate.RESULTS, Gate.TOOLS_USED}


def unreadable(environment: str, error: SourceError) -> Verification:
    """Returns the verification of an environment whose source cannot be read."""
    return Verification.of(environment, [_unloaded(str(error))], undecided=set(Gate))


async def verify(context: VerificationContext, environment: Environment) -> Verification:
    """Checks all gates of an environment on its fixed tasks, or on generated ones if it has no fixed tasks.

    Raises:
        SandboxError: the sandbox does not work on this system; the environment is not at fault.
    """
    problems = check_described(environment)
    generated, generation_problems = await generate_tasks(context, environment, seeds=[0])
    problems += generation_problems
    tasks = environment.tasks or [each.task for each in generated]
    if not tasks:
        problems.append(_unloaded("There is neither a task nor a generator."))
        return Verification.of(environment.name, problems, undecided=_PLAYED)
    played = await context.run_all(partial(_play, context, environment), tasks)
    problems += _check_parts(played)
    plays = [play for play in played if play.opening_error is None]
    if not plays:
        return Verification.of(environment.name, problems, undecided=_PLAYED)
    problems += await check_calls(context, environment, plays)
    problems += await check_solved(context, environment, plays)
    problems += await check_deterministic(context, environment, plays, generated)
    known = {problem.message for problem in problems}
    extremes = await check_extremes(context, environment, plays)
    problems += [problem for problem in extremes if problem.message not in known]
    if all(play.correct for play in played):
        return Verification.of(environment.name, [*problems, *check_tools_used(environment, plays)])
    return Verification.of(environment.name, problems, undecided={Gate.SOLVED, Gate.TOOLS_USED})


def _check_parts(plays: Sequence[RecordedPlay]) -> list[GateProblem]:
    """Returns a problem for each task on which a part of the environment does not run."""
    problems = []
    for play in plays:
        if play.opening_error is not None:
            problems.append(
                _unloaded("A task cannot be opened.", task=play.task.id, difference=str(play.opening_error))
            )
        elif play.failed and play.submitted:
            problems.append(
                _unloaded("An answer cannot be judged.", task=play.task.id, difference=play.reason)
            )
    return problems


def _unloaded(message: str, *, task: str = "", call: str = "", difference: str = "") -> GateProblem:
    return GateProblem(gate=Gate.LOADS, message=message, task=task, call=call, difference=difference)


async def _play(context: VerificationContext, environment: Environment, task: Task) -> RecordedPlay:
    oracle = OraclePolicy(context.pool, environment, context.limits)
    return await play_episode(context.pool, environment, task, oracle, context.limits)
