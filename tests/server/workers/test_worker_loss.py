"""Workers that are killed, a server that is killed or told to stop, and another number of workers afterwards."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from codegym_harness.clients.control_client import ControlClient
from codegym_harness.clients.mcp_client import connect
from codegym_mcp.control_plane_messages import OpenedEpisode, OpenRequest
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode_shards import shard_of
from codegym_mcp.errors import CodegymError, NotFoundError
from tests.server.restarting import fixed_port
from tests.server.serving import WORDS, ServerProcess, serve_command, serving_process, session_of

TOKEN = "given-for-all-its-lives"
PATIENCE = 60.0
LIMITS = Limits(call_seconds=60, start_seconds=60)
REQUEST = OpenRequest(environment="safe", task="blue", limits=LIMITS)


@asynccontextmanager
async def serving(*arguments: str) -> AsyncIterator[tuple[ServerProcess, ControlClient]]:
    async with (
        serving_process(*arguments, "--json-responses", CODEGYM_MCP_TOKEN=TOKEN) as server,
        ControlClient.connect(server.url, TOKEN, patience=PATIENCE) as control,
    ):
        yield server, control


def workers_of(server: ServerProcess) -> list[int]:
    """Returns the process ids of the workers, in the order of their numbers."""
    pid = server.process.pid
    return sorted(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


async def one_in_each_worker(control: ControlClient, count: int) -> list[OpenedEpisode]:
    found: dict[int, OpenedEpisode] = {}
    while len(found) < count:
        episode = await control.open_episode(REQUEST)
        found.setdefault(shard_of(episode.id, count), episode)
    return [found[worker] for worker in range(count)]


async def look(episode: OpenedEpisode) -> None:
    async with connect(episode.mcp_url, patience=PATIENCE) as connection:
        assert (await connection.call("look", {})).structured is not None


async def submit(control: ControlClient, episode: OpenedEpisode) -> float | None:
    async with connect(episode.mcp_url, patience=PATIENCE) as connection:
        await connection.submit(WORDS["blue"])
    return (await control.episode(episode.id)).reward


async def wait_until_gone(control: ControlClient, episode: OpenedEpisode) -> None:
    """Reads an episode until an error says that it does not exist."""
    with anyio.fail_after(60):
        while True:
            await control.episode(episode.id)


async def test_without_data_the_episodes_of_a_lost_worker_are_lost_and_the_others_go_on() -> None:
    async with serving("--workers", "2") as (server, control):
        lost, kept = await one_in_each_worker(control, 2)
        await look(lost)
        await look(kept)
        os.kill(workers_of(server)[0], signal.SIGKILL)
        # The request waits for the worker that is started again.
        with pytest.raises(NotFoundError, match=r"the server has no --data\. They are not scored"):
            await wait_until_gone(control, lost)
        async with httpx2.AsyncClient() as agent:
            refused = await agent.post(lost.mcp_url, json={})
        assert (refused.status_code, "are not scored" in refused.text) == (404, True)
        assert await submit(control, kept) == 1.0
        (again, _) = await one_in_each_worker(control, 2)
        assert await submit(control, again) == 1.0
        server.process.terminate()
        with anyio.fail_after(60):
            assert await server.process.wait() == 0
        assert (
            "Worker 1 was ended by signal 9. It is started again. Its episodes are lost"
            in await server.said()
        )
        assert server.processes() == set()


async def test_with_data_the_episodes_of_a_lost_worker_go_on(tmp_path: Path) -> None:
    async with serving("--workers", "2", "--data", str(tmp_path)) as (server, control):
        episodes = await one_in_each_worker(control, 2)
        for episode in episodes:
            await look(episode)
        for worker in workers_of(server):
            os.kill(worker, signal.SIGKILL)
        for episode in episodes:
            await look(episode)
            assert await submit(control, episode) == 1.0
            assert (await control.episode(episode.id)).calls == 2


async def test_no_process_is_left_of_a_server_that_is_killed_and_another_number_of_workers_goes_on(
    tmp_path: Path,
) -> None:
    address = ("--http", f"127.0.0.1:{fixed_port()}", "--data", str(tmp_path))
    keyed = REQUEST.model_copy(update={"request_key": "the same"})
    episodes: list[OpenedEpisode] = []
    for count in (3, 1, 2):
        async with serving(*address, "--workers", str(count)) as (server, control):
            for episode in episodes:
                await look(episode)
            episodes.append(await control.open_episode(keyed if not episodes else REQUEST))
            assert await control.open_episode(keyed) == episodes[0]
            server.process.kill()
            await server.process.wait()
            with anyio.fail_after(30):
                while session_of(server.process.pid):
                    await anyio.lowlevel.checkpoint()
    async with serving(*address, "--workers", "2") as (server, control):
        for age, episode in enumerate(episodes):
            assert await submit(control, episode) == 1.0
            assert (await control.episode(episode.id)).calls == 2 - age
    names = {path.name for path in tmp_path.glob("journal*.sqlite")}
    assert names == {"journal-1-of-2.sqlite", "journal-2-of-2.sqlite"}


@pytest.mark.parametrize("to_the_group", [False, True])
async def test_a_server_that_is_told_to_stop_finishes_open_calls_in_all_workers(to_the_group: bool) -> None:
    async with serving("--workers", "2") as (server, control):
        episodes = await one_in_each_worker(control, 2)
        results: list[Any] = []

        async def polish(episode: OpenedEpisode) -> None:
            async with connect(episode.mcp_url) as connection:
                results.append((await connection.call("polish", {"strokes": 4_000_000})).structured)

        async with anyio.create_task_group() as tasks:
            for episode in episodes:
                tasks.start_soon(polish, episode)
            for episode in episodes:
                await wait_for_call(control, episode)
            if to_the_group:
                os.killpg(os.getpgid(server.process.pid), signal.SIGINT)
            else:
                server.process.send_signal(signal.SIGTERM)
        assert results == [{"result": 1}] * 2
        with anyio.fail_after(60):
            assert await server.process.wait() == 0
        assert await server.said() == ""
        assert server.processes() == set()


async def wait_for_call(control: ControlClient, episode: OpenedEpisode) -> None:
    """Waits until a call of the episode is in progress, or was made."""
    with anyio.fail_after(60):
        while not (await control.episode(episode.id)).calls:
            await anyio.lowlevel.checkpoint()


async def test_a_second_signal_does_not_wait_for_open_calls(tmp_path: Path) -> None:
    async with serving("--workers", "2", "--data", str(tmp_path)) as (server, control):
        long = REQUEST.model_copy(update={"limits": Limits(call_seconds=600)})
        episode = await control.open_episode(long)

        async def polish_forever() -> None:
            with suppress(CodegymError):
                async with connect(episode.mcp_url) as connection:
                    await connection.call("polish", {"strokes": 10**12})

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(polish_forever)
            await wait_for_call(control, episode)
            server.process.terminate()
            await refusing_connections(server)
            server.process.terminate()
            with anyio.fail_after(60):
                assert await server.process.wait() == 0
            tasks.cancel_scope.cancel()
        assert server.processes() == set()


async def refusing_connections(server: ServerProcess) -> None:
    """Waits until the server accepts no more connections."""
    async with httpx2.AsyncClient(base_url=server.url) as client:
        with anyio.fail_after(60), suppress(httpx2.NetworkError, httpx2.RemoteProtocolError):
            while True:
                await client.get("/health", headers={"connection": "close"})


@pytest.mark.parametrize("broken", ["journal-1-of-2.sqlite", "journal-2-of-2.sqlite"])
async def test_a_worker_that_cannot_start_is_told_and_the_server_ends(broken: str, tmp_path: Path) -> None:
    (tmp_path / broken).write_text("no database" * 100)
    command = serve_command("--http", "127.0.0.1:0", "--workers", "2", "--data", str(tmp_path))
    with anyio.fail_after(60):
        ended = await anyio.run_process(command, check=False, start_new_session=True)
    assert ended.returncode == 1
    told = ended.stderr.decode()
    assert (
        f"Error: Worker {broken[8]} did not start: The journal {tmp_path / broken} cannot be opened" in told
    )
    assert "move it away to begin a new journal" in told
    assert "Traceback" not in told
