"""Trajectories and run directories as evaluations leave them, made by hand."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from codegym_harness.records.trajectory import (
    AgentInfo,
    FinalMetrics,
    Metrics,
    MetricsExtra,
    Observation,
    ObservationResult,
    ResultExtra,
    RolloutRecord,
    Step,
    ToolCall,
    ToolCallExtra,
    Trajectory,
)
from codegym_harness.runs.run_directory_reader import RunStart
from codegym_harness.runs.run_directory_writer import RunDirectory
from codegym_harness.statistics.run_metrics import Summary, summarize
from codegym_mcp.episodes.episode_outcome import Verdict

AT = "2026-01-02T03:04:05.000+00:00"
_REWARDS = {"correct": 1.0, "incorrect": 0.0}


class Configuration(BaseModel):
    """A configuration as small as it can be."""

    agent: str = "someone"


def tool(name: str, **types: str) -> dict[str, Any]:
    """A tool's definition; all its arguments are required."""
    properties = {argument: {"type": kind} for argument, kind in types.items()}
    schema = {"type": "object", "properties": properties, "required": [*types], "additionalProperties": False}
    return {"type": "function", "function": {"name": name, "description": "", "parameters": schema}}


TOOLS = [tool("look"), tool("move", floors="integer"), tool("submit_answer", answer="integer")]


def made_call(
    name: str, arguments: dict[str, Any], content: str = "ok", *, error: bool = False, **extra: Any
) -> tuple[ToolCall, ObservationResult]:
    """A call and its result; `invalid` as in `ToolCallExtra`."""
    call = ToolCall(
        tool_call_id=f"call_{name}",
        function_name=name,
        arguments=arguments,
        extra=ToolCallExtra(**extra) if extra else None,
    )
    by = "agent" if extra else "server"
    result = ObservationResult(
        source_call_id=call.tool_call_id,
        content=content,
        extra=ResultExtra(seconds=0.1, is_error=error, by=by),
    )
    return call, result


def made_trajectory(
    key: str = "lift/low/1",
    outcome: str = "correct",
    played: Iterable[tuple[ToolCall, ObservationResult]] = (),
    *,
    tokens: tuple[int, int] | None = None,
    cost: float | None = None,
    tools: list[dict[str, Any]] | None = None,
    **record: Any,
) -> Trajectory:
    """A trajectory of one step a call.

    Args:
        key: environment, task and epoch.
        tokens: sent and received, in the first step of the agent.
        record: further fields of the `RolloutRecord`.
    """
    environment, task, epoch = key.split("/")
    steps = [Step(step_id=1, timestamp=AT, source="user", message="Find the floor of the bell.")]
    for number, (call, result) in enumerate(played, 2):
        steps.append(
            Step(
                step_id=number,
                timestamp=AT,
                source="agent",
                message="",
                tool_calls=[call],
                observation=Observation(results=[result]),
            )
        )
    if tokens is not None:
        steps[-1].metrics = Metrics(
            prompt_tokens=tokens[0],
            completion_tokens=tokens[1],
            cached_tokens=0,
            cost_usd=cost,
            extra=MetricsExtra(seconds=1.0),
        )
    reward = _REWARDS.get(outcome)
    made: dict[str, Any] = {
        "calls": len(steps) - 1,
        "verdict": Verdict(correct=bool(reward), reward=reward) if reward is not None else None,
        "seconds": 1.0,
        **record,
    }
    return Trajectory(
        session_id="0123456789abcdef",
        agent=AgentInfo(name="someone", version="1", tool_definitions=TOOLS if tools is None else tools),
        steps=steps,
        final_metrics=FinalMetrics.of(steps),
        extra=RolloutRecord(
            key=key, environment=environment, task=task, epoch=int(epoch), outcome=outcome, **made
        ),
    )


def made_run(
    path: Path, outcomes: dict[str, str], *, agent: str = "someone", missing: int = 0, **begun: Any
) -> Summary:
    """A run directory with its summary.

    Args:
        outcomes: by key.
        missing: how many episodes are still to be played.
        begun: fields of `RunStart`.
    """
    begun = {"at": AT, "episodes": len(outcomes) + missing, **begun}
    with RunDirectory.create(path, Configuration(agent=agent), RunStart(**begun)) as directory:
        for key, outcome in outcomes.items():
            directory.append(made_trajectory(key, outcome))
        summary = summarize(str(path), agent, directory.results.values(), missing=missing)
        directory.write_summary(summary)
    return summary
