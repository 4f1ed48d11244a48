"""Stakes stand in a line down a glacier; melt[s] is the melted ice at stake s in centimetres and never
decreases from stake to stake. A surveyor looks for the first stake with at least `wanted`
centimetres. Walking is slow, so the surveyor first doubles the step: from stake 0 to stake 1, 3, 7,
15 and so on, as long as the stake there exists and has less than wanted. Then the surveyor halves
the range between the last stake that was too low (or the beginning) and the stake that was not (or
the end) until the first one is found. Do this for each number in the list `wanted`. Answer with a
list with the number of the stake for each, or the number of stakes if no stake has enough.

You are not shown melt and wanted; ask the tools about them.
"""


META = {
    'title': 'Glacier stakes',
    'tags': ['traced'],
    'source': 'codegym-mcp examples, problem glacier-stakes',
    'license': 'MIT',
}


def has_melted(melt, wanted, stake, mark):
    return melt[stake] >= wanted[mark]

def find_stakes(melt, wanted):
    stakes = len(melt)
    found = []
    for mark in range(len(wanted)):
        low, high = (0, 0)
        while high < stakes and (not has_melted(melt, wanted, high, mark)):
            low = high + 1
            high = 2 * high + 1
        high = min(high, stakes)
        while low < high:
            middle = (low + high) // 2
            if has_melted(melt, wanted, middle, mark):
                high = middle
            else:
                low = middle + 1
        found.append(low)
    return found


class Environment:
    def __init__(self, melt: list[int], wanted: list[int]):
        self.melt = melt
        self.wanted = wanted

    def count_melt(self) -> int:
        """Returns the length of `melt`."""
        return len(self.melt)

    def count_wanted(self) -> int:
        """Returns the length of `wanted`."""
        return len(self.wanted)

    def has_melted(self, stake: int, mark: int) -> bool:
        """Returns whether a stake shows at least the melted ice of a mark.

        Args:
            stake: position in `melt`, counted from 0.
            mark: position in `wanted`, counted from 0.
        """
        if not 0 <= stake < len(self.melt):
            raise ValueError(f"stake must be at least 0 and less than {len(self.melt)}.")
        if not 0 <= mark < len(self.wanted):
            raise ValueError(f"mark must be at least 0 and less than {len(self.wanted)}.")
        try:
            return bool(has_melted(self.melt, self.wanted, stake, mark))
        except Exception:
            raise ValueError("has_melted is not defined for this stake and mark; choose other arguments.")


def reference(melt: list[int], wanted: list[int]) -> list[int]:
    return find_stakes(melt, wanted)


def solve(tools):
    count_melt = tools.count_melt()
    count_wanted = tools.count_wanted()
    stakes = count_melt
    found = []
    for mark in range(count_wanted):
        low, high = (0, 0)
        while high < stakes and (not tools.has_melted(stake=high, mark=mark)):
            low = high + 1
            high = 2 * high + 1
        high = min(high, stakes)
        while low < high:
            middle = (low + high) // 2
            if tools.has_melted(stake=middle, mark=mark):
                high = middle
            else:
                low = middle + 1
        found.append(low)
    return found
