"""Measures the speed and the memory of exports, for each format.

    python benchmarks/export.py [--trajectories N] [--directory D]

The oracle plays every bundled task once. Its trajectories are repeated with different results until there are
N; by default 50,000, which take about 1.2 GB and ten minutes. Each export runs in a process of its own. Prints
JSON; the exit code is 1 if a target is missed.
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from codegym_harness.export.export import export
from codegym_harness.export.trajectory_filters import Filters
from codegym_harness.runs.run_directory_reader import TRAJECTORIES, read_trajectories

EXPORTS: dict[str, tuple[str, str, Filters]] = {
    "trl.jsonl": ("trl", "jsonl", Filters()),
    "trl.parquet": ("trl", "parquet", Filters()),
    "openai.jsonl": ("openai", "jsonl", Filters()),
    "sharegpt.jsonl": ("sharegpt", "jsonl", Filters()),
    "atif.jsonl": ("atif", "jsonl", Filters()),
    "trl.jsonl, every filter": (
        "trl",
        "jsonl",
        Filters(reward=1, max_calls_over_oracle=2, no_invalid_calls=True, dedupe=True, best_of=10**6),
    ),
}
MESSAGES_PER_SECOND = 20_000
GROWTH_MIB = 64
"""Allowed difference in memory between all trajectories and a tenth of them, without stateful filters."""
MARK = "0000000"
"""Placeholder for the number of a copy."""


def play(run: Path) -> None:
    """Lets the oracle play every bundled task."""
    command = [sys.executable, "-m", "codegym_mcp.cli", "eval", "--agent", "oracle", "--out", str(run)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def repeat(played: Path, run: Path, count: int) -> int:
    """Writes a run of `count` trajectories and returns the number of its messages."""
    run.mkdir()
    templates = []
    for trajectory in read_trajectories(played):
        record = trajectory.model_copy(update={"session_id": f"{trajectory.session_id}-{MARK}"})
        results = [result for step in record.steps if step.observation for result in step.observation.results]
        for result in results:
            result.content = f"{result.content} ({MARK})"
        templates.append((record.to_json().encode() + b"\n", len(record.steps) + len(results)))
    messages = 0
    with (run / TRAJECTORIES).open("wb") as file:
        for number, (line, contained) in enumerate(islice(cycle(templates), count)):
            file.write(line.replace(MARK.encode(), b"%07d" % number))
            messages += contained
    return messages


def measure_here(name: str, run: Path, out: Path) -> dict[str, Any]:
    """Measures an export in this process."""
    format_name, suffix, filters = EXPORTS[name]
    start, start_cpu = time.perf_counter(), time.process_time()
    summary = export([run], format_name, out / f"set.{suffix}", filters)
    seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    messages = sum(file.messages for file in summary.files)
    return {
        "rows": summary.kept,
        "seconds": round(seconds, 1),
        "messages_per_second": round(messages / seconds),
        "messages_per_processor_second": round(messages / cpu),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "file_mib": round(sum(file.path.stat().st_size for file in summary.files) / 2**20, 1),
    }


def measure(name: str, run: Path, out: Path) -> dict[str, Any]:
    """Measures an export in a process of its own."""
    command = [sys.executable, __file__, "--measure", name, "--run", str(run), "--directory", str(out)]
    measured: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return measured


def benchmark(directory: Path, count: int) -> dict[str, Any]:
    play(directory / "played")
    messages = repeat(directory / "played", directory / "all", count)
    repeat(directory / "played", directory / "tenth", max(1, count // 10))
    exports: dict[str, Any] = {}
    for name in EXPORTS:
        tenth = measure(name, directory / "tenth", directory)
        exports[name] = measure(name, directory / "all", directory)
        exports[name]["peak_mib_of_a_tenth"] = tenth["peak_mib"]
    plain = {name: one for name, one in exports.items() if EXPORTS[name][2] == Filters()}
    slow = [name for name, one in plain.items() if one["messages_per_second"] < MESSAGES_PER_SECOND]
    large = [name for name, one in plain.items() if one["peak_mib"] > one["peak_mib_of_a_tenth"] + GROWTH_MIB]
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "trajectories": count,
        "messages": messages,
        "run_mib": round((directory / "all" / TRAJECTORIES).stat().st_size / 2**20, 1),
        "exports": exports,
        "missed": [f"{name}: speed" for name in slow] + [f"{name}: memory" for name in large],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trajectories", type=int, default=50_000)
    parser.add_argument("--directory", type=Path, help="the parent of the temporary directory")
    parser.add_argument("--measure", choices=EXPORTS, help=argparse.SUPPRESS)
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(to_json(measure_here(options.measure, options.run, options.directory)).decode())
        return
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        report = benchmark(Path(directory), options.trajectories)
    print(json.dumps(report, indent=2))
    sys.exit(1 if report["missed"] else 0)


if __name__ == "__main__":
    main()
