"""The events of an episode, as the journal stores them."""

import json
import time
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator
from pydantic_core import to_json

from codegym_mcp.episode_interface import CallResult, CallStatus
from codegym_mcp.episodes.episode_outcome import EpisodeState, Verdict
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.spec.environment import Task


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True)

    at: float = Field(default_factory=time.time)
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


class EndedEvent(_Event):
    """The episode ended."""

    kind: Literal["ended"] = "ended"
    state: EpisodeState
    reason: str = ""
    verdict: Verdict | None = None


Event = Annotated[
    OpenedEvent | CallEvent | SubmittedEvent | EndedEvent,
    Field(discriminator="kind"),
]
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def event_data(event: Event) -> bytes:
    """Returns an event as JSON, without its kind and its time, which the journal stores apart.

    Raises:
        ValueError: the event is not JSON data.
    """
    return to_json(event, exclude={"kind", "at"})


def read_event(kind: str, at: float, data: bytes | str) -> Event:
    """Returns the event that the journal stored.

    Raises:
        ValueError: the data are not those of such an event.
    """
    # pydantic's JSON parser refuses levels of nesting that its serializer accepts.
    content = json.loads(data)
    if not isinstance(content, dict):
        raise ValueError("the data of an event are an object")
    return _EVENT.validate_python({**content, "kind": kind, "at": at})
