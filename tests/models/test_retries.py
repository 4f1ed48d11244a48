"""The waits between attempts."""

from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.models import Retries
from codegym_mcp.models.retries import RequestPause
from tests.models.conftest import Clock


@given(failures=st.integers(1, 40), base=st.floats(0.01, 10))
def test_waits_double_up_to_a_maximum_and_are_shortened_by_half_at_most(failures: int, base: float) -> None:
    retries = Retries(base_seconds=base, longest_seconds=60, patience_seconds=1e6)
    full = min(60, base * 2 ** (failures - 1))
    wait = retries.wait(failures, None, 0.0)
    assert wait is not None
    assert full / 2 <= wait <= full


@given(asked=st.floats(0, 500))
def test_a_requested_wait_is_never_shortened(asked: float) -> None:
    wait = Retries(base_seconds=2.0).wait(3, asked, 0.0)
    assert wait is not None
    assert asked <= wait <= asked + 2


def test_the_patience_covers_all_waits_together() -> None:
    retries = Retries(base_seconds=0.0, patience_seconds=10)
    assert retries.wait(1, 6.0, 0.0) == 6
    assert retries.wait(2, 6.0, 6.0) is None


def test_requests_that_failed_together_are_repeated_at_different_times() -> None:
    assert len({Retries().wait(3, 5.0, 0.0) for _ in range(20)}) == 20


async def test_a_pause_lasts_until_the_latest_requested_time(clock: Clock) -> None:
    pause = RequestPause(clock.retries())
    await pause.wait()
    assert clock.waits == []
    pause.extend(9)
    pause.extend(4)
    await pause.wait()
    await pause.wait()
    assert clock.waits == [9]
