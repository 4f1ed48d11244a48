"""What an evaluation adds to the time that its model takes.

    python benchmarks/evaluate.py [--json] [--episodes N] [--concurrency N] [--delay SECONDS] [--rounds N]

A model server in a process of its own answers every request after the same delay. First episodes are played,
as `codegym-mcp eval --model` plays them: in confined processes, recorded and scored. Then the same requests
are made again, by the same client at the same concurrency, without episodes: that is what the model calls
alone need here. Both are measured in turn, since machines change their pace. What the calls would need if
nothing but the delay took time is told beside it.
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
from codegym_harness.processes.garbage_collection import rare_collections
from codegym_harness.records.trajectory import Trajectory
from codegym_harness.runs.observer import Observer
from codegym_harness.runs.run_config import RunConfig
from codegym_harness.runs.run_directory import RunDirectory, read_trajectories
from codegym_harness.runs.run_evaluation import run_evaluation
from codegym_harness.runs.selection import Selection
from codegym_mcp.cli.command_output import run
from codegym_mcp.episode_interface import ToolView
from codegym_mcp.models import Model, ModelOptions

TESTS = Path(__file__).parent.parent / "tests"
SERVER = TESTS / "harness" / "model_servers" / "openai_server.py"
COUNTER = TESTS / "fixtures" / "counter.py"


@dataclass
class Figures:
    """What was measured. Times are in seconds, memory in MiB."""

    episodes: int
    concurrency: int
    delay: float
    requests: int
    evaluation: float
    """From the first episode to the last."""
    alone: float
    """The same requests without episodes."""
    ideal: float
    """The delays alone, at that concurrency."""
    evaluation_cpu: float
    """Processor time of the evaluating process, within `evaluation`."""
    alone_cpu: float
    """The same within `alone`."""
    memory: float
    """The most that the evaluating process held, and the largest of those that it started."""
    reward: float

    @property
    def ratio(self) -> float:
        """What the evaluation takes, for what the model calls alone take."""
        return self.evaluation / self.alone

    @property
    def ideal_ratio(self) -> float:
        """What it takes for what nobody could do faster."""
        return self.evaluation / self.ideal


class Stopwatch(Observer):
    """Times a run from its first episode on."""

    def __init__(self) -> None:
        self.begun = self.cpu_begun = 0.0
        self.ended = self.cpu_ended = 0.0

    def run_begins(self, agent: str, directory: RunDirectory, episodes: int) -> None:
        self.begun, self.cpu_begun = time.perf_counter(), time.process_time()

    def episode_ends(self, trajectory: Trajectory, result: object) -> None:
        self.ended, self.cpu_ended = time.perf_counter(), time.process_time()


@contextmanager
def model_server(delay: float) -> Iterator[str]:
    """The address of a model that answers after so many seconds."""
    command = [sys.executable, str(SERVER), "--delay", str(delay)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip() + "/v1"
        finally:
            process.kill()


def measure(episodes: int, concurrency: int, delay: float) -> Figures:
    """Plays, and then asks again."""
    watch = Stopwatch()
    with model_server(delay) as url, tempfile.TemporaryDirectory() as folder:
        model = ModelAgentOptions(name="openai:climber", base_url=url)
        job = RunConfig(
            model=model,
            paths=(COUNTER,),
            selection=Selection(difficulties=(3,), tasks=episodes),
            concurrency=concurrency,
        )
        summary = run(lambda: run_evaluation(job, out=Path(folder) / "run", observer=watch))
        memory = peak()
        played = list(read_trajectories(Path(folder) / "run"))
        requests = sum(step.source == "agent" for each in played for step in each.steps)
        cpu = time.process_time()
        alone = run(lambda: ask_again(ModelOptions(name="openai:climber", base_url=url), played, concurrency))
    return Figures(
        episodes=episodes,
        concurrency=concurrency,
        delay=delay,
        requests=requests,
        evaluation=watch.ended - watch.begun,
        alone=alone,
        ideal=requests * delay / concurrency,
        evaluation_cpu=watch.cpu_ended - watch.cpu_begun,
        alone_cpu=time.process_time() - cpu,
        memory=memory,
        reward=summary.reward or 0.0,
    )


async def ask_again(options: ModelOptions, played: list[Trajectory], concurrency: int) -> float:
    """Makes the requests of these trajectories again; returns the seconds they took."""
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
        # As during the evaluation, so that the two differ in the episodes alone.
        with rare_collections():
            start = time.perf_counter()
            async with anyio.create_task_group() as tasks:
                for _ in range(concurrency):
                    tasks.start_soon(work, model)
            return time.perf_counter() - start


def peak() -> float:
    """The most memory that this process has held, and the largest of those that have ended, in MiB."""
    return sum(getrusage(who).ru_maxrss / 1024 for who in (RUSAGE_SELF, RUSAGE_CHILDREN))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--episodes", type=int, default=500)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--delay", type=float, default=0.05)
    parser.add_argument("--rounds", type=int, default=4, help="how often both are measured, in turn")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    rounds = [
        measure(arguments.episodes, arguments.concurrency, arguments.delay) for _ in range(arguments.rounds)
    ]
    ratio = sum(each.evaluation for each in rounds) / sum(each.alone for each in rounds)
    told = [{**asdict(each), "ratio": each.ratio, "ideal_ratio": each.ideal_ratio} for each in rounds]
    if arguments.json:
        print(json.dumps({"ratio": ratio, "rounds": told}))
        return
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors, load {load:.1f}")
    for name in told[0]:
        print(f"{name:14}" + "".join(f"{each[name]:12.3f}" for each in told))
    print(f"\nThe evaluations took {ratio:.2f} times what the model calls alone took (at most 1.3).")


if __name__ == "__main__":
    main()
