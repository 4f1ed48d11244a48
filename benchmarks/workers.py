"""Measures a server with several workers: throughput, connections, many open episodes, memory.

    python benchmarks/workers.py [--workers N] [--seconds S] [--rounds N] [--limit SECONDS] [--only TEXT] [--json]

- `throughput`: 64 calls in flight, one server with one worker and one with N in turns. The driver is pinned to
  the last processor; if there are more processors than workers, the server has the others to itself. Where it has
  not, the calls per second say what the machine allowed. What processors of its own would allow is the number of
  calls divided by the processor time of the busiest process of the server.
- `connections`: the same with a new connection for every call, of which nothing is required. Here the control
  process takes part in each call: it accepts the connection and passes it on.
- `open`: 10,000 episodes in shared processes are open, and random ones are called 1,000 times a second. A latency
  counts from the time at which the call was due.
- `confined`: the memory that 1,000 episodes take, each in a confined process of its own.

The benchmark ends after `--limit` seconds at the latest (280). It prints MISSED, and its exit status is 1, if the
speed-up is below 0.9 for each worker, p99 is 50 ms or more, or a confined episode takes more than 2 MiB.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import uvloop
from serving.wire import Caller, Connection, post

from codegym_mcp.episodes.episode_shards import shard_of

ECHO = Path(__file__).parent / "serving" / "echo.py"
ERA = "2026-07-28"
IN_FLIGHT = 64
OPEN_EPISODES = 10_000
CALLS_PER_SECOND = 1000
CONFINED = 1000
CALLS = 100_000
WARM_UP = 0.3
LEAST_SPEED_UP = 0.9
"""Of each worker."""
MOST_P99_MS = 50.0
MOST_MIB = 2.0
_OPENINGS = 32
_STOP_SECONDS = 10
_CONNECTIONS = 128
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
MIB = 1 << 20


@dataclass(frozen=True)
class Served:
    """A running server.

    Attributes:
        processes: the supervisor process, then its workers; with one worker, the server alone.
    """

    url: str
    token: str
    processes: list[int]
    workers: int

    @property
    def port(self) -> int:
        """The port that it listens on."""
        port = urlsplit(self.url).port
        assert port is not None
        return port


@asynccontextmanager
async def serve(workers: int, isolation: str, processors: Iterable[int]) -> AsyncIterator[Served]:
    """Runs a server on some of the processors."""
    command = [sys.executable, "-m", "codegym_mcp.cli", "serve", "--http", "127.0.0.1:0", "--json"]
    command += ["--json-responses", "--workers", str(workers), "--isolation", isolation]
    command += ["--max-episodes", str(2 * OPEN_EPISODES), "--environments", str(ECHO)]
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processors)
    try:
        process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    finally:
        os.sched_setaffinity(0, allowed)
    try:
        assert process.stderr is not None
        announced = json.loads(await process.stderr.readline())
        below = children(process.pid) if workers > 1 else []
        yield Served(announced["url"], announced["token"], [process.pid, *below], workers)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
            await asyncio.wait([asyncio.ensure_future(process.wait())], timeout=_STOP_SECONDS)
            if process.returncode is None:
                process.kill()
        await process.wait()


def children(pid: int) -> list[int]:
    """Returns the processes that a process has started and that run."""
    with suppress(OSError):
        return sorted(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    return []


def descendants(pid: int) -> list[int]:
    """Returns the processes below a process."""
    return [found for child in children(pid) for found in (child, *descendants(child))]


def own_seconds(pid: int) -> float:
    """Returns the processor time of one process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def environment_seconds(served: Served) -> float:
    """Returns the processor time of the running processes of environments, and of those that fork them."""
    total = 0.0
    for pid in set(descendants(served.processes[0])) - set(served.processes):
        with suppress(OSError):
            total += int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    return total


async def open_episodes(served: Served, count: int) -> list[str]:
    """Opens episodes and returns the paths of their addresses."""
    paths: list[str] = []
    numbers = iter(range(count))
    asked = {"environment": "echo", "limits": {"calls": CALLS, "idle_seconds": 3600}}

    async def open_some() -> None:
        headers = {"authorization": f"Bearer {served.token}"}
        async with httpx2.AsyncClient(base_url=served.url, headers=headers, timeout=60) as control:
            for number in numbers:
                response = await control.post("/episodes", json={**asked, "difficulty": number % 5 + 1})
                response.raise_for_status()
                paths.append(urlsplit(response.json()["mcp_url"]).path)

    await asyncio.gather(*(open_some() for _ in range(min(_OPENINGS, count))))
    return paths


# --- throughput


@dataclass
class Throughput:
    """The figures of one server."""

    calls_per_second: float
    server_us: float
    """Processor time of all processes of the server, per call, in microseconds."""
    environments_us: float
    """Processor time of the environments, per call, in microseconds."""
    allowed_per_second: float
    """Calls per second of processor time of the busiest process of the server."""


