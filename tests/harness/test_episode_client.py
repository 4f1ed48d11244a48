"""An episode of a server of ours, played without the SDK, is the same episode."""

from contextlib import asynccontextmanager

import anyio
import pytest
import uvicorn

from codegym_mcp.episode import EpisodeSettings, EpisodeState
from codegym_mcp.errors import ConnectionFailedError
from codegym_mcp.limits import Limits
from codegym_mcp.players.oracle import OraclePlayer
from codegym_mcp.server.http import HttpOptions, bind, make_app, running
from codegym_mcp.server.words import instructions
from harness.episode_client import EpisodeClient


@pytest.fixture(params=[True, False], ids=["json", "events"])
async def connected(request, bells, episodes):
    """Opens an episode and connects to it, at a server that answers in JSON or in event streams."""
    with bind("127.0.0.1", 0) as listener:
        app = make_app(episodes, HttpOptions(token="t", json_responses=request.param))

        @asynccontextmanager
        async def connect(**limits):
            settings = EpisodeSettings(limits=Limits(**limits))
            episode = await episodes.open(bells, bells.tasks[1], settings)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/episodes/{episode.token}/mcp"
            async with EpisodeClient.connect(url) as client:
                yield client, episode

        async with running(app, listener):
            yield connect


async def test_it_is_played_like_the_episode_itself(connected, pool):
    async with connected() as (client, episode):
        assert (client.task, client.tools, client.submission) == (
            episode.task,
            episode.tools,
            episode.submission,
        )
        assert client.instructions == instructions(episode)
        refusal = await client.call("move", {"floors": 11})
        assert refusal.is_error
        assert refusal.structured is None
        assert "at most 10" in refusal.text
        moved = await client.call("move", {"floors": 1})
        assert (moved.text, moved.structured, moved.value) == ("1", {"result": 1}, 1)
        assert (await client.call("move", {"floors": -1})).value == 0
        assert episode.calls == 3
        await OraclePlayer(pool, episode.environment).play(client)
        assert episode.verdict is not None
        assert episode.verdict.correct
        after = await client.call("listen", {})
        assert (after.is_error, after.over) == (True, True)


async def test_a_refused_submission_does_not_end_it(connected):
    async with connected() as (client, episode):
        refused = await client.submit("five")
        assert (refused.is_error, refused.over) == (True, False)
        assert episode.state is EpisodeState.OPEN
        accepted = await client.submit(2)
        assert (accepted.is_error, accepted.over, accepted.structured) == (False, True, {"received": True})


async def test_it_is_told_when_the_calls_are_used_up(connected):
    async with connected(calls=1) as (client, _):
        assert not (await client.call("listen", {})).over
        assert (await client.call("listen", {})).over


@pytest.mark.parametrize("name", ["fly", "🛗 \r\nx: y", " move ", "=?base64?bW92ZQ==?=", ""])
async def test_a_tool_of_any_name_that_there_is_none_of_is_refused(connected, name):
    async with connected() as (client, episode):
        result = await client.call(name, {"a": [None, "ü\n"]})
        assert (result.is_error, result.over) == (True, False)
        assert result.text.startswith("There is no ")
        assert episode.calls == 1


async def test_two_calls_at_once_are_both_answered(connected):
    async with connected() as (client, episode):
        results = []

        async def move(floors):
            results.append((await client.call("move", {"floors": floors})).value)

        async with anyio.create_task_group() as tasks:
            for floors in (1, 2):
                tasks.start_soon(move, floors)
        assert max(results) == 3
        assert episode.calls == 2


async def test_the_address_of_no_episode_is_a_failed_connection(server):
    with pytest.raises(ConnectionFailedError, match="There is no such episode"):
        async with EpisodeClient.connect(f"{server.url}/episodes/nothing/mcp"):
            pytest.fail("connected to nothing")


@pytest.mark.parametrize("path", ["/health", "/mcp"])
async def test_what_is_no_episode_is_a_failed_connection(server, path):
    with pytest.raises(ConnectionFailedError):
        async with EpisodeClient.connect(server.url + path):
            pytest.fail("connected to something else")


async def test_an_address_where_nobody_listens_is_a_failed_connection(unused_tcp_port):
    with pytest.raises(ConnectionFailedError, match=f"127.0.0.1:{unused_tcp_port} failed.*Is it running"):
        async with EpisodeClient.connect(f"http://127.0.0.1:{unused_tcp_port}/mcp"):
            pytest.fail("connected to nobody")


async def test_a_server_that_ends_during_an_episode_is_a_failed_connection(bells, episodes, mortal_server):
    address, server = mortal_server
    assert isinstance(server, uvicorn.Server)
    episode = await episodes.open(bells, bells.tasks[1], EpisodeSettings(limits=Limits(calls=100_000)))
    async with EpisodeClient.connect(f"{address.url}/episodes/{episode.token}/mcp") as client:
        server.should_exit = True

        async def play():
            while True:
                await client.call("listen", {})

        with anyio.fail_after(60), pytest.raises(ConnectionFailedError):
            await play()
