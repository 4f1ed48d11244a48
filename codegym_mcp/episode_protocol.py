"""The interface between an episode and the policy that plays it.

An episode offers its task, its tools, `call` and `submit`. A local episode implements this interface, and so
does a connection over MCP, so that one policy serves for verification in this process and as an agent over
the network.
"""

from collections.abc import Awaitable, Sequence
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from codegym_mcp.errors import ToolError

OVER_META = "codegym-mcp/over"
"""The key under `_meta` of an MCP tool result that carries `CallResult.over`."""
STATUS_META = "codegym-mcp/status"
"""The key under `_meta` of an MCP tool result that carries `CallResult.status`."""
REQUEST_KEY_META = "codegym-mcp/request-key"
"""The key under `_meta` of an MCP tool call that carries its idempotency key."""
TASK_TOOL_META = "codegym-mcp/task-tool"
"""The key under `_meta` of an MCP tool that returns the task and does not belong to the environment."""
MAX_KEY = 128
"""Maximum length of an idempotency key in characters."""


class TaskView(BaseModel):
    """The part of a task that the agent may see."""

    model_config = ConfigDict(frozen=True)

    environment: str
    id: str
    text: str
    public: dict[str, Any] = {}


class ToolView(BaseModel):
    """The part of a tool that the agent may see."""

    model_config = ConfigDict(frozen=True)

    name: str
    description: str = ""
    input_schema: dict[str, Any]
    output_schema: dict[str, Any] | None = None


class CallStatus(StrEnum):
    """The status of a tool call. Every status except `OK` is an error for the agent."""

    OK = "ok"
    REFUSED = "refused"
    """The tool refused the call; the text is the tool's own."""
    INVALID = "invalid"
    """The tool does not exist, the arguments do not fit its schema, or the request is too large."""
    FAULT = "fault"
    """The tool raised an exception that is not a refusal. The episode continues."""
    LIMIT = "limit"
    """The call exceeded a limit and had no effect."""
    FAILED = "failed"
    """The environment failed. The episode has ended and is not scored."""
    OVER = "over"
    """The episode had ended before the call, or ended because no calls were left."""


class CallResult(BaseModel):
    """The result of a tool call or a submission, as the agent receives it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    """The text that the agent reads."""
    status: CallStatus = CallStatus.OK
    structured: dict[str, Any] | None = None
    """The result as data, always an object; None if the call failed or the server sends only text."""
    over: bool = False
    """Whether the episode has ended. An episode that has ended accepts no further calls."""

    @property
    def is_error(self) -> bool:
        """Whether the call was not carried out as requested; `text` gives the reason."""
        return self.status is not CallStatus.OK

    @property
    def value(self) -> Any:
        """The result itself: `{"result": …}` unwrapped, an object as it is, else the text.

        Raises:
            ToolError: the status is not `ok`; the message is the text that the agent reads.
        """
        if self.is_error:
            raise ToolError(self.text)
        if self.structured is None:
            return self.text
        return self.structured["result"] if self.structured.keys() == {"result"} else self.structured


class EpisodeProtocol(Protocol):
    """An episode: one attempt at one task."""

    @property
    def task(self) -> TaskView:
        """The task."""

    @property
    def tools(self) -> Sequence[ToolView]:
        """The tools that can be called, without the submission."""

    @property
    def submission(self) -> ToolView:
        """The tool that submits the answer."""

    def call(self, name: str, arguments: dict[str, Any], /) -> Awaitable[CallResult]:
        """Calls a tool. A refusal is a result whose status is not `ok`, never an exception."""

    def submit(self, answer: Any = None, /) -> Awaitable[CallResult]:
        """Submits the answer, which ends the episode unless the answer is not of the declared type.

        The answer is ignored if the submission takes none.
        """
