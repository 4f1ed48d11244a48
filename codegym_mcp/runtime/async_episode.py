"""An episode of the Python API, to be awaited."""

from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from codegym_mcp.episode_protocol import CallResult
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.errors import ClosedError
from codegym_mcp.runtime.episode_backend import EpisodeBackend
from codegym_mcp.runtime.episode_finalizer import Notify, abandon_when_collected
from codegym_mcp.runtime.episode_properties import EpisodeView, call_arguments

T = TypeVar("T")


class LoopCaller(Protocol):
    """Runs coroutines on the event loop of a runtime."""

    def __call__(self, action: Callable[[], Awaitable[T]], /) -> Awaitable[T]: ...


class AsyncEpisode(EpisodeView):
    """One attempt at a task, as its owner sees it. Use it with `async with`, or call `close` at the end.

    Calls of one episode are carried out one after another, in their order of arrival.
    """

    def __init__(
        self,
        backend: EpisodeBackend,
        run: LoopCaller,
        notify: Notify,
        *,
        owner: bool = True,
    ) -> None:
        """Makes a handle. The handle of its owner abandons the episode when it is collected."""
        self._backend = backend
        self._run = run
        self._closed = False
        self._finalizer = abandon_when_collected(self, backend, notify) if owner else None

    async def call(
        self, tool: str, arguments: Mapping[str, Any] | None = None, /, **named: Any
    ) -> CallResult:
        """Calls a tool: `await episode.call("drop", floor=7)`.

        Args:
            tool: the name of the tool.
            arguments: the arguments as one mapping, instead of by name.

        Returns:
            The result. A refused call is a result whose status is not `ok`, never an exception.

        Raises:
            TypeError: arguments were given both ways.
            ClosedError: the episode or its runtime is closed.
            JournalError: the call could not be recorded and was not made.
        """
        chosen = call_arguments(arguments, named)
        self._check_open()
        return await self._run(lambda: self._backend.call(tool, chosen))

    async def submit(self, answer: Any = None, /) -> CallResult:
        """Submits an answer. It ends the episode unless the answer does not have the declared type.

        The answer is ignored if the environment takes none and scores the final state alone.

        Raises:
            ClosedError, JournalError: see `call`.
        """
        self._check_open()
        return await self._run(lambda: self._backend.submit(answer))

    async def events(self) -> list[Any]:
        """Returns what was done in the episode: its typed events, in their order.

        Raises:
            ClosedError: the episode is closed.
        """
        self._check_open()
        return await self._run(self._backend.events)

    async def close(self) -> None:
        """Closes the episode. If it is open, its agent gave up: outcome `no_submission`, reward 0.0."""
        await self._close(EpisodeState.CLOSED, "The owner closed the episode.")

    async def abandon(self, reason: str = "The owner abandoned the episode.") -> None:
        """Closes the episode without a score. If it is open: outcome `abandoned`, reward None."""
        await self._close(EpisodeState.ABANDONED, reason)

    async def _close(self, state: EpisodeState, reason: str) -> None:
        if self._closed:
            return
        self._closed = True
        if self._finalizer is not None:
            self._finalizer.detach()
        try:
            await self._run(lambda: self._backend.close(state, reason))
        except ClosedError:
            return  # The runtime was closed first and has ended the episode.

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError(f"The episode {self.id} is closed.", hint="Open a new one.")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self.close()
        else:
            await self.abandon(f"Its block raised {type(error).__name__}.")
