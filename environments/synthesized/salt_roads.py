"""Villages are numbered; minutes[a][b] is the number of minutes that a salt cart takes on the road
from village a to village b, and 0 if there is no road. A road may take another time in the other
direction, and roads from a village to itself are not used. A cart starts at the minute 0 at each of
the salt works, the villages from 0 up to, but without, `works`, and salt is carried on at once from
every village it reaches. Villages are reached in the order of time; of villages that are reached in
the same minute, the one with the smallest number comes first. Answer with the list of all villages
that salt reaches, in this order, the salt works included.

You are not shown minutes; ask the tools about it. You know works = {works}.
"""


META = {
    'title': 'Salt roads',
    'tags': ['traced'],
    'public': ['works'],
    'source': 'codegym-mcp examples, problem salt-roads',
    'license': 'MIT',
}


def has_road(minutes, here, there):
    return minutes[here][there] > 0

def arrives_earlier(minutes, here, there, start, known):
    return start + minutes[here][there] < known

def arrival(minutes, here, there, start):
    return start + minutes[here][there]

def reached_villages(minutes, works):
    count = len(minutes)
    times = {}
    for village in range(min(works, count)):
        times[village] = 0
    order = []
    while len(order) < len(times):
        here = min(((time, village) for village, time in times.items() if village not in order))[1]
        order.append(here)
        for there in range(count):
            if there == here or there in order or (not has_road(minutes, here, there)):
                continue
            if there not in times or arrives_earlier(minutes, here, there, times[here], times[there]):
                times[there] = arrival(minutes, here, there, times[here])
    return order


class Environment:
    def __init__(self, minutes: list[list[int]], works: int):
        self.minutes = minutes

    def count_minutes(self) -> int:
        """Returns the length of `minutes`."""
        return len(self.minutes)

    def has_road(self, here: int, there: int) -> bool:
        """Returns whether there is a road from village `here` to village `there`.

        Args:
            here: position in `minutes`, counted from 0.
            there: position in `minutes[here]`, counted from 0.
        """
        if not 0 <= here < len(self.minutes):
            raise ValueError(f"here must be at least 0 and less than {len(self.minutes)}.")
        if not 0 <= there < len(self.minutes[here]):
            raise ValueError(f"there must be at least 0 and less than {len(self.minutes[here])}.")
        try:
            return bool(has_road(self.minutes, here, there))
        except Exception:
            raise ValueError("has_road is not defined for this here and there; choose other arguments.")

    def arrives_earlier(self, here: int, there: int, start: int, known: int) -> bool:
        """Returns whether a cart that leaves `here` at `start` is at `there` before the minute `known`.

        Args:
            here: position in `minutes`, counted from 0.
            there: position in `minutes[here]`, counted from 0.
            start: a whole number.
            known: a whole number.
        """
        if not 0 <= here < len(self.minutes):
            raise ValueError(f"here must be at least 0 and less than {len(self.minutes)}.")
        if not 0 <= there < len(self.minutes[here]):
            raise ValueError(f"there must be at least 0 and less than {len(self.minutes[here])}.")
        try:
            return bool(arrives_earlier(self.minutes, here, there, start, known))
        except Exception:
            raise ValueError("arrives_earlier is not defined for this here, there, start and known; choose other arguments.")

    def arrival(self, here: int, there: int, start: int) -> int:
        """Returns when a cart that leaves `here` at the minute `start` arrives at `there`.

        Args:
            here: position in `minutes`, counted from 0.
            there: position in `minutes[here]`, counted from 0.
            start: a whole number.
        """
        if not 0 <= here < len(self.minutes):
            raise ValueError(f"here must be at least 0 and less than {len(self.minutes)}.")
        if not 0 <= there < len(self.minutes[here]):
            raise ValueError(f"there must be at least 0 and less than {len(self.minutes[here])}.")
        try:
            return arrival(self.minutes, here, there, start)
        except Exception:
            raise ValueError("arrival is not defined for this here, there and start; choose other arguments.")


def reference(minutes: list[list[int]], works: int) -> list[int]:
    return reached_villages(minutes, works)


def solve(tools, works):
    count_minutes = tools.count_minutes()
    count = count_minutes
    times = {}
    for village in range(min(works, count)):
        times[village] = 0
    order = []
    while len(order) < len(times):
        here = min(((time, village) for village, time in times.items() if village not in order))[1]
        order.append(here)
        for there in range(count):
            if there == here or there in order or (not tools.has_road(here=here, there=there)):
                continue
            if there not in times or tools.arrives_earlier(here=here, there=there, start=times[here], known=times[there]):
                times[there] = tools.arrival(here=here, there=there, start=times[here])
    return order
