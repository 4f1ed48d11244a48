"""Checks all gates of one environment."""

from collections.abc import Sequence
from functools import partial

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episode_protocol import CallStatus
from codegym_mcp.episodes.plausible_mistakes import compute_mistakes
from codegym_mcp.errors import EnvironmentFailedError, EnvironmentLimitError, SourceError
from codegym_mcp.policies.oracle import OraclePolicy
from codegym_mcp.verification.gate_results import Gate, GateProblem, Verification
from codegym_mcp.verification.gates.described_gate import check_described
from codegym_mcp.verification.gates.deterministic_gate import check_deterministic
from codegym_mcp.verification.gates.extreme_calls import Occasion, check_extreme_calls
from codegym_mcp.verification.gates.judge_gate import check_judged
from codegym_mcp.verification.gates.oracle_call_results import check_oracle_calls
from codegym_mcp.verification.gates.random_calls import CallSource, check_random_calls
from codegym_mcp.verification.gates.solved_gate import check_solved, check_tools_used
from codegym_mcp.verification.generated_tasks import generate_tasks
from codegym_mcp.verification.recorded_play import RecordedPlay, play_episode
from codegym_mcp.verification.verification_context import VerificationContext

_PLAYED = {
    Gate.SOLVED,
    Gate.DETERMINISTIC,
    Gate.LIMITS,
    Gate.RESULTS,
    Gate.JUDGED,
    Gate.TOOLS_USED,
}
"""The gates that need episodes."""


def verification_of_unreadable(environment: str, error: SourceError) -> Verification:
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
        if not generation_problems:
            problems.append(_unloaded("The environment has neither a task nor a generator."))
        return Verification.of(environment.name, problems, undecided=_PLAYED)
    played = await context.run_waves(partial(_play, context, environment), tasks, stop=_exceeded_limit)
    problems += _check_parts(played)
    problems += await _check_mistakes(context, environment, tasks)
    plays = [play for play in played if play.opening_error is None]
    if not plays:
        return Verification.of(environment.name, problems, undecided=_PLAYED)
    problems += await check_oracle_calls(context, environment, plays)
    problems += await check_solved(context, environment, plays)
    problems += await check_deterministic(context, environment, plays, generated)
    undecided: set[Gate] = set()
    if any(play.failed and play.submitted for play in plays):
        undecided.add(Gate.JUDGED)
    else:
        problems += await check_judged(context, environment, [play.task for play in plays])
    occasions = [Occasion.in_plays(tool, plays) for tool in environment.tools]
    _add_new(problems, await check_extreme_calls(context, environment, occasions))
    sources = [CallSource(play.task, play.steps) for play in plays]
    _add_new(problems, await check_random_calls(context, environment, sources))
    if all(play.correct for play in played):
        problems += check_tools_used(environment, plays)
    else:
        undecided |= {Gate.SOLVED, Gate.TOOLS_USED}
    return Verification.of(environment.name, problems, undecided)


async def check_without_oracle(
    context: VerificationContext, environment: Environment, tasks: Sequence[Task]
) -> list[GateProblem]:
    """Checks what can be checked before an environment has an oracle: extreme and random calls, and the
    judge.

    Args:
        tasks: tasks on which the environment can be opened; at least one.

    Raises:
        SandboxError: the sandbox does not work on this system.
    """
    occasions = [Occasion.at_start(tool, tasks[-1]) for tool in environment.tools]
    problems = await check_extreme_calls(context, environment, occasions)
    _add_new(problems, await check_random_calls(context, environment, [CallSource(task) for task in tasks]))
    return problems + await check_judged(context, environment, tasks)


def _add_new(problems: list[GateProblem], found: Sequence[GateProblem]) -> None:
    """Adds problems with messages that are not among the others."""
    known = {problem.message for problem in problems}
    problems += [problem for problem in found if problem.message not in known]


def _exceeded_limit(play: RecordedPlay) -> bool:
    """Returns whether the environment failed or exceeded a limit, so that other tasks would take as long."""
    return (
        isinstance(play.opening_error, EnvironmentLimitError)
        or isinstance(play.policy_error, EnvironmentLimitError)
        or play.failed
        or any(step.status is CallStatus.LIMIT for step in play.steps)
    )


def _check_parts(plays: Sequence[RecordedPlay]) -> list[GateProblem]:
    """Returns a problem for each error of a part of the environment, with the first task that has it."""
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
    return list({(each.message, each.difference): each for each in reversed(problems)}.values())[::-1]


async def _check_mistakes(
    context: VerificationContext, environment: Environment, tasks: Sequence[Task]
) -> list[GateProblem]:
    """Returns a problem for each error of `mistakes`, with the first task that has it."""

    async def error_on(task: Task) -> GateProblem | None:
        try:
            await compute_mistakes(context.pool, environment, task, context.limits)
        except EnvironmentFailedError as error:
            return _unloaded("The mistakes cannot be computed.", task=task.id, difference=str(error))
        return None

    found = await context.run_waves(error_on, tasks, stop=lambda problem: problem is not None)
    return [problem for problem in found if problem is not None][:1]


def _unloaded(message: str, *, task: str = "", call: str = "", difference: str = "") -> GateProblem:
    return GateProblem(gate=Gate.LOADS, message=message, task=task, call=call, difference=difference)


async def _play(context: VerificationContext, environment: Environment, task: Task) -> RecordedPlay:
    oracle = OraclePolicy(context.pool, environment, context.limits)
    return await play_episode(context.pool, environment, task, oracle, context.limits)
