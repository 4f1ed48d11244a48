"""Starting, losing and ending the processes of a pool."""

import asyncio
import os
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio.abc
import pytest

from codegym_mcp.bundled_environments import bundled_path
from codegym_mcp.errors import LimitError, SandboxError, WorkerLostError
from codegym_mcp.sandbox.confinement.confinement_layers import Layer
from codegym_mcp.sandbox.process.confined_process import ConfinedProcess
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.sandbox.process.process_messages import ComputeReference, GenerateConfig, ServeTools
from codegym_mcp.sandbox.process.process_role_code import EnvironmentProgram
from tests.sandbox.raw_code import LIMITS, NAMESPACES, AttackedPool

SOURCE = """
class Environment:
    def __init__(self, start: int):
        self.count = start

    def add(self, number: int) -> int:
        self.count += number
        return self.count

    def loop(self) -> None:
        while True:
            try:
                while True:
                    pass
            except Exception:
                pass

def reference(start):
    return start * 2
"""
PROGRAM = EnvironmentProgram("counting.py", SOURCE)
WITHOUT = {"every-layer": frozenset(), "no-namespaces": NAMESPACES}
everywhere = pytest.mark.parametrize("without", WITHOUT.values(), ids=WITHOUT)


async def start(pool: SandboxPool) -> ConfinedProcess:
    worker = await pool.start(PROGRAM, ServeTools({"start": 1}), LIMITS)
    await worker.result(seconds=LIMITS.start_seconds)
    return worker


def descendants(pid: int) -> set[int]:
    """Returns all running processes below one, whichever of its threads started them."""
    found = set()
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            if Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found |= {int(child)} | descendants(int(child))
    return found


@contextmanager
def watched(pids: Collection[int]) -> Iterator[list[int]]:
    """Descriptors of processes, by which their end can be waited for."""
    opened = [os.pidfd_open(pid) for pid in pids]
    yield opened
    for descriptor in opened:
        os.close(descriptor)


def all_ended(pidfds: list[int], seconds: float = 10) -> bool:
    return all(select.select([pidfd], [], [], seconds)[0] for pidfd in pidfds)


async def test_each_role_has_a_process_of_its_own(pool: SandboxPool) -> None:
    before = descendants(os.getpid())
    workers = [await start(pool) for _ in range(3)]
    assert len(descendants(os.getpid()) - before) == 3
    assert [await worker.call("add", {"number": 1}, seconds=5) for worker in workers] == [2, 2, 2]
    assert await pool.ask(PROGRAM, ComputeReference({"start": 3}), LIMITS) == 6


async def test_every_layer_is_reported(pool: SandboxPool) -> None:
    assert pool.layers.keys() == set(Layer)
    assert all(state.active or state.detail for state in pool.layers.values())


@everywhere
async def test_a_loop_that_swallows_every_exception_ends_with_its_deadline(without: frozenset[Layer]) -> None:
    async with SandboxPool.open(_disabled=without) as pool:
        worker = await start(pool)
        with pytest.raises(LimitError):
            await worker.call("loop", {}, seconds=0.05)
        await worker.ended()


async def test_without_pidfds_the_zygote_kills_processes() -> None:
    async with SandboxPool.open(_disabled=[Layer.PIDFD]) as pool:
        neighbour, worker = await start(pool), await start(pool)
        with pytest.raises(LimitError):
            await worker.call("loop", {}, seconds=0.05)
        await worker.ended()
        assert await neighbour.call("add", {"number": 1}, seconds=5) == 2


@everywhere
async def test_a_closed_pool_leaves_no_process(without: frozenset[Layer]) -> None:
    before = descendants(os.getpid())
    async with SandboxPool.open(_disabled=without) as pool:
        idle, looping = await start(pool), await start(pool)
        call = asyncio.create_task(looping.call("loop", {}, seconds=60))
        await asyncio.sleep(0)
        came = descendants(os.getpid()) - before
        # The two, the zygote, and with a pid namespace the process that stays outside.
        assert len(came) >= 3
    assert descendants(os.getpid()) == before
    with pytest.raises(WorkerLostError):
        await call
    assert not idle.alive


