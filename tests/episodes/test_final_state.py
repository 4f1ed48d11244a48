"""The final state is obtained at the submission, journalled and judged; a fault of it is the environment's."""

from pathlib import Path

import pytest

from codegym_mcp.episode_protocol import CallStatus
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.episodes.events import StateEvent, SubmittedEvent
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.episodes.memory_journal import MemoryJournal
from codegym_mcp.policies.oracle import OraclePolicy
from codegym_mcp.sandbox.process.pool import SandboxPool
from tests.conftest import Declare, OpenEpisode
from tests.episodes.episode_reading import kept, successor
from tests.episodes.stateful_environments import BOTH, CONFIG, ONE_CONFIG, STATE_ALONE, with_state


@pytest.fixture
async def lamps(declare: Declare, open_episode: OpenEpisode) -> Episode:
    return await open_episode(declare(BOTH), CONFIG)


async def test_the_right_answer_earns_nothing_without_the_state(lamps: Episode) -> None:
    await lamps.submit(2)
    assert lamps.reward == 0.0


async def test_the_right_state_earns_nothing_without_the_answer(lamps: Episode) -> None:
    for lamp in CONFIG["broken"]:
        await lamps.call("switch", {"lamp": lamp})
    await lamps.submit(1)
    assert lamps.reward == 0.0


async def test_the_oracle_earns_the_reward_by_acting(
    lamps: Episode, pool: SandboxPool, journal: Journal
) -> None:
    await OraclePolicy(pool, lamps.environment).play(lamps)
    assert lamps.reward == 1.0
    assert [kind for kind, _ in kept(journal, lamps)][-3:] == ["submitted", "state", "ended"]
    states = [event.state for event in journal.events(lamps.id) if isinstance(event, StateEvent)]
    assert states == [{"lit": [1, 3]}]


async def test_a_submission_without_an_answer_is_judged_by_the_state_alone(
    declare: Declare, open_episode: OpenEpisode, pool: SandboxPool
) -> None:
    made = declare(STATE_ALONE)
    assert made.submission.input_schema["properties"] == {}
    solved = await open_episode(made, CONFIG)
    await OraclePolicy(pool, made).play(solved)
    assert solved.reward == 1.0
    idle = await open_episode(made, CONFIG)
    assert (await idle.submit()).over
    assert idle.reward == 0.0
    refused = await open_episode(made, CONFIG)
    assert (await refused.call("submit_answer", {"answer": 2})).status is CallStatus.INVALID


async def test_agents_cannot_call_the_method(lamps: Episode) -> None:
    assert "final_state" not in [tool.name for tool in lamps.tools]
    result = await lamps.call("final_state", {})
    assert result.status is CallStatus.INVALID
    assert "final_state" not in result.text.split(":", 1)[1]


async def test_the_state_is_rebuilt_by_replay(lamps: Episode, pool: SandboxPool) -> None:
    for lamp in CONFIG["broken"]:
        await lamps.call("switch", {"lamp": lamp})
    lamps.suspend()
    await lamps.submit(2)
    assert lamps.reward == 1.0


@pytest.mark.parametrize("recorded", ["submitted", "state"])
async def test_a_restarted_server_continues_with_the_state(
    lamps: Episode, pool: SandboxPool, journal: Journal, recorded: str
) -> None:
    for lamp in CONFIG["broken"]:
        await lamps.call("switch", {"lamp": lamp})
    await lamps.submit(2)
    events = journal.events(lamps.id)
    last = next(place for place, event in enumerate(events) if event.kind == recorded)
    earlier = MemoryJournal()
    for number, event in enumerate(events[: last + 1]):
        await earlier.append(lamps.id, number, event)
    again = successor(lamps, pool, earlier)
    await again.resume(earlier.events(lamps.id))
    assert again.reward == 1.0
    assert [kind for kind, _ in kept(earlier, again)] == [event.kind for event in events]


async def test_a_journal_on_disk_keeps_the_state(
    declare: Declare, pool: SandboxPool, tmp_path: Path, lamps: Episode
) -> None:
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        episode = successor(lamps, pool, journal)
        await episode.open()
        await episode.submit(2)
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        kinds = [type(event) for event in journal.events(episode.id)]
    assert kinds[1:3] == [SubmittedEvent, StateEvent]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ('return {"lit": "all"}', "not of its declared type"),
        ("return None", "not of its declared type"),
        ("raise ValueError('no')", "raised a ValueError: no"),
        ("return {}[1]", "final_state"),
        ("return {'lit': [1] * 200_000}", "bytes are allowed"),
        ("return {'lit': [1] * 2_000_000}", "final_state"),
        ("return {'lit': [1] * 10 ** 11}", "final_state"),
        ("return {'lit': [1e999]}", "final_state"),
        ("return {'lit': lambda: 1}", "final_state"),
        ("\n        while True: pass", "final_state: It took longer"),
    ],
)
async def test_a_failing_state_is_a_fault_of_the_environment(
    declare: Declare, open_episode: OpenEpisode, body: str, named: str
) -> None:
    made = declare(with_state(body))
    episode = await open_episode(made, CONFIG, start_seconds=0.5)
    result = await episode.submit(2)
    assert result.over
    assert "final_state" not in result.text
    assert (episode.state, episode.reward) == (EpisodeState.FAILED, None)
    assert "final_state" in episode.reason
    assert named in episode.reason.replace(str(256 * 1024), "bytes")


async def test_functions_can_take_one_configuration(
    declare: Declare, open_episode: OpenEpisode, pool: SandboxPool
) -> None:
    made = declare(ONE_CONFIG)
    episode = await open_episode(made, CONFIG)
    assert "5 lamps" in episode.task.text
    await OraclePolicy(pool, made).play(episode)
    assert episode.reward == 1.0
