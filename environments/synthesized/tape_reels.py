"""A recording studio has a row of {reels} tape reels, numbered from 0, that should all weigh the same.
They are examined with a balance in runs of neighbouring reels.

To examine a run: if it has one reel, that reel is listed, and the run is done. If it has an odd number
of reels, the last reel is set aside and listed at once, and the rest is examined further. A run without
a reel is done. Then the run is split into two halves of equal length, and the balance compares them. If
they balance, the run is done. Otherwise first the lighter half is examined in the same way, and after
it (and everything that comes out of it) the heavier half.

Examine the whole row. Answer with the numbers of the listed reels in the order in which they are
listed; the list may be empty. Nothing else may be listed, even if a weighing would show it.
"""

from typing import Literal

META = {
    "title": "Tape reels",
    "tags": ["puzzles", "recursion"],
    "public": ["reels"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem coin-weighing",
}


class Environment:
    def __init__(self, reels: int, weights: list[int]):
        if reels < 1 or reels != len(weights) or min(weights) < 1:
            raise ValueError("every reel needs a weight of at least 1")
        self.weights = weights
        self.pans = {"left": [], "right": []}

    def load_pan(self, pan: Literal["left", "right"], start: int, end: int) -> int:
        """Put a run of reels on a pan, instead of what lies on it.

        Args:
            pan: the pan of the balance.
            start: the number of the first reel of the run.
            end: the number after that of the last reel of the run.

        Returns:
            How many reels lie on the pan now.
        """
        if not 0 <= start < end <= len(self.weights):
            raise ValueError(f"a run needs 0 <= start < end <= {len(self.weights)}")
        self.pans[pan] = self.weights[start:end]
        return end - start

    def read_balance(self) -> Literal["left is lighter", "right is lighter", "balanced"]:
        """Tell which pan is lighter; refused if a pan is empty or if they hold different numbers of reels."""
        left, right = self.pans["left"], self.pans["right"]
        if not left or len(left) != len(right):
            raise ValueError(f"{len(left)} reels lie on the left pan and {len(right)} on the right one")
        if sum(left) == sum(right):
            return "balanced"
        return "left is lighter" if sum(left) < sum(right) else "right is lighter"


def examine(weights, lighter_first):
    listed = []
    weighings = 0
    runs = [(0, len(weights))]
    while runs:
        start, end = runs.pop()
        if end - start == 1:
            listed.append(start)
            continue
        if (end - start) % 2:
            end -= 1
            listed.append(end)
        if start == end:
            continue
        middle = (start + end) // 2
        weighings += 1
        left, right = sum(weights[start:middle]), sum(weights[middle:end])
        if left != right:
            halves = [(start, middle), (middle, end)]
            runs += halves if (left > right and lighter_first) else halves[::-1]
    return listed, weighings


def reference(reels: int, weights: list[int]) -> list[int]:
    return examine(weights, True)[0]


def mistakes(reels: int, weights: list[int]) -> dict[str, list[int]]:
    return {
        "left half first": examine(weights, False)[0],
        "lists in ascending order": sorted(reference(reels, weights)),
    }


def generate(random, difficulty):
    low, high = [(5, 6), (7, 10), (12, 18), (22, 30), (36, 52)][difficulty - 1]
    while True:
        reels = [13, 22, 37, 59, 94][difficulty - 1]
        weights = [80] * reels
        for spoilt in range(random.randint(1 + difficulty, 3 * difficulty + 2)):
            weights[random.randrange(reels)] = random.choice([78, 79, 81, 82])
        right, weighings = examine(weights, True)
        if low <= weighings <= high and right not in mistakes(reels, weights).values():
            return {"reels": reels, "weights": weights}


def solve(tools, reels):
    listed = []

    def examine(start, end):
        count = end - start
        if count <= 0:
            return
        if count == 1:
            listed.append(start)
            return
        if count % 2:
            listed.append(end - 1)
            end -= 1
        middle = (start + end) // 2
        tools.load_pan(pan="left", start=start, end=middle)
        tools.load_pan(pan="right", start=middle, end=end)
        result = tools.read_balance()
        if result == "left is lighter":
            examine(start, middle)
            examine(middle, end)
        elif result == "right is lighter":
            examine(middle, end)
            examine(start, middle)

    examine(0, reels)
    return listed
