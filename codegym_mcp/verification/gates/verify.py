"""Takes one environment through all gates."""

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
    """The verification of an environment whose source cannot be used."""
    return Verification.of(environment, [_unloaded(str(error))], undecided=set(Gate))


async def verify(bench: VerificationContext, environment: Environment) -> Verification:
    """Takes an environment through all gates, on every fixed task, or generated ones where it has none.

    Raises:
        SandboxError: nothing can be verified here; the environment is not to blame.
    """
    problems = check_described(environment)
    generated, ungenerated = await generate_tasks(bench, environment, seeds=[0])
    problems += ungenerated
    tasks = environment.tasks or [each.task for each in generated]
    if not tasks:
        problems.append(_unloaded("There is neither a task nor a generator."))
        return Verification.of(environment.name, problems, undecided=_PLAYED)
    played = await bench.each(partial(_play, bench, environment), tasks)
    problems += _check_parts(played)
    plays = [play for play in played if play.opening_error is None]
    if not plays:
        return Verification.of(environment.name, problems, undecided=_PLAYED)
    problems += await check_calls(bench, environment, plays)
    problems += await check_solved(bench, environment, plays)
    problems += await check_deterministic(bench, environment, plays, generated)
    told = {problem.message for problem in problems}
    extremes = await check_extremes(bench, environment, plays)
    problems += [problem for problem in extremes if problem.message not in told]
    if all(play.correct for play in played):
        return Verification.of(environment.name, [*problems, *check_tools_used(environment, plays)])
    return Verification.of(environment.name, problems, undecided={Gate.SOLVED, Gate.TOOLS_USED})


def _check_parts(plays: Sequence[RecordedPlay]) -> list[GateProblem]:
    """The tasks on which a part of the environment does not run."""
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


async def _play(bench: VerificationContext, environment: Environment, task: Task) -> RecordedPlay:
    oracle = OraclePolicy(bench.pool, environment, bench.limits)
    return await play_episode(bench.pool, environment, task, oracle, bench.limits)
