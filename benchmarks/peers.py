"""Compares servers of environments: OpenEnv over its WebSocket, the bare MCP SDK, and this project's.

    python benchmarks/peers.py [--json] [--seconds S] [--sessions 1,64,1000] [--folder DIRECTORY]

All serve the same two environments: a counter, and the bundled `parcel_hunt` of which a manifest is read. OpenEnv
and the SDK run the environment's code in the server's process; this project runs it in a confined process for
each episode. Every server runs alone; the driver is one process that speaks HTTP and WebSocket over bare sockets.

Printed are calls per second, processor time of a call (server and the processes that it started), the median and
the 99th percentile of a call's duration, memory of a session (proportional set size of all processes, less that
of the server without sessions), and sessions opened per second, at most 16 at a time, each with a first call.
OpenEnv serves a blocking `step`, which it runs in a thread, and an asynchronous one. It is installed once, into a
virtual environment of its own. A server that fails is a row with the error.
"""

import argparse
import asyncio
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvloop
from peer_servers.plain_environments import ENVIRONMENTS, PlainEnvironment
from peer_servers.sessions import EpisodeSession, McpSession, OpenEnvSession, Session
from serve import processor_seconds

HERE = Path(__file__).parent / "peer_servers"
OPENENV = "openenv-core==0.3.0"
OPENING = 16
START_SECONDS = 300.0
OPEN_SECONDS = 120.0
OPEN_FILES = 20_000


@dataclass
class Peer:
    """A server that is compared.

    Attributes:
        name: for the table.
        command: returns the command that serves an environment to a number of sessions.
        session: makes the client of one session from the server's announcement.
    """

    name: str
    command: Callable[[str, int], list[str]]
    session: Callable[[dict[str, Any], PlainEnvironment], Session]


@dataclass
class Figures:
    """The measurements of one server at one number of sessions."""

    server: str
    environment: str
    sessions: int
    calls_per_second: float
    server_us: float
    """Processor time of the server's own process, per call, in microseconds."""
    children_us: float
    """Processor time of the processes that the server started, per call, in microseconds."""
    p50_ms: float
    p99_ms: float
    session_kib: float
    opened_per_second: float


