"""Counts what the episodes of a server did since it started, for monitoring."""

from bisect import bisect_left
from collections import Counter

from codegym_mcp.episode_protocol import CallStatus
from codegym_mcp.episodes.episode_outcome import EpisodeOutcome

CALL_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds of the classes into which the durations of calls are counted."""


class EpisodeCounters:
    """Counters that only rise.

    Attributes:
        opened: episodes that were opened or resumed.
        ended: ended episodes by outcome.
        calls: calls by status, submissions included.
        call_seconds: sum of the durations of all calls, in seconds.
    """

    def __init__(self) -> None:
        self.opened = 0
        self.ended: Counter[EpisodeOutcome] = Counter()
        self.calls: Counter[CallStatus] = Counter()
        self.call_seconds = 0.0
        self._by_duration = [0] * (len(CALL_SECONDS) + 1)

    def count_call(self, status: CallStatus, seconds: float) -> None:
        """Counts a call.

        Args:
            seconds: from the request to the result; a call waits for the calls of its episode before it.
        """
        self.calls[status] += 1
        self.call_seconds += seconds
        self._by_duration[bisect_left(CALL_SECONDS, seconds)] += 1

    def calls_within(self) -> list[int]:
        """Returns the number of calls within each of `CALL_SECONDS`, then the number of all calls."""
        total = 0
        within = []
        for count in self._by_duration:
            total += count
            within.append(total)
        return within
