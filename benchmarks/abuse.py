"""What clients that misuse the server cost those that do not.

    python benchmarks/abuse.py [--json] [--seconds S] [--only KIND]

A server in a process of its own serves 64 episodes, each of which makes a few calls a second over a connection
of its own, at random times. The time of each call is measured first without any other client, then while
clients in a third process misuse the server in one way after another, and in all ways at once. That process has
the lowest priority, since clients that misuse a server do not run on the server's processors.

The clients of one kind begin within a second. What arrives in one instant is served in one iteration of the event
loop and is not measured here.

Two things are asked for: the 99th percentile of a call's time is at most 50 ms above what it is without
misuse, and the server's memory stays below 300 MiB. The benchmark ends by itself after about two minutes.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import uvloop
from serve import OURS, http_server, open_episodes
from serving import abusers
from serving.wire import post

KINDS = (*abusers.KINDS, "together")
EPISODES = 64
PAUSE_SECONDS = 0.25
"""Mean of the random time between two calls of an episode."""
LATENCY_MS = 50.0
"""How much the 99th percentile may rise, in milliseconds."""
MEMORY_MIB = 300.0
"""The most memory that the server may use, in MiB."""


@dataclass
class Row:
    """The calls of ordinary episodes during one kind of misuse.

    Attributes:
        kind: the kind; "none" is the time without misuse.
        calls: calls that were measured.
        lost: calls whose connection was closed before the response.
        median_ms: median time of a call, in milliseconds.
        p99_ms: 99th percentile of the time of a call, in milliseconds.
        memory_mib: the most memory that the server has used so far, in MiB.
        alone_ms: `p99_ms` without misuse.
    """

    kind: str
    calls: int
    lost: int
    median_ms: float
    p99_ms: float
    memory_mib: float
    alone_ms: float

    @property
    def missed(self) -> bool:
        """Whether less is reached than is asked for."""
        return self.lost > 0 or self.p99_ms - self.alone_ms > LATENCY_MS or self.memory_mib > MEMORY_MIB


class Episode:
    """An ordinary client of one episode."""

    def __init__(self, url: str) -> None:
        self._random = random.Random(url)  # noqa: S311 - no secret
        parts = urlsplit(url)
        assert parts.port is not None
        self._port = parts.port
        self._request = post("2026-07-28", parts.path, parts.port)
        self.seconds: list[float] = []
        self.lost = 0

    async def play(self, until: float, delay: float) -> None:
        """Calls the tool again and again, with pauses."""
        await asyncio.sleep(delay)
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        while time.monotonic() < until:
            begun = time.monotonic()
            try:
                writer.write(self._request)
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
                body = await reader.readexactly(length)
            except (OSError, asyncio.IncompleteReadError):
                self.lost += 1
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                continue
            if b'"structuredContent":{"result":7}' not in body:
                raise RuntimeError(f"not a result: {body[:500]!r}")
            self.seconds.append(time.monotonic() - begun)
            await asyncio.sleep(self._random.expovariate(1 / PAUSE_SECONDS))
        writer.close()


def memory_mib(pid: int) -> float:
    """Returns the most memory that a process has used, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


async def measure_kind(kind: str, urls: Sequence[str], pid: int, seconds: float, alone_ms: float) -> Row:
    """Measures ordinary calls during one kind of misuse."""
    port, path = urlsplit(urls[0]).port, urlsplit(urls[-1]).path
    episodes = [Episode(url) for url in urls[:-1]]
    if kind != "none":
        misuse = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "serving.abusers", kind, str(port), path, str(seconds)),
            cwd=Path(__file__).parent,
            stdout=asyncio.subprocess.PIPE,
        )
        assert misuse.stdout is not None
        await misuse.stdout.readline()
    until = time.monotonic() + seconds
    delays = [PAUSE_SECONDS * number / EPISODES for number in range(EPISODES)]
    await asyncio.gather(
        *(episode.play(until, delay) for episode, delay in zip(episodes, delays, strict=True))
    )
    if kind != "none":
        await misuse.wait()
    times = [1000 * each for episode in episodes for each in episode.seconds]
    p99 = statistics.quantiles(times, n=100)[98]
    return Row(
        kind,
        len(times),
        sum(episode.lost for episode in episodes),
        statistics.median(times),
        p99,
        memory_mib(pid),
        p99 if kind == "none" else alone_ms,
    )


async def measure(kinds: Sequence[str], seconds: float, *, quiet: bool) -> list[Row]:
    """Measures every kind after the time without misuse."""
    rows: list[Row] = []
    async with http_server([*OURS, "--http", "127.0.0.1:0", "--json", "--json-responses"]) as (found, pid):
        # The last episode is the one that the misusing clients know.
        urls = await open_episodes(found, EPISODES + 1)
        for kind in ("none", *kinds):
            row = await measure_kind(kind, urls, pid, seconds, rows[0].p99_ms if rows else 0.0)
            rows.append(row)
            if not quiet:
                print(line(row), flush=True)
    return rows


HEADING = f"{'misuse':12}{'calls':>8}{'lost':>6}{'median ms':>11}{'p99 ms':>9}{'memory MiB':>12}"


def line(row: Row) -> str:
    """Returns a row of the table."""
    return (
        f"{row.kind:12}{row.calls:>8}{row.lost:>6}{row.median_ms:>11.1f}{row.p99_ms:>9.1f}"
        f"{row.memory_mib:>12.0f}{'   MISSED' if row.missed else ''}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seconds", type=float, default=8.0, help="measured time of a kind (default 8)")
    parser.add_argument("--only", choices=KINDS, help="measure one kind")
    options = parser.parse_args()
    if not options.json:
        print(HEADING)
    kinds = (options.only,) if options.only else KINDS
    rows = uvloop.run(measure(kinds, options.seconds, quiet=options.json))
    if options.json:
        machine = {"python": platform.python_version(), "processors": os.cpu_count()}
        cases = [{**asdict(row), "missed": row.missed} for row in rows]
        print(json.dumps({**machine, "seconds": options.seconds, "cases": cases}))
    sys.exit(any(row.missed for row in rows))


if __name__ == "__main__":
    main()
