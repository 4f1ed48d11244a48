import math
from contextlib import suppress

import anyio
import pytest

from harness.deadline import Deadline


@pytest.fixture
def clock(monkeypatch):
    """Time that passes when it is told to."""
    clock = {"now": 10.0}
    monkeypatch.setattr(anyio, "current_time", lambda: clock["now"])
    return clock


@pytest.fixture
async def scope():
    return anyio.CancelScope(deadline=110.0)


async def test_time_stands_still(clock, scope):
    with Deadline(scope).stopped():
        assert scope.deadline == math.inf
        clock["now"] = 1000.0
    assert scope.deadline == 1100.0


async def test_within_it_only_what_comes_to_something_takes_time(clock, scope):
    deadline = Deadline(scope)
    with deadline.stopped():
        clock["now"] = 50.0
        with suppress(ValueError), deadline.running():
            assert scope.deadline == 150.0
            clock["now"] = 90.0
            raise ValueError("lost")
        assert scope.deadline == math.inf
        clock["now"] = 200.0
        with deadline.running():
            assert scope.deadline == 300.0
            clock["now"] = 230.0
        assert scope.deadline == math.inf
        clock["now"] = 500.0
    assert scope.deadline == 570.0


async def test_time_that_runs_out_ends_the_block():
    with anyio.move_on_after(0.01) as scope:
        deadline = Deadline(scope)
        with deadline.stopped(), deadline.running():
            await anyio.sleep_forever()
    assert scope.cancelled_caught


async def test_without_a_scope_there_is_all_the_time(clock):
    deadline = Deadline()
    with deadline.stopped(), deadline.running():
        clock["now"] = 1e9
