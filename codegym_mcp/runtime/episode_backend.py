"""What the Python API needs of an episode, in this process or on a server."""

from collections.abc import Awaitable, Sequence
from typing import Any, Protocol

from codegym_mcp.episode_limits import Limits
from codegym_mcp.episode_protocol import CallResult, TaskView, ToolView
from codegym_mcp.episodes.episode_outcome import EpisodeState, Verdict


class EpisodeBackend(Protocol):
    """An episode as its owner sees it. Its coroutines run on the event loop that opened it."""

    id: str
    task: TaskView
    tools: Sequence[ToolView]
    submission: ToolView
    limits: Limits
    mcp_url: str | None
    """The address at which an MCP client plays the episode, or None for an episode of this process."""

    @property
    def state(self) -> EpisodeState:
        """The state of the episode, as far as it is known."""

    @property
    def calls(self) -> int:
        """Number of tool calls made, refused ones included."""

    @property
    def verdict(self) -> Verdict | None:
        """The verdict, or None if there is none."""

    @property
    def reason(self) -> str:
        """Why the episode ended, if its state does not say so."""

    def call(self, name: str, arguments: dict[str, Any]) -> Awaitable[CallResult]:
        """Calls a tool."""

    def submit(self, answer: Any = None) -> Awaitable[CallResult]:
        """Submits an answer."""

    def events(self) -> Awaitable[list[Any]]:
        """Reads what was done in the episode."""

    def close(self, state: EpisodeState, reason: str) -> Awaitable[None]:
        """Ends the episode in the state `closed` or `abandoned` if it is open, and releases what it holds."""
