"""Callers that are cancelled, and callers that call at the same time."""

import asyncio

import anyio

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episode_protocol import CallResult
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.episodes.events import CallEvent
from codegym_mcp.episodes.journal import Journal
from tests.conftest import OpenEpisode
from tests.episodes.episode_reading import count, kept


async def test_the_call_of_a_cancelled_caller_is_made_and_recorded(
    episode: Episode, journal: Journal
) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(episode.call, "step", {})
        await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    assert kept(journal, episode)[-1] == ("call", "ok")
    assert await count(episode) == 1


async def test_the_call_of_a_caller_cancelled_by_asyncio_is_made_and_recorded(
    episode: Episode, journal: Journal
) -> None:
    for turn in range(10):
        calling = asyncio.ensure_future(episode.call("step", {}))
        for _ in range(turn):
            await asyncio.sleep(0)
        calling.cancel()
        await asyncio.wait([calling])
    # Those that were cancelled before they began were never made; all others were, each with its record.
    made = await count(episode)
    assert kept(journal, episode)[1:] == [("call", "ok")] * (made + 1)
    assert episode.calls == made + 1
    episode.suspend()
    assert await count(episode) == made + 1


async def test_the_submission_of_a_cancelled_caller_counts(
    counter: Environment, open_episode: OpenEpisode
) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3})
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(episode.submit, 3)
        await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    assert episode.state is EpisodeState.SUBMITTED
    assert episode.verdict is not None
    assert episode.verdict.correct


async def test_an_episode_closed_by_a_cancelled_caller_is_closed(episode: Episode, journal: Journal) -> None:
    closing = asyncio.ensure_future(episode.close("Enough."))
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait([closing])
    assert (await episode.call("step", {})).over
    assert kept(journal, episode) == [("opened", ""), ("ended", "closed")]


async def test_concurrent_calls_are_made_one_after_another(episode: Episode, journal: Journal) -> None:
    seen: list[int] = []

    async def step() -> None:
        seen.append((await episode.call("step", {})).value)

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(step)
    assert sorted(seen) == list(range(1, 21))
    recorded = [event.result.value for event in journal.events(episode.id) if isinstance(event, CallEvent)]
    assert seen == recorded


async def test_of_two_concurrent_submissions_one_counts(
    counter: Environment, open_episode: OpenEpisode, journal: Journal
) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3})
    results: list[CallResult] = []

    async def submit(answer: int) -> None:
        results.append(await episode.submit(answer))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(submit, 4)
        tasks.start_soon(submit, 3)
    assert sorted(result.is_error for result in results) == [False, True]
    assert [kind for kind, _ in kept(journal, episode)] == ["opened", "submitted", "ended"]
