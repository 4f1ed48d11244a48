import pytest

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_outcome import EpisodeOutcome, EpisodeState, Verdict
from tests.conftest import OpenEpisode

RIGHT = Verdict(correct=True, reward=1.0)
WRONG = Verdict(correct=False, reward=0.0)


@pytest.mark.parametrize(
    ("state", "verdict", "outcome", "reward"),
    [
        (EpisodeState.OPEN, None, EpisodeOutcome.OPEN, None),
        (EpisodeState.SUBMITTED, RIGHT, EpisodeOutcome.CORRECT, 1.0),
        (EpisodeState.SUBMITTED, WRONG, EpisodeOutcome.INCORRECT, 0.0),
        (EpisodeState.OUT_OF_CALLS, None, EpisodeOutcome.NO_SUBMISSION, 0.0),
        (EpisodeState.EXPIRED, None, EpisodeOutcome.NO_SUBMISSION, 0.0),
        (EpisodeState.CLOSED, None, EpisodeOutcome.NO_SUBMISSION, 0.0),
        (EpisodeState.FAILED, None, EpisodeOutcome.FAILED, None),
        (EpisodeState.ABANDONED, None, EpisodeOutcome.ABANDONED, None),
    ],
)
def test_each_state_has_its_outcome_and_only_scored_outcomes_have_a_reward(
    state: EpisodeState, verdict: Verdict | None, outcome: EpisodeOutcome, reward: float | None
) -> None:
    assert EpisodeOutcome.of(state, verdict) is outcome
    assert outcome.reward(verdict) == reward


def test_every_state_is_in_the_table_above() -> None:
    (mark,) = test_each_state_has_its_outcome_and_only_scored_outcomes_have_a_reward.pytestmark  # type: ignore[attr-defined]
    assert {row[0] for row in mark.args[1]} == set(EpisodeState)


@pytest.fixture
async def episode(counter: Environment, open_episode: OpenEpisode) -> Episode:
    return await open_episode(counter, {"start": 1, "bell": 3}, calls=1)


async def test_an_answer_earns_its_reward(episode: Episode) -> None:
    assert (episode.outcome, episode.reward) == (EpisodeOutcome.OPEN, None)
    await episode.submit(3)
    assert (episode.outcome, episode.reward) == (EpisodeOutcome.CORRECT, 1.0)
    await episode.close("The agent has finished.")
    assert (episode.outcome, episode.reward) == (EpisodeOutcome.CORRECT, 1.0)


async def test_an_agent_that_gives_up_or_uses_up_its_calls_earns_nothing(episode: Episode) -> None:
    for _ in range(2):
        await episode.call("listen", {})
    assert (episode.outcome, episode.reward) == (EpisodeOutcome.NO_SUBMISSION, 0.0)


@pytest.mark.parametrize("state", [EpisodeState.CLOSED, EpisodeState.EXPIRED, EpisodeState.ABANDONED])
async def test_an_open_episode_is_closed_once(episode: Episode, state: EpisodeState) -> None:
    await episode.close("First.", state=state)
    await episode.close("Second.")
    assert (episode.state, episode.reason) == (state, "First.")
    assert episode.reward == (None if state is EpisodeState.ABANDONED else 0.0)
