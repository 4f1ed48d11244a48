"""{lights} lighthouses stand along a coast, numbered from 0 from south to north. An inspector comes ashore at
lighthouse {start} with {oil} litres of lamp oil. At each lighthouse where the inspector stops, the first one included,
the lamp is filled up if the oil that is left is enough for it; otherwise nothing is filled there and the round ends.
After filling, the next stop is the nearest lighthouse further north that is strictly taller than the one where the
inspector is. If there is none, it is the nearest one further north that is strictly shorter. If there is none either,
the round ends. Lighthouses between two stops are passed by, and their lamps are not filled.

Lead the inspector. Answer with the numbers of the lighthouses whose lamps were filled, in order.
"""

from typing import Literal

META = {
    "title": "Lamp round",
    "tags": ["sequences", "simulation"],
    "public": ["lights", "start", "oil"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem orchard-ladder",
}


class Environment:
    def __init__(self, lights: int, start: int, oil: int, heights: list[int], needs: list[int]):
        if lights < 1 or len(heights) != lights or len(needs) != lights or not 0 <= start < lights:
            raise ValueError("there must be a height and a need for each lighthouse, and the start is one of them")
        if oil < 0 or any(need < 0 for need in needs):
            raise ValueError("oil and needs cannot be negative")
        self.heights = heights
        self.needs = list(needs)
        self.oil = oil
        self.place = start
        self.filled = []

    def compare_height(self, light: int) -> Literal["shorter", "equal", "taller"]:
        """Compare another lighthouse with the one where the inspector is.

        Args:
            light: number of a lighthouse further north.

        Returns:
            Whether that lighthouse is shorter than the one where the inspector is, equally tall, or taller.
        """
        check_north(light, self.place, len(self.heights))
        if self.heights[light] == self.heights[self.place]:
            return "equal"
        return "taller" if self.heights[light] > self.heights[self.place] else "shorter"

    def fill_lamp(self) -> bool:
        """Fill the lamp up where the inspector is, if the oil is enough; refused at a lamp that is filled already.

        Returns:
            Whether the oil was enough; if not, nothing was filled.
        """
        if self.place in self.filled:
            raise ValueError("this lamp is filled already")
        if self.needs[self.place] > self.oil:
            return False
        self.oil -= self.needs[self.place]
        self.filled.append(self.place)
        return True

    def walk_to(self, light: int) -> int:
        """Lead the inspector to a lighthouse further north; there is no way back.

        Args:
            light: number of the lighthouse.

        Returns:
            How many lighthouses lie further north than that one.
        """
        check_north(light, self.place, len(self.heights))
        self.place = light
        return len(self.heights) - 1 - light


def check_north(light, place, lights):
    if not place < light < lights:
        raise ValueError(f"the inspector is at {place}; lighthouses further north go up to {lights - 1}")


def go_round(start, oil, heights, needs, shorter_too, strict):
    filled, place = [], start
    while place is not None and needs[place] <= oil:
        oil -= needs[place]
        filled.append(place)
        north = range(place + 1, len(heights))
        taller = [light for light in north if heights[light] > heights[place] - (not strict)]
        shorter = [light for light in north if heights[light] < heights[place]] if shorter_too else []
        place = next(iter(taller + shorter), None)
    return filled


def reference(lights: int, start: int, oil: int, heights: list[int], needs: list[int]) -> list[int]:
    return go_round(start, oil, heights, needs, True, True)


def mistakes(lights: int, start: int, oil: int, heights: list[int], needs: list[int]) -> dict[str, list[int]]:
    return {
        "round ends without a taller lighthouse": go_round(start, oil, heights, needs, False, True),
        "equally tall ones count as taller": go_round(start, oil, heights, needs, True, False),
    }


def generate(random, difficulty):
    config = {}
    for attempt in range(60):
        lights = random.randint(*[(8, 10), (12, 15), (20, 26), (36, 44), (64, 80)][difficulty - 1])
        start = random.randint(0, lights // 8)
        heights = []
        while len(heights) < lights:
            peak = random.randint(14, 40)
            rise = sorted(random.randint(8, peak) for step in range(random.randint(2, 6)))
            heights += rise
        needs = [random.randint(1, 9) for light in range(lights)]
        oil = random.randint(3, 5) * lights // 2
        config = {"lights": lights, "start": start, "oil": oil, "heights": heights[:lights], "needs": needs}
        right = reference(**config)
        if 3 <= len(right) and right[-1] > 0.7 * lights and right not in mistakes(**config).values():
            return config
    return config


def solve(tools, lights, start, oil):
    filled = []
    here = start
    while tools.fill_lamp():
        filled.append(here)
        shorter = taller = None
        for light in range(here + 1, lights):
            height = tools.compare_height(light=light)
            if height == "taller":
                taller = light
                break
            if height == "shorter" and shorter is None:
                shorter = light
        following = taller if taller is not None else shorter
        if following is None:
            break
        tools.walk_to(light=following)
        here = following
    return filled
