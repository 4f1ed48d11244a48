"""Camps lie on a glacier; camps[c] is the triple (east, north, height) of camp c in metres. A camp
that lies lower than `snow` metres is buried and takes no part. Two camps that are not buried can
signal to each other if their distance east, plus their distance north, plus their difference in
height is at most `reach`. Messages are passed on from camp to camp. Answer with a list with one
number for each camp: the smallest number of a camp to which it can get a message, directly, over
others, or because it is itself; -1 for a buried camp.

You are not shown camps; ask the tools about it. You know reach = {reach}, snow = {snow}.
"""


META = {
    'title': 'Signal fires',
    'tags': ['traced'],
    'public': ['reach', 'snow'],
    'source': 'codegym-mcp examples, problem signal-fires',
    'license': 'MIT',
}


def is_buried(camps, camp, snow):
    return camps[camp][2] < snow

def can_signal(camps, one, other, reach):
    parts = [abs(camps[one][axis] - camps[other][axis]) for axis in range(3)]
    return sum(parts) <= reach

def message_groups(camps, reach, snow):
    count = len(camps)
    groups = []
    for camp in range(count):
        groups.append(-1 if is_buried(camps, camp, snow) else camp)
    for first in range(count):
        if groups[first] != first:
            continue
        waiting = [first]
        while waiting:
            here = waiting.pop()
            for there in range(first + 1, count):
                if groups[there] == there and can_signal(camps, here, there, reach):
                    groups[there] = first
                    waiting.append(there)
    return groups


class Environment:
    def __init__(self, camps: list[tuple[int, int, int]], reach: int, snow: int):
        self.camps = [tuple(item) for item in camps]

    def count_camps(self) -> int:
        """Returns the length of `camps`."""
        return len(self.camps)

    def is_buried(self, camp: int, snow: int) -> bool:
        """Returns whether a camp lies lower than `snow`.

        Args:
            camp: position in `camps`, counted from 0.
            snow: a whole number, for example the `snow` of the task.
        """
        if not 0 <= camp < len(self.camps):
            raise ValueError(f"camp must be at least 0 and less than {len(self.camps)}.")
        try:
            return bool(is_buried(self.camps, camp, snow))
        except Exception:
            raise ValueError("is_buried is not defined for this camp and snow; choose other arguments.")

    def can_signal(self, one: int, other: int, reach: int) -> bool:
        """Returns whether two camps are at most `reach` apart: east, north and height together.

        Args:
            one: position in `camps`, counted from 0.
            other: position in `camps`, counted from 0.
            reach: a whole number, for example the `reach` of the task.
        """
        if not 0 <= one < len(self.camps):
            raise ValueError(f"one must be at least 0 and less than {len(self.camps)}.")
        if not 0 <= other < len(self.camps):
            raise ValueError(f"other must be at least 0 and less than {len(self.camps)}.")
        try:
            return bool(can_signal(self.camps, one, other, reach))
        except Exception:
            raise ValueError("can_signal is not defined for this one, other and reach; choose other arguments.")


def reference(camps: list[tuple[int, int, int]], reach: int, snow: int) -> list[int]:
    return message_groups([tuple(item) for item in camps], reach, snow)


def solve(tools, reach, snow):
    count_camps = tools.count_camps()
    count = count_camps
    groups = []
    for camp in range(count):
        groups.append(-1 if tools.is_buried(camp=camp, snow=snow) else camp)
    for first in range(count):
        if groups[first] != first:
            continue
        waiting = [first]
        while waiting:
            here = waiting.pop()
            for there in range(first + 1, count):
                if groups[there] == there and tools.can_signal(one=here, other=there, reach=reach):
                    groups[there] = first
                    waiting.append(there)
    return groups
