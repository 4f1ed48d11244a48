"""A trajectory as a conversation, which is what a chat model is trained on."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from codegym_harness.export.loss_counts import LossCounts
from codegym_harness.records.episode_result import calls_with_results
from codegym_harness.records.trajectory import Step, Trajectory

_EPISODE = ("session_id", "extra", "final_metrics")
_STEP = ("step_id", "source", "message", "reasoning_content", "tool_calls", "observation")
_CALL = ("tool_call_id", "function_name", "arguments", "extra")
_CALL_EXTRA = ("raw_arguments",)


@dataclass(slots=True)
class TrainingCall:
    """A tool call.

    Attributes:
        raw: the arguments as the model wrote them, where that differs from `arguments` as compact JSON.
        result: what the agent read; None where the rollout ended before it came.
    """

    id: str
    name: str
    arguments: dict[str, Any]
    raw: str | None = None
    result: str | None = None


@dataclass(slots=True)
class UserTurn:
    """Something said to the agent."""

    text: str


@dataclass(slots=True)
class AgentTurn:
    """What the agent said and did, and what came of it."""

    text: str = ""
    reasoning: str | None = None
    calls: list[TrainingCall] = field(default_factory=list)

    @property
    def results(self) -> list[str]:
        """What the agent read, in the order of its calls."""
        return [call.result for call in self.calls if call.result is not None]


Turn = UserTurn | AgentTurn


@dataclass(slots=True)
class TrainingConversation:
    """An episode as its agent saw it.

    Attributes:
        system: the system prompt, or None.
        tools: in the shape of OpenAI's function calling.
        submitted: whether it ended with an answer.
    """

    system: str | None
    tools: list[dict[str, Any]]
    turns: list[Turn]
    submitted: bool

    @property
    def ends_with_the_agent(self) -> bool:
        """Whether the last word is the agent's, and not something that it was told."""
        last = self.turns[-1]
        return isinstance(last, AgentTurn) and not last.results

    @property
    def closing_words(self) -> str:
        """What the agent may say last, where a format has it say something."""
        return "My answer is submitted." if self.submitted else "I stop here."


def converse(trajectory: Trajectory, tally: LossCounts) -> TrainingConversation:
    """The conversation of a trajectory, in which every part but the last has been answered.

    Calls without a result are left out. Only where the last turn has nothing else do they stay, as its end.
    """
    for name in _EPISODE:
        tally.lost[name] += 1
    system: list[str] = []
    turns: list[Turn] = []
    for step in trajectory.steps:
        _count(tally, "steps", step, _STEP)
        if step.source == "agent":
            turns.append(_agent_turn(step, tally, last=step is trajectory.steps[-1]))
        elif step.source == "system" and not turns:
            system.append(step.message)
        else:
            if step.source == "system":
                tally.changed["said by the system, told as by the user"] += 1
            turns.append(UserTurn(step.message))
    return TrainingConversation(
        system="\n\n".join(system) if system else None,
        tools=trajectory.agent.tool_definitions or [],
        turns=turns,
        submitted=trajectory.extra.verdict is not None,
    )


def _agent_turn(step: Step, tally: LossCounts, *, last: bool) -> AgentTurn:
    calls = []
    for call, result in calls_with_results(step):
        _count(tally, "steps.tool_calls", call, _CALL)
        raw = None
        if call.extra is not None:
            _count(tally, "steps.tool_calls.extra", call.extra, _CALL_EXTRA)
            raw = call.extra.raw_arguments
        if result is not None:
            _count(tally, "steps.observation.results.extra", result.extra, ())
        content = result.content if result is not None else None
        calls.append(TrainingCall(call.tool_call_id, call.function_name, call.arguments, raw, content))
    answered = [call for call in calls if call.result is not None]
    if len(answered) < len(calls) and (answered or not last):
        tally.lost["steps.tool_calls (without a result)"] += len(calls) - len(answered)
        calls = answered
    return AgentTurn(step.message, step.reasoning_content, calls)


def _count(tally: LossCounts, place: str, part: BaseModel, carried: Collection[str]) -> None:
    """Counts the fields of a part that say something and are not carried."""
    for name in part.model_fields_set.difference(carried):
        value = getattr(part, name)
        if value is not None and value is not False:
            tally.lost[f"{place}.{name}"] += 1
