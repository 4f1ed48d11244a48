"""`GET /episodes` lists the episodes of the control plane and of the gateway."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from codegym_mcp.episodes.episode import Episode
from codegym_mcp.sandbox.process.pool import SandboxPool
from tests.server.test_mcp_gateway_server import done, gateway

from .serving import ENVIRONMENTS, WORDS, Server, http_server


@pytest.fixture(params=["memory", "file"])
async def served(request: pytest.FixtureRequest, pool: SandboxPool, tmp_path: Path) -> AsyncIterator[Server]:
    path = tmp_path / "journal.sqlite" if request.param == "file" else None
    async with http_server(pool, paths=(ENVIRONMENTS,), journal_path=path) as server:
        yield server


async def listed(server: Server, **query: Any) -> dict[str, Any]:
    async with server.control() as control:
        response = await control.get("/episodes", params=query)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def ids(server: Server, **query: Any) -> list[str]:
    return [episode["id"] for episode in (await listed(server, **query))["episodes"]]


async def test_episodes_are_listed_with_their_verdicts_the_newest_first(served: Server) -> None:
    assert await listed(served) == {"episodes": [], "next_cursor": None}
    blue, red = await served.open("blue"), await served.open("red")
    await blue.call("look", {})
    await blue.submit(WORDS["blue"])
    second, first = (await listed(served))["episodes"]
    assert (first["id"], first["environment"], first["task"], first["calls"]) == (blue.id, "safe", "blue", 1)
    assert (first["state"], first["outcome"], first["reward"]) == ("submitted", "correct", 1.0)
    assert first["verdict"] == {"correct": True, "reward": 1.0, "overlap": None}
    assert (second["id"], second["state"], second["verdict"]) == (red.id, "open", None)
    assert first["opened_at"] < second["opened_at"]


async def test_the_verdict_of_a_gateway_episode_is_found_by_the_first_part_of_its_handle(
    served: Server,
) -> None:
    async with gateway(served) as client:
        started = await done(client, "start_episode", environment="safe", task="red")
        await done(client, "submit_answer", episode=started["episode"], answer=WORDS["red"])
    (episode,) = (await listed(served))["episodes"]
    assert episode["id"] == started["episode"].partition("-")[0]
    assert episode["verdict"] == {"correct": True, "reward": 1.0, "overlap": None}
    assert started["episode"] not in str(episode), "the handle gives access and is never listed"


async def test_episodes_are_filtered_by_state_and_environment(served: Server) -> None:
    still_open, closed, submitted = [await served.open() for _ in range(3)]
    await closed.close("The test closed it.")
    await submitted.submit("another")
    assert await ids(served, state="open") == [still_open.id]
    assert await ids(served, state=["closed", "submitted"]) == [submitted.id, closed.id]
    assert await ids(served, environment="safe", state="closed") == [closed.id]
    assert await ids(served, environment="another") == []


async def test_every_episode_is_on_one_page(served: Server) -> None:
    opened: list[Episode] = [await served.open() for _ in range(7)]
    pages, cursor = [], None
    while True:
        page = await listed(served, limit=3, **({"cursor": cursor} if cursor else {}))
        pages.append([episode["id"] for episode in page["episodes"]])
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [len(page) for page in pages[:2]] == [3, 3]
    assert [id for page in pages for id in page] == [episode.id for episode in reversed(opened)]


async def test_a_later_server_lists_the_episodes_of_an_earlier_one(pool: SandboxPool, tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    async with http_server(pool, journal_path=path) as server:
        ended, continued = await server.open("red"), await server.open("blue")
        await ended.submit(WORDS["red"])
    async with http_server(pool, journal_path=path) as server:
        found = {episode["id"]: episode["outcome"] for episode in (await listed(server))["episodes"]}
    assert found == {ended.id: "correct", continued.id: "open"}


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ({"state": "lost"}, "state.0"),
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": ""}, "cursor"),
        ({"colour": "red"}, "colour"),
        ({"environment": ["safe", "other"]}, "environment"),
        ({"limit": ["1", "2"]}, "limit"),
    ],
)
async def test_a_wrong_query_is_refused_with_the_reason(
    http: Server, query: dict[str, Any], where: str
) -> None:
    async with http.control() as control:
        response = await control.get("/episodes", params=query)
    assert response.status_code == 422
    assert f"The request is wrong at {where}:" in response.json()["error"]["message"]


async def test_the_list_needs_the_token(http: Server) -> None:
    async with http.client() as client:
        assert (await client.get("/episodes")).status_code == 401
