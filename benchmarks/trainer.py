"""What the environments cost a step of GRPO: openings, calls and verdicts beside the whole step.

The share of the wall time is that for which the trainer waited. The share of the processor time counts what
the environments did in the background too: in threads of this process, and in the processes of the episodes.

TRL's GRPOTrainer trains the tiny model of examples/training_proof after its supervised fine-tuning, so that it
calls tools and submits answers: run `make proof` first.

Beside it stands what the same number of openings and calls takes through OpenEnv, if a Python is named that has
`openenv-core`. `openenv_calls.py` measures it; verdicts, which it has none of, are not counted.

Example:
  .venv-proof/bin/python benchmarks/trainer.py --model build/proof/seed-24/sft --episodes 64 --steps 3
  .venv-proof/bin/python benchmarks/trainer.py --isolation shared --openenv .venv-peers/bin/python
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MAX_SHARE = 0.05
"""Allowed share of the environments in the time of a step."""
MEASURED = {"reset": "openings", "_call": "calls", "get_reward": "verdicts"}
"""The methods of an environment by which a trainer uses it, and what they do."""


class Spent:
    """The time that was spent in the methods of environments.

    Attributes:
        seconds: wall time, by what the methods do.
        processor_seconds: processor time of the threads that called the methods.
        times: how often the methods were called.
    """

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.processor_seconds = 0.0
        self.times: Counter[str] = Counter()
        self._lock = threading.Lock()

    def measure(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        """Returns a method that does the same and is measured."""

        def measured(*arguments: Any, **named: Any) -> Any:
            begun, processor = time.perf_counter(), time.thread_time()
            try:
                return method(*arguments, **named)
            finally:
                with self._lock:
                    self.processor_seconds += time.thread_time() - processor
                    self.seconds[name] += time.perf_counter() - begun
                    self.times[name] += 1

        return measured


@contextmanager
def measured_environments() -> Iterator[Spent]:
    """Measures all environments that are made in the block."""
    from codegym_harness.trainers.trl_environment import TrlEnvironment

    spent = Spent()
    originals = {method: getattr(TrlEnvironment, method) for method in MEASURED}
    for method, name in MEASURED.items():
        setattr(TrlEnvironment, method, spent.measure(name, originals[method]))
    try:
        yield spent
    finally:
        for method, original in originals.items():
            setattr(TrlEnvironment, method, original)


def background_seconds() -> float:
    """Returns the processor seconds of this project's threads, and of all processes that descend from this."""
    threads = [
        time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
        for thread in threading.enumerate()
        if thread.name.startswith("codegym-mcp") and thread.ident is not None
    ]
    return sum(threads) + descendant_seconds()


def descendant_seconds() -> float:
    """Returns the processor seconds of all processes that descend from this one, the ended ones included."""
    parents, ticks = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # It has ended since.
            continue
        parents[int(path.parent.name)] = int(fields[1])
        ticks[int(path.parent.name)] = sum(map(int, fields[11:15]))
    found, generation = 0, {os.getpid()}
    while generation := {pid for pid, parent in parents.items() if parent in generation}:
        found += sum(ticks[pid] for pid in generation)
    return found / os.sysconf("SC_CLK_TCK")


