"""Children sit down on a long beam, one after another. Child c weighs weights[c] kilograms and wants
to sit seats[c] decimetres from the middle; the pull of a child is its weight times this distance. A
child whose pull is greater than `limit` is sent away before sitting down. Another child looks at
the last child that sat down on each side, and sits on the side where that child has the smaller
pull, or on the left side if both have the same pull. As long as nobody sits on a side, its pull
counts as smaller than that of any child, and with nobody on the beam the left side is taken. Answer
with a text with "L", "R" or "-" (sent away) for each child.

You are not shown weights and seats; ask the tools about them. You know limit = {limit}.
"""


META = {
    'title': 'Balance beam',
    'tags': ['traced'],
    'public': ['limit'],
    'source': 'codegym-mcp examples, problem balance-beam',
    'license': 'MIT',
}


def is_too_much(weights, seats, child, limit):
    return weights[child] * seats[child] > limit

def pulls_more(weights, seats, one, other):
    return weights[one] * seats[one] > weights[other] * seats[other]

def seating(weights, seats, limit):
    left = right = -1
    sides = ''
    for child in range(len(weights)):
        if is_too_much(weights, seats, child, limit):
            sides += '-'
            continue
        if left < 0:
            goes_right = False
        elif right < 0:
            goes_right = True
        else:
            goes_right = pulls_more(weights, seats, left, right)
        if goes_right:
            right = child
            sides += 'R'
        else:
            left = child
            sides += 'L'
    return sides


class Environment:
    def __init__(self, weights: list[int], seats: list[int], limit: int):
        self.weights = weights
        self.seats = seats

    def count_weights(self) -> int:
        """Returns the length of `weights`."""
        return len(self.weights)

    def is_too_much(self, child: int, limit: int) -> bool:
        """Returns whether the pull of a child is greater than `limit`.

        Args:
            child: position in `weights`, counted from 0.
            limit: a whole number, for example the `limit` of the task.
        """
        if not 0 <= child < len(self.weights):
            raise ValueError(f"child must be at least 0 and less than {len(self.weights)}.")
        try:
            return bool(is_too_much(self.weights, self.seats, child, limit))
        except Exception:
            raise ValueError("is_too_much is not defined for this child and limit; choose other arguments.")

    def pulls_more(self, one: int, other: int) -> bool:
        """Returns whether child `one` has a greater pull than child `other`.

        Args:
            one: position in `weights`, counted from 0.
            other: position in `weights`, counted from 0.
        """
        if not 0 <= one < len(self.weights):
            raise ValueError(f"one must be at least 0 and less than {len(self.weights)}.")
        if not 0 <= other < len(self.weights):
            raise ValueError(f"other must be at least 0 and less than {len(self.weights)}.")
        try:
            return pulls_more(self.weights, self.seats, one, other)
        except Exception:
            raise ValueError("pulls_more is not defined for this one and other; choose other arguments.")


def reference(weights: list[int], seats: list[int], limit: int) -> str:
    return seating(weights, seats, limit)


def solve(tools, limit):
    count_weights = tools.count_weights()
    right = -1
    left = -1
    sides = ''
    for child in range(count_weights):
        if tools.is_too_much(child=child, limit=limit):
            sides += '-'
            continue
        if left < 0:
            goes_right = False
        elif right < 0:
            goes_right = True
        else:
            goes_right = tools.pulls_more(one=left, other=right)
        if goes_right:
            right = child
            sides += 'R'
        else:
            left = child
            sides += 'L'
    return sides
