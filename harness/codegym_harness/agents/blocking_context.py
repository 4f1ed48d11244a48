"""The context of an agent that is a synchronous function: it runs in a thread, and its calls block."""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from random import Random
from typing import Any, TypeVar

from codegym_harness.agents.agent_context import AsyncAgentContext, merge_arguments
from codegym_harness.records.episode_result import EpisodeUsage
from codegym_mcp.episode_protocol import CallResult, CallStatus, TaskView, ToolView

T = TypeVar("T")

_OVER = CallResult(
    text="This episode is over: the time of the agent has run out. No further calls are accepted.",
    status=CallStatus.OVER,
    over=True,
)


class AgentContext:
    """One episode as a synchronous agent function receives it. Every call blocks until its result is there.

    It has the same members as `AsyncAgentContext`. When the agent's time has run out, calls return a result
    with the status `over`.

    Attributes:
        task: the task.
        tools: the tools, without the submission.
        submission: the tool that submits the answer.
        epoch: number of the attempt at the task, starting at 1.
        random: a random generator that is seeded by the run's seed, the task and the epoch.
    """

    def __init__(self, context: AsyncAgentContext, bridge: "LoopBridge") -> None:
        self.task: TaskView = context.task
        self.tools: Sequence[ToolView] = context.tools
        self.submission: ToolView = context.submission
        self.epoch: int = context.epoch
        self.random: Random = context.random
        self._context = context
        self._bridge = bridge

    @property
    def remaining_calls(self) -> int | None:
        """Calls that are left, or None without a limit."""
        return self._context.remaining_calls

    @property
    def remaining_seconds(self) -> float:
        """Seconds that are left until the deadline; infinite without one."""
        return self._context.remaining_seconds

    def call(self, name: str, arguments: dict[str, Any] | None = None, /, **named: Any) -> CallResult:
        """Calls a tool; see `AsyncAgentContext.call`."""
        given = merge_arguments(arguments, named)
        return self._result(lambda: self._context.call(name, given))

    def submit(self, answer: Any = None) -> CallResult:
        """Submits the answer; see `AsyncAgentContext.submit`."""
        return self._result(lambda: self._context.submit(answer))

    def record_message(
        self, text: str, *, reasoning: str = "", model: str = "", usage: EpisodeUsage | None = None
    ) -> None:
        """Records a message of the agent; see `AsyncAgentContext.record_message`."""

        async def record() -> None:
            self._context.record_message(text, reasoning=reasoning, model=model, usage=usage)

        with suppress(CancelledError):
            self._bridge.run(record)

    def _result(self, action: Callable[[], Coroutine[Any, Any, CallResult]]) -> CallResult:
        try:
            return self._bridge.run(action)
        except CancelledError:
            return _OVER


class LoopBridge:
    """Runs coroutines of a thread on the event loop that created the bridge, until the bridge is closed."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._pending: set[Future[Any]] = set()
        self._closed = False

    def run(self, action: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Runs a coroutine on the loop and waits for its result. Called by a thread.

        Raises:
            CancelledError: the bridge is closed, or was closed before the coroutine ended.
            Exception: the exception that the coroutine raised.
        """
        with self._lock:
            if self._closed:
                raise CancelledError
            future = asyncio.run_coroutine_threadsafe(action(), self._loop)
            self._pending.add(future)
        try:
            return future.result()
        finally:
            with self._lock:
                self._pending.discard(future)

    def close(self) -> None:
        """Cancels the coroutines that are running and refuses further ones."""
        with self._lock:
            self._closed = True
            pending = list(self._pending)
        for future in pending:
            future.cancel()


async def run_blocking(function: Callable[[AgentContext], T], context: AsyncAgentContext) -> T:
    """Runs a synchronous function in a daemon thread and returns its result.

    A thread cannot be killed. When this coroutine is cancelled, it returns at once; the thread continues, but
    every call that it makes is refused.

    Raises:
        Exception: the exception that the function raised.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()
    bridge = LoopBridge()
    blocking = AgentContext(context, bridge)

    def settle(result: T | None, error: BaseException | None) -> None:
        if outcome.done():
            return
        if error is None:
            outcome.set_result(result)  # type: ignore[arg-type]
        elif isinstance(error, Exception):
            outcome.set_exception(error)
        else:
            outcome.set_exception(RuntimeError(f"the agent function ended with {type(error).__name__}"))

    def main() -> None:
        result, error = None, None
        try:
            result = variables.run(function, blocking)
        except BaseException as raised:
            # SystemExit, too, must reach the rollout, which would otherwise wait until the deadline.
            error = raised
        # A RuntimeError means that the run ended without this thread, and that its loop is closed.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, error)

    variables = contextvars.copy_context()
    threading.Thread(target=main, name="agent function", daemon=True).start()
    try:
        return await outcome
    finally:
        bridge.close()
