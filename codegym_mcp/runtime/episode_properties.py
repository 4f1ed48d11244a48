"""The data of an episode that its owner reads. They stay readable after the episode was closed."""

import html
from collections.abc import Mapping
from typing import Any, NoReturn

from codegym_mcp.episode_limits import Limits
from codegym_mcp.episode_protocol import TaskView, ToolView
from codegym_mcp.episodes.episode_outcome import EpisodeOutcome, EpisodeState, Verdict
from codegym_mcp.runtime.episode_backend import EpisodeBackend


class EpisodeView:
    """The data of an episode, without the means to act in it."""

    _backend: EpisodeBackend

    @property
    def id(self) -> str:
        """Names the episode in records. `Runtime.episode` finds it by this id."""
        return self._backend.id

    @property
    def task(self) -> TaskView:
        """The task, as the agent sees it: environment, id, text and public values."""
        return self._backend.task

    @property
    def tools(self) -> tuple[ToolView, ...]:
        """The tools that can be called, without the submission."""
        return tuple(self._backend.tools)

    @property
    def submission(self) -> ToolView:
        """The tool that submits the answer; its only parameter is the answer."""
        return self._backend.submission

    @property
    def limits(self) -> Limits:
        """The limits of the episode."""
        return self._backend.limits

    @property
    def state(self) -> EpisodeState:
        """The state of the episode."""
        return self._backend.state

    @property
    def calls(self) -> int:
        """Number of tool calls made, refused ones included, the submission not."""
        return self._backend.calls

    @property
    def verdict(self) -> Verdict | None:
        """The verdict on the submitted answer, or None if no answer was judged."""
        return self._backend.verdict

    @property
    def reason(self) -> str:
        """Why the episode ended, if its state does not say so; else empty."""
        return self._backend.reason

    @property
    def mcp_url(self) -> str | None:
        """The address at which an MCP client plays the episode; None for an episode of this process."""
        return self._backend.mcp_url

    @property
    def outcome(self) -> EpisodeOutcome:
        """The outcome: open, correct, incorrect, no_submission, failed or abandoned."""
        return EpisodeOutcome.of(self.state, self.verdict)

    @property
    def reward(self) -> float | None:
        """The reward, 1.0 or 0.0; None if the episode is open, failed or abandoned, and so not scored."""
        return self.outcome.reward(self.verdict)

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} {self.task.environment}/{self.task.id}: "
            f"{self.outcome.value}, {self.calls} calls>"
        )

    def _repr_html_(self) -> str:
        """The episode as a notebook shows it: the task, the tools and their parameters, the outcome."""
        tools = "".join(
            f"<li><code>{html.escape(_signature(tool))}</code> {html.escape(tool.description)}</li>"
            for tool in self.tools
        )
        head = f"{self.task.environment}/{self.task.id}"
        return (
            f"<h4>{html.escape(head)}</h4><p style='white-space: pre-wrap'>{html.escape(self.task.text)}</p>"
            f"<ul>{tools}</ul><p>{self.calls} calls, {html.escape(self.outcome.value)}</p>"
        )

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"An open episode cannot be pickled. Send its id and find it with Runtime.episode: {self.id!r}."
        )


def call_arguments(arguments: Mapping[str, Any] | None, named: dict[str, Any]) -> dict[str, Any]:
    """Returns the arguments of a call that were given as a mapping or by name.

    Raises:
        TypeError: both were given.
    """
    if arguments is not None and named:
        raise TypeError("Give the arguments of a call as one mapping or by name, not both.")
    return dict(arguments) if arguments is not None else named


def _signature(tool: ToolView) -> str:
    properties: dict[str, Any] = tool.input_schema.get("properties", {})
    return f"{tool.name}({', '.join(properties)})"
