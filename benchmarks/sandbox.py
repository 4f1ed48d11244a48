"""Measures the cost and the effect of confinement: openings, calls, memory, ended loops, and neighbours.

    python benchmarks/sandbox.py [--json] [--idle N] [--seconds S]

It takes about a minute. Ratios compare with processes that are not confined. Memory is that of whole episodes:
the processes that run environments, and the growth of the server and of its journal in memory.
"""

import argparse
import asyncio
import json
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

from codegym_mcp.environment_definition.environment import Task
from codegym_mcp.environment_definition.environment_reader import read_environment_source
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.errors import LimitError
from codegym_mcp.sandbox.confinement.confinement_layers import Layer
from codegym_mcp.sandbox.process.confined_process import ConfinedProcess
from codegym_mcp.sandbox.process.pool import Isolation, SandboxPool
from codegym_mcp.sandbox.process.process_messages import ServeTools

SOURCE = '''
"""A store holds {size} kinds of things."""
META = {"title": "Stock", "public": ["size"]}


class Environment:
    def __init__(self, size: int):
        self.stock = {f"item {number}": number for number in range(size)}

    def take(self, name: str, count: int) -> dict[str, object]:
        """Take things.

        Args:
            name: of which kind.
            count: how many.
        """
        left = self.stock[name] - count
        self.stock[name] = max(left, 0)
        return {"name": name, "left": self.stock[name], "enough": left >= 0}

    def loop(self) -> int:
        """Never return."""
        while True:
            try:
                while True:
                    pass
            except Exception:
                pass


def reference(size: int) -> int:
    return size


def solve(tools, size):
    return size
'''
ENVIRONMENT = read_environment_source(SOURCE, name="stock", path="stock.py")
PROGRAM = ENVIRONMENT.program
CONFIG = {"size": 60}
TAKE = {"name": "item 7", "count": 1}
LIMITS = Limits()
OPENED = 300
CALLERS = 64
KILLS = 20
DEADLINE = 0.1
NEIGHBOURS = 8
PAUSE = 0.002
ROUNDS = 3

TARGETS: dict[str, tuple[str, float]] = {
    "episodes_opened_per_second": ("at least", 200),
    "calls_per_second_64_callers": ("at least", 8_000),
    "kib_per_idle_episode": ("at most", 2048),
    "kib_per_idle_episode_shared": ("at most", 100),
    "loop_ends_ms_after_deadline_worst": ("at most", 100),
    "neighbour_ms_p99_beside_1_loop": ("at most", 50),
    "neighbour_ms_p99_beside_8_loops": ("at most", 50),
}
"""The targets on a machine with two processors."""


async def start(pool: SandboxPool) -> ConfinedProcess:
    worker = await pool.start(PROGRAM, ServeTools(CONFIG), LIMITS)
    await worker.result(seconds=LIMITS.start_seconds)
    return worker


async def end(workers: Collection[ConfinedProcess]) -> None:
    for worker in workers:
        worker.kill()
    for worker in workers:
        await worker.ended()


async def call(worker: ConfinedProcess) -> None:
    await worker.call("take", TAKE, seconds=5)


async def at_once(number: int, act: Callable[[], Awaitable[None]]) -> None:
    await asyncio.gather(*(act() for _ in range(number)))


async def opened_per_second(pool: SandboxPool, openers: int) -> float:
    """Opens and ends environments, with a number of openers at the same time."""

    async def open_and_end() -> None:
        for _ in range(OPENED // openers):
            worker = await start(pool)
            worker.kill()

    began = time.perf_counter()
    await at_once(openers, open_and_end)
    return OPENED // openers * openers / (time.perf_counter() - began)


async def calls_per_second(pool: SandboxPool, callers: int, seconds: float) -> float:
    workers = [await start(pool) for _ in range(callers)]
    made = 0
    until = time.perf_counter() + seconds

    async def make(worker: ConfinedProcess) -> None:
        nonlocal made
        while time.perf_counter() < until:
            await call(worker)
            made += 1

    began = time.perf_counter()
    await asyncio.gather(*map(make, workers))
    rate = made / (time.perf_counter() - began)
    await end(workers)
    return rate


async def in_turns(
    measure_one: Callable[[SandboxPool], Awaitable[float]], pool: SandboxPool, unconfined: SandboxPool
) -> tuple[float, float]:
    """Returns the medians of two measurements made in turns, so that other load affects both."""
    rounds = [(await measure_one(pool), await measure_one(unconfined)) for _ in range(ROUNDS)]
    confined, plain = zip(*rounds, strict=True)
    return statistics.median(confined), statistics.median(plain)


async def memory(idle: int, isolation: Isolation) -> tuple[float, float]:
    """Returns the memory in KiB of an idle episode after one call: in total, and the part of the server."""
    episodes = []
    async with SandboxPool.open(isolation=isolation) as pool:
        with Journal.open() as journal:
            await (await open_episode(pool, journal)).close("It only warmed the server up.")
            before = rollup(os.getpid())
            for _ in range(idle):
                episodes.append(await open_episode(pool, journal))
            server = rollup(os.getpid()) - before
            environments = sum(rollup(pid) for pid in children_of_the_zygote(pool))
    return (server + environments) / idle, server / idle


async def open_episode(pool: SandboxPool, journal: Journal) -> Episode:
    task = Task(id="benchmark", config=CONFIG)
    episode = Episode(
        pool=pool, journal=journal, environment=ENVIRONMENT, task=task, settings=EpisodeSettings()
    )
    await episode.open()
    assert not (await episode.call("take", TAKE)).is_error
    return episode


def children_of_the_zygote(pool: SandboxPool) -> list[int]:
    assert pool._zygote is not None
    parents = [pool._zygote._process.pid]
    if pool.layers[Layer.PID_NAMESPACE].active:
        parents = children(parents[0])
    return [child for parent in parents for child in children(parent)]


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def rollup(pid: int) -> float:
    """Returns the memory that only this process uses, in KiB.

    Raises:
        OSError: only root may look.
    """
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))


