"""Measures what an evaluation adds to the time that its model takes.

    python benchmarks/evaluate.py [--json] [--episodes N] [--concurrency N] [--delay SECONDS] [--rounds N]

A model server in a process of its own responds to every request after the same delay. First, episodes are
played as by `codegym-mcp eval --model`: in confined processes, recorded and scored. Then the same requests are
sent again by the same client at the same concurrency, without episodes: the time that the model requests alone
need. Both are measured alternately, since the speed of a machine varies. The time that the delays alone would
take is shown beside it.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

import anyio

from codegym_harness.agents.model_agent import ModelAgentOptions
from codegym_harness.records.trajectory import Trajectory
from codegym_harness.runs.run_config import RunConfig
from codegym_harness.runs.run_directory_reader import read_trajectories
from codegym_harness.runs.run_directory_writer import RunDirectory
from codegym_harness.runs.run_execution import run_evaluation
from codegym_harness.runs.run_observer import Observer
from codegym_harness.runs.task_selection import Selection
from codegym_mcp.cli.command_output import run
from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.models import Model, ModelOptions
from codegym_mcp.runtime.garbage_collector_settings import rare_collections

TESTS = Path(__file__).parent.parent / "tests"
SERVER = TESTS / "harness" / "model_servers" / "openai_server.py"
COUNTER = TESTS / "fixtures" / "counter.py"


@dataclass
class Figures:
    """The measurements. Times are in seconds, memory in MiB."""

    episodes: int
    concurrency: int
    delay: float
    requests: int
    evaluation: float
    """From the first episode to the last."""
    alone: float
    """Duration of the same requests without episodes."""
    ideal: float
    """Duration of the delays alone, at this concurrency."""
    evaluation_cpu: float
    """Processor time of the evaluating process during `evaluation`."""
    alone_cpu: float
    """Processor time during `alone`."""
    memory: float
    """Peak memory of the evaluating process and of the largest process that it started."""
    reward: float

    @property
    def ratio(self) -> float:
        """Duration of the evaluation / duration of the model requests alone."""
        return self.evaluation / self.alone

    @property
    def ideal_ratio(self) -> float:
        """Duration of the evaluation / duration of the delays alone."""
        return self.evaluation / self.ideal


class Stopwatch(Observer):
    """Measures the time of a run from its first episode."""

    def __init__(self) -> None:
        self.started = self.cpu_started = 0.0
        self.ended = self.cpu_ended = 0.0

    def run_begins(self, agent: str, directory: RunDirectory, episodes: int) -> None:
        self.started, self.cpu_started = time.perf_counter(), time.process_time()

    def episode_ends(self, trajectory: Trajectory, result: object) -> None:
        self.ended, self.cpu_ended = time.perf_counter(), time.process_time()


@contextmanager
def model_server(delay: float) -> Iterator[str]:
    """Starts a model server that responds after a delay in seconds, and yields its address."""
    command = [sys.executable, str(SERVER), "--delay", str(delay)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip() + "/v1"
        finally:
            process.kill()


def measure(episodes: int, concurrency: int, delay: float) -> Figures:
    """Measures an evaluation, and then its requests alone."""
    stopwatch = Stopwatch()
    with model_server(delay) as url, tempfile.TemporaryDirectory() as folder:
        model = ModelAgentOptions(name="openai:climber", base_url=url)
        config = RunConfig(
            model=model,
            paths=(COUNTER,),
            selection=Selection(difficulties=(3,), tasks=episodes),
            # The oracle would play every task, which is not part of playing with a model.
            count_oracle_calls=False,
            concurrency=concurrency,
        )
        summary = run(lambda: run_evaluation(config, out=Path(folder) / "run", observer=stopwatch))
        memory = peak()
        played = list(read_trajectories(Path(folder) / "run"))
        requests = sum(step.source == "agent" for each in played for step in each.steps)
        cpu = time.process_time()
        alone = run(
            lambda: send_again(ModelOptions(name="openai:climber", base_url=url), played, concurrency)
        )
    return Figures(
        episodes=episodes,
        concurrency=concurrency,
        delay=delay,
        requests=requests,
        evaluation=stopwatch.ended - stopwatch.started,
        alone=alone,
        ideal=requests * delay / concurrency,
        evaluation_cpu=stopwatch.cpu_ended - stopwatch.cpu_started,
        alone_cpu=time.process_time() - cpu,
        memory=memory,
        reward=summary.reward or 0.0,
    )


async def send_again(options: ModelOptions, played: list[Trajectory], concurrency: int) -> float:
    """Sends the requests of trajectories again and returns the duration in seconds."""
    waiting = iter(played)

    async def work(model: Model) -> None:
        for trajectory in waiting:
            definitions = [tool["function"] for tool in trajectory.agent.tool_definitions or []]
            tools = [
                ToolView(name=each["name"], description=each["description"], input_schema=each["parameters"])
                for each in definitions
            ]
            system, task, *steps = trajectory.steps
            conversation = model.conversation(system.message)
            conversation.say(task.message)
            for step in steps:
                reply = await model.request(conversation, tools)
                assert step.observation is not None
                for call, result in zip(reply.calls, step.observation.results, strict=True):
                    conversation.answer(call, result.content)

    async with Model.open(options) as model:
        # As in the evaluation, so that the two differ only in the episodes.
        with rare_collections():
            start = time.perf_counter()
            async with anyio.create_task_group() as tasks:
                for _ in range(concurrency):
                    tasks.start_soon(work, model)
            return time.perf_counter() - start


def peak() -> float:
    """Returns the peak memory of this process and of the largest process that has ended, in MiB."""
    return sum(getrusage(who).ru_maxrss / 1024 for who in (RUSAGE_SELF, RUSAGE_CHILDREN))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--episodes", type=int, default=500)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--delay", type=float, default=0.05)
    parser.add_argument("--rounds", type=int, default=4, help="how often both are measured, alternately")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    rounds = [
        measure(arguments.episodes, arguments.concurrency, arguments.delay) for _ in range(arguments.rounds)
    ]
    ratio = sum(each.evaluation for each in rounds) / sum(each.alone for each in rounds)
    measurements = [{**asdict(each), "ratio": each.ratio, "ideal_ratio": each.ideal_ratio} for each in rounds]
    if arguments.json:
        print(json.dumps({"ratio": ratio, "rounds": measurements}))
        return
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors, load {load:.1f}")
    for name in measurements[0]:
        print(f"{name:14}" + "".join(f"{each[name]:12.3f}" for each in measurements))
    print(f"\nThe evaluations took {ratio:.2f} times as long as the model requests alone (at most 1.3).")


if __name__ == "__main__":
    main()
