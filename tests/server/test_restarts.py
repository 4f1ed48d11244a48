"""A server that dies at every moment of an episode, or is told to stop, and is started again."""

import sqlite3
from collections import Counter
from contextlib import closing
from itertools import cycle
from pathlib import Path
from typing import Any

import anyio
import pytest
from click.testing import CliRunner
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from codegym_harness.clients.control_client import ControlClient
from codegym_harness.clients.lost_connection_retries import RetryingClient
from codegym_harness.clients.mcp_client import connect, ssl_context
from codegym_mcp.cli import main
from codegym_mcp.control_plane_messages import OpenedEpisode, OpenRequest
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episode_protocol import REQUEST_KEY_META
from codegym_mcp.storage.directory_lock import lock_directory
from tests.waiting import until

from .restarting import TOKEN, RestartingServer
from .serving import SAFE, WORDS

DYING = Path(__file__).parent / "dying.py"
PATIENCE = 60.0
LIMITS = Limits(call_seconds=60, start_seconds=60)
REQUEST = OpenRequest(environment="safe", task="blue", limits=LIMITS)
MOMENTS = [
    *(
        f"{when} {kind} is recorded"
        for kind in ("opened", "call", "submitted", "ended")
        for when in ("before", "after")
    ),
    # There is something to replay only when the server has been lost before.
    "after call is recorded,during a replay",
]

WAYS = [(), ("--json-responses", "--isolation", "shared")]
"""How to serve; each moment is met in one of these ways."""


def dying(folder: Path, moments: str) -> tuple[str, ...]:
    """The program of a server that dies at these moments."""
    struck = folder / "struck"
    struck.mkdir()
    return (str(DYING), str(struck), moments)


def recorded(folder: Path) -> list[tuple[str, str]]:
    """The kinds of all events, each with the episode's id."""
    with closing(sqlite3.connect(folder / "data" / "journal.sqlite")) as journal:
        return journal.execute("SELECT episode, kind FROM events ORDER BY episode, number").fetchall()


async def play(control: ControlClient) -> OpenedEpisode:
    """Plays an episode from its opening to its end."""
    opened = await control.open_episode(REQUEST)
    async with connect(opened.mcp_url, patience=PATIENCE) as connection:
        dials = [(await connection.call("turn", {"clicks": clicks})).value for clicks in (5, 1, -2)]
        start = connection.task.public["start"]
        assert dials == [start + 5, start + 6, start + 4]
        assert (await connection.call("look", {})).value == {"dial": start + 4, "turns": 3}
        assert (await connection.submit(WORDS["blue"])).over
    return opened


async def judged_right(control: ControlClient, opened: OpenedEpisode) -> None:
    info = await control.episode(opened.id)
    assert (info.state, info.calls) == ("submitted", 4)
    assert info.verdict is not None
    assert info.verdict.reward == 1.0


@pytest.mark.parametrize(("moments", "arguments"), [*zip(MOMENTS, cycle(WAYS), strict=False)])
async def test_an_episode_is_rewarded_once_whenever_its_server_dies(
    moments: str, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    program = dying(tmp_path, moments)
    async with RestartingServer.run(tmp_path, [SAFE], *arguments, program=program) as server:
        async with ControlClient.connect(server.url, TOKEN, patience=PATIENCE) as control:
            opened = await play(control)
            await judged_right(control, opened)
        assert len(server.lives) == 1 + len(moments.split(","))
        assert await server.stop() == 0
        await until(lambda: not server.left())
        assert "Traceback" not in server.said()
    kinds = ["opened", *["call"] * 4, "submitted", "ended"]
    assert recorded(tmp_path) == [(opened.id, kind) for kind in kinds]


async def test_an_ended_episode_answers_after_a_restart_as_it_did_before(tmp_path: Path) -> None:
    async with RestartingServer.run(tmp_path, [SAFE]) as server:
        async with ControlClient.connect(server.url, TOKEN, patience=PATIENCE) as control:
            opened = await control.open_episode(REQUEST)
            before = await submissions(server, opened)
            server.kill()
            assert await submissions(server, opened) == before
            assert [(await control.episode(opened.id)).state] == ["submitted"]
        assert len(server.lives) == 2
    right, again, other = before
    assert "received" in right
    assert again == right
    assert "over" in other


async def submissions(server: RestartingServer, opened: OpenedEpisode) -> list[str]:
    """What an episode says to a submission, to the same one again, and to another."""
    http = RetryingClient(patience=PATIENCE, verify=ssl_context(), timeout=30)
    async with http, Client(streamable_http_client(opened.mcp_url, http_client=http)) as client:
        said = []
        for key in ("first", "first", "second"):
            meta: Any = {REQUEST_KEY_META: key}
            result = await client.call_tool("submit_answer", {"answer": WORDS["blue"]}, meta=meta)
            said.append(result.model_dump_json())
        return said


async def test_a_server_that_is_told_to_stop_and_started_again_loses_nothing(tmp_path: Path) -> None:
    async with RestartingServer.run(tmp_path, [SAFE]) as server:
        async with ControlClient.connect(server.url, TOKEN, patience=PATIENCE) as control:
            ended: list[OpenedEpisode] = []

            async def play_on() -> None:
                ended.append(await play(control))

            async with anyio.create_task_group() as tasks:
                for _ in range(8):
                    tasks.start_soon(play_on)
                for _ in range(3):
                    await server.restart()
                    await control.environments()
            for opened in ended:
                await judged_right(control, opened)
        assert await server.stop() == 0
        await until(lambda: not server.left())
        assert "Traceback" not in server.said()
    kinds = Counter(kind for _, kind in recorded(tmp_path))
    assert kinds == {"opened": 8, "call": 32, "submitted": 8, "ended": 8}


def test_a_second_server_on_the_same_data_is_refused(tmp_path: Path) -> None:
    arguments = ["serve", "--http", "127.0.0.1:0", "--data", str(tmp_path)]
    with lock_directory(tmp_path, alone=True):
        result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert f"Another server uses the directory {tmp_path}. Stop that server" in result.stderr
