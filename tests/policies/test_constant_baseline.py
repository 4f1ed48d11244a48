import pytest

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.policies.constant_baseline import ConstantPolicy, ReferenceAnswers
from codegym_mcp.sandbox.process.pool import SandboxPool
from tests.policies.conftest import OpenEpisode


def with_bells(counter: Environment, *bells: int) -> Environment:
    tasks = [Task(id=f"t{place}", config={"start": 0, "bell": bell}) for place, bell in enumerate(bells)]
    return counter.with_tasks(tuple(tasks))


@pytest.mark.parametrize(
    ("bells", "correct"),
    [
        ((5, 5, 5, 2), True),
        # Of the other tasks two say 2 and one says 5: the task's own answer does not count.
        ((5, 2, 5, 2), False),
    ],
)
async def test_constant_submits_the_most_frequent_answer_of_the_other_tasks(
    pool: SandboxPool, counter: Environment, open_episode: OpenEpisode, bells: list[int], correct: bool
) -> None:
    environment = with_bells(counter, *bells)
    episode = await open_episode(environment, environment.tasks[0].config, id="t0")
    await ConstantPolicy(environment, ReferenceAnswers(pool)).play(episode)
    assert episode.calls == 0
    assert episode.verdict is not None
    assert episode.verdict.correct is correct


async def test_a_generated_task_is_answered_from_the_fixed_tasks(
    pool: SandboxPool, counter: Environment, open_episode: OpenEpisode
) -> None:
    environment = with_bells(counter, 4)
    episode = await open_episode(environment, {"start": 0, "bell": 4}, id="d1-s0")
    await ConstantPolicy(environment, ReferenceAnswers(pool)).play(episode)
    assert episode.verdict is not None
    assert episode.verdict.correct


async def test_constant_submits_nothing_without_another_task(
    pool: SandboxPool, counter: Environment, open_episode: OpenEpisode
) -> None:
    environment = with_bells(counter, 4)
    episode = await open_episode(environment, environment.tasks[0].config, id="t0")
    await ConstantPolicy(environment, ReferenceAnswers(pool)).play(episode)
    assert episode.state is EpisodeState.OPEN


async def test_answers_are_computed_once(pool: SandboxPool, counter: Environment) -> None:
    environment = with_bells(counter, 1, 2)
    answers = ReferenceAnswers(pool)
    known = await answers.of(environment)
    assert known == {"t0": 1, "t1": 2}
    assert await answers.of(environment) is known
