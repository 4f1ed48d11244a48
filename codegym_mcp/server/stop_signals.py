"""Receives the signals that stop a server, on every system."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import anyio

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def receive_stop_signals() -> Iterator[AsyncIterator[signal.Signals]]:
    """Receives SIGINT and SIGTERM as an iterator until the block is left; they do not end the process.

    Where event loops have no signal handlers, as on Windows, Python's own are used.
    """
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGTERM, lambda: None)
    except NotImplementedError:
        with _python_handlers(loop) as signals:
            yield signals
    else:
        loop.remove_signal_handler(signal.SIGTERM)
        with anyio.open_signal_receiver(*_STOP_SIGNALS) as received:
            yield received


@contextmanager
def _python_handlers(loop: asyncio.AbstractEventLoop) -> Iterator[AsyncIterator[signal.Signals]]:
    arrived: asyncio.Queue[signal.Signals] = asyncio.Queue()

    def handle(number: int, _frame: object) -> None:
        loop.call_soon_threadsafe(arrived.put_nowait, signal.Signals(number))

    async def iterate() -> AsyncIterator[signal.Signals]:
        while True:
            yield await arrived.get()

    previous = {number: signal.signal(number, handle) for number in _STOP_SIGNALS}
    try:
        yield iterate()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
