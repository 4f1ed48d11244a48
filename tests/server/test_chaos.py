"""Episodes that are played while everything that runs them is killed, again and again."""

import os
import random
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic_core import from_json

from codegym_harness.clients.control_client import ControlClient
from codegym_harness.clients.mcp_client import McpConnection, connect
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.control_plane_messages import EpisodeInfo, OpenRequest
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episode_protocol import CallResult
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.policies.oracle import OraclePolicy
from codegym_mcp.sandbox.process.pool import SandboxPool
from tests.waiting import until

from .restarting import TOKEN, RestartingServer

COUNTER = Path(__file__).parents[1] / "fixtures" / "counter.py"
BUNDLED = Path(__file__).parents[2] / "environments"
PATHS = (COUNTER, BUNDLED / "parcel_hunt.py", BUNDLED / "night_courier.py")
EPISODES = int(os.environ.get("CODEGYM_MCP_CHAOS_EPISODES", "100"))
AT_ONCE = 16
STRIKES = {"child": 55, "zygote": 6, "server": 3}
STRIKES_WITH_WORKERS = {"child": 12, "zygote": 2, "worker": 4, "server": 1, "everything": 1}
"""Kills among 100 episodes; with more episodes there are more. Every start of a worker takes its time."""
CALLS_BETWEEN = 11
SEED = 20
PATIENCE = 60.0
LIMITS = Limits(call_seconds=60, start_seconds=60)


def requests() -> Iterator[OpenRequest]:
    """What is played: mostly the shortest environment, so that there is much opening and submitting."""
    seeds = iter(range(EPISODES))
    for kind in islice(cycle(["counter", "counter", "counter", "parcel_hunt", "night_courier"]), EPISODES):
        if kind == "counter":
            seed = next(seeds)
            yield OpenRequest(environment=kind, difficulty=seed % 3 + 1, seed=seed, limits=LIMITS)
        else:
            yield OpenRequest(environment=kind, limits=LIMITS)


class Chaos:
    """Kills processes of a server, one after so many calls that the players make."""

    def __init__(self, server: RestartingServer, strikes: Mapping[str, int]) -> None:
        self._server = server
        self._random = random.Random(SEED)
        kinds = [kind for kind, times in strikes.items() for _ in range(times * EPISODES // 100)]
        self.strikes = self._random.sample(kinds, len(kinds))
        self._calls = 0

    def turns(self) -> int:
        """How long to wait before a strike, in turns of the event loop."""
        return self._random.randrange(20)

    def strike(self) -> None:
        """Counts a call, and kills something if it is time."""
        self._calls += 1
        if self._calls % CALLS_BETWEEN or not self.strikes:
            return
        match self.strikes.pop():
            case "server":
                self._server.kill()
            case "everything":
                self._server.kill_everything()
            case kind:
                self._server.kill_some(self._random, kind)


class Disturbed:
    """A connection on which every call may be interrupted while it is in progress. It implements `EpisodeProtocol`."""

    def __init__(self, connection: McpConnection, chaos: Chaos) -> None:
        self._connection = connection
        self._chaos = chaos
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def call(self, name: str, arguments: dict[str, Any]) -> CallResult:
        self.calls += 1
        return await self._disturb(self._connection.call(name, arguments))

    async def submit(self, answer: Any) -> CallResult:
        return await self._disturb(self._connection.submit(answer))

    async def _disturb(self, call: Any) -> CallResult:
        results: list[CallResult] = []

        async def make() -> None:
            results.append(await call)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(make)
            # Now it is with the client, on its way, or at work, as calls of the other players are.
            for _ in range(self._chaos.turns()):
                await anyio.lowlevel.checkpoint()
            self._chaos.strike()
        return results[0]


@pytest.mark.parametrize(
    ("isolation", "workers", "strikes"),
    [("process", 1, STRIKES), ("shared", 1, STRIKES), ("process", 2, STRIKES_WITH_WORKERS)],
)
async def test_every_episode_is_rewarded_once_while_everything_is_killed(
    isolation: str, workers: int, strikes: Mapping[str, int], pool: SandboxPool, tmp_path: Path
) -> None:
    catalog = Catalog.load(PATHS)
    waiting = list(requests())
    made: dict[str, int] = {}
    ended: dict[str, EpisodeInfo] = {}

    async def play(chaos: Chaos, control: ControlClient) -> None:
        while waiting:
            request = waiting.pop()
            opened = await control.open_episode(request)
            async with connect(opened.mcp_url, patience=PATIENCE) as connection:
                playable = Disturbed(connection, chaos)
                await OraclePolicy(pool, catalog.get(request.environment), LIMITS).play(playable)
                made[opened.id] = playable.calls
            ended[opened.id] = await control.episode(opened.id)

    arguments = ("--isolation", isolation, "--workers", str(workers), "--json-responses", "--no-gateway")
    async with RestartingServer.run(tmp_path, PATHS, *arguments) as server:
        chaos = Chaos(server, strikes)
        async with (
            ControlClient.connect(server.url, TOKEN, patience=PATIENCE) as control,
            anyio.create_task_group() as tasks,
        ):
            for _ in range(AT_ONCE):
                tasks.start_soon(play, chaos, control)
        assert await server.stop() == 0
        await until(lambda: not server.left())
    assert not chaos.strikes
    ends = strikes["server"] + strikes.get("everything", 0)
    assert len(server.lives) == 1 + ends * EPISODES // 100
    assert "Traceback" not in server.said()

    assert len(ended) == EPISODES
    # The reason tells why an episode failed.
    results = Counter((info.state, info.reward, info.reason) for info in ended.values())
    assert results == {(EpisodeState.SUBMITTED, 1.0, ""): EPISODES}
    assert {episode: info.calls for episode, info in ended.items()} == made

    rows = []
    for path in (tmp_path / "data").glob("journal*.sqlite"):
        with closing(sqlite3.connect(path)) as journal:
            rows += journal.execute("SELECT episode, kind, data FROM events").fetchall()
    kinds = Counter((episode, kind) for episode, kind, _ in rows)
    once = ("opened", "submitted", "ended")
    assert kinds == {
        **{(episode, kind): 1 for episode in made for kind in once},
        **{(episode, "call"): calls for episode, calls in made.items()},
    }
    keys = [from_json(data).get("key") for _, kind, data in rows if kind in ("call", "submitted")]
    assert len(set(keys)) == len(keys)
