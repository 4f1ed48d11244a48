"""Compares the cost of serving an episode with that of a tool that does nothing, on the bare SDK.

    python benchmarks/serve.py [--json] [--seconds S] [--rounds N] [--only TEXT]

Measured are calls per second, and microseconds of processor time per call: of the server's own process, and of
the processes that it started. Every server runs in a process of its own; the driver sends pre-encoded requests
over bare sockets and pipes. Our server and the bare one take turns.

With 64 calls in flight, HTTP has 64 connections to 64 episodes, stdio 64 calls to its one episode. A ratio says
how much an episode (validation, a confined process, a record of every call) adds to the cost of the SDK. With
one call in flight, the server sleeps twice during a call, for the client and for the episode's process. The
benchmark ends by itself, after little more than a minute.

Over HTTP, with 64 calls in flight, a call may take at most 1.5 times the processor time of the bare server.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import uvloop
from serving.wire import ERAS, Caller, Pipes, post

HERE = Path(__file__).parent / "serving"
OURS = [sys.executable, "-m", "codegym_mcp.cli", "serve", "--environments", str(HERE / "echo.py")]
BARE = [sys.executable, str(HERE / "bare.py")]
TRANSPORTS = {"stdio": [], "http": [], "http --json-responses": ["--json-responses"]}
IN_FLIGHT = (1, 64)
CALLS = 100_000
WARM_UP = 0.3
MAX_CPU_RATIO = 1.5
"""The highest ratio of processor time over HTTP."""
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Figures:
    """The measurements of one server in one case."""

    calls_per_second: float
    server_us: float
    """Processor time of the server's own process, per call, in microseconds."""
    children_us: float
    """Processor time of the processes that the server started, per call, in microseconds."""


@dataclass
class Row:
    """One case."""

    transport: str
    era: str
    in_flight: int
    ours: Figures
    bare: Figures

    @property
    def cpu_ratio(self) -> float:
        """Processor time of our server, divided by that of the bare server."""
        return self.ours.server_us / self.bare.server_us

    @property
    def rate_ratio(self) -> float:
        """Calls per second of our server, divided by those of the bare server."""
        return self.ours.calls_per_second / self.bare.calls_per_second

    @property
    def missed(self) -> bool:
        """Whether our server takes more processor time than the limit allows."""
        return self.transport != "stdio" and self.in_flight > 1 and self.cpu_ratio > MAX_CPU_RATIO


class Clock:
    """Counts the replies and the processor time between two moments."""

    def __init__(self, pid: int, seconds: float) -> None:
        self._pid = pid
        self._begin = time.monotonic() + WARM_UP
        self._end = self._begin + seconds
        self._replies = 0
        self._first: tuple[float, float, float] | None = None
        self.figures: Figures | None = None

    def answered(self, reply: bytes) -> bool:
        """Counts a reply, and returns whether another call is to be made.

        Raises:
            RuntimeError: the reply is not a result.
        """
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
            self._first = (now, *processor_seconds(self._pid))
        return True

    def _stop(self, now: float) -> None:
        assert self._first is not None
        begun, server, children = self._first
        server_now, children_now = processor_seconds(self._pid)
        self.figures = Figures(
            self._replies / (now - begun),
            (server_now - server) / self._replies * 1e6,
            (children_now - children) / self._replies * 1e6,
        )


