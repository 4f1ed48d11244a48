"""Measures the viewer on a large run: reading it, the first page, further pages, and memory.

    python benchmarks/view.py [--json] [--episodes N] [--folder PATH]

A run of the oracle is played once and then repeated under other task names, until the large run has 50,000 episodes
and about 4 million messages (a task, a turn of the agent, and a result each count as one). `codegym-mcp view` shows it as a
user would start it; the requests are those of the page. A run of 1,000 episodes is opened by a viewer that was not
running and has no index. The files are deleted at the end.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

EPISODES = 50_000
SMALL = 1_000
TASKS = 8
PAGES = 40

TARGETS: dict[str, tuple[str, float]] = {
    "messages_read_per_second": ("at least", 20_000),
    "first_page_seconds": ("at most", 2),
    "page_milliseconds": ("at most", 200),
    "episode_milliseconds": ("at most", 200),
    "memory_mib": ("at most", 200),
    "small_run_seconds": ("at most", 2),
}
"""Targets for a machine with two processors."""


def play(folder: Path) -> Path:
    """Lets the oracle play the bundled environments, and returns the run."""
    command = [sys.executable, "-m", "codegym_mcp", "eval", "--agent", "oracle", "--tasks", str(TASKS)]
    subprocess.run([*command, "--out", folder / "played"], check=True, capture_output=True)
    return folder / "played"


def repeat(played: Path, run: Path, episodes: int) -> int:
    """Writes a run that repeats the episodes of another one; returns the number of its messages."""
    run.mkdir(parents=True)
    configuration = json.loads((played / "run.json").read_text())
    configuration["begun"]["episodes"] = episodes
    (run / "run.json").write_text(json.dumps(configuration))
    templates, sizes = [], []
    for line in (played / "trajectories.jsonl").read_text().splitlines():
        trajectory = json.loads(line)
        record, steps = trajectory["extra"], trajectory["steps"]
        record["task"] = "TASK-OF-THE-REPEATED-RUN"
        record["key"] = f"{record['environment']}/{record['task']}/1"
        templates.append(json.dumps(trajectory))
        sizes.append(len(steps) + sum(len(step.get("tool_calls", ())) for step in steps))
    messages = 0
    with (run / "trajectories.jsonl").open("w") as file:
        for number in range(episodes):
            kind = number % len(templates)
            file.write(templates[kind].replace("TASK-OF-THE-REPEATED-RUN", f"task-{number}") + "\n")
            messages += sizes[kind]
    return messages


class Viewer:
    """A running viewer and its only run."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        self._base, _, self._token = url.partition("#token=")
        self._pid = process.pid
        (self._run,) = self.get("runs")

    def get(self, name: str, **parameters: Any) -> Any:
        query = urllib.parse.urlencode(parameters, doseq=True)
        request = urllib.request.Request(  # noqa: S310 - an address of this machine
            f"{self._base}/api/{name}?{query}", headers={"authorization": f"Bearer {self._token}"}
        )
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            return json.loads(response.read())

    def page(self, **parameters: Any) -> Any:
        return self.get("episodes", run=self._run["id"], **parameters)

    def read(self) -> None:
        """Waits until the whole run is read, as the page does."""
        while True:
            progress = self.page(limit=100)["progress"]
            if progress["read_bytes"] == progress["total_bytes"]:
                return
            time.sleep(0.1)

    def run_request(self, name: str, **parameters: Any) -> Any:
        return self.get(name, run=self._run["id"], **parameters)

    def processor_seconds(self) -> float:
        """Returns the processor time of the process: what the figures would be on a machine without other work."""
        user, system = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def memory_mib(self) -> float:
        """Returns the largest memory that the process had in it."""
        lines = Path(f"/proc/{self._pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


@contextmanager
def viewer(run: Path, cache: Path) -> Iterator[Viewer]:
    """Starts `codegym-mcp view` for a run."""
    command = [sys.executable, "-m", "codegym_mcp", "view", str(run), "--json"]
    environ = {**os.environ, "CODEGYM_MCP_CACHE": str(cache)}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Viewer(process)
        finally:
            process.terminate()
            process.wait(60)


def measure(folder: Path, episodes: int) -> dict[str, float]:
    """Returns the figures; see `TARGETS`."""
    played = play(folder)
    repeat(played, folder / "small", SMALL)
    began = time.perf_counter()
    with viewer(folder / "small", folder / "small-cache") as shown:
        shown.read()
        small = time.perf_counter() - began
        small_processor = shown.processor_seconds()
    messages = repeat(played, folder / "large", episodes)
    began = time.perf_counter()
    with viewer(folder / "large", folder / "cache") as shown:
        shown.read()
        reading = time.perf_counter() - began
        processor = shown.processor_seconds()
        memory_of_reading = shown.memory_mib()
    began = time.perf_counter()
    with viewer(folder / "large", folder / "cache") as shown:
        last = shown.page(limit=100)
        first_page = time.perf_counter() - began
        first_page_processor = shown.processor_seconds()
        assert last["total"] == episodes
        pages = [_timed(lambda each=each: shown.page(**each)) for each in _requests(episodes)]
        ids = [row["id"] for row in shown.page(limit=PAGES, sort="calls", descending=True)["rows"]]
        opened = [_timed(lambda id=id: shown.run_request("episode", episode=id)) for id in ids]
        shown.run_request("facets")
        memory = max(memory_of_reading, shown.memory_mib())
    return {
        "episodes": episodes,
        "messages": messages,
        "gigabytes": (folder / "large" / "trajectories.jsonl").stat().st_size / 1e9,
        "index_gigabytes": sum(
            file.stat().st_size for file in (folder / "cache").rglob("*") if file.is_file()
        )
        / 1e9,
        "messages_read_per_second": messages / reading,
        "messages_read_per_processor_second": messages / processor,
        "first_page_seconds": first_page,
        "first_page_processor_seconds": first_page_processor,
        "page_milliseconds": 1000 * statistics.quantiles(pages, n=20)[-1],
        "episode_milliseconds": 1000 * statistics.quantiles(opened, n=20)[-1],
        "memory_mib": memory,
        "small_run_seconds": small,
        "small_run_processor_seconds": small_processor,
    }


def _requests(episodes: int) -> Iterator[dict[str, Any]]:
    """Yields the parameters of pages: everywhere in the list, sorted, filtered and searched."""
    for number in range(PAGES):
        offset = number * episodes // PAGES
        yield {"limit": 100, "offset": offset}
        yield {
            "limit": 100,
            "offset": offset,
            "sort": ("reward", "calls", "seconds", "environment")[number % 4],
        }
        yield {"limit": 100, "offset": offset // 12, "environment": "night_courier", "difficulty": [1, 2, 3]}
        yield {"limit": 100, "search": ("junctions", "sample lamp", "task")[number % 3], "descending": "true"}


def _timed(action: Any) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def main() -> int:
    """Measures, prints the figures beside their targets, and returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    parser.add_argument("--episodes", type=int, default=EPISODES, help="episodes of the large run")
    parser.add_argument("--folder", type=Path, help="where to write; needs about 2.5 GB for 50,000 episodes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="codegym-view-") as folder:
        figures = measure(Path(folder), options.episodes)
    missed = [
        name
        for name, (kind, target) in TARGETS.items()
        if (figures[name] < target if kind == "at least" else figures[name] > target)
    ]
    if options.json:
        print(json.dumps({"figures": figures, "missed": missed, "python": platform.python_version()}))
    else:
        for name, value in figures.items():
            kind, target = TARGETS.get(name, ("", 0))
            print(
                f"{name:34} {value:14,.2f}  {f'{kind} {target:,}' if kind else ''}{'  MISSED' if name in missed else ''}"
            )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
