"""Drummers line up in rows. Drummer d beats once in beats[d] counts (at least 1) and weighs weights[d]
kilograms. Two drummers may stand beside each other if their counts have no common divisor greater
than 1. Rows are formed as follows: the first drummer of a row is the one with the smallest number
who has no place yet. Then, again and again, the drummer with the smallest number who has no place
yet, may stand beside the last one of the row, and is not heavier than that one is put at the end of
the row. When there is no such drummer, the next row begins. Answer with the rows as lists of
numbers.

You are not shown beats and weights; ask the tools about them.
"""


META = {
    'title': 'Drummer rows',
    'tags': ['traced'],
    'source': 'codegym-mcp examples, problem drummer-rows',
    'license': 'MIT',
}


def have_common_divisor(beats, one, other):
    first, second = (beats[one], beats[other])
    while second:
        first, second = (second, first % second)
    return first > 1

def is_heavier(weights, one, other):
    return weights[one] > weights[other]

def line_up(beats, weights):
    waiting = []
    for drummer in range(len(beats)):
        waiting.append(drummer)
    rows = []
    while waiting:
        row = [waiting.pop(0)]
        place = 0
        while place < len(waiting):
            drummer = waiting[place]
            if is_heavier(weights, drummer, row[-1]):
                place += 1
            elif have_common_divisor(beats, drummer, row[-1]):
                place += 1
            else:
                row.append(waiting.pop(place))
                place = 0
        rows.append(row)
    return rows


class Environment:
    def __init__(self, beats: list[int], weights: list[int]):
        self.beats = beats
        self.weights = weights

    def count_beats(self) -> int:
        """Returns the length of `beats`."""
        return len(self.beats)

    def is_heavier(self, one: int, other: int) -> bool:
        """Returns whether drummer `one` is heavier than drummer `other`.

        Args:
            one: position in `weights`, counted from 0.
            other: position in `weights`, counted from 0.
        """
        if not 0 <= one < len(self.weights):
            raise ValueError(f"one must be at least 0 and less than {len(self.weights)}.")
        if not 0 <= other < len(self.weights):
            raise ValueError(f"other must be at least 0 and less than {len(self.weights)}.")
        try:
            return bool(is_heavier(self.weights, one, other))
        except Exception:
            raise ValueError("is_heavier is not defined for this one and other; choose other arguments.")

    def have_common_divisor(self, one: int, other: int) -> bool:
        """Returns whether the counts of two drummers have a common divisor greater than 1.

        Args:
            one: position in `beats`, counted from 0.
            other: position in `beats`, counted from 0.
        """
        if not 0 <= one < len(self.beats):
            raise ValueError(f"one must be at least 0 and less than {len(self.beats)}.")
        if not 0 <= other < len(self.beats):
            raise ValueError(f"other must be at least 0 and less than {len(self.beats)}.")
        try:
            return bool(have_common_divisor(self.beats, one, other))
        except Exception:
            raise ValueError("have_common_divisor is not defined for this one and other; choose other arguments.")


def reference(beats: list[int], weights: list[int]) -> list[list[int]]:
    return line_up(beats, weights)


def solve(tools):
    count_beats = tools.count_beats()
    waiting = []
    for drummer in range(count_beats):
        waiting.append(drummer)
    rows = []
    while waiting:
        row = [waiting.pop(0)]
        place = 0
        while place < len(waiting):
            drummer = waiting[place]
            if tools.is_heavier(one=drummer, other=row[-1]):
                place += 1
            elif tools.have_common_divisor(one=drummer, other=row[-1]):
                place += 1
            else:
                row.append(waiting.pop(place))
                place = 0
        rows.append(row)
    return rows