async def test_a_cancelled_pool_leaves_no_process() -> None:
    before = descendants(os.getpid())

    async def hold(*, task_status: anyio.abc.TaskStatus[None]) -> None:
        async with SandboxPool.open() as pool:
            worker = await start(pool)
            task_status.started()
            await worker.call("loop", {}, seconds=60)

    async with anyio.create_task_group() as tasks:
        await tasks.start(hold)
        assert descendants(os.getpid()) - before
        tasks.cancel_scope.cancel()
    assert descendants(os.getpid()) == before


async def test_a_zygote_that_is_started_while_the_pool_closes_ends_with_it() -> None:
    before = descendants(os.getpid())
    async with SandboxPool.open() as pool:
        assert pool._zygote is not None
        pool._zygote._process.kill()
        await pool._zygote._process.ended()
        pool._zygote._end("It was killed.")
        asked = asyncio.create_task(start(pool))
        await asyncio.sleep(0)
        assert pool._start_lock.locked()
    assert descendants(os.getpid()) == before
    with pytest.raises((SandboxError, WorkerLostError)):
        await asked
    assert descendants(os.getpid()) == before


@everywhere
@pytest.mark.parametrize("which", ["the first of its processes", "the one that forks"])
async def test_a_pool_replaces_a_killed_zygote(which: str, without: frozenset[Layer]) -> None:
    async with AttackedPool.open(without) as attacked:
        worker = await start(attacked.pool)
        call = asyncio.create_task(worker.call("loop", {}, seconds=60))
        await asyncio.sleep(0)
        first = attacked.pool.zygote_pid
        assert first is not None
        with watched({first} | descendants(first)) as processes:
            os.kill(first if which == "the first of its processes" else attacked.zygote, signal.SIGKILL)
            with pytest.raises(WorkerLostError):
                await call
            fresh = await start(attacked.pool)
            assert all_ended(processes)
        assert await fresh.call("add", {"number": 1}, seconds=5) == 2
        assert not attacked.neighbour.alive


SERVER = f"""
import asyncio, sys
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from tests.sandbox.raw_code import NAMESPACES
from tests.sandbox.process.test_pool import WITHOUT, start
from codegym_mcp.sandbox.process.pool import SandboxPool

async def main():
    async with SandboxPool.open(_disabled=WITHOUT[sys.argv[1]]) as pool:
        workers = [await start(pool), await start(pool)]
        call = asyncio.create_task(workers[0].call("loop", {{}}, seconds=60))
        await asyncio.sleep(0)
        print("ready", flush=True)
        await call

asyncio.run(main())
"""


@pytest.mark.parametrize("without", WITHOUT)
def test_no_process_outlives_a_killed_server(without: str) -> None:
    with subprocess.Popen([sys.executable, "-c", SERVER, without], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        with watched(descendants(server.pid)) as processes:
            assert len(processes) >= 3
            server.kill()
            assert all_ended(processes)


async def test_signals_to_the_process_group_do_not_end_confined_processes(pool: SandboxPool) -> None:
    """Ctrl-C, and a service manager that stops a service, speak to everyone; the server decides."""
    outside = pool.zygote_pid
    assert outside is not None
    worker = await start(pool)
    for told in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        for pid in {outside, *descendants(outside)}:
            os.kill(pid, told)
    assert await worker.call("add", {"number": 1}, seconds=5) == 2
    assert (await start(pool)).alive


async def test_a_cancelled_start_leaves_no_process(pool: SandboxPool) -> None:
    before = descendants(os.getpid())
    tasks = [asyncio.create_task(start(pool)) for _ in range(8)]
    for _ in range(2):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    given_up = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in given_up)
    # Answers come in order: whoever was forked for nothing has been told to end by now.
    await start(pool)
    came = descendants(os.getpid()) - before
    with watched(came - {max(came)}) as processes:
        assert all_ended(processes)


@pytest.mark.parametrize("layer", [Layer.SECCOMP, Layer.RLIMITS])
async def test_without_an_essential_layer_only_bundled_environments_run(
    layer: Layer, caplog: pytest.LogCaptureFixture
) -> None:
    bundled = EnvironmentProgram("renamed.py", (bundled_path() / "parcel_hunt.py").read_text())
    async with SandboxPool.open(_disabled=[layer]) as pool:
        with pytest.raises(SandboxError, match="cannot be confined here") as refused:
            await start(pool)
        assert layer in refused.value.message
        assert "--allow-unconfined" in refused.value.hint
        assert isinstance(await pool.ask(bundled, GenerateConfig("1/1", 1), LIMITS), dict)
    (warning,) = caplog.messages
    assert layer in warning
    assert "Only bundled environments run" in warning


