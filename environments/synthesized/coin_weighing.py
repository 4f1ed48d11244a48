"""A mint has a row of coins that should all weigh the same; weights[k] is the weight of coin k in
milligrams. Inspectors compare two neighbouring runs of coins on a scale, again and again: they take
the run of coins from `start` up to, but without, `end`, split it in a first and a second half (if
the number of coins is odd, the last coin is set aside and listed), and put the halves on the two
pans. If the pans balance, the run is accepted. Otherwise the lighter half is examined in the same
way, and then the heavier one. A run of one coin is listed, and a run without a coin is accepted.
Begin with the whole row. Answer with the listed coins in the order in which they were listed.

You are not shown weights; ask the tools about it.
"""


META = {
    'title': 'Coin weighing',
    'tags': ['traced'],
    'source': 'codegym-mcp examples, problem coin-weighing',
    'license': 'MIT',
}


def weight_of_run(weights, start, end):
    total = 0
    for place in range(start, end):
        total += weights[place]
    return total

def first_half_is_lighter(weights, start, middle, end):
    return weight_of_run(weights, start, middle) < weight_of_run(weights, middle, end)

def halves_balance(weights, start, middle, end):
    return weight_of_run(weights, start, middle) == weight_of_run(weights, middle, end)

def listed_coins(weights):
    listed = []
    runs = [(0, len(weights))]
    while runs:
        start, end = runs.pop()
        if end - start == 1:
            listed.append(start)
            continue
        if (end - start) % 2 == 1:
            end -= 1
            listed.append(end)
        middle = (start + end) // 2
        if start == end or halves_balance(weights, start, middle, end):
            continue
        if first_half_is_lighter(weights, start, middle, end):
            runs += [(middle, end), (start, middle)]
        else:
            runs += [(start, middle), (middle, end)]
    return listed


class Environment:
    def __init__(self, weights: list[int]):
        self.weights = weights

    def count_weights(self) -> int:
        """Returns the length of `weights`."""
        return len(self.weights)

    def halves_balance(self, start: int, middle: int, end: int) -> bool:
        """Returns whether the coins from `start` up to `middle` weigh as much as those from there up to `end`.

        Args:
            start: a whole number.
            middle: a whole number.
            end: a whole number.
        """
        try:
            return bool(halves_balance(self.weights, start, middle, end))
        except Exception:
            raise ValueError("halves_balance is not defined for this start, middle and end; choose other arguments.")

    def first_half_is_lighter(self, start: int, middle: int, end: int) -> bool:
        """Returns whether the coins from `start` up to `middle` weigh less than those from there up to `end`.

        Args:
            start: a whole number.
            middle: a whole number.
            end: a whole number.
        """
        try:
            return bool(first_half_is_lighter(self.weights, start, middle, end))
        except Exception:
            raise ValueError("first_half_is_lighter is not defined for this start, middle and end; choose other arguments.")


def reference(weights: list[int]) -> list[int]:
    return listed_coins(weights)


def solve(tools):
    count_weights = tools.count_weights()
    listed = []
    runs = [(0, count_weights)]
    while runs:
        start, end = runs.pop()
        if end - start == 1:
            listed.append(start)
            continue
        if (end - start) % 2 == 1:
            end -= 1
            listed.append(end)
        middle = (start + end) // 2
        if start == end or tools.halves_balance(start=start, middle=middle, end=end):
            continue
        if tools.first_half_is_lighter(start=start, middle=middle, end=end):
            runs += [(middle, end), (start, middle)]
        else:
            runs += [(start, middle), (middle, end)]
    return listed
