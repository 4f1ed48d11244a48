"""AttackedPools on the event loop of a thread, and in a process that forks."""

import asyncio
import json
import os
import select
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from codegym_mcp.sandbox.process.confined_process import ConfinedProcess
from codegym_mcp.sandbox.process.pool import SandboxPool
from tests.sandbox.process.test_pool import all_ended, descendants, start, watched

LOOPS = {"asyncio": asyncio.new_event_loop}
if sys.platform != "win32":
    import uvloop

    LOOPS["uvloop"] = uvloop.new_event_loop


class LoopThread:
    """An event loop on a daemon thread, with a pool and one process that serves tools."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.pool: SandboxPool | None = None
        self.process: ConfinedProcess | None = None
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=lambda: loop.run_until_complete(self._main()), daemon=True)
        self._thread.start()
        assert self._ready.wait(20)

    async def _main(self) -> None:
        async with SandboxPool.open() as self.pool:
            self.process = await start(self.pool)
            self._ready.set()
            await self._stop.wait()

    def add(self, number: int) -> int:
        assert self.process is not None
        call = self.process.call("add", {"number": number}, seconds=10)
        result: int = asyncio.run_coroutine_threadsafe(call, self.loop).result(20)
        return result

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)
        assert not self._thread.is_alive()
        self.loop.close()


def descriptors() -> dict[str, str]:
    """Returns the open descriptors of this process and what they refer to."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        # The listing itself used a descriptor.
        with suppress(FileNotFoundError):
            found[name] = os.readlink(f"/proc/self/fd/{name}")
    return found


def kept_in_a_fork(pool: SandboxPool, added: set[tuple[str, str]]) -> list[str]:
    """Returns what those descriptors refer to in a forked child that has abandoned the pool."""
    receive, send = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            pool.abandon()
            pool.abandon()
            kept = [target for _, target in descriptors().items() & added]
            # libuv reserves a descriptor of /dev/null.
            os.write(send, json.dumps([target for target in kept if target != "/dev/null"]).encode())
        finally:
            os._exit(0)
    os.close(send)
    with os.fdopen(receive) as report:
        kept: list[str] = json.loads(report.read())
    assert os.waitpid(pid, 0)[1] == 0
    return kept


@pytest.mark.parametrize("new_loop", LOOPS.values(), ids=LOOPS)
def test_a_pool_works_on_the_loop_of_a_daemon_thread_and_leaves_nothing(new_loop: object) -> None:
    before = descendants(os.getpid())
    thread = LoopThread(new_loop())  # type: ignore[operator]
    assert [thread.add(1) for _ in range(3)] == [2, 3, 4]
    assert descendants(os.getpid()) > before
    thread.stop()
    assert descendants(os.getpid()) == before


@pytest.mark.parametrize("new_loop", LOOPS.values(), ids=LOOPS)
def test_a_forked_child_holds_no_descriptor_of_an_abandoned_pool(new_loop: object) -> None:
    loop = new_loop()  # type: ignore[operator]
    # What a loop opens for itself belongs to the loop.
    loop.run_until_complete(asyncio.sleep(0))
    before = descriptors().items()
    thread = LoopThread(loop)
    assert thread.pool is not None
    added = descriptors().items() - before
    assert len(added) >= 3
    assert not kept_in_a_fork(thread.pool, added)
    assert thread.add(1) == 2
    thread.stop()


@pytest.mark.parametrize("new_loop", LOOPS.values(), ids=LOOPS)
def test_a_forked_child_holds_no_descriptor_of_a_process_whose_end_was_not_seen_yet(new_loop: object) -> None:
    loop = new_loop()  # type: ignore[operator]
    loop.run_until_complete(asyncio.sleep(0))
    before = descriptors().items()
    thread = LoopThread(loop)
    added = descriptors().items() - before

    async def kill_and_fork() -> list[str]:
        assert thread.pool is not None
        assert thread.process is not None
        thread.process.kill()
        return kept_in_a_fork(thread.pool, added)

    assert asyncio.run_coroutine_threadsafe(kill_and_fork(), loop).result(20) == []
    thread.stop()


PARENT = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
import asyncio
from tests.sandbox.process.test_fork_and_threads import LoopThread
thread = LoopThread(asyncio.new_event_loop())
pid = os.fork()
if pid == 0:
    thread.pool.abandon()
    sys.stdin.read()
    os._exit(0)
print(pid, flush=True)
os.waitpid(pid, 0)
"""


def test_processes_end_with_a_killed_parent_although_its_forked_child_lives() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        with watched([child]) as child_watch, watched(descendants(parent.pid) - {child}) as processes:
            assert len(processes) >= 2
            parent.kill()
            assert all_ended(processes)
            assert not select.select(child_watch, [], [], 0)[0]
            parent.stdin.close()
            assert all_ended(child_watch)