async def test_an_environment_that_differs_from_a_bundled_one_is_not_bundled() -> None:
    changed = EnvironmentProgram("parcel_hunt.py", (bundled_path() / "parcel_hunt.py").read_text() + "\n")
    async with SandboxPool.open(_disabled=[Layer.SECCOMP]) as pool:
        with pytest.raises(SandboxError, match="cannot be confined here"):
            await pool.ask(changed, GenerateConfig("1/1", 1), LIMITS)


async def test_without_an_essential_layer_every_environment_runs_if_that_is_allowed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with SandboxPool.open(allow_unconfined=True, _disabled=[Layer.SECCOMP]) as pool:
        assert not pool.layers[Layer.SECCOMP].active
        assert (await start(pool)).alive
    assert not caplog.messages


async def test_a_pool_opens_without_any_of_the_other_layers() -> None:
    missing = set(Layer) - {Layer.SECCOMP, Layer.RLIMITS, Layer.NO_NEW_PRIVILEGES}
    async with SandboxPool.open(_disabled=missing) as pool:
        assert {layer for layer, state in pool.layers.items() if not state.active} == missing
        assert await (await start(pool)).call("add", {"number": 2}, seconds=5) == 3


async def test_without_any_layer_at_all_it_still_works() -> None:
    """As on a system that has none of them."""
    async with SandboxPool.open(allow_unconfined=True, _disabled=set(Layer)) as pool:
        assert not any(state.active for state in pool.layers.values())
        worker = await start(pool)
        with pytest.raises(LimitError):
            await worker.call("loop", {}, seconds=0.05)
        await worker.ended()


async def test_a_filter_that_the_kernel_refuses_is_reported_as_missing() -> None:
    """Without root's rights and without the promise to take no new ones, nobody may install a filter."""
    async with SandboxPool.open(_disabled=[Layer.NO_NEW_PRIVILEGES]) as pool:
        with pytest.raises(SandboxError, match=r"seccomp \(prctl: "):
            await start(pool)


async def test_a_zygote_without_free_descriptors_reports_an_error_and_recovers() -> None:
    # Of the same user as the server, so that its limits can be changed from here.
    async with AttackedPool.open([Layer.UNPRIVILEGED]) as attacked:
        soft, hard = resource.prlimit(attacked.zygote, resource.RLIMIT_NOFILE)
        refused = []
        for room in range(12):
            resource.prlimit(attacked.zygote, resource.RLIMIT_NOFILE, (room, hard))
            try:
                (await start(attacked.pool)).kill()
            except SandboxError as error:
                refused.append(str(error))
        assert set(refused) == {"No process could be started: Too many open files."}
        resource.prlimit(attacked.zygote, resource.RLIMIT_NOFILE, (soft, hard))
        assert await (await start(attacked.pool)).call("add", {"number": 1}, seconds=5) == 2
        assert await attacked.neighbour_still_works()


async def test_a_server_without_free_descriptors_reports_an_error_and_recovers(pool: SandboxPool) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(map(int, os.listdir("/proc/self/fd")))
    gaps = [os.open(os.devnull, os.O_RDONLY)]
    while gaps[-1] <= highest:
        gaps.append(os.open(os.devnull, os.O_RDONLY))
    refused = []
    for room in range(4):
        resource.setrlimit(resource.RLIMIT_NOFILE, (gaps[-1] + 1 + room, hard))
        try:
            (await start(pool)).kill()
        except SandboxError as error:
            refused.append(error.hint)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    for descriptor in gaps:
        os.close(descriptor)
    assert refused
    assert all("ulimit -n" in hint for hint in refused)
    assert await (await start(pool)).call("add", {"number": 1}, seconds=5) == 2


@pytest.mark.parametrize(
    ("executable", "told"),
    [
        ("/nowhere/python", "cannot be started: .*No such file"),
        ("/bin/false", "did not start: The zygote ended"),
    ],
)
async def test_a_zygote_that_cannot_start_is_an_error(
    executable: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    with pytest.raises(SandboxError, match=told):
        async with SandboxPool.open():
            pass


async def test_the_error_of_a_failed_zygote_is_reported() -> None:
    with pytest.raises(SandboxError, match="'no_such_layer' is not a valid Layer"):
        async with SandboxPool.open(_disabled=["no_such_layer"]):  # type: ignore[list-item]
            pass
