"""An event loop on a daemon thread, which blocking callers and other event loops use.

Blocking functions cannot run an event loop of their own: an episode outlives a call, and a notebook already
runs one. A thread of its own serves them all, and nothing has to be detected.
"""

import asyncio
import os
import selectors
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from contextvars import copy_context
from typing import Any, TypeVar

from codegym_mcp.errors import BlockingCallError, ClosedError, ForkedError

T = TypeVar("T")

CLOSE_SECONDS = 5.0
"""Longest time in seconds that `LoopThread.close` waits for the thread by default."""


class LoopThread:
    """Runs coroutines of any thread on one event loop of its own.

    Args:
        owner: what the thread belongs to, as error messages name it, for example "runtime".
        serve: runs on the loop from `start` on; it calls its first argument once it is ready and returns
            after the event that is its second argument is set.
    """

    def __init__(
        self, owner: str, serve: Callable[[Callable[[], None], asyncio.Event], Coroutine[Any, Any, None]]
    ) -> None:
        self._owner = owner
        self._serve = serve
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._selector: selectors.BaseSelector | None = None
        self._stop: asyncio.Event | None = None
        self._waiting: set[Future[Any]] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether `close` has been called."""
        return self._closed

    @property
    def started(self) -> bool:
        """Whether the thread is ready."""
        return self._loop is not None

    @property
    def forked(self) -> bool:
        """Whether this process is a fork of the one that the thread belongs to."""
        return os.getpid() != self._pid

    def start(self) -> None:
        """Starts the thread and waits until it is ready. Does nothing if it has been started.

        Raises:
            ClosedError: it has been closed, or belongs to another process.
            Exception: what `serve` raised before it was ready.
        """
        self._check_usable()
        with self._starting:
            self._check_usable()
            if self._thread is not None:
                return
            ready: Future[None] = Future()
            thread = threading.Thread(
                target=self._run_loop, args=(ready,), name=f"codegym-mcp-{self._owner}", daemon=True
            )
            thread.start()
            ready.result()
            self._thread = thread

    def run(self, action: Callable[[], Awaitable[T]]) -> T:
        """Runs a coroutine on the loop and blocks until it has ended.

        An exception that interrupts the waiting, for example KeyboardInterrupt, leaves the coroutine running.

        Raises:
            BlockingCallError: the caller is on the loop's own thread, where it would wait for itself.
            ClosedError: the thread was closed before or meanwhile.
            Exception: what the coroutine raised.
        """
        if self._thread is threading.current_thread():
            raise BlockingCallError(
                f"A blocking call on the thread of the {self._owner} would wait for itself.",
                hint="Use codegym_mcp.aio there.",
            )
        return self.submit(action).result()

    async def run_from_loop(self, action: Callable[[], Awaitable[T]]) -> T:
        """Runs a coroutine on the loop and awaits its end in another event loop.

        Cancelling the caller leaves the coroutine running.

        Raises:
            ClosedError, Exception: see `run`.
        """
        return await asyncio.shield(asyncio.wrap_future(self.submit(action)))

    def submit(self, action: Callable[[], Awaitable[T]]) -> "Future[T]":
        """Starts a coroutine on the loop; returns the future of its result.

        Raises:
            ClosedError: the thread has been closed.
        """
        self.start()
        future: Future[T] = Future()
        with self._lock:
            self._check_usable()
            self._waiting.add(future)
        assert self._loop is not None
        try:
            # The coroutine sees the caller's context variables.
            self._loop.call_soon_threadsafe(self._begin, action, future, context=copy_context())
        except RuntimeError:  # The loop has been closed since.
            self._settle(future, error=self._closed_error())
        return future

    def notify(self, action: Callable[[], Awaitable[object]]) -> bool:
        """Starts a coroutine without waiting for it. It takes no lock, so a finalizer may call it.

        Returns:
            Whether it was started; False if the thread is not running.
        """
        if self._loop is None or self._closed or self.forked:
            return False
        try:
            self._loop.call_soon_threadsafe(self._begin, action, None)
        except RuntimeError:  # The loop has been closed since.
            return False
        return True

    def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Ends the thread. Every call that waits fails with ClosedError. May be called any number of times.

        Args:
            seconds: longest time to wait until the thread has ended; it cancels what is running first.
        """
        if self.forked:
            return
        with self._lock:
            self._closed = True
            waiting = list(self._waiting)
        for future in waiting:
            self._settle(future, error=self._closed_error())
        if self._thread is None or self._loop is None or self._thread is threading.current_thread():
            return
        assert self._stop is not None
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(seconds)

    def abandon(self) -> None:
        """Releases the descriptors of the loop in a forked child, where its thread does not exist."""
        self._closed = True
        if self._selector is not None:
            with suppress(OSError):
                self._selector.close()
        # The loop's own wake-up sockets have no public name.
        for name in ("_ssock", "_csock"):
            connection = getattr(self._loop, name, None)
            if connection is not None:
                with suppress(OSError):
                    connection.close()

    def _check_usable(self) -> None:
        if self.forked or self._closed:
            raise self._closed_error()

    def _closed_error(self) -> ClosedError:
        if self.forked:
            return ForkedError(
                f"This {self._owner} belongs to process {self._pid}, not to its fork, {os.getpid()}.",
                hint="Open a new one here.",
            )
        return ClosedError(f"The {self._owner} is closed.", hint="Open a new one.")

    def _begin(self, action: Callable[[], Awaitable[Any]], future: Future[Any] | None) -> None:
        async def perform() -> None:
            try:
                result = await action()
            except BaseException as error:
                if future is not None:
                    cancelled = isinstance(error, asyncio.CancelledError)
                    self._settle(future, error=self._closed_error() if cancelled else error)
                if isinstance(error, (asyncio.CancelledError, KeyboardInterrupt, SystemExit)):
                    raise
            else:
                if future is not None:
                    self._settle(future, result)

        if future is not None and future.done():
            return
        task = asyncio.ensure_future(perform())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _settle(
        self, future: Future[Any], result: object = None, *, error: BaseException | None = None
    ) -> None:
        with self._lock:
            self._waiting.discard(future)
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)

    def _run_loop(self, ready: Future[None]) -> None:
        loop, selector = _new_loop()
        asyncio.set_event_loop(loop)

        async def main() -> None:
            stop = asyncio.Event()

            def announce() -> None:
                self._loop, self._selector, self._stop = loop, selector, stop
                ready.set_result(None)

            serving = asyncio.ensure_future(self._serve(announce, stop))
            stopping = asyncio.ensure_future(stop.wait())
            await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await serving

        try:
            loop.run_until_complete(main())
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
        finally:
            self._closed = True
            loop.close()


def _new_loop() -> tuple[asyncio.AbstractEventLoop, selectors.BaseSelector | None]:
    """Returns an event loop, and the selector whose descriptor a forked child has to close, if it has one.

    A call takes a fifth less processor time on uvloop than on the loop of asyncio.
    """
    try:
        import uvloop
    except ImportError:  # It does not exist for Windows.
        selector = selectors.DefaultSelector()
        return asyncio.SelectorEventLoop(selector), selector
    return uvloop.new_event_loop(), None
