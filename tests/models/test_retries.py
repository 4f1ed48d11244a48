from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.models import Retries
from codegym_mcp.models.retries import RequestPause


@given(failures=st.integers(1, 40), base=st.floats(0.01, 10))
def test_waits_double_up_to_a_bound_and_are_shortened_by_half_at_most(failures, base):
    retries = Retries(base_seconds=base, longest_seconds=60, patience_seconds=1e6)
    full = min(60, base * 2 ** (failures - 1))
    wait = retries.wait(failures, None, 0.0)
    assert wait is not None
    assert full / 2 <= wait <= full


@given(asked=st.floats(0, 500))
def test_what_is_asked_for_is_never_shortened(asked):
    wait = Retries(base_seconds=2.0).wait(3, asked, 0.0)
    assert wait is not None
    assert asked <= wait <= asked + 2


def test_patience_is_for_all_waits_together():
    retries = Retries(base_seconds=0.0, patience_seconds=10)
    assert retries.wait(1, 6.0, 0.0) == 6
    assert retries.wait(2, 6.0, 6.0) is None


def test_requests_that_failed_together_come_back_apart():
    assert len({Retries().wait(3, 5.0, 0.0) for _ in range(20)}) == 20


async def test_everyone_is_held_until_the_last_who_was_asked_to_wait(clock):
    pace = RequestPause(clock.retries())
    await pace.wait()
    assert clock.waits == []
    pace.extend(9)
    pace.extend(4)
    await pace.wait()
    await pace.wait()
    assert clock.waits == [9]
