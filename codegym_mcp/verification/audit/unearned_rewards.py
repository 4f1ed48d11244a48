"""Measures rewards that an agent gets although it did not act, or forgot a rule of the task."""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from itertools import islice
from random import Random
from statistics import fmean
from typing import Any

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episode_protocol import EpisodeProtocol
from codegym_mcp.episodes.plausible_mistakes import compute_mistakes
from codegym_mcp.episodes.scoring import judge
from codegym_mcp.errors import EnvironmentFailedError, InvalidArgumentsError
from codegym_mcp.policies.schema_sampler import SchemaSampler
from codegym_mcp.verification.audit.audit_measurements import MistakeFigures
from codegym_mcp.verification.audit.oracle_agreement import OracleComparison
from codegym_mcp.verification.recorded_play import play_episode
from codegym_mcp.verification.verification_context import VerificationContext

_OTHER_ANSWERS = 3


class FixedAnswerPolicy:
    """Submits a given answer without a call."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    async def play(self, episode: EpisodeProtocol) -> None:
        """Submits the answer."""
        await episode.submit(self._answer)


async def earns_without_acting(
    context: VerificationContext, environment: Environment, task: Task, answer: Any
) -> bool:
    """Checks whether an answer earns the reward if it is submitted before any call."""
    policy = FixedAnswerPolicy(answer)
    return (await play_episode(context.pool, environment, task, policy, context.limits)).correct


async def measure_answer_only(
    context: VerificationContext, environment: Environment, comparisons: Sequence[OracleComparison]
) -> float | None:
    """Returns the mean reward of the right answer, submitted without acting.

    Returns:
        A number from 0 to 1, or None if the state is not scored.
    """
    if environment.final_state is None:
        return None

    async def reward(comparison: OracleComparison) -> float:
        task, reference = comparison.play.task, comparison.reference
        return float(await earns_without_acting(context, environment, task, reference))

    return round(fmean(await context.run_all(reward, comparisons)), 4)


async def measure_any_answer(
    context: VerificationContext, environment: Environment, comparisons: Sequence[OracleComparison]
) -> float | None:
    """Returns the share of wrong answers that are accepted with the state that the oracle leaves.

    The wrong answers of a task are right answers of other tasks, and random ones.

    Returns:
        A number from 0 to 1, or None if state and answer are not scored together.
    """
    if environment.final_state is None or not environment.takes_answer:
        return None
    attempts = [
        (comparison, answer)
        for comparison in comparisons
        if comparison.play.correct
        for answer in _other_answers(environment, comparison, comparisons)
    ]
    if not attempts:
        return None
    return round(fmean(await context.run_all(partial(_is_accepted, context, environment), attempts)), 4)


def _other_answers(
    environment: Environment, comparison: OracleComparison, comparisons: Sequence[OracleComparison]
) -> list[Any]:
    random = Random(comparison.play.task.id)  # noqa: S311 - the same answers every time
    sampler = SchemaSampler(random)
    drawn = [sampler.draw(environment.submission.input_schema) for _ in range(_OTHER_ANSWERS)]
    answers = [other.reference for other in comparisons]
    answers += [next(iter(arguments.values())) for arguments in drawn if _fits(environment, arguments)]
    wrong = (answer for answer in answers if not environment.answer.equal(comparison.reference, answer))
    return list(islice(wrong, _OTHER_ANSWERS))


def _fits(environment: Environment, arguments: dict[str, Any]) -> bool:
    try:
        environment.submission.validate_arguments(arguments)
    except InvalidArgumentsError:
        return False
    return True


async def _is_accepted(
    context: VerificationContext, environment: Environment, attempt: tuple[OracleComparison, Any]
) -> bool:
    comparison, answer = attempt
    return await _is_right(context, environment, comparison.play.task, answer, comparison.play.final_state)


async def measure_mistakes(
    context: VerificationContext, environment: Environment, tasks: Sequence[Task]
) -> list[MistakeFigures]:
    """Measures in what share of the tasks each misunderstanding is right, in the order of their names.

    A task on which `mistakes` fails is left out; verification reports it.
    """
    if not environment.names_mistakes:
        return []
    accepted: dict[str, list[bool]] = defaultdict(list)
    for found in await context.run_all(partial(_accepted_mistakes, context, environment), tasks):
        for name, right in found.items():
            accepted[name].append(right)
    return [
        MistakeFigures(name=name, tasks=len(right), right=round(fmean(right), 4))
        for name, right in sorted(accepted.items())
    ]


async def _accepted_mistakes(
    context: VerificationContext, environment: Environment, task: Task
) -> dict[str, bool]:
    try:
        mistakes = await compute_mistakes(context.pool, environment, task, context.limits)
    except EnvironmentFailedError:
        return {}
    return {
        each.name: await _is_right(context, environment, task, each.answer, each.state) for each in mistakes
    }


async def _is_right(
    context: VerificationContext, environment: Environment, task: Task, answer: Any, state: Any
) -> bool:
    try:
        return (await judge(context.pool, environment, task, answer, context.limits, state=state)).correct
    except EnvironmentFailedError:
        # Judges that fail are reported by `find_unjudged`.
        return False
