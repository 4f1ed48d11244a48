"""At a cable railway in a ski area groups of skiers wait in two lanes, left and right. One cabin after
another takes one group each; {cabins} cabins are left today.

Again and again the smaller one of the two groups in front comes to the gate: the left one if they are
equally large, and the only one if the other lane is empty. A group that is too large for a cabin is
turned away at the gate and needs no cabin; every other group takes one. This ends when all cabins are
taken or both lanes are empty.

Call the groups to the gate as these rules say. Answer with a text that has one letter for each group
that came to the gate, in order: "L" or "R" for a group of the left or right lane that took a cabin, "l"
or "r" for one that was turned away. Nobody stops you at a mistake: the tools also call the wrong lane.
"""

from typing import Literal

META = {
    "title": "Cabin queue",
    "tags": ["simulation", "queues"],
    "public": ["cabins"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem two-lane-ferry",
}


class Environment:
    def __init__(self, cabins: int, left: list[int], right: list[int], places: int):
        if cabins < 0 or places < 0 or min(left + right + [0]) < 0:
            raise ValueError("no number may be negative")
        self.lanes = {"left": list(left), "right": list(right)}
        self.places = places
        self.called = 0

    def compare_fronts(
        self,
    ) -> Literal["left smaller", "right smaller", "equal", "left empty", "right empty", "both empty"]:
        """Compare the two groups that are in front of the lanes now, or tell which lanes are empty."""
        left, right = self.lanes["left"], self.lanes["right"]
        if not left or not right:
            return "both empty" if not left and not right else "right empty" if left else "left empty"
        return "equal" if left[0] == right[0] else "left smaller" if left[0] < right[0] else "right smaller"

    def fits_cabin(self, lane: Literal["left", "right"]) -> bool:
        """Tell whether the group that is in front of a lane now fits into a cabin.

        Args:
            lane: the lane; an empty one is refused.
        """
        check_lane(lane, self.lanes)
        return self.lanes[lane][0] <= self.places

    def call_group(self, lane: Literal["left", "right"]) -> int:
        """Call the group in front of a lane to the gate; it leaves the lane for good.

        Args:
            lane: the lane; an empty one is refused.

        Returns:
            How many groups have been called so far, from both lanes.
        """
        check_lane(lane, self.lanes)
        self.lanes[lane].pop(0)
        self.called += 1
        return self.called


def check_lane(lane, lanes):
    if not lanes[lane]:
        raise ValueError(f"the {lane} lane is empty")


def reference(cabins: int, left: list[int], right: list[int], places: int) -> str:
    waiting, others = list(left), list(right)
    order = ""
    taken = 0
    while taken < cabins and (waiting or others):
        from_left = not others or (bool(waiting) and waiting[0] <= others[0])
        group = waiting.pop(0) if from_left else others.pop(0)
        letter = "L" if from_left else "R"
        order += letter if group <= places else letter.lower()
        taken += group <= places
    return order


def mistakes(cabins: int, left: list[int], right: list[int], places: int) -> dict[str, str]:
    everyone = reference(len(left + right), left, right, places)
    swapped = reference(cabins, right, left, places).swapcase()
    exchange = {"L": "r", "R": "l", "l": "R", "r": "L"}
    return {
        "cabins for groups turned away": everyone[:cabins],
        "right lane first": "".join(exchange[letter] for letter in swapped),
    }


def generate(random, difficulty):
    cabins = [5, 9, 16, 26, 38][difficulty - 1]
    while True:
        most = cabins + random.randint(0, cabins // 3)
        groups = [random.choice([2, 3, 4, 4, 5, 5, 6, 7, 8, 9, 11]) for group in range(most)]
        split = random.randint(most // 3, most - most // 3)
        config = {
            "cabins": cabins,
            "left": groups[:split],
            "right": groups[split:],
            "places": random.randint(5, 8),
        }
        right = reference(**config)
        if sum(wrong == right for wrong in mistakes(**config).values()) == 0:
            return config


def solve(tools, cabins):
    came = ""
    while cabins > 0:
        fronts = tools.compare_fronts()
        if fronts == "both empty":
            break
        lane = "right" if fronts in ("right smaller", "left empty") else "left"
        letter = "L" if lane == "left" else "R"
        if tools.fits_cabin(lane=lane):
            cabins -= 1
            came += letter
        else:
            came += letter.lower()
        tools.call_group(lane=lane)
    return came
