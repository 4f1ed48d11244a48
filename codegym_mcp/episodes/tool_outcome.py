"""The outcome of a tool call inside the environment's process, before it becomes a result for the agent."""

from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple

from pydantic_core import to_json


class OutcomeStatus(StrEnum):
    """What the environment's process did with a call."""

    OK = "ok"
    REFUSED = "refused"
    """The tool refused, with a text for the agent."""
    FAULT = "fault"
    """The tool raised an exception that is not a refusal."""
    BROKEN = "broken"
    """The result is not JSON data, or not of the declared type."""
    LIMIT = "limit"
    """A limit was exceeded."""
    LOST = "lost"
    """The process ended."""


class ToolOutcome(NamedTuple):
    """The outcome of a tool call inside the environment's process."""

    status: OutcomeStatus
    value: Any
    """The result as plain data if the status is `ok`, else a text that says what happened."""

    @property
    def digest(self) -> str:
        """The digest of an outcome that is part of the environment's state, else the empty string."""
        lasting = self.status in (OutcomeStatus.OK, OutcomeStatus.REFUSED, OutcomeStatus.FAULT)
        return digest((self.status.value, self.value)) if lasting else ""


def digest(outcome: Any) -> str:
    """Returns the digest by which a replayed call is compared with the original."""
    return sha256(to_json(outcome)).hexdigest()[:32]
