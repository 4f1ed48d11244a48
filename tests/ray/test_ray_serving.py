"""A server on each node of a Ray cluster behind one control plane; nodes are killed and join."""

import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from codegym_harness.clients.mcp_client import ssl_context
from tests import waiting
from tests.ray.conftest import add_node
from tests.server.serving import WORDS, ServerProcess, serving_process
from tests.server.workers.test_serving_with_workers import mcp_client

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]

ASKED = {"environment": "safe", "task": "blue"}
PATIENCE = 120
"""Seconds after which a test gives up; a busy machine needs a part of them."""
POLL_SECONDS = 0.2


@asynccontextmanager
async def serving(
    cluster: Any, *options: str, nodes: int = 3
) -> AsyncIterator[tuple[ServerProcess, httpx2.AsyncClient]]:
    """Serves on a cluster, once all nodes have a server; yields a client of the control plane, too."""
    arguments = ("--ray", cluster.address, *options)
    async with serving_process(*arguments) as server, server.control() as control:
        await until(lambda health: health["nodes"]["ready"] == nodes, control)
        yield server, control


async def until(holds: Callable[[Any], bool], control: httpx2.AsyncClient) -> None:
    """Waits until the health of the server is as wanted."""
    with anyio.fail_after(PATIENCE):
        while not holds((await control.get("/health")).json()):  # noqa: ASYNC110 - it sends no events
            await anyio.sleep(POLL_SECONDS)


async def opened(control: httpx2.AsyncClient, **more: Any) -> dict[str, Any]:
    response = await control.post("/episodes", json={**ASKED, **more})
    assert response.status_code == 201, response.text
    return dict(response.json())


def server_of(episode: dict[str, Any]) -> str:
    return urlsplit(episode["mcp_url"]).netloc


async def solve(episode: dict[str, Any]) -> None:
    async with mcp_client(episode["mcp_url"]) as client:
        assert not (await client.call_tool("look", {})).is_error
        assert not (await client.call_tool("submit_answer", {"answer": WORDS["blue"]})).is_error


async def reward(control: httpx2.AsyncClient, episode: dict[str, Any]) -> float | None:
    response = await control.get(f"/episodes/{episode['id']}")
    assert response.status_code == 200, response.text
    found: float | None = response.json()["reward"]
    return found