def measure(model: Path, episodes: int, steps: int, isolation: str) -> dict[str, Any]:
    """Trains so many steps, and returns the seconds of a step and what the environments took of it."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    import torch

    from codegym_mcp import GymSpec
    from examples.training_proof import grpo
    from examples.training_proof.recipe import SOURCES, tiny_recipe
    from examples.training_proof.stages import load

    torch.set_num_threads(1)
    recipe = tiny_recipe(0)
    settings = {"steps": steps, "goal": None, "prompts": episodes // recipe.grpo.generations}
    recipe = recipe.model_copy(
        update={"grpo": recipe.grpo.model_copy(update=settings), "isolation": isolation}
    )
    # The trainer shares the runtime of this episode. Its start belongs to no step.
    spec = GymSpec(
        [*SOURCES, "cable_trace"], difficulty=4, tasks=1, calls=recipe.calls, isolation=recipe.isolation
    )
    first = spec.environment_factory()
    first.reset(**spec.rows[0])
    first.get_reward()
    with tempfile.TemporaryDirectory() as folder, measured_environments() as spent:
        loaded = load(model)
        background, own = background_seconds(), time.process_time()
        processes = descendant_seconds()
        grpo.train(*loaded, recipe, Path(folder))
        # The runtime of the episodes is still there: its threads and processes have not ended.
        background, own = background_seconds() - background, time.process_time() - own
        processes = descendant_seconds() - processes
        curve = json.loads((Path(folder) / "curve.json").read_text())
    step_seconds = [entry["step_time"] for entry in curve if "step_time" in entry]
    return {
        "episodes": episodes,
        "isolation": isolation,
        "steps": len(step_seconds),
        "step_seconds": sum(step_seconds) / len(step_seconds),
        "environment_seconds": sum(spent.seconds.values()) / len(step_seconds),
        "processor_seconds": (own + processes) / len(step_seconds),
        "environment_processor_seconds": (background + spent.processor_seconds) / len(step_seconds),
        "processor_share": (background + spent.processor_seconds) / (own + processes),
        "share": sum(spent.seconds.values()) / sum(step_seconds),
        "milliseconds": {name: 1000 * spent.seconds[name] / spent.times[name] for name in spent.times},
        "calls_per_episode": spent.times["calls"] / spent.times["openings"],
    }


def through_openenv(python: Path, found: dict[str, Any]) -> dict[str, float]:
    """Returns what the openings and the calls of a measured step would take of it through OpenEnv.

    Args:
        python: an interpreter with OpenEnv.
        found: what `measure` has returned.
    """
    command = (
        str(python),
        str(Path(__file__).with_name("openenv_calls.py")),
        "--through",
        "openenv",
        "--json",
    )
    options = ("--episodes", str(found["episodes"]))
    output = subprocess.run((*command, *options), check=True, capture_output=True, text=True).stdout
    milliseconds = json.loads(output)
    each_episode = milliseconds["opening"] + found["calls_per_episode"] * milliseconds["call"]
    seconds = found["episodes"] * each_episode / 1000
    others = found["step_seconds"] - found["environment_seconds"]
    return {
        "opening_milliseconds": milliseconds["opening"],
        "call_milliseconds": milliseconds["call"],
        "environment_seconds": seconds,
        "share": seconds / (others + seconds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", type=Path, default=Path("build/proof/seed-24/sft"), help="a trained tiny model"
    )
    parser.add_argument("--episodes", type=int, default=64, help="episodes in a step (default 64)")
    parser.add_argument("--steps", type=int, default=3, help="measured steps (default 3)")
    parser.add_argument(
        "--isolation",
        choices=["process", "shared"],
        default="process",
        help="whether each episode has a process of its own (default), or the episodes share one",
    )
    parser.add_argument("--openenv", type=Path, help="a Python with openenv-core, to compare with")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if not options.model.is_dir():
        sys.exit(f"{options.model} does not exist. Run `make proof` first, or name a model with --model.")
    found = measure(options.model, options.episodes, options.steps, options.isolation)
    missed = found["share"] > MAX_SHARE
    openenv = through_openenv(options.openenv, found) if options.openenv is not None else None
    if options.json:
        told = {"python": platform.python_version(), **found, "openenv": openenv, "missed": missed}
        print(json.dumps(told))
    else:
        each = ", ".join(f"{name} {value:.2f} ms" for name, value in found["milliseconds"].items())
        print(
            f"{found['episodes']} episodes in a step of {found['step_seconds']:.1f} s: environments "
            f"{found['environment_seconds']:.2f} s, {found['share']:.1%}{'   MISSED' if missed else ''}\n"
            f"processor time of a step {found['processor_seconds']:.1f} s, of the environments "
            f"{found['environment_processor_seconds']:.2f} s, {found['processor_share']:.1%}\n"
            f"{found['calls_per_episode']:.1f} calls an episode; on average {each}"
        )
        if openenv is not None:
            print(
                f"openings and calls through OpenEnv: {openenv['environment_seconds']:.2f} s, "
                f"{openenv['share']:.1%} of a step with them; an opening "
                f"{openenv['opening_milliseconds']:.2f} ms, a call {openenv['call_milliseconds']:.2f} ms"
            )
    sys.exit(missed)


if __name__ == "__main__":
    main()
