"""An episode from its opening to its end, and calls that are refused."""

import json
from typing import Any

import pytest

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_outcome import EpisodeState, Verdict
from codegym_mcp.episodes.journal import Journal
from tests.conftest import OpenEpisode
from tests.episodes.episode_reading import count, ending, everything, kept


async def test_an_episode_is_played_from_its_opening_to_its_end(
    counter: Environment, open_episode: OpenEpisode, journal: Journal
) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3})
    assert episode.task.text.startswith("A lift stands at floor 1.")
    assert episode.task.public == {"start": 1}
    assert [tool.name for tool in episode.tools] == ["move", "listen"]
    assert episode.submission.name == "submit_answer"
    heard = await episode.call("listen", {})
    assert heard.structured == {"floor": 1, "sound": "above"}
    assert json.loads(heard.text) == heard.structured
    assert (await episode.call("move", {"floors": 2})).structured == {"result": 3}
    end = await episode.submit(3)
    assert (end.is_error, end.over) == (False, True)
    assert (episode.state, episode.calls) == (EpisodeState.SUBMITTED, 2)
    assert episode.verdict is not None
    assert (episode.verdict.correct, episode.verdict.reward) == (True, 1.0)
    assert kept(journal, episode) == [
        ("opened", ""),
        ("call", "ok"),
        ("call", "ok"),
        ("submitted", ""),
        ("ended", "submitted"),
    ]
    assert ending(journal, episode).verdict == Verdict(correct=True, reward=1.0)


async def test_episodes_of_one_task_share_nothing(counter: Environment, open_episode: OpenEpisode) -> None:
    one = await open_episode(counter, {"start": 0, "bell": 5})
    other = await open_episode(counter, {"start": 0, "bell": 5})
    for floor in range(1, 4):
        assert (await one.call("move", {"floors": 1})).value == floor
        assert (await other.call("move", {"floors": -1})).value == -floor
    assert one.id != other.id
    assert one.token != other.token
    await one.submit(5)
    assert (await other.call("move", {"floors": 0})).value == -3


@pytest.mark.parametrize("answer", [3, 4])
async def test_the_first_submission_is_final_and_every_call_afterwards_is_refused(
    counter: Environment, open_episode: OpenEpisode, journal: Journal, answer: int
) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3})
    await episode.submit(answer)
    verdict, events = episode.verdict, len(journal.events(episode.id))
    for result in (
        await episode.submit(3),
        await episode.submit("a"),
        await episode.call("listen", {}),
        await episode.call("move", {"floors": 1}),
        await episode.call("no such tool", {}),
        await episode.call("submit_answer", {"answer": 3}),
    ):
        assert (result.is_error, result.over) == (True, True)
        assert "over (submitted)" in result.text
    assert (episode.verdict, episode.calls) == (verdict, 0)
    assert len(journal.events(episode.id)) == events
    await episode.close("Late.")
    assert episode.state is EpisodeState.SUBMITTED


@pytest.mark.parametrize("arguments", [{}, {"answer": "3"}, {"answer": True}, {"answer": 3.0}, {"Answer": 3}])
async def test_a_submission_of_another_type_is_refused_and_the_episode_stays_open(
    counter: Environment, open_episode: OpenEpisode, journal: Journal, arguments: dict[str, Any]
) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3})
    result = await episode.call("submit_answer", arguments)
    assert (result.is_error, result.over) == (True, False)
    assert "Nothing was submitted." in result.text
    assert "nswer" in result.text
    assert (episode.state, episode.calls) == (EpisodeState.OPEN, 1)
    assert kept(journal, episode)[-1] == ("call", "invalid")
    await episode.submit(3)
    assert episode.verdict is not None
    assert episode.verdict.correct


@pytest.mark.parametrize(("answer", "words"), [(3, "It is correct."), (4, "It is not correct.")])
async def test_the_agent_sees_the_verdict_only_if_the_episode_was_opened_with_reveal(
    counter: Environment, open_episode: OpenEpisode, answer: int, words: str
) -> None:
    told = await (await open_episode(counter, {"start": 1, "bell": 3}, reveal=True)).submit(answer)
    assert words in told.text
    assert told.structured == {"received": True, "correct": answer == 3, "reward": float(answer == 3)}
    untold = await (await open_episode(counter, {"start": 1, "bell": 3})).submit(answer)
    assert untold.structured == {"received": True}
    assert "correct" not in untold.text


async def test_correct_and_incorrect_answers_get_the_same_acknowledgement(
    counter: Environment, open_episode: OpenEpisode
) -> None:
    replies = {
        everything(await (await open_episode(counter, {"start": 1, "bell": 3})).submit(answer))
        for answer in (3, 4)
    }
    assert len(replies) == 1


async def test_a_refusal_has_the_tools_own_text_and_its_earlier_effects_remain(
    episode: Episode,
) -> None:
    result = await episode.call("refuse", {})
    assert (result.text, result.is_error, result.over) == ("count is 1", True, False)
    assert await count(episode) == 1


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("stepp", {}, "Did you mean step"),
        ("", {}, "no such tool"),
        ("zzz", {}, "There is no tool named 'zzz'"),
        ("__init__", {}, "There is no tool named"),
        ("count", {}, "There is no tool named"),
        ("secret", {}, "There is no tool named"),
        ("x" * 5000, {}, "There is no tool named"),
        ("step", {"more": 1}, "more is not a parameter"),
        ("guess", {}, "word is required"),
        ("guess", {"word": 3}, "word should be a valid string, not 3"),
        ("guess", {"word": "\ud800"}, "not JSON"),
        ("\ud800", {}, "not JSON"),
        ("echo", {"value": float("nan")}, "not JSON"),
        ("echo", {"value": [float("inf")]}, "not JSON"),
        ("echo", {"value": "x" * 300_000}, "are allowed"),
        ("submit_answer", {"answer": "x" * 300_000}, "are allowed"),
        ("submit_answer", {"answer": "\ud800"}, "not JSON"),
    ],
    ids=lambda value: ascii(value)[:30],
)
async def test_a_call_that_cannot_be_made_is_refused_counted_and_recorded(
    episode: Episode, journal: Journal, name: str, arguments: dict[str, Any], words: str
) -> None:
    result = await episode.call(name, arguments)
    assert (result.is_error, result.over) == (True, False)
    assert words in result.text
    assert len(result.text.encode()) < 500
    assert (episode.state, episode.calls) == (EpisodeState.OPEN, 1)
    assert kept(journal, episode) == [("opened", ""), ("call", "invalid")]
    assert await count(episode) == 0


async def test_a_tool_receives_arguments_as_plain_json(episode: Episode) -> None:
    arguments = {"members": [2, 1], "pair": [1, "a"], "names": {"a": [1]}}
    told = await episode.call("kinds", arguments)
    assert told.value == ["[2, 1]", "[1, 'a']", "{'a': [1]}"]
    refused = await episode.call("kinds", {**arguments, "members": [1, 1]})
    assert "members should be a list of distinct members" in refused.text


async def test_a_set_is_returned_as_a_sorted_list(episode: Episode) -> None:
    assert (await episode.call("sets", {})).structured == {"result": [1, 2, 3]}
