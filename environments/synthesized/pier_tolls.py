"""{ships} ships, numbered from 0, have moored in a harbour, each at a pier of its own choice. A ship has to pay a toll
at its pier, in the coins of that pier. Every pier takes coins of certain values only, as many of each as one likes,
and gives no change.

Answer with a list that has, for each ship in order, the least number of coins with which it can pay its toll exactly
at its pier, or -1 if that is not possible.
"""

from typing import TypedDict

META = {
    "title": "Pier tolls",
    "tags": ["number theory", "records"],
    "public": ["ships"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem toll-coins",
}


class Mooring(TypedDict):
    pier: str
    toll: int


class Environment:
    def __init__(self, ships: int, moorings: list[Mooring], coins: dict[str, list[int]]):
        if ships < 1 or len(moorings) != ships or any(mooring["pier"] not in coins for mooring in moorings):
            raise ValueError("there must be a mooring for each ship, at a pier that has coins")
        if any(not 1 <= mooring["toll"] <= 500 for mooring in moorings):
            raise ValueError("tolls are 1 to 500")
        if any(values != sorted(set(values)) or min([*values, 1]) < 1 for values in coins.values()):
            raise ValueError("the coins of a pier must be in ascending order, different, and 1 or more")
        self.moorings = moorings
        self.coins = coins

    def read_mooring(self, ship: int) -> Mooring:
        """Read the pier and the toll of a ship.

        Args:
            ship: number of the ship.
        """
        if not 0 <= ship < len(self.moorings):
            raise ValueError(f"ships have the numbers 0 to {len(self.moorings) - 1}")
        return self.moorings[ship]

    def next_coin(self, pier: str, value: int) -> int | None:
        """Return the smallest value of a coin of a pier that is greater than a given one, or null if there is none.

        Args:
            pier: name of the pier.
            value: a number of 0 or more; with 0, the smallest coin is returned.
        """
        if pier not in self.coins:
            raise ValueError("there is no pier with this name; moorings name the piers")
        if value < 0:
            raise ValueError("value must be 0 or more")
        return next((coin for coin in self.coins[pier] if coin > value), None)


def fewest(toll, values, greedy):
    if greedy:
        count = 0
        for value in reversed(values):
            count += toll // value
            toll %= value
        return -1 if toll else count
    needed = [0]
    for amount in range(1, toll + 1):
        ways = [needed[amount - value] for value in values if value <= amount and needed[amount - value] >= 0]
        needed.append(min(ways) + 1 if ways else -1)
    return needed[toll]


def reference(ships: int, moorings: list[Mooring], coins: dict[str, list[int]]) -> list[int]:
    return [fewest(mooring["toll"], coins[mooring["pier"]], False) for mooring in moorings]


def mistakes(ships: int, moorings: list[Mooring], coins: dict[str, list[int]]) -> dict[str, list[int]]:
    return {
        "greatest coins first": [fewest(mooring["toll"], coins[mooring["pier"]], True) for mooring in moorings]
    }


def generate(random, difficulty):
    config = {}
    for attempt in range(40):
        ships = random.randint(*[(4, 5), (7, 8), (12, 15), (24, 29), (52, 64)][difficulty - 1])
        names = random.sample(["North", "South", "Mole", "Quay", "Basin", "Fish", "Coal", "Grain", "Ferry"], 1 + difficulty)
        coins = {}
        for pier in sorted(names):
            least = random.choice([1, 2, 3, 4])
            coins[pier] = sorted(random.sample(range(least, 12 + 5 * difficulty), random.randint(3, 3 + difficulty)))
        moorings = [
            {"pier": random.choice(names), "toll": random.randint(5, 30 + 12 * difficulty)} for ship in range(ships)
        ]
        config = {"ships": ships, "moorings": moorings, "coins": coins}
        if reference(**config) not in mistakes(**config).values():
            return config
    return config


def solve(tools, ships):
    moorings = [tools.read_mooring(ship=ship) for ship in range(ships)]
    greatest = {}
    for mooring in moorings:
        greatest[mooring["pier"]] = max(greatest.get(mooring["pier"], 0), mooring["toll"])
    fewest = {}
    for pier, toll in greatest.items():
        coins = []
        value = tools.next_coin(pier=pier, value=0)
        while value is not None and value <= toll:
            coins.append(value)
            value = tools.next_coin(pier=pier, value=value) if value < toll else None
        counts = [0] + [None] * toll
        for amount in range(1, toll + 1):
            possible = [counts[amount - coin] for coin in coins if coin <= amount]
            possible = [count for count in possible if count is not None]
            if possible:
                counts[amount] = min(possible) + 1
        fewest[pier] = counts
    answer = []
    for mooring in moorings:
        count = fewest[mooring["pier"]][mooring["toll"]]
        answer.append(-1 if count is None else count)
    return answer
