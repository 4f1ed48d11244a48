"""The port between environments and whatever plays them.

What is played offers its task, its tools, `call` and `submit`. A local episode offers it, and so does a
connection over MCP, so that one player serves for verification in-process and as an agent over the network.
"""

from collections.abc import Awaitable, Sequence
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

OVER_META = "codegym-mcp/over"
"""The key under `_meta` of an MCP tool result that carries `CallResult.over`."""

REQUEST_KEY_META = "codegym-mcp/request-key"
"""The key under `_meta` of an MCP tool call by which the client names it, so that it can send it again."""
MAX_KEY = 128
"""The characters that such a name may have."""


class TaskView(BaseModel):
    """What whoever plays may know of a task."""

    model_config = ConfigDict(frozen=True)

    environment: str
    id: str
    text: str
    public: dict[str, Any] = {}


class ToolView(BaseModel):
    """A tool as whoever plays sees it."""

    model_config = ConfigDict(frozen=True)

    name: str
    description: str = ""
    input_schema: dict[str, Any]
    output_schema: dict[str, Any] | None = None


class CallResult(BaseModel):
    """What a tool call came to."""

    model_config = ConfigDict(frozen=True)

    text: str
    """What the agent reads."""
    structured: dict[str, Any] | None = None
    """The same as data, always an object; None where the call failed or the server gives none."""
    is_error: bool = False
    """The call was refused, or failed; `text` says why."""
    over: bool = False
    """The episode has ended; nothing more will be accepted."""

    @property
    def value(self) -> Any:
        """The result itself: `{"result": …}` unwrapped, an object as it is, else the text."""
        if self.structured is None:
            return self.text
        return self.structured["result"] if self.structured.keys() == {"result"} else self.structured


class EpisodeProtocol(Protocol):
    """Something to play: one attempt at one task."""

    @property
    def task(self) -> TaskView:
        """What is to be done."""

    @property
    def tools(self) -> Sequence[ToolView]:
        """What can be called, the submission apart."""

    @property
    def submission(self) -> ToolView:
        """The tool that submits the answer."""

    def call(self, name: str, arguments: dict[str, Any]) -> Awaitable[CallResult]:
        """Calls a tool. A refusal is a result with `is_error`, never an exception."""

    def submit(self, answer: Any) -> Awaitable[CallResult]:
        """Submits the answer, which ends the episode unless the answer is not of the declared type."""
