"""Volunteers watch a forest for fires; watches[w] is the pair of the minutes in which watch w begins
and ends. The watches are not in order of time. A gap is a time between the first beginning and the
last end in which nobody watches; a watch that begins in the minute in which another one ends leaves
no gap. A watch that ends before it begins, or in the same minute, is ignored. Answer with the gaps
in order of time, each as the pair of the watch that ends when it begins and the watch that begins
when it ends. If several watches end or begin then, take the one with the smallest number.

You are not shown watches; ask the tools about it.
"""


META = {
    'title': 'Watch gaps',
    'tags': ['traced'],
    'source': 'codegym-mcp examples, problem watch-gaps',
    'license': 'MIT',
}


def is_empty(watches, watch):
    return watches[watch][1] <= watches[watch][0]

def begins_before(watches, one, other):
    return watches[one][0] < watches[other][0]

def begins_after_end(watches, one, other):
    return watches[one][0] > watches[other][1]

def ends_after(watches, one, other):
    return watches[one][1] > watches[other][1]

def gaps(watches):
    order = []
    for watch in range(len(watches)):
        if is_empty(watches, watch):
            continue
        place = len(order)
        while place > 0 and begins_before(watches, watch, order[place - 1]):
            place -= 1
        order.insert(place, watch)
    found = []
    last = -1
    for watch in order:
        if last < 0:
            last = watch
        elif begins_after_end(watches, watch, last):
            found.append((last, watch))
            last = watch
        elif ends_after(watches, watch, last):
            last = watch
        elif watch < last and (not ends_after(watches, last, watch)):
            last = watch
    return found


class Environment:
    def __init__(self, watches: list[tuple[int, int]]):
        self.watches = [tuple(item) for item in watches]

    def count_watches(self) -> int:
        """Returns the length of `watches`."""
        return len(self.watches)

    def is_empty(self, watch: int) -> bool:
        """Returns whether a watch does not end after its beginning.

        Args:
            watch: position in `watches`, counted from 0.
        """
        if not 0 <= watch < len(self.watches):
            raise ValueError(f"watch must be at least 0 and less than {len(self.watches)}.")
        try:
            return bool(is_empty(self.watches, watch))
        except Exception:
            raise ValueError("is_empty is not defined for this watch; choose other arguments.")

    def begins_before(self, one: int, other: int) -> bool:
        """Returns whether watch `one` begins before watch `other` begins.

        Args:
            one: position in `watches`, counted from 0.
            other: position in `watches`, counted from 0.
        """
        if not 0 <= one < len(self.watches):
            raise ValueError(f"one must be at least 0 and less than {len(self.watches)}.")
        if not 0 <= other < len(self.watches):
            raise ValueError(f"other must be at least 0 and less than {len(self.watches)}.")
        try:
            return bool(begins_before(self.watches, one, other))
        except Exception:
            raise ValueError("begins_before is not defined for this one and other; choose other arguments.")

    def begins_after_end(self, one: int, other: int) -> bool:
        """Returns whether watch `one` begins after the end of watch `other`.

        Args:
            one: position in `watches`, counted from 0.
            other: position in `watches`, counted from 0.
        """
        if not 0 <= one < len(self.watches):
            raise ValueError(f"one must be at least 0 and less than {len(self.watches)}.")
        if not 0 <= other < len(self.watches):
            raise ValueError(f"other must be at least 0 and less than {len(self.watches)}.")
        try:
            return bool(begins_after_end(self.watches, one, other))
        except Exception:
            raise ValueError("begins_after_end is not defined for this one and other; choose other arguments.")

    def ends_after(self, one: int, other: int) -> bool:
        """Returns whether watch `one` ends after watch `other` ends.

        Args:
            one: position in `watches`, counted from 0.
            other: position in `watches`, counted from 0.
        """
        if not 0 <= one < len(self.watches):
            raise ValueError(f"one must be at least 0 and less than {len(self.watches)}.")
        if not 0 <= other < len(self.watches):
            raise ValueError(f"other must be at least 0 and less than {len(self.watches)}.")
        try:
            return bool(ends_after(self.watches, one, other))
        except Exception:
            raise ValueError("ends_after is not defined for this one and other; choose other arguments.")


def reference(watches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return gaps([tuple(item) for item in watches])


def solve(tools):
    count_watches = tools.count_watches()
    order = []
    for watch in range(count_watches):
        if tools.is_empty(watch=watch):
            continue
        place = len(order)
        while place > 0 and tools.begins_before(one=watch, other=order[place - 1]):
            place -= 1
        order.insert(place, watch)
    found = []
    last = -1
    for watch in order:
        if last < 0:
            last = watch
        elif tools.begins_after_end(one=watch, other=last):
            found.append((last, watch))
            last = watch
        elif tools.ends_after(one=watch, other=last):
            last = watch
        elif watch < last and (not tools.ends_after(one=last, other=watch)):
            last = watch
    return found
