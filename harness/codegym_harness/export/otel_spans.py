"""An episode as OpenTelemetry spans, with the attributes of the semantic conventions for generative AI.

https://github.com/open-telemetry/semantic-conventions-genai, version 0.1.0. The span `invoke_agent` is the
episode; `chat` spans are the turns of a model, `execute_tool` spans the calls. Names that begin with
`codegym.` are of this project.
"""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any

from pydantic_core import to_json

from codegym_harness.export.conversion_counts import LossCounts
from codegym_harness.records.episode_result import EpisodeResult, calls_with_results
from codegym_harness.records.trajectory import ObservationResult, Step, ToolCall, Trajectory

AttributeValue = str | bool | int | float | list[str]

HISTORY = "inputs of chat spans that hold only the messages since the previous turn"
_STEP = (
    "step_id",
    "timestamp",
    "source",
    "model_name",
    "message",
    "reasoning_content",
    "tool_calls",
    "observation",
    "metrics",
)
_METRICS = ("prompt_tokens", "completion_tokens", "cached_tokens", "cost_usd", "extra")
_METRICS_EXTRA = ("seconds", "finish_reason", "reasoning_tokens")
_CALL_EXTRA = ("raw_arguments", "invalid")
_RESULT_EXTRA = ("seconds", "is_error", "status", "by")


@dataclass
class SpanEvent:
    """An event of a span. The time is in nanoseconds since the Unix epoch."""

    name: str
    at: int
    attributes: dict[str, AttributeValue]


@dataclass
class EpisodeSpan:
    """A span of an episode.

    Attributes:
        trace_id: 16 bytes, equal for the spans of an episode.
        span_id: 8 bytes.
        parent_id: the span that contains this one, or None for the episode.
        start, end: nanoseconds since the Unix epoch.
        client: whether the span is a request to another service.
        error: what went wrong, or the empty string.
    """

    name: str
    trace_id: bytes
    span_id: bytes
    parent_id: bytes | None
    start: int
    end: int
    attributes: dict[str, AttributeValue]
    client: bool = False
    error: str = ""
    events: list[SpanEvent] = field(default_factory=list)


def episode_spans(
    run: str, trajectory: Trajectory, result: EpisodeResult, counts: LossCounts
) -> list[EpisodeSpan]:
    """Returns the spans of an episode, the whole episode first. Equal episodes have equal ids.

    Args:
        run: identifies the run.
    """
    spans = _Spans(run, trajectory, result, counts)
    for step in trajectory.steps:
        counts.add_fields("steps", step, _STEP)
        if step.source == "agent":
            spans.add_turn(step)
        else:
            spans.pending.append(_message(step.source, step.message))
    return [spans.whole_episode(), *spans.inner]


