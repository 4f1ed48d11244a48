"""Runs for the browser to show: real ones with mixed outcomes, and one with everything that is difficult."""

import subprocess
import sys
from pathlib import Path

from codegym_harness.records.trajectory import (
    Metrics,
    MetricsExtra,
    Observation,
    RolloutError,
    Step,
    Trajectory,
)
from codegym_harness.runs.run_directory_reader import RunStart
from codegym_harness.runs.run_directory_writer import RunDirectory
from tests.made_runs import AT, Configuration, made_call, made_trajectory

ENVIRONMENTS = ["night_courier", "leak_survey", "vault_protocol"]
TEN_MEGABYTES = 10_000_000
SCRIPT = "<script>window.executed = 1</script></script><img src=x onerror='window.executed = 1'>"
TERMINAL_CODES = "\x1b[31mred\x1b[0m\x1b]0;title\x07 and \x08backspace"
REVERSED = "abc\u202edef\u2066ghi\u200f"


def make_real_runs(folder: Path) -> None:
    """Lets the oracle and two baselines play the same tasks."""
    chosen = [option for name in ENVIRONMENTS for option in ("--env", name)]
    for agent in ("oracle", "random", "constant"):
        command = ["-m", "codegym_mcp", "eval", "--agent", agent, *chosen, "--tasks", "3"]
        subprocess.run([sys.executable, *command, "--out", folder / agent], check=True, capture_output=True)


def make_difficult_run(path: Path) -> None:
    """Makes a run of texts, sizes and failures that a page could stumble over."""
    with RunDirectory.create(path, Configuration(agent="difficult"), RunStart(at=AT, episodes=9)) as run:
        run.append(_hostile_texts())
        run.append(made_trajectory("lift/long/1", "incorrect", [made_call("look", {}, long_text())]))
        run.append(_many_steps())
        run.append(_parallel_calls())
        run.append(_refusal())
        run.append(_own_failure())
    with (path / "trajectories.jsonl").open("ab") as file:
        file.write(b'{"steps": [' + SCRIPT.encode() + b"\n")
        file.write(made_trajectory("lift/after/1", "correct").to_json().encode() + b"\n")
        file.write(b'{"schema_version": "ATIF-v1.8", "session')


def long_text() -> str:
    """Returns a text of ten million characters, each line with its number."""
    lines = "".join(f"line {number:>12}\n" for number in range(TEN_MEGABYTES // 18 + 1))
    return lines[:TEN_MEGABYTES]


def _hostile_texts() -> Trajectory:
    call = made_call(
        "look", {"where": SCRIPT, "\u202ekey": TERMINAL_CODES}, f"{SCRIPT}\n{TERMINAL_CODES}\n{REVERSED}"
    )
    trajectory = made_trajectory("lift/hostile/1", "incorrect", [call], tags=[SCRIPT], tokens=(1200, 80))
    trajectory.steps[0].message = f"{SCRIPT}\n{REVERSED}"
    trajectory.steps[1].message = SCRIPT
    trajectory.steps[1].reasoning_content = f"{SCRIPT} {TERMINAL_CODES}"
    return trajectory


def _many_steps() -> Trajectory:
    calls = [
        made_call(
            "move",
            {"floors": number},
            "You are on the roof." if number % 50 == 0 else f"floor {number}",
            error=number % 50 == 0,
        )
        for number in range(1, 256)
    ]
    return made_trajectory("lift/many/1", "no_submission", calls, state="out_of_calls", max_calls=255)


def _parallel_calls() -> Trajectory:
    trajectory = made_trajectory("lift/parallel/1", "correct", tokens=(10, 5))
    pairs = [
        made_call("look", {}, "a bell"),
        made_call("move", {"floors": "many"}, "floors is not an integer.", error=True),
        made_call("jump", {}, "There is no tool jump.", error=True, invalid="unknown_tool"),
    ]
    trajectory.steps.append(
        Step(
            step_id=2,
            timestamp=AT,
            source="agent",
            message="Three calls at once.",
            reasoning_content="They do not depend on each other.",
            tool_calls=[call for call, _ in pairs],
            observation=Observation(results=[result for _, result in pairs[:3]]),
            metrics=Metrics(prompt_tokens=1000, completion_tokens=50, extra=MetricsExtra(seconds=2.5)),
        )
    )
    return trajectory


def _refusal() -> Trajectory:
    trajectory = made_trajectory("vault/refusal/1", "no_submission", stop="refusal")
    trajectory.steps.append(
        Step(
            step_id=2,
            timestamp=AT,
            source="agent",
            message="I cannot help with that.",
            metrics=Metrics(extra=MetricsExtra(finish_reason="content_filter")),
        )
    )
    return trajectory


def _own_failure() -> Trajectory:
    error = RolloutError(
        fault="harness", kind="WorkerLostError", message="The process of the environment ended."
    )
    return made_trajectory("vault/failure/1", "failed", [made_call("look", {})], error=error)
