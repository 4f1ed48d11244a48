"""A run as tables of plain values: one row per episode, per tool call, or per message.

The column names are part of the public API. Arguments and results are JSON text, so that a data frame does
not merge the members of different calls.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from pydantic_core import to_json

from codegym_harness.records.episode_result import EpisodeResult, calls_with_results
from codegym_harness.records.trajectory import Trajectory

Scalar = str | int | float | bool | None | list[str]

EPISODE_COLUMNS = (
    *("run", "key", "environment", "task", "difficulty", "seed", "epoch", "tags"),
    *(
        "outcome",
        "reward",
        "submission",
        "calls",
        "oracle_calls",
        "max_calls",
        "invalid_calls",
        "repeated_calls",
    ),
    *("limits_met", "stop", "fault", "error"),
    *("prompt_tokens", "completion_tokens", "cached_tokens", "cost_usd", "seconds"),
)
CALL_COLUMNS = (
    *("run", "key", "step", "call_id", "tool", "arguments", "raw_arguments", "invalid"),
    *("status", "is_error", "result", "structured", "answered_by", "seconds"),
)
MESSAGE_COLUMNS = (
    *("run", "key", "step", "source", "timestamp", "message", "reasoning", "model", "calls"),
    *("prompt_tokens", "completion_tokens", "cached_tokens", "cost_usd"),
)


class RowKind(StrEnum):
    """What one row of a table is."""

    EPISODES = "episodes"
    CALLS = "calls"
    MESSAGES = "messages"


def rows(run: str, trajectories: Iterable[Trajectory], kind: RowKind) -> Iterator[dict[str, Scalar]]:
    """Yields the rows of trajectories.

    Args:
        run: the run directory, for the column `run`.
    """
    for trajectory in trajectories:
        match kind:
            case RowKind.EPISODES:
                yield _episode_row(run, trajectory)
            case RowKind.CALLS:
                yield from _call_rows(run, trajectory)
            case RowKind.MESSAGES:
                yield from _message_rows(run, trajectory)


def _episode_row(run: str, trajectory: Trajectory) -> dict[str, Scalar]:
    result = EpisodeResult.of(trajectory)
    usage = result.usage
    values: Mapping[str, Scalar] = {
        **result.model_dump(mode="json", exclude={"usage"}),
        "run": run,
        "max_calls": trajectory.extra.max_calls,
        "prompt_tokens": usage.prompt_tokens if usage is not None else None,
        "completion_tokens": usage.completion_tokens if usage is not None else None,
        "cached_tokens": usage.cached_tokens if usage is not None else None,
        "cost_usd": usage.cost_usd if usage is not None else None,
    }
    return {column: values[column] for column in EPISODE_COLUMNS}


def _call_rows(run: str, trajectory: Trajectory) -> Iterator[dict[str, Scalar]]:
    for step in trajectory.steps:
        for call, result in calls_with_results(step):
            extra = call.extra
            values: dict[str, Scalar] = {
                "run": run,
                "key": trajectory.extra.key,
                "step": step.step_id,
                "call_id": call.tool_call_id,
                "tool": call.function_name,
                "arguments": to_json(call.arguments).decode(),
                "raw_arguments": extra.raw_arguments if extra is not None else None,
                "invalid": str(extra.invalid) if extra is not None and extra.invalid is not None else None,
                **dict.fromkeys(("status", "is_error", "result", "structured", "answered_by", "seconds")),
            }
            if result is not None:
                values |= {
                    "status": str(result.extra.status) if result.extra.status is not None else None,
                    "is_error": result.extra.is_error,
                    "result": result.content,
                    "answered_by": result.extra.by,
                    "seconds": result.extra.seconds,
                }
                if result.extra.structured is not None:
                    values["structured"] = to_json(result.extra.structured).decode()
            yield values


def _message_rows(run: str, trajectory: Trajectory) -> Iterator[dict[str, Scalar]]:
    for step in trajectory.steps:
        metrics = step.metrics
        yield {
            "run": run,
            "key": trajectory.extra.key,
            "step": step.step_id,
            "source": step.source,
            "timestamp": step.timestamp,
            "message": step.message,
            "reasoning": step.reasoning_content,
            "model": step.model_name,
            "calls": len(step.tool_calls or []),
            "prompt_tokens": metrics.prompt_tokens if metrics is not None else None,
            "completion_tokens": metrics.completion_tokens if metrics is not None else None,
            "cached_tokens": metrics.cached_tokens if metrics is not None else None,
            "cost_usd": metrics.cost_usd if metrics is not None else None,
        }