def processor_seconds(pid: int) -> tuple[float, float]:
    """Returns the processor time of a process so far, and that of its running descendants, in seconds."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            children.setdefault(int(_fields(stat)[1]), []).append(int(stat.parent.name))
    fields = _fields(Path(f"/proc/{pid}/stat"))
    below = 0.0
    waiting = list(children.get(pid, []))
    while waiting:
        child = waiting.pop()
        waiting += children.get(child, [])
        with suppress(OSError):
            # Each uses too little time for clock ticks; each has one thread.
            below += int(Path(f"/proc/{child}/schedstat").read_text().split()[0]) / 1e9
    return (int(fields[11]) + int(fields[12])) / _TICK, below


def _fields(stat: Path) -> list[str]:
    return stat.read_text().rpartition(")")[2].split()


async def over_stdio(command: list[str], era: str, in_flight: int, seconds: float) -> Figures:
    """Measures a server over stdio."""
    loop = asyncio.get_running_loop()
    clock: Clock | None = None
    transport, pipes = await loop.subprocess_exec(
        lambda: Pipes(era, in_flight, lambda reply: clock is not None and clock.answered(reply)),
        *command,
        stderr=None,
    )
    try:
        await pipes.greet(era)
        clock = Clock(transport.get_pid(), seconds)
        pipes.start()
        await asyncio.wait_for(pipes.idle, seconds + 60)
        pipes.close()
        await asyncio.wait_for(pipes.ended, 30)
    finally:
        transport.close()
    assert clock.figures is not None
    return clock.figures


async def over_http(urls: list[str], pid: int, era: str, seconds: float) -> Figures:
    """Measures a server over HTTP, with a connection for each address."""
    clock = Clock(pid, seconds)
    loop = asyncio.get_running_loop()
    callers = []
    for url in urls:
        parts = urlsplit(url)
        assert parts.port is not None
        sent = post(era, parts.path, parts.port)
        _, caller = await loop.create_connection(
            lambda sent=sent: Caller(sent, clock.answered), "127.0.0.1", parts.port
        )
        callers.append(caller.done)
    await asyncio.wait_for(asyncio.gather(*callers), seconds + 60)
    assert clock.figures is not None
    return clock.figures


@asynccontextmanager
async def http_server(command: list[str]) -> AsyncIterator[tuple[dict[str, Any], int]]:
    """Runs a server over HTTP; yields its announcement and its process id."""
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    try:
        assert process.stderr is not None
        yield json.loads(await process.stderr.readline()), process.pid
    finally:
        process.terminate()
        await process.wait()


async def open_episodes(announced: dict[str, Any], count: int) -> list[str]:
    """Opens episodes and returns their addresses."""
    headers = {"authorization": f"Bearer {announced['token']}"}
    asked = {"environment": "echo", "difficulty": 1, "limits": {"calls": CALLS}}
    async with httpx2.AsyncClient(base_url=announced["url"], headers=headers) as control:
        return [(await control.post("/episodes", json=asked)).json()["mcp_url"] for _ in range(count)]


async def measure_stdio(in_flight: int, era: str, seconds: float, rounds: int) -> Row:
    command = [*OURS, "echo", "--difficulty", "1", "--calls", str(CALLS)]
    ours, bare = [], []
    for _ in range(rounds):
        bare.append(await over_stdio([*BARE, "stdio"], era, in_flight, seconds))
        ours.append(await over_stdio(command, era, in_flight, seconds))
    return Row("stdio", era, in_flight, median(ours), median(bare))


async def measure_http(transport: str, in_flight: int, era: str, seconds: float, rounds: int) -> Row:
    options = TRANSPORTS[transport]
    ours, bare = [], []
    async with (
        http_server([*BARE, "http", *options]) as (bare_at, bare_pid),
        http_server([*OURS, "--http", "127.0.0.1:0", "--json", *options]) as (ours_at, ours_pid),
    ):
        for _ in range(rounds):
            bare.append(await over_http([f"{bare_at['url']}/mcp"] * in_flight, bare_pid, era, seconds))
            episodes = await open_episodes(ours_at, in_flight)
            ours.append(await over_http(episodes, ours_pid, era, seconds))
    return Row(transport, era, in_flight, median(ours), median(bare))


def median(figures: list[Figures]) -> Figures:
    """Returns the median of every figure."""
    rows = [asdict(one) for one in figures]
    return Figures(**{name: statistics.median(row[name] for row in rows) for name in rows[0]})


async def measure(only: str, seconds: float, rounds: int, report: Callable[[Row], None]) -> list[Row]:
    """Measures every case whose name contains a text."""
    rows = []
    for transport in TRANSPORTS:
        for era in ERAS:
            for in_flight in IN_FLIGHT:
                if only not in f"{transport} {era} {in_flight}":
                    continue
                if transport == "stdio":
                    row = await measure_stdio(in_flight, era, seconds, rounds)
                else:
                    row = await measure_http(transport, in_flight, era, seconds, rounds)
                rows.append(row)
                report(row)
    return rows


HEADING = (
    f"{'':22}{'':12}{'in':>7}{'calls/s':>9}{'':>9}{'':>7}{'server µs/call':>17}{'':>9}{'children':>10}\n"
    f"{'transport':22}{'era':12}{'flight':>7}{'ours':>9}{'bare':>9}{'ratio':>7}{'ours':>9}{'bare':>8}{'ratio':>9}"
    f"{'µs/call':>10}"
)


def line(row: Row) -> str:
    """Returns a row of the table."""
    ours, bare = row.ours, row.bare
    return (
        f"{row.transport:22}{row.era:12}{row.in_flight:>7}{ours.calls_per_second:>9.0f}"
        f"{bare.calls_per_second:>9.0f}{row.rate_ratio:>7.2f}{ours.server_us:>9.0f}{bare.server_us:>8.0f}"
        f"{row.cpu_ratio:>9.2f}{ours.children_us:>10.0f}{'   MISSED' if row.missed else ''}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seconds", type=float, default=1.5, help="measured time of a case (default 1.5)")
    parser.add_argument("--rounds", type=int, default=1, help="turns of each server; the medians are printed")
    parser.add_argument("--only", default="", help="only cases whose name contains this, such as 'http'")
    options = parser.parse_args()
    if not options.json:
        print(HEADING)
    report: Callable[[Row], None] = (
        (lambda _: None) if options.json else lambda row: print(line(row), flush=True)
    )
    rows = uvloop.run(measure(options.only, options.seconds, options.rounds, report))
    if options.json:
        cases = [
            {**asdict(row), "cpu_ratio": row.cpu_ratio, "rate_ratio": row.rate_ratio, "missed": row.missed}
            for row in rows
        ]
        machine = {"python": platform.python_version(), "processors": os.cpu_count()}
        print(json.dumps({**machine, "seconds": options.seconds, "rounds": options.rounds, "cases": cases}))


if __name__ == "__main__":
    main()