class _Spans:
    """The spans of an episode in progress.

    Attributes:
        pending: messages to the agent that no turn has answered yet.
    """

    def __init__(self, run: str, trajectory: Trajectory, result: EpisodeResult, counts: LossCounts) -> None:
        self._trajectory = trajectory
        self._result = result
        self._counts = counts
        self._trace_id = blake2b(f"{run}\n{result.key}".encode(), digest_size=16).digest()
        self._root_id = self._span_id(0)
        self._start = self._end = _nanoseconds(trajectory.steps[0])
        self._inputs: list[dict[str, Any]] = []
        self._output: list[dict[str, Any]] = []
        self.inner: list[EpisodeSpan] = []
        self.pending: list[dict[str, Any]] = []

    def add_turn(self, step: Step) -> None:
        """Adds the spans of a turn and of its calls."""
        if not self._inputs:
            self._inputs = list(self.pending)
        at = _nanoseconds(step)
        output = _output(step)
        self._output = [output]
        if self._is_model_turn(step):
            self._add_chat(step, at, output)
            self.pending = []
        moment = at
        for call, result in calls_with_results(step):
            moment = self._add_call(call, result, moment)
            if result is not None:
                response = {"type": "tool_call_response", "id": call.tool_call_id, "response": result.content}
                self.pending.append({"role": "tool", "parts": [response]})

    def whole_episode(self) -> EpisodeSpan:
        """Returns the span of the episode."""
        record, agent, result = self._trajectory.extra, self._trajectory.agent, self._result
        first = {id(message) for message in self._inputs}
        unanswered = [each for each in self.pending if each["role"] != "tool" and id(each) not in first]
        known: dict[str, AttributeValue | None] = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": agent.name,
            "gen_ai.agent.version": agent.version,
            "gen_ai.provider.name": _provider(agent.model_name),
            "gen_ai.request.model": agent.model_name,
            "gen_ai.conversation.id": self._trajectory.session_id,
            "gen_ai.tool.definitions": _json(agent.tool_definitions) if agent.tool_definitions else None,
            "gen_ai.input.messages": _json(self._inputs or unanswered),
            "gen_ai.output.messages": _json(self._output),
            "gen_ai.usage.input_tokens": result.usage.prompt_tokens if result.usage is not None else None,
            "gen_ai.usage.output_tokens": result.usage.completion_tokens
            if result.usage is not None
            else None,
            "codegym.unanswered_messages": _json(unanswered) if unanswered and self._inputs else None,
            **{f"codegym.{name}": value for name, value in _outcome(result).items()},
            "codegym.record": _json(record.model_dump(mode="json", exclude_none=True)),
        }
        span = self._span(
            f"invoke_agent {agent.name}",
            self._start,
            max(self._end, self._start + round(record.seconds * 1e9)),
            known,
            parent=None,
        )
        if record.error is not None:
            span.error = f"{record.error.kind}: {record.error.message}"
            span.attributes["error.type"] = record.error.kind
        if result.reward is not None:
            score: dict[str, AttributeValue] = {
                "gen_ai.evaluation.name": "reward",
                "gen_ai.evaluation.score.value": result.reward,
                "gen_ai.evaluation.score.label": str(result.outcome),
            }
            span.events.append(SpanEvent("gen_ai.evaluation.result", span.end, score))
        return span

    def _is_model_turn(self, step: Step) -> bool:
        """Returns whether a turn is more than calls of an agent without a model, such as the oracle."""
        says = bool(step.message) or step.reasoning_content is not None or not step.tool_calls
        return says or step.model_name is not None or self._trajectory.agent.model_name is not None

    def _add_chat(self, step: Step, end: int, output: dict[str, Any]) -> None:
        model = step.model_name or self._trajectory.agent.model_name or self._trajectory.agent.name
        metrics = step.metrics
        seconds = None
        known: dict[str, AttributeValue | None] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": _provider(self._trajectory.agent.model_name),
            "gen_ai.request.model": self._trajectory.agent.model_name or model,
            "gen_ai.response.model": step.model_name,
            "gen_ai.conversation.id": self._trajectory.session_id,
            "gen_ai.input.messages": _json(self.pending),
            "gen_ai.output.messages": _json([output]),
        }
        if metrics is not None:
            self._counts.add_fields("steps.metrics", metrics, _METRICS)
            self._counts.add_fields("steps.metrics.extra", metrics.extra, _METRICS_EXTRA)
            seconds = metrics.extra.seconds
            reason = metrics.extra.finish_reason
            known |= {
                "gen_ai.usage.input_tokens": metrics.prompt_tokens,
                "gen_ai.usage.output_tokens": metrics.completion_tokens,
                "gen_ai.usage.cache_read.input_tokens": metrics.cached_tokens,
                "gen_ai.usage.reasoning.output_tokens": metrics.extra.reasoning_tokens,
                "gen_ai.response.finish_reasons": [reason] if reason is not None else None,
                "codegym.cost_usd": metrics.cost_usd,
            }
        if self.inner:
            self._counts.changed[HISTORY] += 1
        start = end - round((seconds or 0.0) * 1e9)
        self.inner.append(self._span(f"chat {model}", start, end, known, client=True))

    def _add_call(self, call: ToolCall, result: ObservationResult | None, start: int) -> int:
        extra = call.extra
        if extra is not None:
            self._counts.add_fields("steps.tool_calls.extra", extra, _CALL_EXTRA)
        raw = extra.raw_arguments if extra is not None else None
        known: dict[str, AttributeValue | None] = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": call.function_name,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": call.tool_call_id,
            "gen_ai.tool.call.arguments": raw if raw is not None else _json(call.arguments),
            "gen_ai.conversation.id": self._trajectory.session_id,
            "codegym.invalid": str(extra.invalid)
            if extra is not None and extra.invalid is not None
            else None,
        }
        end, error = start, ""
        if result is not None:
            self._counts.add_fields("steps.observation.results.extra", result.extra, _RESULT_EXTRA)
            end = start + round((result.extra.seconds or 0.0) * 1e9)
            status = result.extra.status
            known |= {
                "gen_ai.tool.call.result": result.content,
                "codegym.status": str(status) if status is not None else None,
                "codegym.answered_by": result.extra.by,
            }
            if result.extra.is_error:
                known["error.type"] = "tool_error"
                error = result.content
        span = self._span(f"execute_tool {call.function_name}", start, end, known)
        span.error = error
        self.inner.append(span)
        return end

    def _span(
        self,
        name: str,
        start: int,
        end: int,
        known: dict[str, AttributeValue | None],
        *,
        parent: bytes | None = b"",
        client: bool = False,
    ) -> EpisodeSpan:
        """Returns a span, by default within the episode's."""
        self._start, self._end = min(self._start, start), max(self._end, end)
        attributes = {key: value for key, value in known.items() if value is not None}
        span_id = self._root_id if parent is None else self._span_id(len(self.inner) + 1)
        parent_id = None if parent is None else self._root_id
        return EpisodeSpan(name, self._trace_id, span_id, parent_id, start, end, attributes, client=client)

    def _span_id(self, number: int) -> bytes:
        return blake2b(self._trace_id + number.to_bytes(8), digest_size=8).digest()


def _outcome(result: EpisodeResult) -> dict[str, AttributeValue | None]:
    return {
        "key": result.key,
        "environment": result.environment,
        "task": result.task,
        "epoch": result.epoch,
        "tags": list(result.tags),
        "difficulty": result.difficulty,
        "seed": result.seed,
        "outcome": str(result.outcome),
        "reward": result.reward,
        "calls": result.calls,
        "oracle_calls": result.oracle_calls,
    }


def _output(step: Step) -> dict[str, Any]:
    """Returns the message of a turn."""
    parts: list[dict[str, Any]] = []
    if step.reasoning_content is not None:
        parts.append({"type": "reasoning", "content": step.reasoning_content})
    if step.message:
        parts.append({"type": "text", "content": step.message})
    for call in step.tool_calls or []:
        named = {"id": call.tool_call_id, "name": call.function_name, "arguments": call.arguments}
        parts.append({"type": "tool_call", **named})
    metrics = step.metrics
    reason = metrics.extra.finish_reason if metrics is not None else None
    return {"role": "assistant", "parts": parts, "finish_reason": reason or "stop"}


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _provider(model: str | None) -> str | None:
    """Returns the provider of a model's name such as `openai:gpt-5`."""
    return model.partition(":")[0] if model is not None and ":" in model else None


def _nanoseconds(step: Step) -> int:
    return round(datetime.fromisoformat(step.timestamp).timestamp() * 1e9)


def _json(value: Any) -> str:
    return to_json(value).decode()
