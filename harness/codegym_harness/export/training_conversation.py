"""A trajectory as a conversation, which is what a chat model is trained on.

It contains only what can be written as a conversation: calls that were not executed, since their arguments
are not a JSON object or the episode had ended, are left out together with their results. Turns with calls of
unknown tools, or with arguments that do not fit, remain, so that a model learns to continue after the
refusal; they are marked as not to be trained on.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from codegym_harness.export.conversion_counts import LossCounts, UnfitError
from codegym_harness.export.evaluation_prompt import with_system_prompt
from codegym_harness.records.episode_result import (
    ToolSchemas,
    calls_with_results,
    is_invalid_call,
    tool_schemas,
)
from codegym_harness.records.trajectory import (
    InvalidCall,
    ObservationResult,
    Step,
    ToolCall,
    Trajectory,
)
from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.models.text_calls.call_parsing import text_before_calls
from codegym_mcp.models.text_calls.tool_formats import ToolFormat

_EPISODE = ("session_id", "extra", "final_metrics")
_STEP = ("step_id", "source", "message", "reasoning_content", "tool_calls", "observation")
_CALL = ("tool_call_id", "function_name", "arguments", "extra")
_CALL_EXTRA = ("raw_arguments",)
MALFORMED = "calls left out: malformed arguments"
AFTER_END = "calls left out: after the end of the episode"
EMPTY_TURNS = "turns left out: no call remains"
NOT_TRAINED = "turns with invalid calls, for context only"


@dataclass(slots=True)
class TrainingCall:
    """A tool call.

    Attributes:
        raw: the arguments as the model wrote them, if that differs from `arguments` as compact JSON.
        result: the text that the agent received; None if the rollout ended before.
    """

    id: str
    name: str
    arguments: dict[str, Any]
    raw: str | None = None
    result: str | None = None


@dataclass(slots=True)
class UserTurn:
    """A message to the agent."""

    text: str


@dataclass(slots=True)
class AgentTurn:
    """A turn of the agent: its text, its calls, and their results.

    Attributes:
        trained: whether a model should learn to write the turn. A turn with an invalid call is only context
            for the turns that follow.
    """

    text: str = ""
    reasoning: str | None = None
    calls: list[TrainingCall] = field(default_factory=list)
    trained: bool = True

    @property
    def results(self) -> list[str]:
        """The results that the agent received, in the order of its calls."""
        return [call.result for call in self.calls if call.result is not None]


Turn = UserTurn | AgentTurn


@dataclass(slots=True)
class TrainingConversation:
    """An episode from the agent's point of view.

    Attributes:
        system: the system prompt, or None.
        tools: the tools in the format of OpenAI's function calling.
        submitted: whether the episode ended with an answer.
    """

    system: str | None
    tools: list[dict[str, Any]]
    turns: list[Turn]
    submitted: bool

    @property
    def ends_with_the_agent(self) -> bool:
        """Whether the last message is the agent's, and not a message to it."""
        last = self.turns[-1]
        return isinstance(last, AgentTurn) and not last.results

    @property
    def closing_message(self) -> str:
        """A last message of the agent, for formats that require one."""
        return "My answer is submitted." if self.submitted else "I stop here."


def converse(trajectory: Trajectory, counts: LossCounts) -> TrainingConversation:
    """Returns the conversation of a trajectory, in which every call but those of the last turn has a result.

    Raises:
        UnfitError: no turn of the agent remains.
    """
    for name in _EPISODE:
        counts.lost[name] += 1
    trajectory = with_system_prompt(trajectory, counts)
    schemas = tool_schemas(trajectory)
    system: list[str] = []
    turns: list[Turn] = []
    without_calls = _message_reader(trajectory)
    for step in trajectory.steps:
        counts.add_fields("steps", step, _STEP)
        if step.source == "agent":
            message = without_calls(step)
            turn = _agent_turn(step, message, schemas, counts, last=step is trajectory.steps[-1])
            if turn is not None:
                turns.append(turn)
        elif step.source == "system" and not turns:
            system.append(step.message)
        else:
            if step.source == "system":
                counts.changed["system messages converted to user messages"] += 1
            turns.append(UserTurn(step.message))
    if not any(isinstance(turn, AgentTurn) for turn in turns):
        raise UnfitError("no turn of the agent remains")
    return TrainingConversation(
        system="\n\n".join(system) if system else None,
        tools=trajectory.agent.tool_definitions or [],
        turns=turns,
        submitted=trajectory.extra.verdict is not None,
    )


def _message_reader(trajectory: Trajectory) -> Callable[[Step], str]:
    """Returns a function that reads the message of a step without calls that the model wrote as text.

    The calls are in the record besides, and a trainer's chat template writes them.
    """
    options = (trajectory.agent.extra or {}).get("options") or {}
    if options.get("tool_format") not in set(ToolFormat):
        return lambda step: step.message
    form = ToolFormat(options["tool_format"])
    tools = [
        ToolView(name=each["function"]["name"], input_schema=each["function"].get("parameters") or {})
        for each in trajectory.agent.tool_definitions or []
    ]
    return lambda step: text_before_calls(step.message, form, tools) if step.tool_calls else step.message


def _agent_turn(
    step: Step, message: str, schemas: ToolSchemas, counts: LossCounts, *, last: bool
) -> AgentTurn | None:
    """Returns a turn of the agent, or None if it consists of calls of which none remains.

    Args:
        message: what the agent said, without its calls.
    """
    calls = []
    left_out = 0
    trained = True
    for call, result in calls_with_results(step):
        reason = _not_executed(call, result)
        if reason is not None:
            counts.changed[reason] += 1
            left_out += 1
            continue
        if result is not None and is_invalid_call(call, result, schemas):
            trained = False
        calls.append(_training_call(call, result, counts))
    if left_out and not calls:
        counts.changed[EMPTY_TURNS] += 1
        return None
    answered = [call for call in calls if call.result is not None]
    if len(answered) < len(calls) and (answered or not last):
        counts.lost["steps.tool_calls (without a result)"] += len(calls) - len(answered)
        calls = answered
    if not trained:
        counts.changed[NOT_TRAINED] += 1
    return AgentTurn(message, step.reasoning_content, calls, trained)


def _not_executed(call: ToolCall, result: ObservationResult | None) -> str | None:
    """Returns why a call was not executed, or None if it was."""
    invalid = call.extra.invalid if call.extra is not None else None
    if invalid is InvalidCall.MALFORMED_ARGUMENTS:
        return MALFORMED
    # The agent's loop answers a call itself if it does not send it: the episode was over.
    by_agent = result is not None and result.extra.by == "agent" and invalid is None
    return AFTER_END if invalid is InvalidCall.AFTER_END or by_agent else None


def _training_call(call: ToolCall, result: ObservationResult | None, counts: LossCounts) -> TrainingCall:
    counts.add_fields("steps.tool_calls", call, _CALL)
    raw = None
    if call.extra is not None:
        counts.add_fields("steps.tool_calls.extra", call.extra, _CALL_EXTRA)
        raw = call.extra.raw_arguments
    if result is not None:
        counts.add_fields("steps.observation.results.extra", result.extra, ())
    content = result.content if result is not None else None
    return TrainingCall(call.tool_call_id, call.function_name, call.arguments, raw, content)
