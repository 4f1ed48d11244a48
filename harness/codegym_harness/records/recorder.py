"""Records a rollout as the steps of a trajectory, while it is played."""

from collections.abc import Sequence
from typing import Any, Literal

from codegym_harness.records.trajectory import (
    Observation,
    ObservationResult,
    ResultExtra,
    Step,
    ToolCall,
    ToolCallExtra,
    timestamp,
)
from codegym_mcp.control_plane_messages import EventInfo


class TrajectoryRecorder:
    """The steps of one rollout.

    Attributes:
        steps: the steps so far; the first is the text of the task.
    """

    def __init__(self, task_text: str) -> None:
        self.steps = [Step(step_id=1, timestamp=timestamp(), source="user", message=task_text)]

    def add_system_prompt(self, text: str) -> None:
        """Inserts the system prompt before the task. Call it before any other step is added."""
        (task,) = self.steps
        self.steps = [
            Step(step_id=1, timestamp=timestamp(), source="system", message=text),
            task.model_copy(update={"step_id": 2}),
        ]

    def add_user_message(self, text: str) -> None:
        """Adds a message to the agent."""
        self._add(source="user", message=text)

    def begin_turn(self, **fields: Any) -> Step:
        """Adds a step of the agent, to which calls can be added.

        Args:
            fields: fields of the step: message, model_name, reasoning_content, metrics.
        """
        return self._add(source="agent", **{"message": "", **fields})

    @staticmethod
    def add_call(
        step: Step, name: str, arguments: dict[str, Any], *, id: str = "", extra: ToolCallExtra | None = None
    ) -> ToolCall:
        """Adds a call to a step of the agent.

        Args:
            id: identifies the call; generated if empty, and made unique within the step.
        """
        calls = step.tool_calls or []
        id = id or f"call_{step.step_id}"
        if any(call.tool_call_id == id for call in calls):
            id = f"{id}#{len(calls) + 1}"  # Some model servers give all calls the same id.
        call = ToolCall(tool_call_id=id, function_name=name, arguments=arguments, extra=extra)
        step.tool_calls = [*calls, call]
        return call

    @staticmethod
    def add_result(step: Step, call: ToolCall, text: str, extra: ResultExtra) -> None:
        """Adds the result of a call to its step."""
        result = ObservationResult(source_call_id=call.tool_call_id, content=text, extra=extra)
        before = step.observation.results if step.observation is not None else []
        step.observation = Observation(results=[*before, result])

    def replace_by_events(self, task_text: str, events: Sequence[EventInfo]) -> None:
        """Replaces all steps by the events that a server recorded.

        Args:
            task_text: the task as the agent received it.
        """
        first = self.steps[0].model_copy(update={"message": task_text})
        self.steps = [first, *(_event_step(number, event) for number, event in enumerate(events, start=2))]

    def _add(self, *, source: Literal["user", "agent"], **fields: Any) -> Step:
        step = Step(step_id=len(self.steps) + 1, timestamp=timestamp(), source=source, **fields)
        self.steps.append(step)
        return step


def _event_step(number: int, event: EventInfo) -> Step:
    result = event.result
    step = Step(step_id=number, timestamp=timestamp(event.at), source="agent", message="")
    call = TrajectoryRecorder.add_call(step, event.name, event.arguments)
    extra = ResultExtra(is_error=result.is_error, status=result.status, structured=result.structured)
    TrajectoryRecorder.add_result(step, call, result.text, extra)
    return step
