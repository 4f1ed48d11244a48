"""In a theatre the stage floor is a row of {platforms} platforms, numbered from 0, each one metre wide and
raised to a height of 0 to {top} whole decimetres. The sprinklers have gone off before the show, and
water stands on the platforms.

On each platform the water stands up to the lower one of two barriers: the highest platform to its left
and the highest one to its right, each including the platform itself. At both ends of the row water runs
off. Find out how much water stands there: answer with the sum, over all platforms, of the height of the
water on it, in decimetres.

You are in the cellar below the stage with a trolley and a measuring rod; the trolley stands under
platform 0.
"""

from typing import Literal

META = {
    "title": "Flooded stage",
    "tags": ["sequences", "search"],
    "public": ["platforms", "top"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem rainwater",
}


class Environment:
    def __init__(self, platforms: int, top: int, heights: list[int]):
        if platforms != len(heights) or not heights or not all(0 <= height <= top for height in heights):
            raise ValueError("every platform needs a height between 0 and top")
        self.heights = heights
        self.top = top
        self.place = 0

    def roll(self, platforms: int) -> int:
        """Roll the trolley along the row; refuses to roll beyond an end.

        Args:
            platforms: how many platforms to the right, or to the left if negative.

        Returns:
            The number of the platform above the trolley after that.
        """
        place = self.place + platforms
        if not 0 <= place < len(self.heights):
            raise ValueError(
                f"the row has platforms 0 to {len(self.heights) - 1}; the trolley is under {self.place}"
            )
        self.place = place
        return place

    def probe(self, height: int) -> Literal["higher", "equal", "lower"]:
        """Set the rod to a height and tell how the platform above the trolley compares with it.

        Args:
            height: in decimetres.

        Returns:
            "higher" if the platform is higher than the rod, "lower" if it is lower, or "equal".
        """
        if not 0 <= height <= self.top:
            raise ValueError(f"the rod can be set to 0 to {self.top} decimetres")
        real = self.heights[self.place]
        return "higher" if real > height else "lower" if real < height else "equal"


def reference(platforms: int, top: int, heights: list[int]) -> int:
    return sum(
        min(max(heights[: place + 1]), max(heights[place:])) - height for place, height in enumerate(heights)
    )


def mistakes(platforms: int, top: int, heights: list[int]) -> dict[str, int]:
    return {
        "lets no water run off": sum(max(heights) - height for height in heights),
        "looks at neighbours only": sum(
            max(0, min(heights[p - 1], heights[p + 1]) - heights[p]) for p in range(1, platforms - 1)
        ),
    }


def generate(random, difficulty):
    platforms = [7, 10, 16, 24, 32][difficulty - 1]
    top = [4, 6, 9, 12, 15][difficulty - 1]
    while True:
        heights = [random.randint(0, top) for platform in range(platforms)]
        config = {"platforms": platforms, "top": top, "heights": heights}
        right = reference(**config)
        if right and all(wrong != right for wrong in mistakes(**config).values()):
            return config


def solve(tools, platforms, top):
    def measure():
        low, high = 0, top
        while low < high:
            middle = (low + high) // 2
            result = tools.probe(height=middle)
            if result == "equal":
                return middle
            if result == "higher":
                low = middle + 1
            else:
                high = middle - 1
        return low

    known = {0: measure()}
    for place in range(1, platforms):
        tools.roll(platforms=1)
        known[place] = measure()
    left, right = 0, platforms - 1
    highest_left = highest_right = total = 0
    while left <= right:
        if known[left] <= known[right]:
            highest_left = max(highest_left, known[left])
            total += max(0, min(highest_left, max(highest_right, known[right])) - known[left])
            left += 1
        else:
            highest_right = max(highest_right, known[right])
            total += max(0, min(highest_right, max(highest_left, known[left])) - known[right])
            right -= 1
    return total
