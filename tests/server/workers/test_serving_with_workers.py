"""A server with two workers, as its clients see it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from prometheus_client.parser import text_string_to_metric_families

from codegym_harness.clients.mcp_client import ssl_context
from codegym_mcp.episodes.episode_shards import id_of_token, shard_of
from tests.server.serving import WORDS, ServerProcess, serving_process

WORKERS = 2
TOKEN = "given-to-the-tests"
ASKED = {"environment": "safe", "task": "blue"}


@pytest.fixture(scope="module")
async def served() -> AsyncIterator[ServerProcess]:
    options = ("--workers", str(WORKERS), "--json-responses", "--protocols", "nemo-gym,ors")
    async with serving_process(*options) as server:
        yield server


@pytest.fixture
async def control(served: ServerProcess) -> AsyncIterator[httpx2.AsyncClient]:
    """A client with one connection, which is passed between the processes. No episode is open."""
    async with served.control() as client:
        await close_all_episodes(client)
        yield client


async def close_all_episodes(control: httpx2.AsyncClient) -> None:
    """Closes what earlier tests left open: the workers' counts decide where new episodes are opened."""
    while episodes := (await control.get("/episodes?state=open&limit=100")).json()["episodes"]:
        for episode in episodes:
            assert (await control.delete(f"/episodes/{episode['id']}")).status_code == 200


@asynccontextmanager
async def mcp_client(url: str) -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(verify=ssl_context(), timeout=30) as plain,
        Client(
            streamable_http_client(url, http_client=plain), mode="2026-07-28", read_timeout_seconds=30
        ) as client,
    ):
        yield client


async def opened(control: httpx2.AsyncClient, **more: Any) -> dict[str, Any]:
    response = await control.post("/episodes", json={**ASKED, **more})
    assert response.status_code == 201, response.text
    return dict(response.json())


async def one_in_each_worker(control: httpx2.AsyncClient) -> list[dict[str, Any]]:
    """Opens an episode in each worker; returns them by worker."""
    found: dict[int, dict[str, Any]] = {}
    while len(found) < WORKERS:
        episode = await opened(control, request_key=uuid4().hex)
        found.setdefault(shard_of(episode["id"], WORKERS), episode)
    return [found[worker] for worker in range(WORKERS)]


async def figures(control: httpx2.AsyncClient, name: str) -> dict[str, float]:
    """Returns the sums of a metric by worker."""
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families((await control.get("/metrics")).text):
        for sample in family.samples:
            if sample.name == name:
                worker = sample.labels["worker"]
                sums[worker] = sums.get(worker, 0.0) + sample.value
    return sums


async def test_episodes_of_one_client_are_spread_over_the_workers(control: httpx2.AsyncClient) -> None:
    episodes = [await opened(control) for _ in range(12)]
    shards = [shard_of(episode["id"], WORKERS) for episode in episodes]
    assert min(map(shards.count, range(WORKERS))) >= 4
    health = (await control.get("/health")).json()
    assert health["workers"] == {"count": WORKERS, "ready": WORKERS}
    assert health["open_episodes"] == sum((await figures(control, "codegym_open_episodes")).values())


async def test_an_agent_plays_at_the_address_of_its_episode(control: httpx2.AsyncClient) -> None:
    for episode in await one_in_each_worker(control):
        async with mcp_client(episode["mcp_url"]) as client:
            await client.call_tool("look", {})
            await client.call_tool("submit_answer", {"answer": WORDS["blue"]})
        info = (await control.get(f"/episodes/{episode['id']}")).json()
        assert (info["state"], info["reward"], info["calls"]) == ("submitted", 1.0, 1)
        events = (await control.get(f"/episodes/{episode['id']}/events")).json()
        assert [event["name"] for event in events] == ["look", "submit_answer"]


async def test_one_connection_reaches_the_episodes_of_all_workers_in_turn(
    served: ServerProcess, control: httpx2.AsyncClient
) -> None:
    episodes = await one_in_each_worker(control)
    address = urlsplit(served.url)
    assert address.port is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
    for turn in range(6):
        episode = episodes[turn % WORKERS]
        writer.write(
            f"GET /episodes/{episode['id']} HTTP/1.1\r\nhost: {address.netloc}\r\n"
            f"authorization: Bearer {served.announced['token']}\r\n\r\n".encode()
        )
        status, body = await response_on(reader)
        assert (status, json.loads(body)["id"]) == (200, episode["id"])
    writer.close()