def workers(node: Any) -> list[int]:
    """Returns the processes of the actors of this project on a node."""
    found = []
    raylet = node.all_processes["raylet"][0].process.pid
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            title = (stat.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == raylet and b"WorkerHost" in title:
            found.append(int(stat.parent.name))
    return found


async def test_agents_play_on_the_nodes_and_the_control_plane_knows_all_episodes(cluster: Any) -> None:
    async with serving(cluster) as (server, control):
        episodes = [await opened(control) for _ in range(9)]
        spread = Counter(map(server_of, episodes))
        assert sorted(spread.values()) == [3, 3, 3]
        assert urlsplit(server.url).netloc not in spread
        for episode in episodes[:4]:
            await solve(episode)
            assert await reward(control, episode) == 1.0
            events = (await control.get(f"/episodes/{episode['id']}/events")).json()
            assert [event["name"] for event in events] == ["look", "submit_answer"]
        closed = await control.delete(f"/episodes/{episodes[4]['id']}")
        assert closed.json()["state"] == "closed"
        listed: list[str] = []
        cursor: dict[str, str] = {}
        while len(listed) < len(episodes):
            page = (await control.get("/episodes", params={"limit": 4, **cursor})).json()
            listed += [episode["id"] for episode in page["episodes"]]
            cursor = {"cursor": page["next_cursor"]}
        assert listed == [episode["id"] for episode in episodes][::-1]
        solved = (await control.get("/episodes", params={"state": "submitted"})).json()["episodes"]
        assert {episode["id"] for episode in solved} == {episode["id"] for episode in episodes[:4]}
        await until(lambda health: health["open_episodes"] == 4, control)


async def test_keys_refusals_and_figures_are_those_of_one_server(cluster: Any) -> None:
    async with serving(cluster, "--max-episodes", "20") as (_, control):
        first = await opened(control, request_key="once")
        assert await opened(control, request_key="once") == first
        assert (await control.post("/episodes", json={"environment": "none"})).status_code == 404
        adaptive = {"environment": "safe", "difficulty": "adaptive", "seed": 1}
        refused = await control.post("/episodes", json=adaptive)
        assert (refused.status_code, "curriculum" in refused.text) == (422, True)
        assert (await control.get("/episodes?limit=0")).status_code == 422
        unknown = await control.get("/episodes/0000000000000000")
        assert (unknown.status_code, unknown.json()["error"]["hint"]) == (404, "")
        names = [each["name"] for each in (await control.get("/environments")).json()]
        assert names == ["safe"]
        node = f"http://{server_of(first)}"
        async with httpx2.AsyncClient(verify=ssl_context()) as stranger:
            assert (await stranger.get(f"{control.base_url}/episodes")).status_code == 401
            token = {"authorization": control.headers["authorization"]}
            assert (await stranger.get(f"{node}/episodes", headers=token)).status_code == 401
            named = await stranger.get(f"{node}/health", headers={"host": "rebound.example"})
            assert named.status_code == 421
        families = text_string_to_metric_families((await control.get("/metrics")).text)
        samples = [sample for family in families for sample in family.samples]
        opened_there = [s for s in samples if s.name == "codegym_open_episodes"]
        assert len({sample.labels["node"] for sample in opened_there}) == 3
        assert sum(sample.value for sample in opened_there) == 1
        assert [s.value for s in samples if s.name == "codegym_nodes_ready"] == [3]


async def test_a_lost_node_costs_its_episodes_and_a_node_that_joins_is_used(cluster: Any) -> None:
    async with serving(cluster) as (_, control):
        episodes = [await opened(control) for _ in range(6)]
        solved = episodes[0]
        await solve(solved)
        victim = next(node for node in cluster.list_all_nodes() if not node.head)
        cluster.remove_node(victim, allow_graceful=False)
        await until(lambda health: health["nodes"]["ready"] == 2, control)
        answers = {e["id"]: await control.get(f"/episodes/{e['id']}") for e in episodes}
        lost = [episode for episode in episodes if answers[episode["id"]].status_code != 200]
        assert len(lost) == 2
        assert len(set(map(server_of, lost))) == 1
        for episode in lost:
            answer = answers[episode["id"]]
            assert answer.status_code == 404
            assert "They are not scored." in answer.json()["error"]["hint"]
            assert "reward" not in answer.text
        left = [episode for episode in episodes if episode not in lost]
        listed = (await control.get("/episodes")).json()["episodes"]
        assert {each["id"] for each in listed} == {each["id"] for each in left}
        # An episode that goes on and one that is new are played on the nodes that are left.
        going_on = next(each for each in left if each is not solved)
        for episode in (going_on, await opened(control)):
            await solve(episode)
            assert await reward(control, episode) == 1.0
            assert server_of(episode) != server_of(lost[0])
        add_node(cluster)
        await until(lambda health: health["nodes"]["ready"] == 3, control)
        more = [await opened(control) for _ in range(6)]
        assert len(set(map(server_of, more))) == 3
        still_lost = await control.get(f"/episodes/{lost[0]['id']}")
        assert (still_lost.status_code, "not scored" in still_lost.text) == (404, True)


async def test_with_data_the_episodes_of_a_killed_server_and_of_a_lost_node_continue(
    cluster: Any, tmp_path: Path
) -> None:
    async with serving(cluster, "--data", str(tmp_path / "data")) as (_, control):
        episodes = [await opened(control) for _ in range(3)]
        for episode in episodes:
            async with mcp_client(episode["mcp_url"]) as client:
                assert not (await client.call_tool("turn", {"clicks": 5})).is_error
        first, second = (node for node in cluster.list_all_nodes() if not node.head)
        (process,) = workers(first)
        os.kill(process, signal.SIGKILL)
        await until(lambda health: health["nodes"]["ready"] == 2, control)
        await until(lambda health: health["nodes"]["ready"] == 3, control)
        cluster.remove_node(second, allow_graceful=False)
        await until(lambda health: health["nodes"]["ready"] == 2, control)
        gone = [e for e in episodes if (await control.get(f"/episodes/{e['id']}")).status_code == 503]
        assert len(gone) == 1
        refusal = (await control.get(f"/episodes/{gone[0]['id']}")).json()["error"]
        assert "not scored" in refusal["hint"]
        add_node(cluster)
        await until(lambda health: health["nodes"]["ready"] == 3, control)
        for episode in episodes:
            await solve(episode)
            info = (await control.get(f"/episodes/{episode['id']}")).json()
            assert (info["reward"], info["calls"]) == (1.0, 2)


async def test_a_server_that_is_stopped_leaves_nothing_behind(cluster: Any, tmp_path: Path) -> None:
    async with serving(cluster, "--workers", "1") as (server, control):
        episodes = [await opened(control) for _ in range(3)]
        nodes = cluster.list_all_nodes()
        running = [process for node in nodes for process in workers(node)]
        assert len(running) == 3
        server.process.send_signal(signal.SIGTERM)
        said = await server.said()
        assert await server.process.wait() == 0, said
        async with AsyncExitStack() as stack:
            stranger = await stack.enter_async_context(httpx2.AsyncClient(verify=ssl_context()))
            for episode in episodes:
                with pytest.raises(httpx2.ConnectError):
                    await stranger.get(f"http://{server_of(episode)}/health")
        await waiting.until(
            lambda: not any(process in workers(node) for node in nodes for process in running),
            seconds=PATIENCE,
        )
    # The cluster can be served from again.
    async with serving(cluster) as (_, control):
        await solve(await opened(control))