class Meter:
    """Counts replies between two moments, and the processor time that they took."""

    def __init__(self, served: Served, seconds: float) -> None:
        self._served = served
        self._begin = time.monotonic() + WARM_UP
        self._end = self._begin + seconds
        self._replies = 0
        self._first: tuple[float, list[float], float] | None = None
        self.figures: Throughput | None = None

    def answered(self, reply: bytes) -> bool:
        """Counts a reply, and returns whether another call is to be made."""
        if b'"structuredContent":{"result":7}' not in reply:
            raise RuntimeError(f"not a result: {reply[:500]!r}")
        if self.figures is not None:
            return False
        now = time.monotonic()
        if self._first is not None:
            self._replies += 1
            if now >= self._end:
                self._stop(now)
                return False
        elif now >= self._begin:
            self._first = (now, *self._seconds())
        return True

    def _seconds(self) -> tuple[list[float], float]:
        return [own_seconds(pid) for pid in self._served.processes], environment_seconds(self._served)

    def _stop(self, now: float) -> None:
        assert self._first is not None
        begun, first, environments = self._first
        after, environments_after = self._seconds()
        spent = [later - earlier for later, earlier in zip(after, first, strict=True)]
        self.figures = Throughput(
            self._replies / (now - begun),
            sum(spent) / self._replies * 1e6,
            (environments_after - environments) / self._replies * 1e6,
            self._replies / max(*spent, 1 / _TICK),
        )


async def call_in_turn(served: Served, paths: list[str], seconds: float, *, reconnect: bool) -> Throughput:
    """Calls every episode again and again, each on a connection of its own."""
    meter = Meter(served, seconds)
    loop = asyncio.get_running_loop()

    async def call(path: str) -> None:
        request = post(ERA, path, served.port)
        if not reconnect:
            _, caller = await loop.create_connection(
                lambda: Caller(request, meter.answered), "127.0.0.1", served.port
            )
            await caller.done
            return
        while meter.figures is None:
            _, caller = await loop.create_connection(
                lambda: Caller(request, lambda reply: meter.answered(reply) and False),
                "127.0.0.1",
                served.port,
            )
            await caller.done

    await asyncio.gather(*(call(path) for path in paths))
    assert meter.figures is not None
    return meter.figures


async def measure_throughput(
    workers: int, seconds: float, rounds: int, processors: Iterable[int], *, reconnect: bool
) -> dict[str, Any]:
    """Measures one worker and several in turns."""
    found: dict[int, list[Throughput]] = {1: [], workers: []}
    async with serve(1, "process", processors) as one, serve(workers, "process", processors) as several:
        addresses = {each.workers: await open_episodes(each, IN_FLIGHT) for each in (one, several)}
        for _ in range(rounds):
            for each in (one, several):
                found[each.workers].append(
                    await call_in_turn(each, addresses[each.workers], seconds, reconnect=reconnect)
                )
    figures = {
        number: {name: statistics.median(getattr(each, name) for each in some) for name in vars(some[0])}
        for number, some in found.items()
    }
    speed_up = figures[workers]["allowed_per_second"] / figures[1]["allowed_per_second"]
    measured = figures[workers]["calls_per_second"] / figures[1]["calls_per_second"]
    return {
        "one_worker": _rounded(figures[1]),
        f"{workers}_workers": _rounded(figures[workers]),
        "speed_up_measured": round(measured, 2),
        "speed_up_allowed": round(speed_up, 2),
        # A new connection for every call is not how episodes are played; its cost is told, not bounded.
        "missed": not reconnect and max(measured, speed_up) < LEAST_SPEED_UP * workers,
    }


# --- many open episodes


async def measure_open(
    workers: int, episodes: int, seconds: float, processors: Iterable[int]
) -> dict[str, Any]:
    """Measures the latency of calls at a fixed rate while very many episodes are open."""
    async with serve(workers, "shared", processors) as served:
        begun = time.monotonic()
        paths = await open_episodes(served, episodes)
        opening = time.monotonic() - begun
        by_worker: list[list[str]] = [[] for _ in range(workers)]
        for path in paths:
            by_worker[shard_of(path.split("/")[2].partition("-")[0], workers)].append(path)
        latencies, behind = await call_at_a_rate(served, by_worker, seconds)
        memory = sum(resident(pid) for pid in [*served.processes, *descendants(served.processes[0])])
    p50, p99 = (statistics.quantiles(latencies, n=100)[each - 1] * 1000 for each in (50, 99))
    return {
        "episodes": len(paths),
        "opened_per_second": round(len(paths) / opening),
        "calls": len(latencies),
        "calls_per_second": round(len(latencies) / seconds),
        "p50_ms": round(p50, 2),
        "p99_ms": round(p99, 2),
        "driver_p99_ms": round(behind * 1000, 2),
        "resident_mib": round(memory),
        "missed": p99 >= MOST_P99_MS,
    }