async def response_on(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Reads one response of a connection that stays open."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.partition("content-length: ")[2].split("\r\n")[0])
    return int(head.split(" ")[1]), await reader.readexactly(length)


async def test_the_list_of_all_episodes_is_paged(control: httpx2.AsyncClient) -> None:
    wanted = [(await opened(control))["id"] for _ in range(7)][::-1]
    found: list[str] = []
    cursor: dict[str, str] = {}
    while len(found) < len(wanted):
        page = (await control.get("/episodes", params={"state": "open", "limit": 3, **cursor})).json()
        found += [episode["id"] for episode in page["episodes"]]
        cursor = {"cursor": page["next_cursor"]}
    assert found[: len(wanted)] == wanted
    assert (await control.get("/episodes?limit=0")).status_code == 422


async def test_the_same_request_key_opens_one_episode_whatever_connection_it_comes_on(
    served: ServerProcess, control: httpx2.AsyncClient
) -> None:
    for number in range(4):
        first = await opened(control, request_key=f"once {number}")
        async with served.control() as other:
            assert await opened(other, request_key=f"once {number}") == first


async def test_an_agent_plays_several_episodes_of_the_gateway_on_one_connection(
    served: ServerProcess, control: httpx2.AsyncClient
) -> None:
    async with mcp_client(f"{served.url}/mcp") as client:
        started = [await client.call_tool("start_episode", {"environment": "safe"}) for _ in range(8)]
        handles = [result.structured_content["episode"] for result in started]  # type: ignore[index]
        assert {shard_of(id_of_token(handle), WORKERS) for handle in handles} == {0, 1}
        for handle in handles:
            looked = await client.call_tool("call_tool", {"episode": handle, "name": "look"})
            assert not looked.is_error
    async with mcp_client(f"{served.url}/mcp") as client:
        for handle in handles:
            arguments = {"episode": handle, "answer": WORDS["blue"]}
            assert not (await client.call_tool("submit_answer", arguments)).is_error
    infos = [(await control.get(f"/episodes/{id_of_token(handle)}")).json() for handle in handles]
    assert [info["reward"] for info in infos] == [1.0] * len(handles)


async def test_sessions_of_nemo_gym_are_played_in_their_workers(control: httpx2.AsyncClient) -> None:
    sessions = []
    for _ in range(6):
        control.cookies.clear()
        seeded = await control.post("/seed_session", json=ASKED)
        assert seeded.status_code == 200, seeded.text
        sessions.append(seeded.cookies["codegym_session"])
    assert {shard_of(id_of_token(session), WORKERS) for session in sessions} == {0, 1}
    for session in sessions:
        control.cookies.clear()
        cookie = {"cookie": f"codegym_session={session}"}
        assert (await control.post("/look", json={}, headers=cookie)).status_code == 200
        control.cookies.clear()
        await control.post("/submit_answer", json={"answer": WORDS["blue"]}, headers=cookie)
        control.cookies.clear()
        rollout = {"responses_create_params": {"input": []}, "response": {"output": ["x" * 2_000_000]}}
        assert (await control.post("/verify", json=rollout, headers=cookie)).json()["reward"] == 1.0


async def test_sessions_of_ors_are_played_in_their_workers(control: httpx2.AsyncClient) -> None:
    for number in range(4):
        headers = {"x-session-id": f"session {number}"}
        created = await control.post("/create", json={"task_spec": ASKED}, headers=headers)
        assert created.status_code == 200, created.text
        call = {"name": "submit_answer", "input": {"answer": WORDS["blue"]}}
        assert '"reward":1.0' in (await control.post("/call", json=call, headers=headers)).text


async def test_the_viewer_shows_the_episodes_of_every_worker(control: httpx2.AsyncClient) -> None:
    episodes = await one_in_each_worker(control)
    runs = (await control.get("/view/api/runs")).json()
    assert [run["id"] for run in runs] == ["worker-1", "worker-2"]
    for run, episode in zip(runs, episodes, strict=True):
        listed = (await control.get("/view/api/episodes", params={"run": run["id"], "limit": 200})).json()
        assert episode["id"] in [row["id"] for row in listed["rows"]]
        shown = await control.get("/view/api/episode", params={"run": run["id"], "episode": episode["id"]})
        assert shown.json()["row"]["id"] == episode["id"]


async def test_metrics_of_all_processes_are_in_one_place(control: httpx2.AsyncClient) -> None:
    before = await figures(control, "codegym_calls_total")
    for episode in await one_in_each_worker(control):
        async with mcp_client(episode["mcp_url"]) as client:
            await client.call_tool("look", {})
    after = await figures(control, "codegym_calls_total")
    assert all(after[worker] > before.get(worker, 0) for worker in ("1", "2"))
    assert set(await figures(control, "process_resident_memory_bytes")) == {"control", "1", "2"}
    assert await figures(control, "codegym_worker_restarts_total") == {"1": 0, "2": 0}


async def test_whoever_has_no_token_learns_nothing(served: ServerProcess) -> None:
    async with httpx2.AsyncClient(base_url=served.url, verify=ssl_context(), timeout=30) as stranger:
        for path in ("/episodes", "/metrics", "/view/api/runs", "/environments", "/worker/episodes"):
            assert (await stranger.get(path)).status_code == 401, path
        assert (await stranger.post("/episodes", json=ASKED)).status_code == 401
        assert (await stranger.post("/seed_session", json=ASKED)).status_code == 401
        assert (await stranger.post("/episodes/0123456789abcdef-guess/mcp", json={})).status_code == 404
        misled = await stranger.get("/episodes", headers={"host": "evil.example"})
        assert misled.status_code == 421


async def test_bodies_in_chunks_and_large_bodies_are_passed_on_and_bounded(
    control: httpx2.AsyncClient,
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for part in ('{"environment": "safe", ', '"request_key": "in parts", "task": "blue"}'):
            yield part.encode()

    parts = await control.post("/episodes", content=chunks())
    assert parts.status_code == 201, parts.text
    padded = json.dumps(ASKED) + " " * 900_000
    assert (await control.post("/episodes", content=padded)).status_code == 201
    kind = {"content-type": "application/json", "accept": "application/json"}
    too_large = await control.post("/mcp", content=b"{}" + b" " * (1 << 20), headers=kind)
    assert too_large.status_code == 413


async def test_a_request_before_the_response_to_an_earlier_one_is_refused_or_answered(
    served: ServerProcess, control: httpx2.AsyncClient
) -> None:
    first, second = await one_in_each_worker(control)
    address = urlsplit(served.url)
    reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
    writer.write(
        "".join(
            f"GET /episodes/{episode['id']} HTTP/1.1\r\nhost: {address.netloc}\r\n"
            f"authorization: Bearer {served.announced['token']}\r\n\r\n"
            for episode in (first, second)
        ).encode()
    )
    status, body = await response_on(reader)
    if status == 200:
        # The first request was answered before the second one was read.
        assert json.loads(body)["id"] == first["id"]
        status, body = await response_on(reader)
    writer.close()
    if status == 200:
        assert json.loads(body)["id"] == second["id"]
    else:
        assert status == 503
        assert "before the response to an earlier one" in json.loads(body)["error"]["message"]


async def test_behind_a_proxy_and_at_a_unix_socket_episodes_are_played_in_their_workers(
    tmp_path: Path,
) -> None:
    public, path = "https://gym.example/codegym", tmp_path / "gym.sock"
    options = ("--http", f"unix:{path}", "--workers", str(WORKERS), "--json-responses", "--open-gateway")
    async with serving_process(*options, "--public-url", public, CODEGYM_MCP_TOKEN=TOKEN) as server:
        assert server.announced["url"] == public
        transport = httpx2.AsyncHTTPTransport(uds=str(path), verify=ssl_context())
        headers = {"authorization": f"Bearer {TOKEN}", "host": "gym.example", "accept": "application/json"}
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://localhost", headers=headers, timeout=30
        ) as client:
            for episode in await one_in_each_worker(client):
                assert episode["mcp_url"].startswith(f"{public}/episodes/")
                message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
                listed = await client.post(urlsplit(episode["mcp_url"]).path, json=message)
                assert (listed.status_code, "result" in listed.json()) == (200, True)


async def test_adaptive_difficulties_need_a_data_folder(control: httpx2.AsyncClient) -> None:
    refused = await control.post(
        "/episodes", json={"environment": "safe", "difficulty": "adaptive", "seed": 1}
    )
    assert refused.status_code == 422
    assert "--data" in refused.json()["error"]["hint"]


async def test_limits_hold_for_all_workers_together() -> None:
    options = ("--workers", "2", "--max-episodes", "3", "--gateway-episodes", "1")
    async with serving_process(*options) as server, server.control() as control:
        async with mcp_client(f"{server.url}/mcp") as client:
            assert not (await client.call_tool("start_episode", {"environment": "safe"})).is_error
            for _ in range(3):
                refused = await client.call_tool("start_episode", {"environment": "safe"})
                assert "1 episodes of yours are open" in str(refused.content)
        keys = [f"key {number}" for number in range(6)]
        responses = [await control.post("/episodes", json={**ASKED, "request_key": key}) for key in keys]
        assert [response.status_code for response in responses] == [201] * 2 + [429] * 4
        closed = await control.delete(f"/episodes/{responses[0].json()['id']}")
        assert closed.json()["state"] == "closed"
        assert (await control.post("/episodes", json=ASKED)).status_code == 201