def memory_kib(pid: int) -> int:
    """Returns the proportional set size of a process and its descendants in KiB."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    total, waiting = 0, [pid]
    while waiting:
        process = waiting.pop()
        waiting += children.get(process, [])
        with suppress(OSError):
            for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total


@asynccontextmanager
async def running(command: list[str]) -> AsyncIterator[tuple[dict[str, Any], int]]:
    """Runs a server; yields its announcement and its process id."""
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE, limit=1 << 20)
    assert process.stderr is not None
    said = []
    try:
        async with asyncio.timeout(START_SECONDS):
            async for line in process.stderr:
                if line.startswith(b"{"):
                    break
                said.append(line.decode(errors="replace"))
            else:
                raise RuntimeError(f"the server ended: {''.join(said)[-1000:]}")
        drained = asyncio.create_task(process.stderr.read())
        yield json.loads(line), process.pid
        drained.cancel()
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 20)
        except TimeoutError:
            process.kill()


async def measure(peer: Peer, name: str, count: int, seconds: float) -> Figures:
    """Measures one server with a number of sessions."""
    environment = ENVIRONMENTS[name]()
    async with running(peer.command(name, count)) as (announced, pid):
        before = memory_kib(pid)
        sessions = [peer.session(announced, environment) for _ in range(count)]
        limit = asyncio.Semaphore(OPENING)

        async def opened(session: Session) -> None:
            async with limit:
                await session.open()

        begun = time.monotonic()
        async with asyncio.timeout(OPEN_SECONDS):
            await asyncio.gather(*map(opened, sessions))
        opening = time.monotonic() - begun
        kib = (memory_kib(pid) - before) / count
        durations: list[float] = []
        server, children = processor_seconds(pid)
        begun = time.monotonic()

        async def calls(session: Session) -> None:
            while (now := time.monotonic()) < begun + seconds:
                await session.call()
                durations.append(time.monotonic() - now)

        async with asyncio.timeout(seconds + 60):
            await asyncio.gather(*map(calls, sessions))
        elapsed = time.monotonic() - begun
        server_now, children_now = processor_seconds(pid)
        for session in sessions:
            session.close()
    durations.sort()
    return Figures(
        server=peer.name,
        environment=name,
        sessions=count,
        calls_per_second=len(durations) / elapsed,
        server_us=(server_now - server) / len(durations) * 1e6,
        children_us=(children_now - children) / len(durations) * 1e6,
        p50_ms=durations[len(durations) // 2] * 1e3,
        p99_ms=durations[len(durations) * 99 // 100] * 1e3,
        session_kib=kib,
        opened_per_second=count / opening,
    )


def peers(folder: Path) -> list[Peer]:
    """Returns the servers; OpenEnv is installed into a folder if it is not there."""
    python = installed(folder, OPENENV)
    ours = [
        sys.executable,
        "-m",
        "codegym_mcp",
        "serve",
        "--http",
        "127.0.0.1:0",
        "--json",
        "--json-responses",
    ]

    def our_command(name: str, sessions: int) -> list[str]:
        source = ENVIRONMENTS[name]().source
        return [*ours, "--environments", str(source), "--max-episodes", str(sessions + 1)]

    def openenv_command(name: str, sessions: int, *options: str) -> list[str]:
        return [python, str(HERE / "openenv_server.py"), name, str(sessions + 1), *options]

    return [
        Peer(
            "OpenEnv, threads", lambda name, count: openenv_command(name, count, "--threads"), OpenEnvSession
        ),
        Peer("OpenEnv, async", openenv_command, OpenEnvSession),
        Peer("bare MCP SDK", lambda name, _: [sys.executable, str(HERE / "sdk_server.py"), name], McpSession),
        Peer("codegym-mcp", our_command, EpisodeSession),
    ]


def installed(folder: Path, requirement: str) -> str:
    """Returns the Python of a virtual environment with a package, and makes it first if it is missing."""
    home = folder.absolute() / requirement
    python, done = home / "bin" / "python", home / "installed"
    if not done.exists():
        print(f"Installing {requirement} into {home}.", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", requirement], check=True)
        done.touch()
    return str(python)


HEADING = (
    f"{'server':20}{'environment':13}{'sessions':>8}{'calls/s':>9}{'server µs':>11}{'children µs':>13}"
    f"{'p50 ms':>9}{'p99 ms':>9}{'KiB/session':>13}{'opened/s':>10}"
)


def line(figures: Figures) -> str:
    """Returns a row of the table."""
    return (
        f"{figures.server:20}{figures.environment:13}{figures.sessions:>8}{figures.calls_per_second:>9.0f}"
        f"{figures.server_us:>11.0f}{figures.children_us:>13.0f}{figures.p50_ms:>9.2f}{figures.p99_ms:>9.2f}"
        f"{figures.session_kib:>13.0f}{figures.opened_per_second:>10.0f}"
    )


async def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seconds", type=float, default=3.0, help="measured time of a row (default 3)")
    parser.add_argument("--sessions", default="1,64,1000", help="numbers of sessions (default 1,64,1000)")
    parser.add_argument("--only", default="", help="only servers whose name contains this")
    parser.add_argument(
        "--folder", type=Path, default=Path(".venv-peers"), help="virtual environments (default .venv-peers)"
    )
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    rows, failures = [], []
    if not options.json:
        print(HEADING)
    for name in ENVIRONMENTS:
        for count in map(int, options.sessions.split(",")):
            for peer in peers(options.folder):
                if options.only not in peer.name:
                    continue
                try:
                    rows.append(await measure(peer, name, count, options.seconds))
                except (RuntimeError, OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                    failures.append(f"{peer.name}, {name}, {count} sessions: {type(error).__name__} {error}")
                    print(failures[-1], file=sys.stderr)
                    continue
                if not options.json:
                    print(line(rows[-1]), flush=True)
    if options.json:
        machine = {"python": platform.python_version(), "processors": os.cpu_count()}
        print(json.dumps({**machine, "rows": [asdict(row) for row in rows], "failures": failures}))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
