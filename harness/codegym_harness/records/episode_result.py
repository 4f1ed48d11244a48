"""One rollout in figures: what a run's figures are made from, and all of it that is kept in memory."""

import json
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from codegym_harness.records.trajectory import (
    FinalMetrics,
    ObservationResult,
    Outcome,
    Step,
    ToolCall,
    Trajectory,
)
from codegym_mcp.policies.tool_schemas import is_valid

Submission = Literal["correct", "incorrect", "none", "invalid"]
"""What was submitted; `invalid` where all of it was refused, since it was not of the declared type."""


class EpisodeUsage(BaseModel):
    """What language models used and cost."""

    model_config = ConfigDict(frozen=True)

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    """Of the prompt tokens, those that the provider had cached."""
    cost_usd: float | None = None
    """None where the price of any part is not known."""

    @property
    def tokens(self) -> int:
        """Sent and received."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: "EpisodeUsage") -> "EpisodeUsage":
        known = self.cost_usd is not None and other.cost_usd is not None
        return EpisodeUsage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cost_usd=(self.cost_usd or 0) + (other.cost_usd or 0) if known else None,
        )


class EpisodeResult(BaseModel):
    """One rollout without its steps."""

    model_config = ConfigDict(frozen=True)

    key: str
    """Names the rollout within its run: environment, task, epoch."""
    environment: str
    task: str
    epoch: int
    tags: tuple[str, ...] = ()
    difficulty: int | None = None
    outcome: Outcome
    reward: float | None
    """None where the agent was not scored: a failure of ours, or a server without submissions."""
    submission: Submission | None = None
    """None as `reward` is."""
    calls: int
    """Tool calls, the submission not counted."""
    oracle_calls: int | None = None
    """How many the environment's own solution needs, where it is known."""
    invalid_calls: int = 0
    """Calls of no tool there is, or with arguments that are no JSON or do not fit the tool's schema."""
    repeated_calls: int = 0
    """Calls that an earlier one of the episode equals in tool, arguments and result."""
    limits_met: tuple[str, ...] = ()
    usage: EpisodeUsage | None = None
    """None where no model told any."""
    seconds: float = 0.0

    @classmethod
    def of(cls, trajectory: Trajectory) -> "EpisodeResult":
        """The result that a trajectory records."""
        record = trajectory.extra
        reward = record.verdict.reward if record.verdict is not None else None
        answered = _answered_calls(trajectory.steps)
        schemas = _schemas(trajectory)
        invalid = [call.function_name for call, result in answered if _is_invalid(call, result, schemas)]
        submission = next(reversed(schemas), None) if record.outcome != "unscored" else None
        return cls(
            key=record.key,
            environment=record.environment,
            task=record.task,
            epoch=record.epoch,
            tags=tuple(record.tags),
            difficulty=record.difficulty,
            outcome=record.outcome,
            reward=0.0 if record.outcome == "no_submission" else reward,
            submission=_submission(record.outcome, tried=submission in invalid),
            calls=record.calls,
            oracle_calls=record.oracle_calls,
            invalid_calls=len(invalid),
            repeated_calls=_repeated(answered, submission),
            limits_met=tuple(record.limits_met),
            usage=_usage(trajectory.final_metrics),
            seconds=record.seconds,
        )


_Answered = list[tuple[ToolCall, ObservationResult]]


def _answered_calls(steps: list[Step]) -> _Answered:
    """The calls that came to a result, each with it."""
    pairs = (pair for step in steps for pair in calls_with_results(step))
    return [(call, result) for call, result in pairs if result is not None]


def calls_with_results(step: Step) -> Iterator[tuple[ToolCall, ObservationResult | None]]:
    """The tool calls of a step, each with its result, or None where none came."""
    results = step.observation.results if step.observation is not None else []
    by_call = {result.source_call_id: result for result in results}
    for call in step.tool_calls or []:
        yield call, by_call.get(call.tool_call_id)


def _schemas(trajectory: Trajectory) -> dict[str, dict[str, Any]]:
    """The schema of each tool's arguments, by its name; the submission is the last."""
    functions = [tool["function"] for tool in trajectory.agent.tool_definitions or []]
    return {function["name"]: function["parameters"] for function in functions}


def _is_invalid(call: ToolCall, result: ObservationResult, schemas: dict[str, dict[str, Any]]) -> bool:
    if call.extra is not None and call.extra.invalid is not None:
        return True
    if not result.extra.is_error:
        return False
    schema = schemas.get(call.function_name)
    try:
        return schema is None or not is_valid(schema, call.arguments)
    except Exception:
        # The schema itself is broken, as that of a server that is not ours may be.
        return False


def _repeated(answered: _Answered, submission: str | None) -> int:
    moves = [
        (call.function_name, json.dumps(call.arguments, sort_keys=True), result.content)
        for call, result in answered
        if call.function_name != submission and result.extra.by == "server"
    ]
    return len(moves) - len(set(moves))


def _submission(outcome: Outcome, *, tried: bool) -> Submission | None:
    match outcome:
        case "correct" | "incorrect":
            return outcome
        case "no_submission":
            return "invalid" if tried else "none"
    return None


def _usage(sums: FinalMetrics) -> EpisodeUsage | None:
    if sums.total_prompt_tokens is None and sums.total_completion_tokens is None:
        return None
    return EpisodeUsage(
        prompt_tokens=sums.total_prompt_tokens or 0,
        completion_tokens=sums.total_completion_tokens or 0,
        cached_tokens=sums.total_cached_tokens or 0,
        cost_usd=sums.total_cost_usd,
    )
