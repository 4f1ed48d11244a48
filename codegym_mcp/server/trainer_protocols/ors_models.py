"""The messages of the Open Reward Standard, as openreward 0.1.167 defines them.

Source: `openreward/environments/types.py` and `openreward/environments/server.py`.
"""

from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from codegym_mcp.environment_definition.task_splits import SplitPurpose
from codegym_mcp.environment_definition.tools import Tool
from codegym_mcp.episode_protocol import MAX_KEY

SESSION_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
"""What the id of a session looks like."""


class _OrsModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class SessionRequest(_OrsModel):
    """The body of `POST /create_session`."""

    task_id: str | None = Field(default=None, pattern=SESSION_PATTERN)
    """The id of the session, if an earlier response was lost."""
    env: dict[str, str] = {}
    """Environment variables of a container, which there is none of here."""


class CreateRequest(_OrsModel):
    """The body of `POST /create`: which task the session plays."""

    env_name: str | None = None
    task_spec: dict[str, Any] | None = None
    split: str | None = None
    index: int | None = None
    toolset_name: str | None = None

    @model_validator(mode="after")
    def _names_one_task(self) -> Self:
        in_split = self.split is not None and self.index is not None
        if (self.task_spec is not None) == in_split or (self.split is None) != (self.index is None):
            raise ValueError("give either task_spec, or both split and index")
        return self


class SplitRequest(_OrsModel):
    """The body of `POST /tasks` and `POST /num_tasks`."""

    split: str


class TaskRequest(SplitRequest):
    """The body of `POST /task`."""

    index: int


class TaskRangeRequest(SplitRequest):
    """The body of `POST /task_range`; like a slice, it may lack an end or count from the back."""

    start: int | None = None
    stop: int | None = None


class CallRequest(_OrsModel):
    """The body of `POST /call`."""

    name: str
    input: dict[str, Any]
    task_id: str | None = Field(default=None, min_length=1, max_length=MAX_KEY)
    """The id of this call, if the stream of an earlier request for it was lost."""


class SplitInfo(_OrsModel):
    """A split, as `GET /splits` lists it."""

    name: str
    type: SplitPurpose


class TextBlock(_OrsModel):
    """A part of a prompt or of a result."""

    text: str
    detail: None = None
    type: Literal["text"] = "text"


class Message(_OrsModel):
    """A message of the conversation with which the agent begins."""

    role: Literal["user"] = "user"
    blocks: list[TextBlock]
    detail: None = None


class ToolSpec(_OrsModel):
    """A tool, as the agent sees it."""

    name: str
    description: str
    input_schema: dict[str, Any]


class ToolList(_OrsModel):
    """The response to `GET /tools` and `GET /task_tools`."""

    tools: list[ToolSpec]
    terminal_tool: None = None
    supports_score_group: bool = False
    message_block_types: list[str] = ["text"]

    @classmethod
    def of(cls, tools: list[Tool]) -> "ToolList":
        """Returns the list of these tools."""
        return cls(
            tools=[
                ToolSpec(name=tool.name, description=tool.description, input_schema=tool.input_schema)
                for tool in tools
            ]
        )


class ToolOutput(_OrsModel):
    """What a call has led to. The reward is for the trainer; the agent is shown the blocks."""

    blocks: list[TextBlock]
    metadata: dict[str, Any] | None = None
    reward: float | None = None
    """From 0 to 1 for the call that ended the episode; None for all others."""
    finished: bool = False


class CallSuccess(_OrsModel):
    """A call that was made."""

    ok: Literal[True] = True
    output: ToolOutput


class CallRefusalReason(StrEnum):
    """Why a call was not made."""

    NOT_FOUND = "not_found"
    INPUT_VALIDATION = "input_validation"
    EPISODE_FINISHED = "episode_finished"


class CallRefusal(_OrsModel):
    """A call that was not made."""

    ok: Literal[False] = False
    error: str
    reason: CallRefusalReason
