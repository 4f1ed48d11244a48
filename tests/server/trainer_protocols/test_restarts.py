"""Sessions of trainers go on when a server with a journal is restarted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.server.trainer_protocols.trainer_protocol import TrainerProtocol
from tests.server.serving import SAFE, WORDS, Server, http_server

from . import test_nemo_gym as nemo_gym
from . import test_ors as ors


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@asynccontextmanager
async def server(pool: SandboxPool, journal: Path | None) -> AsyncIterator[Server]:
    protocols = frozenset(TrainerProtocol)
    async with http_server(pool, paths=(SAFE,), journal_path=journal, protocols=protocols) as serving:
        yield serving


async def test_a_nemo_gym_session_goes_on(pool: SandboxPool, journal: Path) -> None:
    async with server(pool, journal) as serving:
        session = nemo_gym.Session(serving)
        await session.seed()
        await session.post("/turn", {"clicks": 4})
    async with server(pool, journal) as serving:
        session._server = serving
        looked = await session.post("/look", {})
        assert looked.json()["turns"] == 1
        await session.post("/submit_answer", {"answer": WORDS["blue"]})
    async with server(pool, journal) as serving:
        session._server = serving
        verdict: dict[str, Any] = (await session.verify()).json()
        assert (verdict["reward"], verdict["codegym_calls"]) == (1.0, 2)


async def test_the_same_seeding_after_a_restart_is_the_same_session(pool: SandboxPool, journal: Path) -> None:
    async with server(pool, journal) as serving:
        session = nemo_gym.Session(serving)
        await session.post("/seed_session", nemo_gym.typed("kept"))
        await session.post("/look", {})
        token = session.episode.token
    async with server(pool, journal) as serving:
        resumed = nemo_gym.Session(serving)
        await resumed.post("/seed_session", nemo_gym.typed("kept"))
        assert (resumed.episode.token, resumed.episode.calls) == (token, 1)
        await resumed.post("/close_session", nemo_gym.closing("kept"))
    async with server(pool, journal) as serving:
        late = await nemo_gym.Session(serving).post("/seed_session", nemo_gym.typed("kept"))
        assert late.status_code == 409


async def test_an_ors_session_goes_on_and_a_lost_call_is_made_once(pool: SandboxPool, journal: Path) -> None:
    async with server(pool, journal) as serving:
        session = ors.Session(serving)
        await session.create()
        response = await session.request("POST", "/call", {"name": "turn", "input": {"clicks": 3}})
        task, first = ors.read_events(response.text)
    async with server(pool, journal) as serving:
        session._server = serving
        assert await session.call("turn", {"clicks": 3}, task_id=task) == first
        answer = {"answer": WORDS["blue"]}
        response = await session.request("POST", "/call", {"name": "submit_answer", "input": answer})
        task, paid = ors.read_events(response.text)
        assert paid["output"]["reward"] == 1.0
    async with server(pool, journal) as serving:
        session._server = serving
        assert await session.call("submit_answer", answer, task_id=task) == paid
        assert (await session.call("submit_answer", answer))["reason"] == "episode_finished"
        assert session.episode.calls == 1


async def test_without_a_journal_a_lost_session_is_an_error_and_no_reward(pool: SandboxPool) -> None:
    async with server(pool, None) as serving:
        seeded, created = nemo_gym.Session(serving), ors.Session(serving)
        await seeded.seed()
        await created.create()
    async with server(pool, None) as serving:
        seeded._server = created._server = serving
        masked = (await seeded.verify(**nemo_gym.MARKED)).json()
        assert (masked["mask_sample"], masked["failure_kind"]) == (True, "session_lost")
        assert (await seeded.verify()).status_code == 409
        call = await created.request("POST", "/call", {"name": "look", "input": {}})
        assert call.status_code == 410
