"""A post office compares two piles of letters. Every letter bears the name of a district, and you may only
see how the districts of the two topmost letters compare.

If both topmost letters are for the same district, both are put away together, as a pair. Otherwise the
letter whose district comes earlier in the alphabet is put away alone; it counts as unmatched for its
pile. This goes on until a pile is empty, or until one pile has {limit} unmatched letters.

Put the letters away by these rules, and stop when they say so. Answer with a list of three numbers: the
pairs, the unmatched letters of the left pile, and those of the right pile. Letters that still lie in a
pile at the end do not count. Nobody checks what you put away.
"""

from typing import Literal

META = {
    "title": "Two letter piles",
    "tags": ["texts", "merging"],
    "public": ["limit"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem twin-choirs",
}


class Environment:
    def __init__(self, limit: int, left: list[str], right: list[str]):
        if limit < 1 or min([len(district) for district in left + right] + [1]) < 1:
            raise ValueError("the limit has to be at least 1, and every letter needs a district")
        self.piles = {"left": left, "right": right}
        self.places = {"left": 0, "right": 0}

    def compare_letters(self) -> Literal["same", "left is earlier", "right is earlier", "a pile is empty"]:
        """Compare the districts of the two topmost letters by the alphabet."""
        left, right = [rest(self, pile) for pile in ["left", "right"]]
        if not left or not right:
            return "a pile is empty"
        return (
            "same" if left[0] == right[0] else "left is earlier" if left[0] < right[0] else "right is earlier"
        )

    def put_away(self, pile: Literal["left", "right"]) -> int:
        """Put the topmost letter of a pile away for good; an empty pile is refused.

        Args:
            pile: the pile. A pair takes two calls, one for each pile.

        Returns:
            How many letters of this pile have been put away.
        """
        if not rest(self, pile):
            raise ValueError(f"the {pile} pile is empty")
        self.places[pile] += 1
        return self.places[pile]


def rest(environment, pile):
    return environment.piles[pile][environment.places[pile] :]


def sort_out(limit, left, right):
    place = other = pairs = 0
    alone = [0, 0]
    while place < len(left) and other < len(right) and max(alone) < limit:
        if left[place] == right[other]:
            pairs += 1
            place += 1
            other += 1
        elif left[place] < right[other]:
            alone[0] += 1
            place += 1
        else:
            alone[1] += 1
            other += 1
    return [pairs, *alone]


def reference(limit: int, left: list[str], right: list[str]) -> list[int]:
    return sort_out(limit, left, right)


def mistakes(limit: int, left: list[str], right: list[str]) -> dict[str, list[int]]:
    return {"ignores the limit": sort_out(len(left + right) + 1, left, right)}


def generate(random, difficulty):
    pairs = [5, 8, 14, 24, 38][difficulty - 1]
    limit = [4, 5, 7, 10, 14][difficulty - 1]
    districts = [
        "Abbey",
        "Brook",
        "Court",
        "Dale",
        "Elm",
        "Ford",
        "Grove",
        "Hill",
        "Inn",
        "Kiln",
        "Lane",
        "Mill",
    ]
    while True:
        left, right = [], []
        for pair in range(pairs):
            district = random.choice(districts)
            for pile in [left, right]:
                pile.append(district if random.random() < 0.85 else random.choice(districts))
                if random.random() < 0.15:
                    pile.append(random.choice(districts))
        config = {"limit": limit, "left": left, "right": right}
        right_answer = reference(**config)
        if sum(right_answer) >= pairs * 2 // 3 and (
            random.random() < 0.3 or right_answer not in mistakes(**config).values()
        ):
            return config


def solve(tools, limit):
    pairs = left = right = 0
    while left < limit and right < limit:
        state = tools.compare_letters()
        if state == "a pile is empty":
            break
        if state == "same":
            tools.put_away(pile="left")
            tools.put_away(pile="right")
            pairs += 1
        elif state == "left is earlier":
            tools.put_away(pile="left")
            left += 1
        else:
            tools.put_away(pile="right")
            right += 1
    return [pairs, left, right]
