"""Measures how fast trajectories of the oracle are collected, and what playing over MCP would cost.

    python benchmarks/collect.py [--json] [--episodes N] [--mcp-episodes N] [--difficulty N] [--concurrency N]

The oracle plays generated tasks of every bundled environment, as by `codegym-mcp eval --agent oracle`: in worker
processes, recorded and scored; then fewer tasks over MCP. Rates and processor times are those after the first
episode, so that the start of the processes, which does not depend on the number of episodes, is apart. Processor
time includes that of every process that was started (Linux only). On a busy machine only the processor time and
the ratio say something.

Target: 10,000 episodes of difficulty 1 within 4 minutes on two processors.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from codegym_harness.runs.run_config import RunConfig
from codegym_harness.runs.run_directory_reader import TRAJECTORIES, read_trajectories
from codegym_harness.runs.run_execution import run_evaluation
from codegym_harness.runs.run_observer import Observer
from codegym_harness.runs.task_selection import Selection
from codegym_mcp.bundled_environments import bundled_path
from codegym_mcp.cli.command_output import run

TARGET_EPISODES = 10_000
TARGET_SECONDS = 240
TARGET_PROCESSORS = 2


@dataclass
class Figures:
    """The measurements of one run."""

    transport: str
    episodes: int
    calls: float
    """The mean number of calls of an episode."""
    bytes: float
    """The mean size of a trajectory."""
    reward: float
    seconds: float
    """Duration of the run, including the start of its processes."""
    start_seconds: float
    """From the start of the run until its first episode is recorded."""
    start_processor_seconds: float
    """Processor time of all processes until then."""
    processor_ms: float
    """Processor time of all processes per episode after the first, in milliseconds."""

    @property
    def episodes_per_second(self) -> float:
        """Episodes per second after the first."""
        return (self.episodes - 1) / (self.seconds - self.start_seconds)


@dataclass(frozen=True)
class Moment:
    """A moment of a run: the time, and the processor time until then, in seconds."""

    time: float
    processor: float

    @classmethod
    def now(cls) -> "Moment":
        """Returns this moment."""
        return cls(time.perf_counter(), processor_seconds())


class FirstEpisode(Observer):
    """Notes when the first episode of a run is recorded."""

    def __init__(self) -> None:
        self.moment: Moment | None = None

    def episode_ends(self, trajectory: object, result: object) -> None:
        self.moment = self.moment or Moment.now()


def measure(*, tasks: int, difficulty: int, concurrency: int, over_mcp: bool) -> Figures:
    """Lets the oracle play tasks of every bundled environment.

    Args:
        tasks: the number of tasks of each environment.
    """
    config = RunConfig(
        agent="oracle",
        selection=Selection(difficulties=(difficulty,), tasks=tasks),
        concurrency=concurrency,
        over_mcp=over_mcp,
    )
    first = FirstEpisode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        start = Moment.now()
        summary = run(lambda: run_evaluation(config, out=path, observer=first))
        end = Moment.now()
        size = (path / TRAJECTORIES).stat().st_size
        calls = sum(each.extra.calls for each in read_trajectories(path))
    begun = first.moment
    assert begun is not None
    return Figures(
        transport="mcp" if over_mcp else "direct",
        episodes=summary.episodes,
        calls=calls / summary.episodes,
        bytes=size / summary.episodes,
        reward=summary.reward or 0.0,
        seconds=end.time - start.time,
        start_seconds=begun.time - start.time,
        start_processor_seconds=begun.processor - start.processor,
        processor_ms=1000 * (end.processor - begun.processor) / (summary.episodes - 1),
    )


def processor_seconds() -> float:
    """Returns the processor time of this process and of all that were started below it, in seconds."""
    times: dict[int, int] = {}
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                # The fields after the command's name; see proc(5). The times include those of reaped children.
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
                times[int(entry.name)] = sum(map(int, fields[11:15]))
    ticks = sum(time for pid, time in times.items() if os.getpid() in ancestry(pid, parents))
    return ticks / os.sysconf("SC_CLK_TCK")


def ancestry(pid: int, parents: Mapping[int, int]) -> Iterator[int]:
    """Yields the id of a process, and those of the processes above it."""
    while pid:
        yield pid
        pid = parents.get(pid, 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--episodes", type=int, default=1200)
    parser.add_argument(
        "--mcp-episodes", type=int, default=120, help="how many are played over MCP; 0 for none"
    )
    parser.add_argument("--difficulty", type=int, default=1)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    environments = len(list(bundled_path().glob("*.jsonl")))
    load = os.getloadavg()[0]

    def measured(episodes: int, *, over_mcp: bool) -> Figures:
        return measure(
            tasks=max(1, episodes // environments),
            difficulty=arguments.difficulty,
            concurrency=arguments.concurrency,
            over_mcp=over_mcp,
        )

    rounds = [measured(arguments.episodes, over_mcp=False)]
    if arguments.mcp_episodes:
        rounds.append(measured(arguments.mcp_episodes, over_mcp=True))
    direct = rounds[0]
    expected = direct.start_seconds + TARGET_EPISODES / direct.episodes_per_second
    at_least = (
        direct.start_processor_seconds + direct.processor_ms / 1000 * TARGET_EPISODES
    ) / TARGET_PROCESSORS
    if arguments.json:
        measurements = [{**asdict(each), "episodes_per_second": each.episodes_per_second} for each in rounds]
        print(
            json.dumps(
                {"load": load, "rounds": measurements, "expected_seconds": expected, "at_least": at_least}
            )
        )
        return
    loaded = ", loaded" if load > 0.5 else ""
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors, load {load:.1f}{loaded}")
    for name in asdict(direct):
        values = [getattr(each, name) for each in rounds]
        print(
            f"{name:24}"
            + "".join(f"{value:>12}" if isinstance(value, str) else f"{value:12.2f}" for value in values)
        )
    print(f"{'per second':24}" + "".join(f"{each.episodes_per_second:12.2f}" for each in rounds))
    if len(rounds) == 2:
        print(
            f"\nOver MCP an episode takes {rounds[1].processor_ms / direct.processor_ms:.1f} times as much processor time."
        )
    print(
        f"\n{TARGET_EPISODES:,} episodes take {expected:.0f} s at this rate (at most {TARGET_SECONDS}): {met(expected)}.\n"
        f"Their processor time is {at_least:.0f} s on each of {TARGET_PROCESSORS} processors: {met(at_least)}."
    )


def met(seconds: float) -> str:
    """Returns whether the target is met."""
    return "met" if seconds <= TARGET_SECONDS else "not met"


if __name__ == "__main__":
    main()
