"""Sets of many environments: how long the index takes, and how fast a set opens afterwards.

The sets are made of the bundled environments under other names, and deleted at the end.

Example:
  python benchmarks/catalog.py --environments 22000 --format jsonl
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.catalog.environment_set_rows import PublishedEnvironment

COMMAND = [sys.executable, "-m", "codegym_mcp"]
ENVIRONMENTS = 22_000
INDEX_SECONDS = 60.0
"""Allowed for 22,000 environments on two processors."""
HEALTH_SECONDS, EPISODE_SECONDS, LIST_SECONDS, EVAL_SECONDS = 1.0, 2.0, 1.0, 3.0
MEMORY_MIB = 150
RANDOM_EPISODE_SECONDS = 0.05
"""What a random episode of the set may take longer than one of ten environments."""
ROW_GROUP = 1_000


def write_set(path: Path, count: int) -> None:
    """Writes a set of bundled environments under other names."""
    bundled = list(Catalog.load().environments())
    rows = [
        PublishedEnvironment.of(each, license=each.license, audit="", grade="").model_dump(mode="json")
        for each in bundled
    ]
    numbered = ({**rows[number % len(rows)], "name": f"environment_{number}"} for number in range(count))
    if path.suffix == ".jsonl":
        with path.open("w", encoding="utf-8") as file:
            for row in numbered:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        return
    import pyarrow
    from pyarrow import parquet

    schema = pyarrow.Table.from_pylist(rows).schema
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        batch = []
        for row in numbered:
            batch.append(row)
            if len(batch) == ROW_GROUP:
                writer.write_table(pyarrow.Table.from_pylist(batch, schema=schema))
                batch = []
        if batch:
            writer.write_table(pyarrow.Table.from_pylist(batch, schema=schema))


def measure(action: list[str]) -> tuple[float, float, int]:
    """Runs a command; returns its seconds, its processor seconds with children, and its memory in MiB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run([*COMMAND, *action], check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, processor, after.ru_maxrss // 1024


@contextmanager
def server(path: Path) -> Iterator[tuple[httpx2.Client, float, int]]:
    """Serves a set; yields a client, the seconds until the server responded, and its process id."""
    start = time.perf_counter()
    command = [*COMMAND, "serve", "--http", "127.0.0.1:0", "--json", "--environments", str(path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            ready = json.loads(next(line for line in process.stderr if line.startswith("{")))
            headers = {"Authorization": f"Bearer {ready['token']}"}
            with httpx2.Client(base_url=ready["url"], headers=headers, timeout=30) as client:
                client.get("/health").raise_for_status()
                yield client, time.perf_counter() - start, process.pid
        finally:
            process.terminate()


def open_seconds(client: httpx2.Client, name: str) -> float:
    """Opens and closes a generated episode; returns the seconds that the opening took."""
    start = time.perf_counter()
    response = client.post("/episodes", json={"environment": name, "task": None})
    seconds = time.perf_counter() - start
    client.delete(f"/episodes/{response.raise_for_status().json()['id']}")
    return seconds


def memory_of(pid: int) -> int:
    """Returns the resident memory of a process in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--environments", type=int, default=ENVIRONMENTS)
    parser.add_argument("--format", choices=("jsonl", "parquet"), default="jsonl")
    options = parser.parse_args()
    failed = []

    def show(what: str, value: float, allowed: float, unit: str = "s") -> None:
        missed = value > allowed
        failed.extend([what] * missed)
        print(
            f"{what:44}{value:9.2f} {unit:4} (at most {allowed:g}){'  MISSED' if missed else ''}", flush=True
        )

    with tempfile.TemporaryDirectory() as folder:
        os.environ["CODEGYM_MCP_CACHE"] = f"{folder}/cache"
        path, ten = Path(folder) / f"set.{options.format}", Path(folder) / "ten.jsonl"
        write_set(path, options.environments)
        write_set(ten, 10)
        print(
            f"{options.environments} environments, {path.stat().st_size >> 20} MiB, {os.cpu_count()} processors"
        )
        seconds, processor, memory = measure(["list", "--limit", "1", "--environments", str(path)])
        allowed = INDEX_SECONDS * options.environments / ENVIRONMENTS
        show("building the index", seconds, allowed)
        print(f"{'its processor time':44}{processor:9.2f} s; {memory} MiB at most in one process")
        show(
            "list --limit 20",
            measure(["list", "--limit", "20", "--environments", str(path)])[0],
            LIST_SECONDS,
        )
        with server(path) as (client, ready, pid):
            show("serve responds", ready, HEALTH_SECONDS)
            show(
                "serve and the first episode", ready + open_seconds(client, "environment_5"), EPISODE_SECONDS
            )
            chosen = random.Random(1)  # noqa: S311
            names = [f"environment_{chosen.randrange(options.environments)}" for _ in range(40)]
            many = sorted(open_seconds(client, name) for name in names)[20]
            show("the server's memory", memory_of(pid), MEMORY_MIB, "MiB")
        with server(ten) as (client, _, _):
            few = sorted(open_seconds(client, f"environment_{number % 10}") for number in range(40))[20]
        show("a random episode, beyond one of ten", many - few, RANDOM_EPISODE_SECONDS)
        run = [
            "eval",
            "--agent",
            "oracle",
            "--env",
            "environment_9",
            "--tasks",
            "1",
            "--out",
            f"{folder}/run",
        ]
        show("eval --env ONE", measure([*run, "--environments", str(path)])[0], EVAL_SECONDS)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
