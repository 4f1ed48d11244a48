"""The record of an episode: the Agent Trajectory Interchange Format (ATIF), version 1.8.

https://github.com/laude-institute/harbor, docs/rfcs/0001-trajectory-format.md. The format knows no keys but
its own; what is ours stands under `extra`.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from codegym_mcp.episodes.scoring import Verdict

SCHEMA_VERSION = "ATIF-v1.8"

Outcome = Literal["correct", "incorrect", "no_submission", "failed", "unscored"]
"""What a rollout came to. `failed` is a failure of ours and says nothing of the agent; `unscored` was played
against a server that takes no answers."""


Stop = Literal["text", "max_tokens", "refusal", "context_overflow", "turns"]
"""Why a model's loop ended before the episode did; `codegym_harness.agents.model_agent` says what each means."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AgentInfo(_Part):
    """Who acted, and with what tools."""

    name: str
    version: str
    model_name: str | None = None
    tool_definitions: list[dict[str, Any]] | None = None
    """In the shape of OpenAI's function calling; the submission is the last."""
    extra: dict[str, Any] | None = None


class ToolCallExtra(_Part):
    """What ATIF has no key for in a tool call."""

    raw_arguments: str | None = None
    """The arguments as the model wrote them, where `arguments` as compact JSON would not be the same."""
    invalid: Literal["malformed_arguments", "unknown_tool"] | None = None
    """What was wrong with the call before any tool saw it."""


class ToolCall(_Part):
    """A tool call of a step."""

    tool_call_id: str
    function_name: str
    arguments: dict[str, Any]
    """Empty where the model wrote no JSON object; what it wrote stands in `extra`."""
    extra: ToolCallExtra | None = None


class ResultExtra(_Part):
    """What ATIF has no key for in a tool's result."""

    seconds: float | None = None
    """From the call until its result, as the agent waited; None where only the server saw the call."""
    is_error: bool = False
    structured: dict[str, Any] | None = None
    """The result as data, where the server gave it as such."""
    by: Literal["server", "agent"] = "server"
    """Whose words the result is; the agent's loop answers calls that it cannot pass on."""


class ObservationResult(_Part):
    """What one call came to."""

    source_call_id: str
    content: str
    """What the agent read."""
    extra: ResultExtra


class Observation(_Part):
    """The results of a step's calls."""

    results: list[ObservationResult]


class FailedAttempt(_Part):
    """A request to a model that failed and was made again."""

    error: str
    status: int | None = None
    """The HTTP status, where there was one."""
    seconds: float
    """What it took."""
    waited: float
    """Seconds waited after it."""


class MetricsExtra(_Part):
    """What ATIF has no key for in a model's reply."""

    seconds: float
    """From when the request was sent until the reply was there; attempts that failed are not in it."""
    finish_reason: str | None = None
    """Why the model stopped: stop, length, tool_call, content_filter or error."""
    provider_finish_reason: str | None = None
    """The same in the provider's own words."""
    reasoning_tokens: int | None = None
    """Those of the completion that the model thought with."""
    failed_attempts: list[FailedAttempt] | None = None


class Metrics(_Part):
    """What one reply of a model took. Absent values were not told."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    """Those of the prompt that the provider had read before."""
    cost_usd: float | None = None
    prompt_token_ids: list[int] | None = None
    completion_token_ids: list[int] | None = None
    logprobs: list[float] | None = None
    extra: MetricsExtra


class Step(_Part):
    """One thing said or done. Calls and their results stand in the same step."""

    step_id: int
    """Counted from 1."""
    timestamp: str
    """ISO 8601, UTC."""
    source: Literal["user", "agent", "system"]
    model_name: str | None = None
    """The model as its provider names it."""
    message: str
    reasoning_content: str | None = None
    """What the model thought, where the provider shows it."""
    tool_calls: list[ToolCall] | None = None
    observation: Observation | None = None
    """None where no result came: the rollout was cut off during the call."""
    metrics: Metrics | None = None


class FinalMetrics(_Part):
    """Sums over the trajectory."""

    total_prompt_tokens: int | None = None
    total_completion_tokens: int | None = None
    total_cached_tokens: int | None = None
    total_cost_usd: float | None = None
    """None where the price of any reply is not known."""
    total_steps: int

    @classmethod
    def of(cls, steps: Sequence[Step]) -> "FinalMetrics":
        """The sums over these steps; None where a step does not say."""
        metrics = [step.metrics for step in steps if step.metrics is not None]
        return cls(
            total_prompt_tokens=_sum(each.prompt_tokens for each in metrics),
            total_completion_tokens=_sum(each.completion_tokens for each in metrics),
            total_cached_tokens=_sum(each.cached_tokens for each in metrics),
            total_cost_usd=_sum(each.cost_usd for each in metrics),
            total_steps=len(steps),
        )


class RolloutError(_Part):
    """What went wrong in a rollout."""

    fault: Literal["ours", "provider", "agent"]
    """Whose it is. What the agent's own code raised is the agent's; a model that gave no answer is its
    provider's; everything else is ours."""
    kind: str
    """The error's type."""
    message: str
    traceback: str | None = None
    """Where in the agent's code it arose, for whoever writes the agent."""


class ProgramRecord(_Part):
    """What an agent program did besides what the server saw."""

    exit_code: int | None = None
    """Negative, the signal that ended it; None where the harness ended it."""
    stdout: str
    """Of a long output, the beginning and the end."""
    stderr: str
    enclosed: bool
    """Whether it had namespaces of its own: it saw no other processes, and none of the hidden files."""


class RolloutRecord(_Part):
    """What ATIF has no key for: what was played and what came of it."""

    key: str
    """Names the rollout within its run: environment, task, epoch."""
    environment: str
    task: str
    epoch: int
    """The how-manieth attempt of the run at the task, from 1."""
    tags: list[str] = []
    """The environment's."""
    difficulty: int | None = None
    """The task's, from 1 to 5, where it is known."""
    oracle_calls: int | None = None
    """How many calls the environment's own solution needs, where it is known."""
    outcome: Outcome
    verdict: Verdict | None = None
    state: str | None = None
    """The episode's state when the agent was done with it; None where the server knows of no episodes."""
    calls: int
    """Tool calls, refused ones included, the submission not counted."""
    limits_met: list[str] = []
    """Limits of the episode or the rollout (`deadline_seconds`) that ended it."""
    stop: Stop | None = None
    """Why a model's loop ended before the episode did."""
    malformed_calls: int = 0
    """Calls whose arguments were no JSON object: they reached no tool and are not among `calls`."""
    program: ProgramRecord | None = None
    """Of an agent that is a program."""
    error: RolloutError | None = None
    seconds: float
    """From before the episode was opened until the agent was done."""


class Trajectory(_Part):
    """One episode as it was played."""

    schema_version: Literal["ATIF-v1.8"] = "ATIF-v1.8"
    session_id: str
    """The episode's id."""
    agent: AgentInfo
    steps: list[Step]
    final_metrics: FinalMetrics
    extra: RolloutRecord

    def to_json(self) -> str:
        """The trajectory on one line; absent values are left out."""
        return self.model_dump_json(exclude_none=True)


_Number = TypeVar("_Number", int, float)


def _sum(values: Iterable[_Number | None]) -> _Number | None:
    """The sum, or None where there are no values or one is missing."""
    total: _Number | None = None
    for value in values:
        if value is None:
            return None
        total = value if total is None else total + value
    return total


def timestamp(seconds: float | None = None) -> str:
    """A moment as ATIF writes it: now, or so many seconds after the epoch."""
    moment = datetime.now(UTC) if seconds is None else datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds")
