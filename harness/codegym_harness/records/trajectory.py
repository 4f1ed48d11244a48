"""The record of an episode: the Agent Trajectory Interchange Format (ATIF), version 1.8.

https://github.com/laude-institute/harbor, docs/rfcs/0001-trajectory-format.md. The format allows no other
keys; fields that it does not define are stored under `extra`.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, field_validator

from codegym_harness.agent_enclosure.enclosure_options import Enclosure, Network
from codegym_mcp.episode_protocol import CallStatus
from codegym_mcp.episodes.episode_outcome import Verdict

SCHEMA_VERSION = "ATIF-v1.8"


class Outcome(StrEnum):
    """The outcome of a rollout."""

    CORRECT = "correct"
    INCORRECT = "incorrect"
    NO_SUBMISSION = "no_submission"
    """The agent stopped, or was stopped, without a valid answer. The reward is 0."""
    FAILED = "failed"
    """A failure that the agent did not cause. The rollout is not scored and is played again on resume."""
    UNSCORED = "unscored"
    """Played against an MCP server that takes no answers."""


class Transport(StrEnum):
    """How the calls of an agent reached the episode. What the agent receives does not depend on it."""

    MCP = "mcp"
    """Over MCP, as those of any client."""
    DIRECT = "direct"
    """Without a protocol, in the process that holds the episode or through a channel to it."""


class StopReason(StrEnum):
    """Why the loop of a model agent ended before the episode; see `codegym_harness.agents.model_agent`."""

    TEXT = "text"
    MAX_TOKENS = "max_tokens"
    REFUSAL = "refusal"
    CONTEXT_OVERFLOW = "context_overflow"
    TURNS = "turns"
    CALLS = "calls"


class Fault(StrEnum):
    """Which side caused an error."""

    HARNESS = "harness"
    """The project itself: an environment, the server, the connection, or this process."""
    PROVIDER = "provider"
    """The provider of a language model."""
    AGENT = "agent"
    """The agent's own code."""


class InvalidCall(StrEnum):
    """Why a tool call was invalid before any tool received it."""

    MALFORMED_ARGUMENTS = "malformed_arguments"
    """The arguments are not a JSON object."""
    UNKNOWN_TOOL = "unknown_tool"
    """No tool has that name."""
    AFTER_END = "after_end"
    """The episode had ended, usually by a submission earlier in the same reply."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AgentInfo(_Part):
    """The agent and the tools that it was offered."""

    name: str
    version: str
    model_name: str | None = None
    tool_definitions: list[dict[str, Any]] | None = None
    """In the format of OpenAI's function calling; the submission is the last."""
    extra: dict[str, Any] | None = None


class ToolCallExtra(_Part):
    """Fields of a tool call that ATIF does not define."""

    raw_arguments: str | None = None
    """The text of the arguments as the model wrote it, if it differs from `arguments` as compact JSON."""
    sent_arguments: str | None = None
    """The arguments in later requests to the model, if they differ from what the model wrote."""
    invalid: InvalidCall | None = None
    """Why the call was invalid before any tool received it."""


class ToolCall(_Part):
    """A tool call of a step."""

    tool_call_id: str
    function_name: str
    arguments: dict[str, Any]
    """Empty if the model did not write a JSON object; `extra.raw_arguments` holds what it wrote."""
    extra: ToolCallExtra | None = None


class ResultExtra(_Part):
    """Fields of a tool's result that ATIF does not define."""

    seconds: float | None = None
    """Seconds from the call until its result; None if only the server observed the call."""
    is_error: bool = False
    status: CallStatus | None = None
    """The status of the call; None in records of MCP servers that do not report it."""
    structured: dict[str, Any] | None = None
    """The result as data, if the server returned structured content."""
    by: Literal["server", "agent"] = "server"
    """Who wrote the result: the server, or the agent's loop for a call that it did not send."""


class ObservationResult(_Part):
    """The result of one call."""

    source_call_id: str
    content: str
    """The text that the agent received."""
    extra: ResultExtra


class Observation(_Part):
    """The results of a step's calls."""

    results: list[ObservationResult]


class FailedAttempt(_Part):
    """A request to a model that failed and was sent again."""

    error: str
    status: int | None = None
    """The HTTP status, or None if no response was received."""
    seconds: float
    """Duration of the request in seconds."""
    waited: float
    """Seconds waited after the failure."""


class MetricsExtra(_Part):
    """Fields of a model's reply that ATIF does not define."""

    seconds: float | None = None
    """Seconds from the request until its reply, without failed attempts; None if it was not measured."""
    finish_reason: str | None = None
    """Why the model stopped: stop, length, tool_call, content_filter or error."""
    provider_finish_reason: str | None = None
    """The finish reason as the provider wrote it."""
    reasoning_tokens: int | None = None
    """Completion tokens that were spent on reasoning."""
    failed_attempts: list[FailedAttempt] | None = None
    request_changes: list[str] | None = None
    """How the request differed from what was said and asked for since the server did not accept it."""


