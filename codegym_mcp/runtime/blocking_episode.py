"""An episode of the Python API whose calls block."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from codegym_mcp.episode_protocol import CallResult
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.errors import ClosedError
from codegym_mcp.runtime.agent_episode import AgentEpisode
from codegym_mcp.runtime.episode_backend import EpisodeBackend
from codegym_mcp.runtime.episode_finalizer import abandon_when_collected
from codegym_mcp.runtime.episode_properties import EpisodeView, call_arguments
from codegym_mcp.runtime.loop_thread import LoopThread


class Episode(EpisodeView):
    """One attempt at a task, as its owner sees it. Use it with `with`, or call `close` at the end.

    Any thread may use it. Calls of one episode are carried out one after another, in their order of arrival;
    calls of different episodes do not wait for each other.

    Example:
        with codegym_mcp.open_episode("night_courier", difficulty=2, seed=7) as episode:
            signs = episode.call("look").value["signs"]
            episode.submit([signs[0]["street"]])
        print(episode.outcome, episode.reward)
    """

    def __init__(self, backend: EpisodeBackend, thread: LoopThread, *, owner: bool = True) -> None:
        """Makes a handle. The handle of its owner abandons the episode when it is collected."""
        self._backend = backend
        self._thread = thread
        self._closed = False
        self._finalizer = abandon_when_collected(self, backend, thread.notify) if owner else None

    def call(self, tool: str, arguments: Mapping[str, Any] | None = None, /, **named: Any) -> CallResult:
        """Calls a tool: `episode.call("drop", floor=7)`.

        Args:
            tool: the name of the tool.
            arguments: the arguments as one mapping, instead of by name.

        Returns:
            The result. A refused call is a result whose status is not `ok`, never an exception.

        Raises:
            TypeError: arguments were given both ways.
            ClosedError: the episode or its runtime is closed, or belongs to the process that was forked.
            BlockingCallError: the caller is on the runtime's own thread.
            JournalError: the call could not be recorded and was not made.
        """
        chosen = call_arguments(arguments, named)
        self._check_open()
        return self._thread.run(lambda: self._backend.call(tool, chosen))

    def submit(self, answer: Any = None, /) -> CallResult:
        """Submits an answer. It ends the episode unless the answer does not have the declared type.

        The answer is ignored if the environment takes none and scores the final state alone.

        Raises:
            ClosedError, BlockingCallError, JournalError: see `call`.
        """
        self._check_open()
        return self._thread.run(lambda: self._backend.submit(answer))

    def events(self) -> list[Any]:
        """Returns what was done in the episode: its typed events, in their order.

        Raises:
            ClosedError, BlockingCallError: see `call`.
        """
        self._check_open()
        return self._thread.run(self._backend.events)

    def as_agent(self) -> AgentEpisode:
        """Returns the agent's side of the episode: task, tools, `call` and `submit`, without the verdict."""
        return AgentEpisode(self.task, self.tools, self.submission, self.call, self.submit)

    def close(self) -> None:
        """Closes the episode. If it is open, its agent gave up: outcome `no_submission`, reward 0.0."""
        self._close(EpisodeState.CLOSED, "The owner closed the episode.")

    def abandon(self, reason: str = "The owner abandoned the episode.") -> None:
        """Closes the episode without a score. If it is open: outcome `abandoned`, reward None."""
        self._close(EpisodeState.ABANDONED, reason)

    def _close(self, state: EpisodeState, reason: str) -> None:
        if self._closed or self._thread.forked:
            return
        self._closed = True
        if self._finalizer is not None:
            self._finalizer.detach()
        try:
            self._thread.run(lambda: self._backend.close(state, reason))
        except ClosedError:
            return  # The runtime was closed first and has ended the episode.

    def _check_open(self) -> None:
        if self._closed and not self._thread.forked:
            raise ClosedError(f"The episode {self.id} is closed.", hint="Open a new one.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abandon(f"Its block raised {type(error).__name__}.")
