"""A lighthouse crew of {keepers} keepers, numbered from 0, forms pairs for the night. Every keeper needs some minutes
for a round, and the minutes of a pair must be {limit} or less in all. Pairs are formed as follows: take the slowest
keeper who is left; the partner is the slowest other keeper who is left and with whom the limit is kept. If there is
none, the slowest keeper stays alone and leaves. Of keepers who are equally slow, the one with the smaller number
counts as slower.

Answer with the list of the pairs in the order in which they were formed, each as a list of two numbers, the slower
keeper first.
"""

META = {
    "title": "Night pairs",
    "tags": ["packing", "sorting"],
    "public": ["keepers", "limit"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem relay-teams",
}


class Environment:
    def __init__(self, keepers: int, limit: int, minutes: list[int]):
        if keepers < 1 or len(minutes) != keepers or min(minutes) < 1:
            raise ValueError("there must be a number of minutes, 1 or more, for each keeper")
        self.minutes = minutes
        self.limit = limit

    def is_slower(self, keeper: int, other: int) -> bool:
        """Let two keepers walk the round: whether the first one needs more minutes than the second one.

        Args:
            keeper: number of the first keeper.
            other: number of the second keeper.
        """
        check_pair(keeper, other, self.minutes)
        return self.minutes[keeper] > self.minutes[other]

    def keep_limit(self, keeper: int, other: int) -> bool:
        """Let two keepers walk one after the other: whether they keep the limit together.

        Args:
            keeper: number of one keeper.
            other: number of the other keeper.
        """
        check_pair(keeper, other, self.minutes)
        return self.minutes[keeper] + self.minutes[other] <= self.limit


def check_pair(keeper, other, minutes):
    if not (0 <= keeper < len(minutes) and 0 <= other < len(minutes)) or keeper == other:
        raise ValueError(f"name two different keepers with numbers from 0 to {len(minutes) - 1}")


def form_pairs(limit, minutes, slowest_partner):
    left = sorted(range(len(minutes)), key=lambda keeper: (-minutes[keeper], keeper))
    pairs = []
    while left:
        first = left.pop(0)
        fitting = [keeper for keeper in left if minutes[first] + minutes[keeper] <= limit]
        if fitting:
            partner = fitting[0] if slowest_partner else fitting[-1]
            left.remove(partner)
            pairs.append([first, partner])
    return pairs


def reference(keepers: int, limit: int, minutes: list[int]) -> list[list[int]]:
    return form_pairs(limit, minutes, True)


def mistakes(keepers: int, limit: int, minutes: list[int]) -> dict[str, list[list[int]]]:
    return {"the fastest partner is taken": form_pairs(limit, minutes, False)}


def generate(random, difficulty):
    config = {}
    for attempt in range(40):
        keepers = random.randint(*[(6, 7), (8, 10), (13, 16), (20, 24), (28, 32)][difficulty - 1])
        minutes = [random.randint(20, 60) for keeper in range(keepers)]
        limit = random.randint(66, 84)
        config = {"keepers": keepers, "limit": limit, "minutes": minutes}
        if form_pairs(limit, minutes, True) != form_pairs(limit, minutes, False):
            return config
    return config


def solve(tools, keepers, limit):
    # The slowest first; of equally slow ones the smaller number.
    def merge(group):
        if len(group) < 2:
            return group
        left, right = merge(group[: len(group) // 2]), merge(group[len(group) // 2 :])
        merged = []
        while left and right:
            if tools.is_slower(keeper=right[0], other=left[0]):
                merged.append(right.pop(0))
            else:
                merged.append(left.pop(0))
        return merged + left + right

    rest = merge(list(range(keepers)))
    pairs = []
    while rest:
        slowest = rest.pop(0)
        # The partners with whom the limit is kept are at the end of the rest.
        low, high = 0, len(rest)
        while low < high:
            middle = (low + high) // 2
            if tools.keep_limit(keeper=slowest, other=rest[middle]):
                high = middle
            else:
                low = middle + 1
        if low < len(rest):
            pairs.append([slowest, rest.pop(low)])
    return pairs
