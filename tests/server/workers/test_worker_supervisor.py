"""A worker that ends is started again, but not for ever."""

import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from codegym_mcp.errors import CodegymError
from codegym_mcp.runtime.runtime_assembly import RuntimeOptions
from codegym_mcp.server.http_options import HttpOptions
from codegym_mcp.server.workers import worker_supervisor
from codegym_mcp.server.workers.open_episode_table import OpenEpisodeTable
from codegym_mcp.server.workers.worker_supervisor import WorkerSupervisor
from tests.waiting import until

WORKER = """
import json, os, signal, struct, sys

channel = json.load(sys.stdin)["channel"]
starts, good = sys.argv[1:]
with open(starts, "a") as file:
    file.write("+")
if os.path.getsize(starts) <= int(good):
    os.write(channel, struct.pack("<IBH", 0, 1, 0))
    signal.pause()
reason = b"The disk is full."
os.write(channel, struct.pack("<IBH", len(reason), 2, 0) + reason)
sys.exit(3)
"""
"""It says that it serves, and waits; or that it cannot start, and ends. See `supervisor_channel`."""


@asynccontextmanager
async def supervised(starts: Path, good: int) -> AsyncIterator[WorkerSupervisor]:
    """Supervises one worker, of whose starts only the first `good` succeed; it does not serve requests."""
    table = OpenEpisodeTable.create(1, 10)
    supervisor = WorkerSupervisor(
        [sys.executable, "-c", WORKER, str(starts), str(good)],
        [],
        RuntimeOptions(),
        HttpOptions("token"),
        host=None,
        table=table,
        lock=None,
    )
    try:
        yield supervisor
    finally:
        await supervisor.close()
        table.close()


async def test_a_worker_that_does_not_start_again_ends_the_server_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(worker_supervisor, "_FIRST_PAUSE", 0.0)
    starts = tmp_path / "starts"
    async with supervised(starts, good=1) as supervisor:
        assert await supervisor.start()
        (worker,) = supervisor.workers
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        given_up: list[str] = []
        with anyio.fail_after(60):
            await supervisor.keep_running(lambda _: None, lambda: given_up.append("now"))
        assert given_up == ["now"]
        assert isinstance(supervisor.failure, CodegymError)
        assert "Worker 1 did not start 8 times in a row." in str(supervisor.failure)
        assert "exit code 3 (The disk is full.). The server has ended." in str(supervisor.failure)
    assert len(starts.read_text()) == 8
    assert "Worker 1 was ended by signal 9. It is started again." in caplog.text


async def test_a_worker_that_serves_is_started_again_as_often_as_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_supervisor, "_FIRST_PAUSE", 0.0)
    # A worker that has served for any time has started well.
    monkeypatch.setattr(worker_supervisor, "_LONG_LIFE", 0.0)
    starts = tmp_path / "starts"
    async with supervised(starts, good=100) as supervisor, anyio.create_task_group() as tasks:
        assert await supervisor.start()
        tasks.start_soon(supervisor.keep_running, lambda _: None, lambda: None)
        (worker,) = supervisor.workers
        for restarts in range(9):
            await until(lambda restarts=restarts: worker.restarts == restarts and worker.ready)
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGKILL)
        await until(lambda: worker.restarts == 9 and worker.ready)
        supervisor.stop()
    assert supervisor.failure is None
