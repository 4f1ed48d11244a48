"""Measures the memory of a server that plays many episodes, and the size of its journal.

    python benchmarks/memory.py [--episodes N] [--calls N] [--data] [--json]

Episodes are played one batch after another, each with some calls and a submission, as in a training run. The
memory of this process is printed after every twentieth of them. Memory grows until the retention of ended episodes
is reached, and must be flat from then on: the exit status is 1 if the second half adds more than 5 %.
"""

import argparse
import asyncio
import gc
import json
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.environment_definition.environment import Task
from codegym_mcp.environment_definition.environment_reader import read_environment_source
from codegym_mcp.episode_limits import MIB
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.retention import Retention
from codegym_mcp.runtime.runtime_assembly import JOURNAL_FILE, RuntimeOptions, assemble

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
        return {"name": name, "left": self.stock[name], "enough": left >= 0, "note": "x" * 300}


def reference(size: int) -> int:
    return size


def solve(tools, size):
    return size
'''
ENVIRONMENT = read_environment_source(SOURCE, name="stock", path="stock.py")
CONCURRENCY = 16
JOURNAL_MIB = 16
ALLOWED_GROWTH = 1.05


def resident_mib() -> float:
    """Returns the resident memory of this process."""
    gc.collect()
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


async def play(episodes: EpisodeManager, number: int, calls: int) -> None:
    task = Task(id=f"task-{number}", config={"size": 20 + number % 20})
    episode = await episodes.open_task(ENVIRONMENT, task=task)
    for turn in range(calls):
        await episode.call("take", {"name": f"item {turn % 20}", "count": 1})
    await episode.submit(task.config["size"])
    assert episode.reward == 1.0


async def measure(count: int, calls: int, data: Path | None) -> dict[str, Any]:
    """Plays episodes; returns the measurements."""
    retention = Retention(journal_bytes=JOURNAL_MIB * MIB)
    options = RuntimeOptions(isolation="shared", data=data, retention=retention)
    samples: list[dict[str, Any]] = []
    start = time.perf_counter()
    async with AsyncExitStack() as stack:
        episodes = await stack.enter_async_context(assemble(Catalog(), options))
        played = 0
        step = max(count // 20, CONCURRENCY)
        while played < count:
            for _ in range(0, step, CONCURRENCY):
                await asyncio.gather(*(play(episodes, played + n, calls) for n in range(CONCURRENCY)))
                played += CONCURRENCY
            await episodes.remove_expired(time.monotonic())
            sample: dict[str, Any] = {"episodes": played, "memory_mib": round(resident_mib(), 1)}
            sample["ended_in_memory"] = episodes.ended_count
            if data is not None:
                sample["journal_mib"] = round((data / JOURNAL_FILE).stat().st_size / MIB, 1)
            samples.append(sample)
            print(json.dumps(sample), file=sys.stderr, flush=True)
    middle, last = samples[len(samples) // 2], samples[-1]
    return {
        "journal": "file" if data is not None else "memory",
        "calls": calls,
        "seconds": round(time.perf_counter() - start, 1),
        "samples": samples,
        "growth_of_the_second_half": round(last["memory_mib"] / middle["memory_mib"], 3),
        "flat": last["memory_mib"] <= ALLOWED_GROWTH * middle["memory_mib"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--episodes", type=int, default=20_000)
    parser.add_argument("--calls", type=int, default=20, help="calls of each episode")
    parser.add_argument("--data", action="store_true", help="keep the journal in a file")
    parser.add_argument("--json", action="store_true", help="print the measurements as one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) if options.data else None
        result = asyncio.run(measure(options.episodes, options.calls, data))
    if options.json:
        print(json.dumps(result))
    else:
        first, last = result["samples"][0], result["samples"][-1]
        print(f"journal in {result['journal']}, {result['calls']} calls an episode, {result['seconds']} s")
        print(f"{first['episodes']:>7,} episodes: {first['memory_mib']} MiB")
        print(
            f"{last['episodes']:>7,} episodes: {last['memory_mib']} MiB, {'flat' if result['flat'] else 'growing'}"
        )
    sys.exit(0 if result["flat"] else 1)


if __name__ == "__main__":
    main()