async def call_at_a_rate(
    served: Served, by_worker: list[list[str]], seconds: float
) -> tuple[list[float], float]:
    """Calls random episodes at a fixed rate; returns the latencies, and how late the driver itself was (p99)."""
    choice = random.Random(1)  # noqa: S311 - calls that can be repeated
    free: list[asyncio.LifoQueue[Connection]] = [asyncio.LifoQueue() for _ in by_worker]
    loop = asyncio.get_running_loop()

    async def connect() -> Connection:
        _, connection = await loop.create_connection(Connection, "127.0.0.1", served.port)
        return connection

    for queue in free:
        for _ in range(_CONNECTIONS):
            queue.put_nowait(await connect())
    latencies: list[float] = []
    lateness: list[float] = []

    async def call(worker: int, due: float) -> None:
        connection = await free[worker].get()
        if connection.is_closed:
            # Connections that were idle for seconds are closed by the server, as HTTP allows.
            connection = await connect()
        reply = await connection.send(post(ERA, choice.choice(by_worker[worker]), served.port))
        if b'"structuredContent":{"result":7}' not in reply:
            raise RuntimeError(f"not a result: {reply[:500]!r}")
        latencies.append(time.monotonic() - due)
        free[worker].put_nowait(connection)

    begun = time.monotonic()
    # A call that fails ends the measurement.
    async with asyncio.TaskGroup() as calls:
        for number in range(round(seconds * CALLS_PER_SECOND)):
            due = begun + number / CALLS_PER_SECOND
            if (pause := due - time.monotonic()) > 0:
                await asyncio.sleep(pause)
            lateness.append(max(0.0, time.monotonic() - due))
            calls.create_task(call(number % len(by_worker), due))
    return latencies, statistics.quantiles(lateness, n=100)[98]


def resident(pid: int) -> float:
    """Returns the resident memory of a process in MiB, shared pages included."""
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / MIB
    return 0.0


# --- confined episodes


async def measure_confined(workers: int, episodes: int, processors: Iterable[int]) -> dict[str, Any]:
    """Measures the memory of episodes in processes of their own."""
    async with serve(workers, "process", processors) as served:
        await open_episodes(served, 10)
        before = available()
        pids = set(descendants(served.processes[0]))
        begun = time.monotonic()
        await open_episodes(served, episodes)
        opening = time.monotonic() - begun
        after = available()
        fresh = [pid for pid in descendants(served.processes[0]) if pid not in pids]
        proportional = [size for pid in fresh if (size := proportional_set(pid)) is not None]
        server = sum(resident(pid) for pid in served.processes)
    each = sum(proportional) / episodes if proportional else (before - after) / episodes
    return {
        "episodes": episodes,
        "opened_per_second": round(episodes / opening),
        "mib_each": round(each, 2),
        "available_memory_mib_each": round((before - after) / episodes, 2),
        "server_resident_mib": round(server),
        "missed": each > MOST_MIB,
    }


def available() -> float:
    """Returns the memory of the machine that is available, in MiB."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")) / 1024


def proportional_set(pid: int) -> float | None:
    """Returns the proportional set size of a process in MiB, or None if it cannot be read."""
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return None


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value) for name, value in figures.items()}


async def measure(options: argparse.Namespace, report: Callable[[str, dict[str, Any]], None]) -> None:
    """Runs the parts whose name contains a text."""
    processors = sorted(os.sched_getaffinity(0))
    enough = len(processors) > options.workers
    server_processors = processors[: options.workers] if enough else processors
    if options.server_processors is not None:
        server_processors = processors[: options.server_processors]
    os.sched_setaffinity(0, {processors[-1]})
    workers, seconds, rounds = options.workers, options.seconds, options.rounds
    parts = {
        "throughput": lambda: measure_throughput(
            workers, seconds, rounds, server_processors, reconnect=False
        ),
        "connections": lambda: measure_throughput(
            workers, seconds, rounds, server_processors, reconnect=True
        ),
        "open": lambda: measure_open(workers, options.open, 4 * seconds, server_processors),
        "confined": lambda: measure_confined(workers, options.confined, server_processors),
    }
    async with asyncio.timeout(options.limit):
        for name, part in parts.items():
            if options.only in name:
                report(name, await part())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--server-processors",
        type=int,
        metavar="N",
        help="run the server on the first N processors only, to compare processor times of a call where no "
        "worker shares its processor with the driver",
    )
    parser.add_argument("--seconds", type=float, default=3.0, help="measured time of a round (default 3)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each server; the medians are printed")
    parser.add_argument("--open", type=int, default=OPEN_EPISODES, help="episodes of the part `open`")
    parser.add_argument("--confined", type=int, default=CONFINED, help="episodes of the part `confined`")
    parser.add_argument("--limit", type=float, default=280.0, help="end after so many seconds (default 280)")
    parser.add_argument("--only", default="", help="only parts whose name contains this")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    results: dict[str, dict[str, Any]] = {}

    def report(name: str, figures: dict[str, Any]) -> None:
        results[name] = figures
        if not options.json:
            print(f"{name}{'   MISSED' if figures['missed'] else ''}")
            for figure, value in figures.items():
                print(f"  {figure:28}{value}", flush=True)

    try:
        uvloop.run(measure(options, report))
    except TimeoutError:
        print(f"The limit of {options.limit:g} seconds was reached.", file=sys.stderr)
        sys.exit(1)
    if options.json:
        print(json.dumps({"processors": os.cpu_count(), "workers": options.workers, **results}))
    sys.exit(any(figures["missed"] for figures in results.values()))


if __name__ == "__main__":
    main()
