"""Stop signals arrive with the event loop's handlers, and without them as on Windows."""

import asyncio
import os
import signal

import pytest

from codegym_mcp.server.stop_signals import receive_stop_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("loop_has_handlers", [True, False])
async def test_a_stop_signal_is_received_and_does_not_end_the_process(
    number: signal.Signals, loop_has_handlers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_implemented(*_: object) -> None:
        raise NotImplementedError

    before = signal.getsignal(signal.SIGTERM)
    if not loop_has_handlers:
        monkeypatch.setattr(asyncio.get_running_loop(), "add_signal_handler", not_implemented)
    with receive_stop_signals() as signals:
        os.kill(os.getpid(), number)
        async with asyncio.timeout(10):
            assert await anext(signals) is number
    assert signal.getsignal(signal.SIGTERM) == before
