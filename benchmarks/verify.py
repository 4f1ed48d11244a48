"""Measures how fast environments are verified, and whether the results are the same every time.

    python benchmarks/verify.py [--json] [--runs N] [--beside N] [--fresh N]

300 tasks of the bundled environments are verified: their fixed tasks, and generated ones. A sample of them is verified
with a new interpreter for each task, one for each processor at once. The results of several runs are compared; the
last run, on the fixed tasks only, competes with eight busy loops. Nothing is cached.
"""

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import uvloop

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.environment_definition.environment import DIFFICULTIES, Environment, Task
from codegym_mcp.episodes.scoring import generate_task
from codegym_mcp.verification.gate_results import Verification
from codegym_mcp.verification.gates.all_gates import verify
from codegym_mcp.verification.verification_context import VerificationContext

TASKS = 300
FIRST_SEED = 1000
LOOPS = 8
LOOP_SECONDS = 900
"""Seconds after which the loops end by themselves, if this program is killed."""

TARGETS: dict[str, tuple[str, float]] = {
    "seconds_for_300_tasks": ("at most", 10),
    "times_faster_than_a_fresh_interpreter": ("at least", 20),
    "different_verdicts": ("at most", 1),
}
"""Targets for a machine with two processors."""


async def with_more_tasks(context: VerificationContext, environment: Environment, count: int) -> Environment:
    """Returns the environment with a number of tasks, generated ones after the fixed ones."""
    tasks: list[Task] = list(environment.tasks[:count])
    while len(tasks) < count:
        number = len(tasks)
        difficulty = DIFFICULTIES[number % len(DIFFICULTIES)]
        tasks.append(await generate_task(context.pool, environment, difficulty, FIRST_SEED + number))
    return environment.with_tasks(tuple(tasks))


def bundled() -> list[Environment]:
    catalog = Catalog.load()
    return [catalog.get(name) for name in catalog.names]


async def verify_all(environments: Sequence[Environment]) -> tuple[float, list[Verification]]:
    """Verifies environments and returns the seconds, including the start of the sandboxes, and the results."""
    started = time.perf_counter()
    async with VerificationContext.open() as context:
        results = await context.run_all_nested(lambda environment: verify(context, environment), environments)
    return time.perf_counter() - started, results


async def verify_one(index: int) -> None:
    """Verifies one environment on one task; a new interpreter runs this."""
    environments = bundled()
    environment = environments[index % len(environments)]
    task = environment.tasks[index // len(environments) % len(environment.tasks)]
    _, (result,) = await verify_all([environment.with_tasks((task,))])
    print(json.dumps(result.verified))


async def fresh_interpreters(count: int) -> float:
    """Returns the seconds for each task with a new interpreter, one for each processor at once."""
    slots = asyncio.Semaphore(os.cpu_count() or 1)

    async def one(index: int) -> None:
        async with slots:
            command = (sys.executable, __file__, "--one", str(index))
            process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            await process.communicate()

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for index in range(count):
            group.create_task(one(index))
    return (time.perf_counter() - started) / count


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    source = f"import time\nend = time.monotonic() + {LOOP_SECONDS}\nwhile time.monotonic() < end: pass"
    loops = [subprocess.Popen([sys.executable, "-c", source]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    environments = bundled()
    async with VerificationContext.open() as context:
        count = TASKS // len(environments)
        environments = [await with_more_tasks(context, each, count) for each in environments]
    seconds: list[float] = []
    beside: list[float] = []
    verdicts: set[str] = set()
    unverified: set[str] = set()

    async def run(chosen: Sequence[Environment], times: list[float]) -> None:
        elapsed, results = await verify_all(chosen)
        times.append(elapsed)
        verdicts.add(json.dumps([result.model_dump(mode="json") for result in results]))
        unverified.update(result.environment for result in results if not result.verified)

    for _ in range(options.runs):
        await run(environments, seconds)
    fresh = await fresh_interpreters(options.fresh)
    with busy_loops(LOOPS):
        for _ in range(options.beside):
            await run(bundled(), beside)
    tasks = sum(len(each.tasks) for each in environments)
    best = min(seconds)
    return {
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "tasks": tasks,
        "seconds_for_300_tasks": round(best, 2),
        "seconds_of_every_run": [round(elapsed, 2) for elapsed in seconds],
        "seconds_beside_8_loops": [round(elapsed, 2) for elapsed in beside],
        "fresh_interpreter_seconds_a_task": round(fresh, 3),
        "times_faster_than_a_fresh_interpreter": round(fresh / (best / tasks), 1),
        "different_verdicts": len(verdicts),
        "not_verified": sorted(unverified),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--runs", type=int, default=5, help="runs to compare (5)")
    parser.add_argument("--beside", type=int, default=1, help="further runs beside eight busy loops (1)")
    parser.add_argument("--fresh", type=int, default=24, help="tasks for fresh interpreters (24)")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        uvloop.run(verify_one(options.one))
        return
    figures = uvloop.run(measure(options))
    if options.json:
        print(json.dumps(figures))
        return
    for name, figure in figures.items():
        kind, limit = TARGETS.get(name, ("", 0.0))
        met = (
            ""
            if not kind
            else "met"
            if (figure <= limit if kind == "at most" else figure >= limit)
            else "missed"
        )
        print(f"{name:40} {figure!s:>12}  {kind} {limit:g}  {met}" if kind else f"{name:40} {figure!s:>12}")


if __name__ == "__main__":
    main()
