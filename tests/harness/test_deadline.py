import math
from contextlib import suppress
from types import SimpleNamespace

import anyio
import pytest

from codegym_harness.deadline import Deadline


@pytest.fixture
def clock(monkeypatch):
    """Time that passes when it is told to."""
    clock = {"now": 10.0}
    monkeypatch.setattr("codegym_harness.deadline.time", SimpleNamespace(monotonic=lambda: clock["now"]))
    return clock


async def test_a_paused_clock_does_not_run(clock) -> None:
    with Deadline.after(100.0) as deadline:
        clock["now"] = 40.0
        with deadline.paused():
            clock["now"] = 1000.0
            assert deadline.remaining == 70.0
        clock["now"] = 1010.0
        assert deadline.remaining == 60.0


async def test_a_failed_block_in_a_pause_takes_no_time(clock) -> None:
    with Deadline.after(100.0) as deadline:
        with deadline.paused():
            clock["now"] = 50.0
            with suppress(ValueError), deadline.resumed():
                clock["now"] = 90.0
                assert deadline.remaining == 60.0
                raise ValueError("lost")
            clock["now"] = 200.0
            with deadline.resumed():
                assert deadline.remaining == 100.0
                clock["now"] = 230.0
            clock["now"] = 500.0
            assert deadline.remaining == 70.0
        assert deadline.remaining == 70.0


async def test_the_block_is_cancelled_when_the_time_is_used_up() -> None:
    with Deadline.after(0.01) as deadline:
        await anyio.sleep_forever()
    assert deadline.passed


async def test_the_block_is_cancelled_when_the_time_is_used_up_within_a_pause() -> None:
    with Deadline.after(0.01) as deadline, deadline.paused(), deadline.resumed():
        await anyio.sleep_forever()
    assert deadline.passed


async def test_a_block_that_ends_in_time_is_not_cancelled() -> None:
    with Deadline.after(60.0) as deadline:
        await anyio.lowlevel.checkpoint()
    assert not deadline.passed


async def test_a_timer_that_fires_while_the_clock_is_paused_cancels_nothing(clock) -> None:
    with Deadline.after(0.001) as deadline:
        with deadline.paused():
            # Timers come in their order: that of the deadline has come by now.
            await anyio.sleep(0.002)
            clock["now"] += 1000.0
        clock["now"] += 1000.0
        await anyio.sleep_forever()
    assert deadline.passed


async def test_a_timer_that_fires_too_early_is_set_again(clock) -> None:
    with Deadline.after(0.001) as deadline:
        await anyio.sleep(0.002)
        clock["now"] += 1.0
        await anyio.sleep_forever()
    assert deadline.passed


async def test_a_deadline_without_limit_has_infinite_time(clock) -> None:
    deadline = Deadline()
    with deadline.paused(), deadline.resumed():
        clock["now"] = 1e9
    assert deadline.remaining == math.inf
