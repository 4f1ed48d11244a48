"""Limits that a call exceeds, and faults of the environment."""

from typing import Any

import pytest

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episode_protocol import CallStatus
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.errors import (
    CodegymError,
    EnvironmentFaultError,
    LimitError,
)
from codegym_mcp.sandbox.process.pool import SandboxPool
from tests.conftest import Declare, OpenEpisode
from tests.episodes.episode_reading import count, ending, everything, kept, last_call
from tests.episodes.troubled_environment import SECRET, TROUBLE, broken


async def test_when_all_calls_are_used_up_the_next_one_ends_the_episode(
    counter: Environment, open_episode: OpenEpisode
) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3}, calls=3)
    await episode.call("move", {"floors": 1})
    await episode.call("no such tool", {})
    await episode.submit("no number")
    assert (episode.state, episode.calls) == (EpisodeState.OPEN, 3)
    result = await episode.call("listen", {})
    assert (result.is_error, result.over) == (True, True)
    assert "All 3 calls are used up" in result.text
    assert (episode.state, episode.calls, episode.verdict) == (EpisodeState.OUT_OF_CALLS, 3, None)
    assert "out of calls" in (await episode.submit(3)).text


async def test_the_submission_is_not_counted_as_a_call(
    counter: Environment, open_episode: OpenEpisode
) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3}, calls=1)
    await episode.call("move", {"floors": 1})
    await episode.submit(3)
    assert episode.verdict is not None
    assert episode.verdict.correct


async def test_refused_submissions_use_up_calls(counter: Environment, open_episode: OpenEpisode) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3}, calls=2)
    for _ in range(2):
        assert not (await episode.submit("no number")).over
    assert (await episode.submit("no number")).over
    assert (episode.state, episode.calls) == (EpisodeState.OUT_OF_CALLS, 2)


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("loop", {}, "It took longer than 0.3 seconds."),
        ("swell", {}, "It needed more memory than is allowed."),
        ("chatter", {"length": 700}, "Its result has 1400 bytes, 1000 are allowed."),
        ("chatter", {"length": 2_000_000}, "The result is too large."),
        ("complain", {"length": 1001}, "Its result has 1001 bytes, 1000 are allowed."),
    ],
    ids=["time", "memory", "result", "frame", "refusal"],
)
async def test_a_call_that_exceeds_a_limit_has_no_effect(
    episode: Episode, journal: Journal, name: str, arguments: dict[str, Any], words: str
) -> None:
    await count(episode)
    await episode.call("refuse", {})
    result = await episode.call(name, arguments)
    assert result.text == f"The call had no effect. {words}"
    assert (result.is_error, result.over) == (True, False)
    assert (episode.state, episode.calls) == (EpisodeState.OPEN, 3)
    assert kept(journal, episode)[-1] == ("call", "limit")
    assert last_call(journal, episode).reason
    assert await count(episode) == 2


async def test_the_same_limit_can_be_exceeded_repeatedly(episode: Episode) -> None:
    for turn in range(2):
        assert (await episode.call("loop", {})).text.startswith("The call had no effect.")
        assert await count(episode) == turn


async def test_the_details_of_a_fault_are_in_the_journal_and_not_in_the_result(
    episode: Episode, journal: Journal
) -> None:
    result = await episode.call("crash", {})
    assert (result.is_error, result.over) == (True, False)
    assert "failed inside the environment" in result.text
    told = everything(result)
    assert not any(word in told for word in (SECRET, "KeyError", "line", "Traceback"))
    event = last_call(journal, episode)
    assert event.status is CallStatus.FAULT
    assert "KeyError" in event.reason
    line = TROUBLE[: TROUBLE.index("return {}[self.secret]")].count("\n") + 1
    assert f"(line {line})" in event.reason
    assert await count(episode) == 1


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        (
            "wrong_type",
            {},
            "The result of wrong_type breaks its schema. Invalid result of wrong_type: result",
        ),
        ("truth", {}, "result should be a valid integer, not true"),
        ("double", {}, "distinct members"),
        ("not_a_number", {}, "not JSON data"),
        ("infinite", {}, "not JSON data"),
        ("half", {}, "surrogates not allowed"),
        ("half_refusal", {}, "surrogates not allowed"),
        ("method", {}, "not JSON data"),
        ("generator", {}, "generator is not JSON data"),
        ("nest", {"depth": 400}, "recursion limit exceeded"),
        ("nest", {"depth": 50_000}, "recursion"),
        ("endless", {}, "digits"),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_a_result_that_breaks_the_contract_fails_the_episode_with_its_reason(
    episode: Episode, journal: Journal, name: str, arguments: dict[str, Any], words: str
) -> None:
    await count(episode)
    result = await episode.call(name, arguments)
    assert (result.is_error, result.over) == (True, True)
    assert "will not be scored" in result.text
    assert SECRET not in everything(result)
    assert (episode.state, episode.verdict) == (EpisodeState.FAILED, None)
    assert words in episode.reason
    assert kept(journal, episode)[-2:] == [("call", "failed"), ("ended", "failed")]
    assert ending(journal, episode).reason == episode.reason
    assert (await episode.submit(SECRET)).over
    assert episode.verdict is None


@pytest.mark.parametrize(
    ("init", "error"),
    [
        ("raise ValueError('no')", EnvironmentFaultError),
        ("self.x = {}[x]", EnvironmentFaultError),
        ("while True: pass", LimitError),
        ("self.x = [0] * 10 ** 11", LimitError),
    ],
)
async def test_an_environment_that_cannot_be_opened_fails_its_episode(
    declare: Declare, pool: SandboxPool, journal: Journal, init: str, error: type[CodegymError]
) -> None:
    episode = Episode(
        pool=pool,
        journal=journal,
        environment=declare(broken(init)),
        task=Task(id="task", config={"x": 3}),
        settings=EpisodeSettings(limits=Limits(start_seconds=0.3)),
    )
    with pytest.raises(error) as caught:
        await episode.open()
    assert (episode.state, episode.reason) == (EpisodeState.FAILED, str(caught.value))
    assert kept(journal, episode) == [("opened", ""), ("ended", "failed")]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"reference": "return 1 // 0"}, "ZeroDivisionError"),
        ({"reference": "raise ValueError('zq93')"}, "zq93"),
        ({"reference": "return str(x)"}, "The reference answer does not fit its declared type"),
        ({"reference": "return float('nan')"}, "not JSON data"),
        ({"reference": "while True: pass"}, "longer than 0.3 seconds"),
        ({"tail": "def accepts(answer, x):\n    return 1"}, "neither True nor False"),
        ({"tail": "def accepts(answer, x):\n    return {}[x]"}, "KeyError"),
        ({"tail": "def accepts(answer, x):\n    while True: pass"}, "longer than 0.3 seconds"),
    ],
    ids=str,
)
async def test_an_episode_whose_answer_cannot_be_judged_fails_and_is_not_scored(
    declare: Declare, open_episode: OpenEpisode, journal: Journal, parts: dict[str, str], words: str
) -> None:
    episode = await open_episode(declare(broken(**parts)), {"x": 3}, start_seconds=0.3, reveal=True)
    result = await episode.submit(4)
    assert (result.text, result.over) == ("Your answer was received. The episode is over.", True)
    assert result.structured == {"received": True}
    assert (episode.state, episode.verdict) == (EpisodeState.FAILED, None)
    assert episode.reason.startswith("No verdict: ")
    assert words in episode.reason
    ended = ending(journal, episode)
    assert (ended.state, ended.reason, ended.verdict) == (EpisodeState.FAILED, episode.reason, None)