class Metrics(_Part):
    """Usage of one reply of a model. None means that the provider did not report the value."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    """Prompt tokens that the provider served from its cache."""
    cost_usd: float | None = None
    prompt_token_ids: list[int] | None = None
    completion_token_ids: list[int] | None = None
    logprobs: list[float] | None = None
    extra: MetricsExtra


class Step(_Part):
    """One message, or one turn of the agent with its calls and their results."""

    step_id: int
    """Sequential number, starting at 1."""
    timestamp: str
    """ISO 8601 in UTC."""
    source: Literal["user", "agent", "system"]
    model_name: str | None = None
    """The model's name as its provider reports it."""
    message: str
    reasoning_content: str | None = None
    """The model's reasoning, if the provider returns it."""
    tool_calls: list[ToolCall] | None = None
    observation: Observation | None = None
    """None if the rollout was cancelled during the call."""
    metrics: Metrics | None = None


class FinalMetrics(_Part):
    """Sums over the trajectory."""

    total_prompt_tokens: int | None = None
    total_completion_tokens: int | None = None
    total_cached_tokens: int | None = None
    total_cost_usd: float | None = None
    """None if the price of any reply is unknown."""
    total_steps: int

    @classmethod
    def of(cls, steps: Sequence[Step]) -> "FinalMetrics":
        """Returns the sums over steps. A sum is None if a reply lacks the value."""
        metrics = [step.metrics for step in steps if step.metrics is not None]
        return cls(
            total_prompt_tokens=_sum(each.prompt_tokens for each in metrics),
            total_completion_tokens=_sum(each.completion_tokens for each in metrics),
            total_cached_tokens=_sum(each.cached_tokens for each in metrics),
            total_cost_usd=_sum(each.cost_usd for each in metrics),
            total_steps=len(steps),
        )


class RolloutError(_Part):
    """An error that occurred in a rollout."""

    fault: Fault
    kind: str
    """The name of the error's type."""
    message: str
    traceback: str | None = None
    """The traceback, for errors that the agent's own code raised."""

    @field_validator("fault", mode="before")
    @classmethod
    def _read_old_name(cls, value: object) -> object:
        """Reads the records of older runs, which name the project's own side differently."""
        return Fault.HARNESS if value == "ours" else value


class ProgramRecord(_Part):
    """An agent program: how it ended and what it wrote."""

    exit_code: int | None = None
    """Negative: the signal that ended it. None: the harness ended it."""
    stdout: str
    """The output; of a long output, its beginning and its end."""
    stderr: str
    enclosed: Enclosure
    """What separated it from the machine."""
    network: Network = Network.HOST
    """What it could reach over the network."""

    @field_validator("enclosed", mode="before")
    @classmethod
    def _read_old_flag(cls, value: object) -> object:
        """Reads the records of older runs, which state only whether there was an enclosure."""
        if isinstance(value, bool):
            return Enclosure.NAMESPACES if value else Enclosure.NONE
        return value


class RolloutRecord(_Part):
    """The task that was played, its outcome, and why the rollout ended."""

    key: str
    """Identifies the rollout within its run: `environment/task/epoch`."""
    environment: str
    task: str
    epoch: int
    """Number of the attempt at the task, starting at 1."""
    tags: list[str] = []
    """The tags of the environment."""
    difficulty: int | None = None
    """The difficulty of the task, 1 to 5, or None if it is unknown."""
    seed: int | None = None
    """The seed of a generated task; None for a fixed task."""
    oracle_calls: int | None = None
    """Calls that the environment's own solution needs, or None if unknown."""
    max_calls: int | None = None
    """Calls that the episode allowed; None if the server has no such limit."""
    transport: Transport | None = None
    """How the agent's calls reached the episode; None if it could not be opened, and in older records."""
    outcome: Outcome
    verdict: Verdict | None = None
    state: str | None = None
    """State of the episode when the agent ended; None if the server has no episodes."""
    calls: int
    """Tool calls, including refused ones, without the submission."""
    limits_met: list[str] = []
    """The limits that ended the episode or the rollout (`deadline_seconds`)."""
    stop: StopReason | None = None
    """Why the loop of a model agent ended before the episode did."""
    malformed_calls: int = 0
    """Calls whose arguments were not a JSON object. They reached no tool and are not part of `calls`."""
    program: ProgramRecord | None = None
    """Set if the agent is a program."""
    error: RolloutError | None = None
    seconds: float
    """Duration in seconds, including the opening of the episode."""


class Trajectory(_Part):
    """The record of one rollout."""

    schema_version: Literal["ATIF-v1.8"] = "ATIF-v1.8"
    session_id: str
    """The id of the episode."""
    agent: AgentInfo
    steps: list[Step]
    final_metrics: FinalMetrics
    extra: RolloutRecord

    def to_json(self) -> str:
        """Returns the trajectory as one line of JSON without null members."""
        return self.model_dump_json(exclude_none=True)


_Number = TypeVar("_Number", int, float)


def _sum(values: Iterable[_Number | None]) -> _Number | None:
    """Returns the sum, or None if there are no values or one is None."""
    total: _Number | None = None
    for value in values:
        if value is None:
            return None
        total = value if total is None else total + value
    return total


def timestamp(seconds: float | None = None) -> str:
    """Returns a time in the format of ATIF.

    Args:
        seconds: seconds since the Unix epoch; the current time without it.
    """
    moment = datetime.now(UTC) if seconds is None else datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds")
