"""A vineyard is watched against starlings by {shifts} shifts, numbered from 0, that are not in order of time. A shift
that ends before it begins, or in the same minute, is ignored. A gap is a time between the first beginning and the
last end in which nobody watches; a shift that begins in the minute in which another one ends leaves no gap.

Find the gaps in order of time. Answer with a list that has two numbers for each gap: the shift that ends when the
gap begins, and the shift that begins when the gap ends. If several shifts end or begin then, take the one with the
smallest number; ignored shifts never count.
"""

from typing import Literal

META = {
    "title": "Starling watch",
    "tags": ["intervals", "comparison"],
    "public": ["shifts"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem watch-gaps",
}


class Environment:
    def __init__(self, shifts: int, begins: list[int], ends: list[int]):
        if shifts < 1 or len(begins) != shifts or len(ends) != shifts:
            raise ValueError("there must be a beginning and an end for each shift")
        self.begins = begins
        self.ends = ends

    def compare_times(
        self, shift: int, time: Literal["begin", "end"], other: int, other_time: Literal["begin", "end"]
    ) -> Literal["earlier", "same", "later"]:
        """Compare two times in the watch book: whether the first one is earlier or later than the second one.

        Args:
            shift: number of the shift to which the first time belongs.
            time: whether the beginning or the end of this shift is meant.
            other: number of the shift to which the second time belongs; it may be the same shift.
            other_time: whether the beginning or the end of that shift is meant.
        """
        first = look_up(self.begins, self.ends, shift, time)
        second = look_up(self.begins, self.ends, other, other_time)
        return "same" if first == second else "earlier" if first < second else "later"

    def find_shift_after(self, shift: int) -> int | None:
        """Find, among the shifts that are not ignored, the one that begins next after the end of a shift.

        Args:
            shift: number of the shift; what is looked for begins later than in the minute in which it ends.

        Returns:
            Its number, the smallest one if several begin then, or null if none begins later.
        """
        end = look_up(self.begins, self.ends, shift, "end")
        later = [
            (self.begins[other], other)
            for other in range(len(self.begins))
            if self.begins[other] > end and self.ends[other] > self.begins[other]
        ]
        return min(later)[1] if later else None


def look_up(begins, ends, shift, time):
    if not 0 <= shift < len(begins):
        raise ValueError(f"shifts have the numbers 0 to {len(begins) - 1}")
    return begins[shift] if time == "begin" else ends[shift]


def find_gaps(begins, ends, touching, ignore):
    real = [shift for shift in range(len(begins)) if ends[shift] > begins[shift] or not ignore]
    found = []
    for end in sorted({ends[shift] for shift in real}):
        later = [begins[shift] for shift in real if begins[shift] > end]
        if not later or any(begins[shift] <= end < ends[shift] and begins[shift] + touching <= end for shift in real):
            continue
        if not touching and any(begins[shift] == end for shift in real):
            continue
        found.append(
            [
                min(shift for shift in real if ends[shift] == end),
                min(shift for shift in real if begins[shift] == min(later)),
            ]
        )
    return found


def reference(shifts: int, begins: list[int], ends: list[int]) -> list[list[int]]:
    return find_gaps(begins, ends, 0, True)


def generate(random, difficulty):
    shifts, begins, ends = 0, [], []
    count = [4, 6, 10, 15, 22][difficulty - 1] + random.randint(0, 2)
    minute, times = random.randint(0, 60), []
    while len(times) < count:
        length = random.choice([5, 10, 15, 20])
        times.append((minute, minute + length))
        if random.random() < 0.3:
            times.append((minute + random.choice([0, 5]), minute + length - random.choice([0, 0, 5, 10, 20])))
        minute += length + random.choice([0, 0, 5, 10, -5])
    random.shuffle(times)
    shifts = len(times)
    begins, ends = [begin for begin, end in times], [end for begin, end in times]
    return {"shifts": shifts, "begins": begins, "ends": ends}


def solve(tools, shifts):
    def compare(one, time, other, other_time):
        return tools.compare_times(shift=one, time=time, other=other, other_time=other_time)

    kept = [shift for shift in range(shifts) if compare(shift, "begin", shift, "end") == "earlier"]

    def by_beginning(group):
        if len(group) < 2:
            return group
        left, right = by_beginning(group[: len(group) // 2]), by_beginning(group[len(group) // 2 :])
        merged = []
        while left and right:
            later = compare(right[0], "begin", left[0], "begin") == "earlier"
            merged.append(right.pop(0) if later else left.pop(0))
        return merged + left + right

    order = by_beginning(kept)
    gaps = []
    if not order:
        return gaps
    latest = order[0]
    for shift in order[1:]:
        if compare(shift, "begin", latest, "end") == "later":
            gaps.append([latest, tools.find_shift_after(shift=latest)])
            latest = shift
            continue
        end = compare(shift, "end", latest, "end")
        if end == "later" or (end == "same" and shift < latest):
            latest = shift
    return gaps
