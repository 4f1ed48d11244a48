from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.episode_protocol import CallStatus
from codegym_mcp.episodes.episode_counters import CALL_SECONDS, EpisodeCounters


@given(st.lists(st.tuples(st.sampled_from(CallStatus), st.floats(0, 100))))
def test_calls_are_counted_by_status_and_by_duration(calls: list[tuple[CallStatus, float]]) -> None:
    counters = EpisodeCounters()
    for status, seconds in calls:
        counters.count_call(status, seconds)
    assert all(counters.calls[status] == sum(each is status for each, _ in calls) for status in CallStatus)
    expected = [sum(seconds <= bound for _, seconds in calls) for bound in CALL_SECONDS]
    assert counters.calls_within() == [*expected, len(calls)]
