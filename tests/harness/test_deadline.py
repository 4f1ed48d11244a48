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


async def test_time_stands_still(clock):
    with Deadline.after(100.0) as deadline:
        clock["now"] = 40.0
        with deadline.paused():
            clock["now"] = 1000.0
            assert deadline.remaining == 70.0
        clock["now"] = 1010.0
        assert deadline.remaining == 60.0


async def test_within_it_only_what_comes_to_something_takes_time(clock):
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


async def test_time_that_runs_out_ends_the_block():
    with Deadline.after(0.01) as deadline:
        await anyio.sleep_forever()
    assert deadline.passed


async def test_time_that_runs_out_while_it_runs_within_a_stop_ends_the_block():
    with Deadline.after(0.01) as deadline, deadline.paused(), deadline.resumed():
        await anyio.sleep_forever()
    assert deadline.passed


async def test_a_block_that_ends_in_time_is_not_broken_off():
    with Deadline.after(60.0) as deadline:
        await anyio.lowlevel.checkpoint()
    assert not deadline.passed


async def test_a_timer_that_comes_while_time_stands_still_ends_nothing(clock):
    with Deadline.after(0.001) as deadline:
        with deadline.paused():
            # Timers come in their order: that of the deadline has come by now.
            await anyio.sleep(0.002)
            clock["now"] += 1000.0
        clock["now"] += 1000.0
        await anyio.sleep_forever()
    assert deadline.passed


async def test_a_timer_that_comes_too_early_is_set_again(clock):
    with Deadline.after(0.001) as deadline:
        await anyio.sleep(0.002)
        clock["now"] += 1.0
        await anyio.sleep_forever()
    assert deadline.passed


async def test_without_a_limit_there_is_all_the_time(clock):
    deadline = Deadline()
    with deadline.paused(), deadline.resumed():
        clock["now"] = 1e9
    assert deadline.remaining == math.inf
