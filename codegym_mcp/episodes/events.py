"""The events of an episode, as the journal stores them."""

import json
import time
from collections.abc import Iterable
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import to_json

from codegym_mcp.environment_definition.environment import Task
from codegym_mcp.episode_protocol import CallResult, CallStatus
from codegym_mcp.episodes.episode_outcome import EpisodeState, Verdict
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.validation_messages import first_fault


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    at: float = Field(default_factory=time.time, allow_inf_nan=False)
    """When the event happened, in seconds since the epoch."""


class OpenedEvent(_Event):
    """The episode was opened. The event holds all that is needed to open the episode again."""

    kind: Literal["opened"] = "opened"
    token: str
    environment: str
    program: str
    """SHA-256 of the environment's source."""
    task: Task
    settings: EpisodeSettings


class CallEvent(_Event):
    """A tool was called. The submission is a call only if its arguments are invalid."""

    kind: Literal["call"] = "call"
    name: str
    """The name of the tool; empty, like the arguments, if the request was too large to be stored."""
    arguments: dict[str, Any]
    result: CallResult
    """The result that the agent received."""
    key: str | None = None
    """The idempotency key of the request, or None if the client sent none."""
    digest: str = ""
    """Digest of the environment's outcome; empty if the call had no effect on the environment."""
    reason: str = ""
    """What went wrong, for people; the agent does not see it."""

    @property
    def status(self) -> CallStatus:
        """The status of the result."""
        return self.result.status

    @model_validator(mode="before")
    @classmethod
    def _read_earlier_version(cls, data: Any) -> Any:
        """Reads a row whose status is beside the result instead of in it."""
        if isinstance(data, dict) and "status" in data and isinstance(data.get("result"), dict):
            data = dict(data)
            result = {name: value for name, value in data["result"].items() if name != "is_error"}
            data["result"] = {"status": data.pop("status"), **result}
        return data


class SubmittedEvent(_Event):
    """An answer of the declared type was submitted."""

    kind: Literal["submitted"] = "submitted"
    arguments: dict[str, Any]
    key: str | None = None
    """The idempotency key of the request, or None if the client sent none."""


class StateEvent(_Event):
    """The final state of the environment was obtained, after the submission. An agent never sees it."""

    kind: Literal["state"] = "state"
    state: Any
    """Plain data of the type that `final_state` declares."""


class EndedEvent(_Event):
    """The episode ended."""

    kind: Literal["ended"] = "ended"
    state: EpisodeState
    reason: str = ""
    verdict: Verdict | None = None

    @model_validator(mode="after")
    def _check_state(self) -> Self:
        if self.state is EpisodeState.OPEN:
            raise ValueError("an episode that ended is not open")
        if (self.verdict is not None) != (self.state is EpisodeState.SUBMITTED):
            raise ValueError("an episode has a verdict if and only if an answer was submitted and judged")
        return self


Event = Annotated[
    OpenedEvent | CallEvent | SubmittedEvent | StateEvent | EndedEvent,
    Field(discriminator="kind"),
]
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)
_FOLLOWERS = {
    "opened": frozenset({"call", "submitted", "ended"}),
    "call": frozenset({"call", "submitted", "ended"}),
    "submitted": frozenset({"state", "ended"}),
    "state": frozenset({"ended"}),
    "ended": frozenset[str](),
}
"""The kinds of event that can follow an event of each kind."""


def event_data(event: Event) -> bytes:
    """Returns an event as JSON, without its kind and its time, which the journal stores apart.

    Raises:
        ValueError: the event is not JSON data.
    """
    return to_json(event, exclude={"kind", "at"})


class EventRow(NamedTuple):
    """An event as the journal stores it. The types are those of an undamaged row."""

    number: int
    kind: str
    at: float
    data: str | bytes


class EpisodeRecord(NamedTuple):
    """What the journal holds of an episode."""

    events: list[Event]
    """The events in their order, up to the first damaged row."""
    damage: str = ""
    """What is wrong with the first damaged row, or the empty string."""


def read_record(rows: Iterable[EventRow]) -> EpisodeRecord:
    """Reads the rows of one episode, in the order of their numbers."""
    events: list[Event] = []
    for position, row in enumerate(rows):
        try:
            event = read_event(row)
        except ValueError as error:
            return EpisodeRecord(events, f"event {row.number!r} is damaged: {error}")
        problem = _order_problem(events, event)
        if row.number != position:
            problem = f"event {position} is missing"
        if problem:
            return EpisodeRecord(events, problem)
        events.append(event)
    return EpisodeRecord(events)


def _order_problem(before: list[Event], event: Event) -> str:
    """Returns why an event cannot follow the events before it, or the empty string."""
    if not before:
        return "" if event.kind == "opened" else "the first event is not the opening"
    last = before[-1].kind
    if event.kind not in _FOLLOWERS[last]:
        return f"event {len(before)} ({event.kind}) cannot follow the event before it ({last})"
    return ""


def read_event(row: EventRow) -> Event:
    """Returns the event of a row.

    Raises:
        ValueError: the row is damaged.
    """
    if row.kind not in _FOLLOWERS:
        raise ValueError(f"its kind {row.kind!r} is unknown")
    if not isinstance(row.data, str | bytes):
        raise ValueError("the data are not a text")
    try:
        # pydantic's JSON parser refuses levels of nesting that its serializer accepts.
        content = json.loads(row.data)
    except RecursionError:
        raise ValueError("the data are nested too deeply") from None
    if not isinstance(content, dict):
        raise ValueError("the data are not an object")
    try:
        event = _EVENT.validate_python({**content, "kind": row.kind, "at": row.at})
    except ValidationError as error:
        raise ValueError(str(first_fault(error))) from None
    missing = type(event).model_fields.keys() - content.keys() - {"kind", "at"}
    if missing:
        # A default would stand for a value that was lost.
        raise ValueError(f"the data lack {', '.join(sorted(missing))}")
    return event
