"""On a flea market stand {vases} vases in a row, numbered from 0. You pick some of them from left to
right, so that every vase is strictly taller than the one picked before it. Forged vases must not be
picked.

For each number k for which k vases can be picked in this way, look at all ways to pick k vases, and at
the last vase of each way. Answer with a list whose first number is for k = 1, the next one for k = 2,
and so on, up to the greatest possible k: the number of the lowest of these last vases, and of several
equally low ones the one with the greatest number. If all vases are forged, the list is empty.
"""

META = {
    "title": "Row of vases",
    "tags": ["sequences", "dynamic programming"],
    "public": ["vases"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem growing-posts",
}


class Environment:
    def __init__(self, vases: int, heights: list[int], forged: list[bool]):
        if vases < 1 or vases != len(heights) or vases != len(forged) or min(heights) < 1:
            raise ValueError("every vase needs a height of at least 1, and is forged or not")
        self.heights = heights
        self.forged = forged

    def is_forged(self, vase: int) -> bool:
        """Tell whether a vase is forged.

        Args:
            vase: the number of the vase.
        """
        check_vase(vase, self.heights)
        return self.forged[vase]

    def is_lower(self, vase: int, other: int) -> bool:
        """Tell whether a vase is strictly lower than another one.

        Args:
            vase: the number of the vase.
            other: the number of the other vase.
        """
        check_vase(vase, self.heights)
        check_vase(other, self.heights)
        return self.heights[vase] < self.heights[other]


def check_vase(vase, heights):
    if not 0 <= vase < len(heights):
        raise ValueError(f"the vases have the numbers 0 to {len(heights) - 1}")


def ends(heights, forged, strictly):
    found = []
    for vase, height in enumerate(heights):
        if forged[vase]:
            continue
        place = 0
        while place < len(found) and (
            heights[found[place]] < height or (not strictly and heights[found[place]] == height)
        ):
            place += 1
        found[place : place + 1] = [vase]
    return found


def reference(vases: int, heights: list[int], forged: list[bool]) -> list[int]:
    return ends(heights, forged, True)


def mistakes(vases: int, heights: list[int], forged: list[bool]) -> dict[str, list[int]]:
    return {
        "picks forged vases": ends(heights, [False] * vases, True),
        "picks equally tall vases": ends(heights, forged, False),
    }


def generate(random, difficulty):
    vases = [8, 12, 18, 28, 42][difficulty - 1]
    while True:
        config = {
            "vases": vases,
            "heights": [random.randint(20, 20 + 2 * vases // 3) + vase // 3 for vase in range(vases)],
            "forged": [random.random() < 0.2 for vase in range(vases)],
        }
        if reference(**config) not in mistakes(**config).values():
            return config


def solve(tools, vases):
    tails = []
    for vase in range(vases):
        if tools.is_forged(vase=vase):
            continue
        low, high = 0, len(tails)
        while low < high:
            middle = (low + high) // 2
            if tools.is_lower(vase=tails[middle], other=vase):
                low = middle + 1
            else:
                high = middle
        if low == len(tails):
            tails.append(vase)
        else:
            tails[low] = vase
    return tails
