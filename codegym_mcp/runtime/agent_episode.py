"""An episode as an agent sees it: task, tools, `call` and `submit`, and no way to the verdict."""

from collections.abc import Callable, Mapping
from typing import Any

from codegym_mcp.episode_protocol import CallResult, TaskView, ToolView

_Call = Callable[..., CallResult]


class AgentEpisode:
    """The agent's side of a blocking episode.

    It offers what an agent may use and has no attribute that leads to the verdict, to hidden configuration or
    to events. This prevents accidents; code in one's own process cannot be contained.
    """

    __slots__ = ("call", "submission", "submit", "task", "tools")

    call: _Call
    """Calls a tool: `call("drop", floor=7)` or `call("drop", {"floor": 7})`."""
    submit: _Call
    """Submits the answer, which ends the episode if the answer has the declared type."""
    task: TaskView
    """The task, as the agent sees it."""
    tools: tuple[ToolView, ...]
    """The tools that can be called, without the submission."""
    submission: ToolView
    """The tool that submits the answer."""

    def __init__(
        self,
        task: TaskView,
        tools: tuple[ToolView, ...],
        submission: ToolView,
        call: Callable[[str, Mapping[str, Any]], CallResult],
        submit: Callable[[Any], CallResult],
    ) -> None:
        self.task = task
        self.tools = tools
        self.submission = submission
        self.call = _guard(call)
        self.submit = submit


def _guard(call: Callable[[str, Mapping[str, Any]], CallResult]) -> _Call:
    def call_tool(tool: str, arguments: Mapping[str, Any] | None = None, /, **named: Any) -> CallResult:
        if arguments is not None and named:
            raise TypeError("Give the arguments of a call as one mapping or by name, not both.")
        return call(tool, arguments if arguments is not None else named)

    return call_tool
