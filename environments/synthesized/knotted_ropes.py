"""On a glacier an expedition finds {ropes} ropes, numbered from 0, on which earlier climbers have noted
distances with knots. Every knot has a kind, and every kind a worth, which is written in the key of the
knots.

The value of a rope is the sum of the worths of its knots, with one exception: a knot that comes
directly before a knot of greater worth is subtracted instead of added. A rope may have no knot; its
value is 0.

Feel your way along each rope, from its beginning on. Answer with the list of the values of all ropes,
in the order of their numbers.
"""

META = {
    "title": "Knotted ropes",
    "tags": ["parsing"],
    "public": ["ropes"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem knot-numerals",
}


class Environment:
    def __init__(self, ropes: int, knots: list[list[str]], worths: dict[str, int]):
        if ropes < 1 or ropes != len(knots) or not all(kind in worths for rope in knots for kind in rope):
            raise ValueError("every rope needs a list of knots whose kinds have worths")
        if "end" in worths or min([1, *worths.values()]) < 1:
            raise ValueError("worths have to be at least 1")
        self.knots = knots
        self.worths = worths
        self.places = [0] * ropes

    def feel_next_knot(self, rope: int) -> str:
        """Move the hand to the next knot of a rope and tell its kind; the first call feels the first knot.

        Args:
            rope: the number of the rope.

        Returns:
            The kind of the knot, or "end" if there is no further one.
        """
        if not 0 <= rope < len(self.knots):
            raise ValueError(f"the ropes have the numbers 0 to {len(self.knots) - 1}")
        place = self.places[rope]
        if place == len(self.knots[rope]):
            return "end"
        self.places[rope] += 1
        return self.knots[rope][place]

    def look_up_worth(self, kind: str) -> int:
        """Look up the worth of a kind of knots in the key.

        Args:
            kind: the kind, as feel_next_knot tells it.
        """
        if kind not in self.worths:
            raise ValueError("the key has no such kind")
        return self.worths[kind]


def read(rope, worths, subtracts):
    total = 0
    for place, kind in enumerate(rope):
        smaller = subtracts and place + 1 < len(rope) and worths[kind] < worths[rope[place + 1]]
        total += -worths[kind] if smaller else worths[kind]
    return total


def reference(ropes: int, knots: list[list[str]], worths: dict[str, int]) -> list[int]:
    return [read(rope, worths, True) for rope in knots]


def mistakes(ropes: int, knots: list[list[str]], worths: dict[str, int]) -> dict[str, list[int]]:
    return {"adds every knot": [read(rope, worths, False) for rope in knots]}


def generate(random, difficulty):
    ropes = [2, 3, 5, 9, 16][difficulty - 1]
    kinds = ["loop", "bend", "hitch", "splice", "bowline"][: 3 + difficulty // 2]
    while True:
        worths = dict(zip(kinds, random.sample([1, 2, 3, 5, 8, 13, 20, 40, 70], len(kinds))))
        knots = [[random.choice(kinds) for knot in range(random.randint(2, 8))] for rope in range(ropes)]
        if difficulty > 2:
            knots[random.randrange(ropes)] = []
        config = {"ropes": ropes, "knots": knots, "worths": worths}
        if sum(len(rope) for rope in knots) >= 7 and reference(**config) not in mistakes(**config).values():
            return config


def solve(tools, ropes):
    key = {}
    answer = []
    for rope in range(ropes):
        kinds = []
        while True:
            kind = tools.feel_next_knot(rope=rope)
            if kind == "end":
                break
            kinds.append(kind)
            if kind not in key:
                key[kind] = tools.look_up_worth(kind=kind)
        worths = [key[kind] for kind in kinds]
        total = sum(worths)
        for one, other in zip(worths, worths[1:]):
            if one < other:
                total -= 2 * one
        answer.append(total)
    return answer
