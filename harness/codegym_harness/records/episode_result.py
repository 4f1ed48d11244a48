"""The result of a rollout without its steps. Statistics are computed from results."""

import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from codegym_harness.agent_enclosure.enclosure_options import Enclosure
from codegym_harness.records.trajectory import (
    Fault,
    FinalMetrics,
    InvalidCall,
    ObservationResult,
    Outcome,
    Step,
    StopReason,
    ToolCall,
    Trajectory,
)
from codegym_mcp.policies.tool_schemas import is_valid


class Submission(StrEnum):
    """The kind of answer that an agent submitted."""

    CORRECT = "correct"
    INCORRECT = "incorrect"
    NONE = "none"
    INVALID = "invalid"
    """Every submitted answer was refused, since it did not have the declared type."""


class EpisodeUsage(BaseModel):
    """Tokens and cost of the model requests of an episode."""

    model_config = ConfigDict(frozen=True)

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    """Prompt tokens that the provider served from its cache."""
    cost_usd: float | None = None
    """None if any price is unknown."""

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens."""
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
    """The result of one rollout."""

    model_config = ConfigDict(frozen=True)

    key: str
    """Identifies the rollout within its run: `environment/task/epoch`."""
    environment: str
    task: str
    epoch: int
    tags: tuple[str, ...] = ()
    difficulty: int | None = None
    seed: int | None = None
    """The seed of a generated task; None for a fixed task."""
    outcome: Outcome
    reward: float | None
    """0 to 1; None if the rollout was not scored: it failed, or the server takes no answers."""
    overlap: float | None = None
    """How much of the answer agrees with the reference answer, 0 to 1; None if it is no collection or was not
    judged. It is no part of the reward."""
    submission: Submission | None = None
    """None if the rollout was not scored."""
    calls: int
    """Tool calls without the submission."""
    oracle_calls: int | None = None
    """Calls that the environment's own solution needs, or None if unknown."""
    invalid_calls: int = 0
    """Calls of an unknown tool, or with arguments that are not JSON or do not fit the tool's schema.
    Submissions are among them."""
    invalid_submissions: int = 0
    """Submissions among `invalid_calls` whose arguments were a JSON object: they use up no call."""
    malformed_calls: int = 0
    """Calls whose arguments were not a JSON object. They are no part of `calls`, but use up calls."""
    refused_calls: int = 0
    """Calls that fit the tool's schema and were answered with an error."""
    repeated_calls: int = 0
    """Calls whose tool, arguments and result equal those of an earlier call of the episode."""
    limits_met: tuple[str, ...] = ()
    stop: StopReason | None = None
    enclosure: Enclosure | None = None
    """What separated an agent program from the machine; None for other agents."""
    """Why the loop of a model agent ended before the episode did."""
    fault: Fault | None = None
    """Which side caused the error of the rollout; None without an error."""
    error: str = ""
    """The error of the rollout: the name of its type and its message."""
    usage: EpisodeUsage | None = None
    """None if no model reported its usage."""
    seconds: float = 0.0
    """Duration in seconds."""

    @classmethod
    def of(cls, trajectory: Trajectory) -> "EpisodeResult":
        """Returns the result of a trajectory."""
        record = trajectory.extra
        reward = record.verdict.reward if record.verdict is not None else None
        answered = _answered_calls(trajectory.steps)
        schemas = tool_schemas(trajectory)
        invalid = [call.function_name for call, result in answered if is_invalid_call(call, result, schemas)]
        errors = sum(
            result.extra.is_error or is_invalid_call(call, result, schemas) for call, result in answered
        )
        submission = next(reversed(schemas), None) if record.outcome is not Outcome.UNSCORED else None
        malformed = [call.function_name for call, _ in answered if _is_malformed(call)]
        return cls(
            key=record.key,
            environment=record.environment,
            task=record.task,
            epoch=record.epoch,
            tags=tuple(record.tags),
            difficulty=record.difficulty,
            seed=record.seed,
            outcome=record.outcome,
            reward=0.0 if record.outcome is Outcome.NO_SUBMISSION else reward,
            overlap=record.verdict.overlap if record.verdict is not None else None,
            submission=_submission(record.outcome, tried=submission in invalid),
            calls=record.calls,
            oracle_calls=record.oracle_calls,
            invalid_calls=len(invalid),
            invalid_submissions=invalid.count(submission) - malformed.count(submission) if submission else 0,
            malformed_calls=record.malformed_calls,
            refused_calls=errors - len(invalid),
            repeated_calls=_repeated(answered, submission),
            limits_met=tuple(record.limits_met),
            stop=record.stop,
            enclosure=record.program.enclosed if record.program is not None else None,
            fault=record.error.fault if record.error is not None else None,
            error=f"{record.error.kind}: {record.error.message}" if record.error is not None else "",
            usage=_usage(trajectory.final_metrics),
            seconds=record.seconds,
        )


ToolSchemas = dict[str, dict[str, Any]]
"""The argument schemas of tools, by name."""
_Answered = list[tuple[ToolCall, ObservationResult]]


def _is_malformed(call: ToolCall) -> bool:
    return call.extra is not None and call.extra.invalid is InvalidCall.MALFORMED_ARGUMENTS


def _answered_calls(steps: list[Step]) -> _Answered:
    """Returns the calls that have a result, each with its result."""
    pairs = (pair for step in steps for pair in calls_with_results(step))
    return [(call, result) for call, result in pairs if result is not None]


def calls_with_results(step: Step) -> Iterator[tuple[ToolCall, ObservationResult | None]]:
    """Yields the tool calls of a step, each with its result, or None if it has none."""
    results = step.observation.results if step.observation is not None else []
    by_call = {result.source_call_id: result for result in results}
    for call in step.tool_calls or []:
        yield call, by_call.get(call.tool_call_id)


def last_submission(trajectory: Trajectory) -> ToolCall | None:
    """Returns the last call of the submission tool, or None if there was none."""
    submission = next(reversed(tool_schemas(trajectory)), None)
    calls = (call for step in reversed(trajectory.steps) for call in reversed(step.tool_calls or []))
    return next((call for call in calls if call.function_name == submission), None)


def tool_schemas(trajectory: Trajectory) -> ToolSchemas:
    """Returns the argument schemas by tool name; the submission is the last."""
    functions = [tool["function"] for tool in trajectory.agent.tool_definitions or []]
    return {function["name"]: function["parameters"] for function in functions}


def is_invalid_call(call: ToolCall, result: ObservationResult, schemas: ToolSchemas) -> bool:
    """Returns whether a call was of an unknown tool, or had arguments that do not fit the tool's schema."""
    if call.extra is not None and call.extra.invalid is not None:
        return True
    if not result.extra.is_error:
        return False
    schema = schemas.get(call.function_name)
    try:
        return schema is None or not is_valid(schema, call.arguments)
    except Exception:
        # The schema itself is invalid, which other MCP servers do not prevent.
        return False


def _repeated(answered: _Answered, submission: str | None) -> int:
    calls = [
        (call.function_name, json.dumps(call.arguments, sort_keys=True), result.content)
        for call, result in answered
        if call.function_name != submission and result.extra.by == "server"
    ]
    return len(calls) - len(set(calls))


def _submission(outcome: Outcome, *, tried: bool) -> Submission | None:
    match outcome:
        case Outcome.CORRECT:
            return Submission.CORRECT
        case Outcome.INCORRECT:
            return Submission.INCORRECT
        case Outcome.NO_SUBMISSION:
            return Submission.INVALID if tried else Submission.NONE
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
