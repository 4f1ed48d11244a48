"""A family archive lies in a dark corridor with {cupboards} cupboards, numbered from 0. In each cupboard
stands a candle. You walk along the corridor from cupboard 0 to the last one, by the light of one candle
at a time.

At cupboard 0 you light its candle. When you get to another cupboard, you light its candle if the candle
that you lit last has gone out by then: if the seconds that you have walked since you lit it are at
least the seconds for which it burns. Otherwise you go on without lighting a candle.

Answer with the numbers of the cupboards whose candles you lit, in ascending order. In the corridor
nobody tells you whether a candle has gone out; you have to reckon.
"""

META = {
    "title": "Archive candles",
    "tags": ["puzzles", "simulation"],
    "public": ["cupboards"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem stair-lamps",
}


class Environment:
    def __init__(self, cupboards: int, burns: list[int], ways: list[int]):
        if cupboards < 1 or cupboards != len(burns) or cupboards != len(ways) + 1:
            raise ValueError(
                "every cupboard needs a candle, and there is a way between neighbouring cupboards"
            )
        if min(burns + ways) < 1:
            raise ValueError("seconds have to be at least 1")
        self.burns = burns
        self.ways = ways
        self.place = 0
        self.lit = []

    def light_candle(self) -> int:
        """Light the candle of the cupboard at which you stand, and read off for how many seconds it burns.

        A candle that has been lit before is refused.
        """
        if self.place in self.lit:
            raise ValueError("this candle has been lit already")
        self.lit.append(self.place)
        return self.burns[self.place]

    def walk_on(self) -> int:
        """Walk to the next cupboard and tell how many seconds that took; refused at the last cupboard."""
        if self.place == len(self.burns) - 1:
            raise ValueError("this is the last cupboard")
        self.place += 1
        return self.ways[self.place - 1]


def walk(burns, ways, latest):
    lit = [0]
    seconds = 0
    for cupboard in range(1, len(burns)):
        seconds += ways[cupboard - 1]
        if seconds >= burns[lit[-1]] + latest:
            lit.append(cupboard)
            seconds = 0
    return lit


def reference(cupboards: int, burns: list[int], ways: list[int]) -> list[int]:
    return walk(burns, ways, 0)


def mistakes(cupboards: int, burns: list[int], ways: list[int]) -> dict[str, list[int]]:
    return {"candle that goes out on arrival still burns": walk(burns, ways, 1)}


def generate(random, difficulty):
    cupboards = [9, 15, 28, 52, 88][difficulty - 1]
    while True:
        config = {
            "cupboards": cupboards,
            "burns": [random.randint(3, 22) for cupboard in range(cupboards)],
            "ways": [random.randint(1, 6) for way in range(cupboards - 1)],
        }
        if reference(**config) not in mistakes(**config).values():
            return config


def solve(tools, cupboards):
    lit = [0]
    rest = tools.light_candle()
    for cupboard in range(1, cupboards):
        rest -= tools.walk_on()
        if rest <= 0:
            rest = tools.light_candle()
            lit.append(cupboard)
    return lit
