"""The control plane in front of two servers, of which one stops."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import httpx2
import pytest

from codegym_harness.clients.mcp_client import ssl_context
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.server.http_options import HttpOptions
from codegym_mcp.server.listeners import bind
from codegym_mcp.server.nodes.node_directory import NodeDirectory, NodeServer
from codegym_mcp.server.nodes.nodes_application import make_nodes_app
from codegym_mcp.server.uvicorn_server import running
from tests.server.serving import http_server

ASKED = {"environment": "safe", "task": "blue"}


@dataclass
class Front:
    """A control plane and what it knows."""

    control: httpx2.AsyncClient
    directory: NodeDirectory

    async def open(self, **more: Any) -> dict[str, Any]:
        response = await self.control.post("/episodes", json={**ASKED, **more})
        assert response.status_code == 201, response.text
        return dict(response.json())

    def place_of(self, episode: dict[str, Any]) -> NodeServer:
        (place,) = (each for each in self.directory.running if episode["mcp_url"].startswith(f"{each.url}/"))
        return place


@asynccontextmanager
async def front_of_two(pool: SandboxPool, *, keeps_episodes: bool = False) -> AsyncIterator[Front]:
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(http_server(pool)) for _ in range(2)]
        directory = NodeDirectory(servers[0].token, keeps_episodes=keeps_episodes)
        for number, server in enumerate(servers):
            directory.servers[f"n-{number}"] = NodeServer(f"n-{number}", server.url)
        listener = stack.enter_context(bind("127.0.0.1", 0))
        app = make_nodes_app(directory, HttpOptions(token="of the front"), host="127.0.0.1")
        await stack.enter_async_context(running(app, listener))
        control = httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
            headers={"authorization": "Bearer of the front"},
            verify=ssl_context(),
            timeout=30,
        )
        yield Front(await stack.enter_async_context(control), directory)


@pytest.fixture
async def front(pool: SandboxPool) -> AsyncIterator[Front]:
    async with front_of_two(pool) as opened:
        yield opened


async def test_new_episodes_are_spread_and_found_again(front: Front) -> None:
    episodes = [await front.open() for _ in range(6)]
    places = [front.place_of(episode) for episode in episodes]
    assert [places.count(place) for place in front.directory.running] == [3, 3]
    for episode in episodes:
        info = await front.control.get(f"/episodes/{episode['id']}")
        assert (info.status_code, info.json()["id"]) == (200, episode["id"])
    listed = (await front.control.get("/episodes?limit=1000")).json()["episodes"]
    assert [each["id"] for each in listed] == [each["id"] for each in reversed(episodes)]


async def test_episodes_that_are_opened_at_once_are_spread(front: Front) -> None:
    episodes: list[dict[str, Any]] = []

    async def open_one() -> None:
        episodes.append(await front.open())

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(open_one)
    places = [front.place_of(episode) for episode in episodes]
    assert [places.count(place) for place in front.directory.running] == [10, 10]


async def test_a_key_finds_its_episode_also_after_the_control_plane_has_started_again(front: Front) -> None:
    first = await front.open(request_key="once")
    front.directory._servers_of_episodes.clear()
    assert await front.open(request_key="once") == first
    front.directory._servers_of_episodes.clear()
    assert (await front.control.get(f"/episodes/{first['id']}")).status_code == 200


async def test_links_lead_to_the_control_plane(front: Front) -> None:
    response = await front.control.get("/environments?limit=1")
    assert [each["name"] for each in response.json()] == ["safe"]
    assert response.headers["x-total-count"] == "1"


async def test_wrong_requests_are_refused(front: Front) -> None:
    for body in (b"{", b"[]", b'{"environment": "safe", "request_key": 3}'):
        assert (await front.control.post("/episodes", content=body)).status_code == 422
    adaptive = {"environment": "safe", "difficulty": "adaptive", "seed": 1}
    assert "curriculum" in (await front.control.post("/episodes", json=adaptive)).text
    assert (await front.control.get("/episodes?state=sleeping")).status_code == 422
    assert (await front.control.get("/episodes/no%2Fsuch%3Fone")).status_code == 404
    assert (await front.control.get("/mcp")).status_code == 404


async def test_episodes_of_a_lost_server_are_not_scored_and_others_go_on(front: Front) -> None:
    lost, other = await front.open(), await front.open()
    place = front.place_of(lost)
    place.url, place.losses = None, 1
    answer = await front.control.get(f"/episodes/{lost['id']}")
    assert (answer.status_code, "not scored" in answer.json()["error"]["hint"]) == (404, True)
    assert (await front.control.get(f"/episodes/{other['id']}")).status_code == 200
    assert front.place_of(await front.open()) is front.place_of(other)
    health = (await front.control.get("/health")).json()
    assert health["nodes"] == {"count": 2, "ready": 1}


async def test_a_server_that_does_not_answer_costs_only_a_second_attempt(front: Front) -> None:
    silent = front.directory.choose()
    assert silent is not None
    silent.url = "http://127.0.0.1:1"
    assert front.place_of(await front.open()) is not silent
    assert (await front.control.get("/episodes")).status_code == 503


async def test_with_data_an_episode_waits_for_its_server(pool: SandboxPool) -> None:
    async with front_of_two(pool, keeps_episodes=True) as front:
        episode = await front.open(request_key="kept")
        place = front.place_of(episode)
        url, place.url = place.url, None
        for path in (f"/episodes/{episode['id']}", "/episodes/0000000000000000"):
            answer = await front.control.get(path)
            assert (answer.status_code, "not scored" in answer.json()["error"]["hint"]) == (503, True)
        again = await front.control.post("/episodes", json={**ASKED, "request_key": "kept"})
        assert again.status_code == 503
        place.url = url
        assert await front.open(request_key="kept") == episode


async def test_without_a_server_nothing_is_opened(front: Front) -> None:
    for place in front.directory.servers.values():
        place.url = None
    refused = await front.control.post("/episodes", json=ASKED)
    assert (refused.status_code, "No node" in refused.text) == (503, True)
