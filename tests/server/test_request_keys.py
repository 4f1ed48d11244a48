"""A request that is named can be sent again: it is answered as before, and nothing is done twice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from codegym_mcp.episode_protocol import MAX_KEY, REQUEST_KEY_META
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.sandbox.process.pool import SandboxPool

from .serving import ENVIRONMENTS, WORDS, Server, http_server


class Line:
    """A client of one episode, by its own address or by the gateway."""

    def __init__(self, client: Client, episode: Episode, *, gateway: bool) -> None:
        self._client = client
        self._gateway = gateway
        self.episode = episode

    async def call(self, name: str, key: Any, **arguments: Any) -> str:
        """Calls a tool, or submits; returns all that is answered."""
        if self._gateway and name == "submit_answer":
            arguments["episode"] = self.episode.token
        elif self._gateway:
            arguments = {"episode": self.episode.token, "name": name, "arguments": arguments}
            name = "call_tool"
        result = await self._client.call_tool(name, arguments, meta={REQUEST_KEY_META: key})  # type: ignore[arg-type]
        return result.model_dump_json()


@pytest.fixture(params=["episode-auto", "episode-legacy", "gateway-auto", "gateway-legacy"])
async def line(request: pytest.FixtureRequest, http_json: Server) -> AsyncIterator[Line]:
    way, _, mode = request.param.partition("-")
    episode = await http_json.open()
    async with reached(http_json, episode, way, mode) as found:
        yield found


@asynccontextmanager
async def reached(server: Server, episode: Episode, way: str, mode: str = "auto") -> AsyncIterator[Line]:
    url = f"{server.url}/mcp" if way == "gateway" else server.url_of(episode)
    async with server.client() as plain:
        streams = streamable_http_client(url, http_client=plain)
        async with Client(streams, mode=mode, read_timeout_seconds=30) as client:
            yield Line(client, episode, gateway=way == "gateway")


async def test_a_call_that_is_sent_again_is_made_once(line: Line) -> None:
    first = await line.call("turn", "a", clicks=5)
    assert await line.call("turn", "a", clicks=5) == first
    assert await line.call("turn", "b", clicks=5) != first
    assert await line.call("turn", "a", clicks=5) == first
    assert '"turns":2' in await line.call("look", "c")
    assert line.episode.calls == 3


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("force", {}),
        ("kick", {}),
        ("no such tool", {}),
        ("turn", {"clicks": "x"}),
        ("ring", {"times": 10**5}),
    ],
)
async def test_a_refusal_is_repeated_and_counted_once(
    line: Line, name: str, arguments: dict[str, Any]
) -> None:
    first = await line.call(name, "a", **arguments)
    assert '"isError":true' in first or '"is_error":true' in first
    assert await line.call(name, "a", **arguments) == first
    assert line.episode.calls == 1


async def test_a_key_is_for_one_request(line: Line) -> None:
    first = await line.call("turn", "a", clicks=5)
    for name, arguments in (("turn", {"clicks": 6}), ("look", {}), ("submit_answer", {"answer": "x"})):
        assert "Another request was made with this key" in await line.call(name, "a", **arguments)
    assert await line.call("turn", "a", clicks=5) == first
    assert (line.episode.calls, line.episode.state) == (1, EpisodeState.OPEN)


async def test_a_submission_that_is_sent_again_is_acknowledged_again(line: Line) -> None:
    call = await line.call("turn", "a", clicks=5)
    first = await line.call("submit_answer", "b", answer=WORDS["blue"])
    assert "received" in first
    assert await line.call("submit_answer", "b", answer=WORDS["blue"]) == first
    assert "Another request" in await line.call("submit_answer", "b", answer=WORDS["red"])
    assert "over" in await line.call("submit_answer", "c", answer=WORDS["red"])
    assert await line.call("turn", "a", clicks=5) == call
    assert line.episode.verdict is not None
    assert line.episode.verdict.correct


async def test_a_call_that_is_sent_again_while_it_is_made_is_made_once(line: Line) -> None:
    said: list[str] = []

    async def polish() -> None:
        said.append(await line.call("polish", "a", strokes=100_000))

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(polish)
    assert len(said) == 3
    assert len(set(said)) == 1
    assert line.episode.calls == 1


@pytest.mark.parametrize("key", ["", "x" * (MAX_KEY + 1), 7, ["a"], {}, False])
async def test_what_is_no_key_is_refused_and_nothing_is_done(line: Line, key: Any) -> None:
    with pytest.raises(MCPError, match=f"{REQUEST_KEY_META} is a text of 1 to {MAX_KEY} characters"):
        await line.call("turn", key, clicks=1)
    assert line.episode.calls == 0


async def test_the_same_key_in_another_episode_is_another_request(http_json: Server) -> None:
    one, other = await http_json.open(), await http_json.open()
    async with reached(http_json, one, "gateway") as first, reached(http_json, other, "episode") as second:
        assert await first.call("turn", "a", clicks=5) != await second.call("turn", "a", clicks=6)
    assert (one.calls, other.calls) == (1, 1)


@pytest.mark.parametrize("way", ["episode", "gateway"])
async def test_a_later_server_knows_what_was_answered(way: str, pool: SandboxPool, tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    async with http_server(pool, journal_path=path) as server:
        episode = await server.open()
        async with reached(server, episode, way) as line:
            call = await line.call("turn", "a", clicks=5)
            refusal = await line.call("force", "b")
    async with http_server(pool, journal_path=path) as server:
        again = server.episodes.by_id(episode.id)
        async with reached(server, again, way) as line:
            assert await line.call("turn", "a", clicks=5) == call
            assert await line.call("force", "b") == refusal
            assert "Another request" in await line.call("turn", "b", clicks=5)
            assert again.calls == 2
            end = await line.call("submit_answer", "c", answer="x")
    async with http_server(pool, journal_path=path) as server:
        last = server.episodes.by_id(episode.id)
        async with reached(server, last, way) as line:
            assert await line.call("submit_answer", "c", answer="x") == end
            assert await line.call("turn", "a", clicks=5) == call


# --- openings


async def opening(server: Server, key: Any, **asked: Any) -> tuple[int, Any]:
    async with server.control() as control:
        body = {"environment": "safe", "request_key": key, **asked}
        response = await control.post("/episodes", json=body)
        return response.status_code, response.json()


async def test_an_opening_that_is_sent_again_opens_one_episode(http: Server) -> None:
    count = http.episodes.open_count
    first = await opening(http, "opening-1")
    assert first[0] == 201
    assert await opening(http, "opening-1") == first
    assert (await opening(http, "opening-2"))[1]["id"] != first[1]["id"]
    assert http.episodes.open_count == count + 2


async def test_an_opening_that_is_sent_again_while_it_is_made_opens_one_episode(http: Server) -> None:
    count = http.episodes.open_count
    answers: list[Any] = []

    async def ask() -> None:
        answers.append(await opening(http, "opening-3", difficulty=2, seed=3))

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(ask)
    assert answers == [answers[0]] * 5
    assert http.episodes.open_count == count + 1


@pytest.mark.parametrize("other", [{"task": "red"}, {"limits": {"calls": 3}}, {"reveal": True}])
async def test_the_key_of_an_opening_is_for_one_opening(http: Server, other: dict[str, Any]) -> None:
    first = await opening(http, "opening-4")
    status, refusal = await opening(http, "opening-4", **other)
    assert (status, refusal["error"]["hint"]) == (422, "Send a new key.")
    assert await opening(http, "opening-4") == first


async def test_an_opening_that_failed_fails_again(pool: SandboxPool) -> None:
    async with http_server(pool, paths=(ENVIRONMENTS,)) as server:
        asked = {"environment": "fragile"}
        first = await opening(server, "opening-5", **asked)
        assert first[0] == 500
        status, again = await opening(server, "opening-5", **asked)
        assert status == 500
        assert again["error"]["message"] in first[1]["error"]["message"]
        assert server.episodes.open_count == 0


async def test_an_opening_that_could_not_be_recorded_can_be_made_again(
    pool: SandboxPool, tmp_path: Path
) -> None:
    async with http_server(pool, journal_path=tmp_path / "journal.sqlite") as server:
        server.journal._connection.execute("PRAGMA query_only = ON")
        assert (await opening(server, "opening-6"))[0] == 500
        server.journal._connection.execute("PRAGMA query_only = OFF")
        status, opened = await opening(server, "opening-6")
        assert status == 201
        assert [event.kind for event in server.journal.events(opened["id"])] == ["opened"]


async def test_what_is_no_key_of_an_opening_is_refused(http: Server) -> None:
    for key in ("", "x" * (MAX_KEY + 1), 7):
        assert (await opening(http, key))[0] == 422
