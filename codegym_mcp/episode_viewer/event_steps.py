"""Turns the events of an episode, as a journal holds them, into the steps that the viewer shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic_core import to_json

from codegym_mcp.episode_protocol import CallResult
from codegym_mcp.episode_viewer.episode_views import (
    CallView,
    Excerpt,
    StepView,
    TextPart,
    TextQuery,
    arguments_text,
)
from codegym_mcp.episodes.events import CallEvent, EndedEvent, Event, OpenedEvent, StateEvent, SubmittedEvent


@dataclass(frozen=True)
class _EventStep:
    """A step that consists of one call, or of the text of the task."""

    at: float | None
    message: str = ""
    name: str = ""
    arguments: str = ""
    result: CallResult | None = None
    reason: str = ""
    answer_correct: bool | None = None


class EventSteps:
    """The steps of an episode: the task, then one step for each call, the submission as the last.

    Args:
        task_text: the task as the agent received it.
        events: the events in their order.
        submission: the name of the tool that submits the answer.
        acknowledgement: the result of the submission as the agent received it; None while it is judged.
        answer_correct: whether the submitted answer is right; None if it was not judged.
    """

    def __init__(
        self,
        task_text: str,
        events: Sequence[Event],
        *,
        submission: str,
        acknowledgement: CallResult | None,
        answer_correct: bool | None = None,
    ) -> None:
        opened = next((event.at for event in events if isinstance(event, OpenedEvent)), None)
        self._steps = [_EventStep(opened, message=task_text)]
        self._submitted: str | None = None
        self._final_state: str | None = None
        for event in events:
            match event:
                case CallEvent():
                    self._steps.append(
                        _EventStep(
                            event.at,
                            name=event.name or "(a request that is too large to be stored)",
                            arguments=arguments_text(event.arguments),
                            result=event.result,
                            reason=event.reason,
                        )
                    )
                case SubmittedEvent():
                    self._submitted = arguments_text(event.arguments)
                    self._steps.append(
                        _EventStep(
                            event.at,
                            name=submission,
                            arguments=arguments_text(event.arguments),
                            result=acknowledgement,
                            answer_correct=answer_correct,
                        )
                    )
                case StateEvent(state=state):
                    self._final_state = to_json(state, inf_nan_mode="constants").decode()
                case OpenedEvent() | EndedEvent():
                    pass

    def __len__(self) -> int:
        return len(self._steps)

    def views(self, first: int, count: int) -> list[StepView]:
        """Returns a part of the steps."""
        part = self._steps[first : first + count]
        return [_view(number, step) for number, step in enumerate(part, first + 1)]

    @property
    def submitted(self) -> Excerpt | None:
        """The arguments of the submission, or None if nothing was submitted."""
        return Excerpt.optional(self._submitted)

    @property
    def final_state(self) -> Excerpt | None:
        """The final state of the environment, or None if it was not obtained."""
        return Excerpt.optional(self._final_state)

    @property
    def failures(self) -> list[int]:
        """The numbers of the steps whose call was refused or failed."""
        return [
            number
            for number, step in enumerate(self._steps, 1)
            if step.result is not None and step.result.is_error
        ]

    def matches(self, search: str) -> list[int]:
        """Returns the numbers of the steps that contain a text."""
        wanted = search.casefold()
        if not wanted:
            return []
        return [
            number
            for number, step in enumerate(self._steps, 1)
            if any(
                wanted in text.casefold()
                for text in (step.message, step.name, step.arguments, step.result.text if step.result else "")
            )
        ]

    def text(self, query: TextQuery) -> str | None:
        """Returns a text in full, or None if there is no such text."""
        if query.part is TextPart.SUBMITTED:
            return self._submitted
        if query.part is TextPart.FINAL_STATE:
            return self._final_state
        if not 1 <= query.step <= len(self._steps):
            return None
        step = self._steps[query.step - 1]
        match query.part:
            case TextPart.MESSAGE:
                return step.message
            case TextPart.ARGUMENTS:
                return step.arguments
            case TextPart.RESULT if step.result is not None:
                return step.result.text
        return None


def _view(number: int, step: _EventStep) -> StepView:
    at = datetime.fromtimestamp(step.at, UTC).isoformat(timespec="milliseconds") if step.at else ""
    if not step.name:
        return StepView(number=number, source="user", at=at, message=Excerpt.optional(step.message))
    result = step.result
    call = CallView(
        name=step.name,
        arguments=Excerpt.of(step.arguments),
        result=Excerpt.of(result.text) if result is not None else None,
        status=result.status if result is not None else "",
        is_error=result is not None and result.is_error,
        reason=step.reason,
        answer_correct=step.answer_correct,
    )
    return StepView(number=number, source="agent", at=at, calls=[call])
