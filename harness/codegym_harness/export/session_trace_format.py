"""Session traces of the Hugging Face Hub (STS): one JSON Lines file for each episode.

https://huggingface.co/docs/hub/session-traces-format. The Hub's viewer opens them in a dataset. The header of
a file holds the outcome under `codegym`; the viewer ignores further members.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from codegym_harness.export.conversion_counts import LossCounts
from codegym_harness.export.output_directories import new_directory
from codegym_harness.export.whole_run_format import (
    ExportedRun,
    OpenRun,
    ViewerFormat,
    WriteEpisode,
    episode_name,
)
from codegym_harness.records.episode_result import EpisodeResult, calls_with_results
from codegym_harness.records.trajectory import Step, Trajectory
from codegym_mcp.json_line_escapes import json_line

HARNESS = "codegym-mcp"
_STEP = (
    "step_id",
    "timestamp",
    "source",
    "model_name",
    "message",
    "reasoning_content",
    "tool_calls",
    "observation",
)
_CALL = ("tool_call_id", "function_name", "arguments", "extra")


@contextmanager
def open_traces(out: str) -> Iterator[OpenRun]:
    """Opens a new directory, in which each run is a directory and each episode a file."""
    with new_directory(Path(out)) as directory:

        @contextmanager
        def open_run(run: ExportedRun) -> Iterator[WriteEpisode]:
            (directory / run.name).mkdir()

            def write(trajectory: Trajectory, _: EpisodeResult, counts: LossCounts) -> None:
                file = directory / run.name / f"{episode_name(trajectory.extra.key)}.jsonl"
                file.write_bytes(b"".join(json_line(to_json(line)) for line in session(trajectory, counts)))

            yield write

        yield open_run


def session(trajectory: Trajectory, counts: LossCounts) -> Iterator[dict[str, Any]]:
    """Yields the lines of the file of an episode."""
    counts.lost["agent.tool_definitions"] += bool(trajectory.agent.tool_definitions)
    yield {
        "type": "session",
        "harness": HARNESS,
        "id": trajectory.session_id,
        "name": trajectory.extra.key,
        "codegym": {
            "agent": trajectory.agent.model_dump(
                mode="json", exclude_none=True, exclude={"tool_definitions"}
            ),
            "final_metrics": trajectory.final_metrics.model_dump(mode="json", exclude_none=True),
            **trajectory.extra.model_dump(mode="json", exclude_none=True),
        },
    }
    for step in trajectory.steps:
        counts.add_fields("steps", step, _STEP)
        yield from ({"type": "message", "message": message} for message in _messages(step, counts))


def _messages(step: Step, counts: LossCounts) -> Iterator[dict[str, Any]]:
    at = round(datetime.fromisoformat(step.timestamp).timestamp() * 1000)
    message: dict[str, Any] = {"role": _role(step), "content": step.message, "timestamp": at}
    if step.reasoning_content is not None:
        message["reasoningContent"] = step.reasoning_content
    if step.model_name is not None:
        message["model"] = step.model_name
    results = []
    for call, result in calls_with_results(step):
        counts.add_fields("steps.tool_calls", call, _CALL)
        if call.extra is not None:
            counts.add_fields("steps.tool_calls.extra", call.extra, ("raw_arguments",))
        raw = call.extra.raw_arguments if call.extra is not None else None
        arguments = raw if raw is not None else to_json(call.arguments).decode()
        called = {"id": call.tool_call_id, "function": {"name": call.function_name, "arguments": arguments}}
        message.setdefault("toolCalls", []).append(called)
        if result is not None:
            counts.add_fields("steps.observation.results.extra", result.extra, ())
            results.append(
                {
                    "role": "tool",
                    "toolCallId": call.tool_call_id,
                    "content": result.content,
                    "timestamp": at,
                }
            )
    yield message
    yield from results


def _role(step: Step) -> str:
    return "assistant" if step.source == "agent" else step.source


FORMAT = ViewerFormat(open_traces)
