"""A belt in a baggage hall carries {suitcases} suitcases one behind the other. Each has a tag.

Find every suitcase that is strictly heavier than the suitcase directly in front of it and strictly
heavier than the one directly behind it. The first and the last suitcase on the belt do not count. Answer
with the tags of the suitcases that you have found, in the order from the first suitcase on the belt to
the last one; the list may be empty.
"""

from typing import Literal

META = {
    "title": "Baggage belt",
    "tags": ["sequences", "comparison"],
    "public": ["suitcases"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem summits",
}


class Environment:
    def __init__(self, suitcases: int, belt: list[str], weights: list[int]):
        if suitcases != len(belt) or len(belt) != len(weights) or len(set(belt)) != len(belt) or not belt:
            raise ValueError("the belt needs suitcases with different tags and a weight for each")
        self.belt = belt
        self.weights = dict(zip(belt, weights))

    def find_first(self) -> str:
        """Tell the tag of the first suitcase on the belt, which has none in front of it."""
        return self.belt[0]

    def look_behind(self, tag: str) -> str:
        """Tell the tag of the suitcase directly behind another one, or "end of belt" if it is the last one.

        Args:
            tag: the tag of a suitcase.
        """
        check_tag(tag, self.weights)
        place = self.belt.index(tag) + 1
        return self.belt[place] if place < len(self.belt) else "end of belt"

    def compare_weights(self, one: str, other: str) -> Literal["first", "second", "equal"]:
        """Put two suitcases on a balance and tell which one is heavier.

        Args:
            one: the tag of the first suitcase.
            other: the tag of the second suitcase.

        Returns:
            "first" if the first one is heavier, "second" if the second one is, or "equal".
        """
        check_tag(one, self.weights)
        check_tag(other, self.weights)
        difference = self.weights[one] - self.weights[other]
        return "first" if difference > 0 else "second" if difference < 0 else "equal"


def check_tag(tag, weights):
    if tag not in weights:
        raise ValueError("no suitcase on the belt has this tag; find_first and look_behind tell tags")


def reference(suitcases: int, belt: list[str], weights: list[int]) -> list[str]:
    return [
        belt[place]
        for place in range(1, suitcases - 1)
        if weights[place - 1] < weights[place] > weights[place + 1]
    ]


def mistakes(suitcases: int, belt: list[str], weights: list[int]) -> dict[str, list[str]]:
    inner = range(1, suitcases - 1)
    ends = [belt[0]] * (suitcases > 1 and weights[0] > weights[1])
    ends_behind = [belt[-1]] * (suitcases > 1 and weights[-1] > weights[-2])
    return {
        "counts equal weights": [belt[p] for p in inner if weights[p - 1] <= weights[p] >= weights[p + 1]],
        "counts the ends": ends + reference(suitcases, belt, weights) + ends_behind,
    }


def generate(random, difficulty):
    suitcases = [7, 12, 22, 38, 56][difficulty - 1]
    belt = random.sample(
        [a + b + str(n) for a in "CDFHKMPT" for b in "AEIOU" for n in range(1, 10)], suitcases
    )
    while True:
        weights = [random.randint(8, 12 + 2 * difficulty)]
        while len(weights) < suitcases:
            weights.append(weights[-1] if random.random() < 0.25 else random.randint(8, 12 + 2 * difficulty))
        config = {"suitcases": suitcases, "belt": belt, "weights": weights}
        right = reference(**config)
        if right and all(wrong != right for wrong in mistakes(**config).values()):
            return config


def solve(tools, suitcases):
    # The ends never count, and equal neighbours are not lighter.
    tags = [tools.find_first()]
    while len(tags) < suitcases:
        tags.append(tools.look_behind(tag=tags[-1]))
    heavier = {}

    def is_heavier(one, other):
        pair = (min(one, other), max(one, other))
        if pair not in heavier:
            heavier[pair] = tools.compare_weights(one=tags[pair[0]], other=tags[pair[1]])
        return heavier[pair] == ("first" if one == pair[0] else "second")

    return [
        tags[place]
        for place in range(1, len(tags) - 1)
        if is_heavier(place, place - 1) and is_heavier(place, place + 1)
    ]
