"""Vehicles wait in two lanes at a ferry, the first of each list in front; `left` and `right` have
their lengths in metres. Again and again the shorter one of the two vehicles in front comes to the
ramp: the left one if they are equally long, the only one if the other lane is empty. A vehicle that
is longer than `limit` metres is turned away at the ramp; another one drives on board. Loading ends
when `most` vehicles are on board or both lanes are empty. Answer with a text with one letter for
every vehicle that came to the ramp, in order: "L" or "R" for a vehicle of the left or the right
lane that drove on board, "l" or "r" for one that was turned away.

You are not shown left and right; ask the tools about them. You know limit = {limit}, most = {most}.
"""


META = {
    'title': 'Two lane ferry',
    'tags': ['traced'],
    'public': ['limit', 'most'],
    'source': 'codegym-mcp examples, problem two-lane-ferry',
    'license': 'MIT',
}


def left_goes_first(left, right, first, second):
    return left[first] <= right[second]

def left_is_too_long(left, first, limit):
    return left[first] > limit

def right_is_too_long(right, second, limit):
    return right[second] > limit

def load(left, right, limit, most):
    lefts = len(left)
    rights = len(right)
    first = second = loaded = 0
    order = ''
    while loaded < most and (first < lefts or second < rights):
        if second == rights or (first < lefts and left_goes_first(left, right, first, second)):
            if left_is_too_long(left, first, limit):
                order += 'l'
            else:
                order += 'L'
                loaded += 1
            first += 1
        else:
            if right_is_too_long(right, second, limit):
                order += 'r'
            else:
                order += 'R'
                loaded += 1
            second += 1
    return order


class Environment:
    def __init__(self, left: list[int], right: list[int], limit: int, most: int):
        self.left = left
        self.right = right

    def count_left(self) -> int:
        """Returns the length of `left`."""
        return len(self.left)

    def count_right(self) -> int:
        """Returns the length of `right`."""
        return len(self.right)

    def left_goes_first(self, first: int, second: int) -> bool:
        """Returns whether a vehicle of the left lane is not longer than one of the right lane.

        Args:
            first: position in `left`, counted from 0.
            second: position in `right`, counted from 0.
        """
        if not 0 <= first < len(self.left):
            raise ValueError(f"first must be at least 0 and less than {len(self.left)}.")
        if not 0 <= second < len(self.right):
            raise ValueError(f"second must be at least 0 and less than {len(self.right)}.")
        try:
            return bool(left_goes_first(self.left, self.right, first, second))
        except Exception:
            raise ValueError("left_goes_first is not defined for this first and second; choose other arguments.")

    def left_is_too_long(self, first: int, limit: int) -> bool:
        """Returns whether a vehicle of the left lane is longer than `limit` metres.

        Args:
            first: position in `left`, counted from 0.
            limit: a whole number, for example the `limit` of the task.
        """
        if not 0 <= first < len(self.left):
            raise ValueError(f"first must be at least 0 and less than {len(self.left)}.")
        try:
            return bool(left_is_too_long(self.left, first, limit))
        except Exception:
            raise ValueError("left_is_too_long is not defined for this first and limit; choose other arguments.")

    def right_is_too_long(self, second: int, limit: int) -> bool:
        """Returns whether a vehicle of the right lane is longer than `limit` metres.

        Args:
            second: position in `right`, counted from 0.
            limit: a whole number, for example the `limit` of the task.
        """
        if not 0 <= second < len(self.right):
            raise ValueError(f"second must be at least 0 and less than {len(self.right)}.")
        try:
            return bool(right_is_too_long(self.right, second, limit))
        except Exception:
            raise ValueError("right_is_too_long is not defined for this second and limit; choose other arguments.")


def reference(left: list[int], right: list[int], limit: int, most: int) -> str:
    return load(left, right, limit, most)


def solve(tools, limit, most):
    count_left = tools.count_left()
    count_right = tools.count_right()
    lefts = count_left
    rights = count_right
    loaded = 0
    second = 0
    first = 0
    order = ''
    while loaded < most and (first < lefts or second < rights):
        if second == rights or (first < lefts and tools.left_goes_first(first=first, second=second)):
            if tools.left_is_too_long(first=first, limit=limit):
                order += 'l'
            else:
                order += 'L'
                loaded += 1
            first += 1
        else:
            if tools.right_is_too_long(second=second, limit=limit):
                order += 'r'
            else:
                order += 'R'
                loaded += 1
            second += 1
    return order
