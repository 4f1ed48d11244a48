import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from codegym_mcp.sandbox.process.deadline_timer import DeadlineTimer


class Clock(asyncio.SelectorEventLoop):
    """A loop whose timers fire when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.timers: list[tuple[float, Callable[[], object], asyncio.TimerHandle]] = []

    def call_at(self, when: float, callback: Callable[..., object], *args: Any, **options: Any) -> Any:
        handle = asyncio.TimerHandle(when, callback, args, self)
        self.timers.append((when, callback, handle))
        return handle

    def fire(self) -> float:
        """Fires the earliest timer and returns its time."""
        self.timers = [each for each in self.timers if not each[2].cancelled()]
        when, callback, _ = self.timers.pop(self.timers.index(min(self.timers, key=lambda each: each[0])))
        callback()
        return when

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        pass


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    loop = Clock()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: loop)
    yield loop
    loop.close()


@pytest.fixture
def passed() -> list[str]:
    return []


@pytest.fixture
def timer(clock: Clock, passed: list[str]) -> DeadlineTimer:
    return DeadlineTimer(lambda: passed.append("passed"))


def test_a_deadline_that_passes_is_noticed_once(
    clock: Clock, timer: DeadlineTimer, passed: list[str]
) -> None:
    timer.set(10.0)
    assert clock.fire() == 10.0
    assert passed == ["passed"]
    assert clock.timers == []


def test_many_deadlines_that_are_met_need_one_timer(
    clock: Clock, timer: DeadlineTimer, passed: list[str]
) -> None:
    for start in range(100):
        timer.set(start + 10.0)
        timer.remove()
    assert len(clock.timers) == 1
    clock.fire()
    assert passed == []
    assert clock.timers == []


def test_a_later_deadline_passes_at_its_own_time(
    clock: Clock, timer: DeadlineTimer, passed: list[str]
) -> None:
    timer.set(10.0)
    timer.remove()
    timer.set(15.0)
    assert clock.fire() == 10.0
    assert passed == []
    assert clock.fire() == 15.0
    assert passed == ["passed"]


def test_an_earlier_deadline_replaces_the_timer(
    clock: Clock, timer: DeadlineTimer, passed: list[str]
) -> None:
    timer.set(10.0)
    timer.set(5.0)
    assert clock.fire() == 5.0
    assert passed == ["passed"]


def test_a_stopped_timer_leaves_nothing_behind(clock: Clock, timer: DeadlineTimer, passed: list[str]) -> None:
    timer.set(10.0)
    timer.stop()
    assert all(handle.cancelled() for _, _, handle in clock.timers)
    timer.set(20.0)
    assert clock.fire() == 20.0
    assert passed == ["passed"]


def test_another_deadline_may_be_set_when_one_has_passed(clock: Clock) -> None:
    left = [30.0, 20.0]
    timer = DeadlineTimer(lambda: timer.set(left.pop()) if left else None)
    timer.set(10.0)
    assert [clock.fire() for _ in range(3)] == [10.0, 20.0, 30.0]