async def loop_ends(pool: SandboxPool) -> list[float]:
    """Returns how long after their deadline loops that catch every exception had ended, in milliseconds."""
    late = []
    for _ in range(KILLS):
        worker = await start(pool)
        began = time.perf_counter()
        try:
            await worker.call("loop", {}, seconds=DEADLINE)
        except LimitError:
            await worker.ended()
        late.append(1000 * (time.perf_counter() - began - DEADLINE))
    return late


async def neighbour_latency(pool: SandboxPool, loops: int, seconds: float) -> dict[str, float]:
    """Returns the latency of calls in milliseconds while loops run in other processes."""
    looping = [await start(pool) for _ in range(loops)]
    ends = [asyncio.create_task(worker.call("loop", {}, seconds=60)) for worker in looping]
    neighbours = [await start(pool) for _ in range(NEIGHBOURS)]
    latencies: list[float] = []
    until = time.perf_counter() + seconds

    async def play(worker: ConfinedProcess) -> None:
        while time.perf_counter() < until:
            began = time.perf_counter()
            await call(worker)
            latencies.append(1000 * (time.perf_counter() - began))
            await asyncio.sleep(PAUSE)

    await asyncio.gather(*map(play, neighbours))
    await end([*looping, *neighbours])
    await asyncio.gather(*ends, return_exceptions=True)
    latencies.sort()
    return {
        "p50": latencies[len(latencies) // 2],
        "p99": latencies[len(latencies) * 99 // 100],
        "worst": latencies[-1],
    }


async def measure(seconds: float, idle: int) -> dict[str, Any]:
    figures: dict[str, float] = {}
    ways: tuple[tuple[Isolation, str], ...] = (("shared", "_shared"), ("process", ""))
    bare = sorted(set(Layer) - {Layer.PIDFD})
    async with (
        SandboxPool.open() as pool,
        SandboxPool.open(allow_unconfined=True, _disabled=bare) as unconfined,
    ):
        off = [layer for layer, state in pool.layers.items() if not state.active]
        confined, plain = await in_turns(lambda which: opened_per_second(which, 8), pool, unconfined)
        figures["episodes_opened_per_second"] = confined
        figures["episodes_opened_per_second_one_by_one"] = await opened_per_second(pool, 1)
        figures["episodes_opened_ratio_to_unconfined"] = confined / plain
        confined, plain = await in_turns(
            lambda which: calls_per_second(which, CALLERS, seconds / ROUNDS), pool, unconfined
        )
        figures["calls_per_second_64_callers"] = confined
        figures["calls_per_second_1_caller"] = await calls_per_second(pool, 1, seconds)
        figures["calls_ratio_to_unconfined"] = confined / plain
        late = await loop_ends(pool)
        figures["loop_ends_ms_after_deadline_median"] = statistics.median(late)
        figures["loop_ends_ms_after_deadline_worst"] = max(late)
        for loops, beside in ((0, "no_loop"), (1, "1_loop"), (8, "8_loops")):
            latency = await neighbour_latency(pool, loops, seconds)
            figures |= {f"neighbour_ms_{name}_beside_{beside}": value for name, value in latency.items()}
    with suppress(PermissionError):
        for isolation, suffix in ways:
            whole, server = await memory(idle, isolation)
            figures[f"kib_per_idle_episode{suffix}"] = whole
            figures[f"kib_per_idle_episode{suffix}_in_the_server"] = server
    missed = [
        name
        for name, (bound, value) in TARGETS.items()
        if name in figures and (figures[name] < value if bound == "at least" else figures[name] > value)
    ]
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "layers_off": off,
        "load": os.getloadavg()[0],
        "figures": figures,
        "missed": missed,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--idle", type=int, default=1000, help="open episodes for the measurement of memory")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each measurement that has one")
    options = parser.parse_args()
    # Each process takes two descriptors of the server.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    report = asyncio.run(measure(options.seconds, options.idle))
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        print(
            f"{report['system']}, Python {report['python']}, load {report['load']:.1f} of others and of this"
        )
        print(f"layers off: {', '.join(report['layers_off']) or 'none'}")
        for name, value in report["figures"].items():
            bound, target = TARGETS.get(name, ("", 0))
            asked = (
                f"   {bound} {target:,g}{'   MISSED' if name in report['missed'] else ''}" if bound else ""
            )
            print(f"{name:<42} {value:>12,.2f}{asked}")
    sys.exit(1 if report["missed"] else 0)


if __name__ == "__main__":
    main()
