"""A theatre moves its star on wires across the stage, before the show according to {cues} cues. Each cue
is a card with a name. It says a direction (east, west, north, south, up, down), a distance in metres,
and which card comes next. Some cues have been struck, and nothing moves at a struck cue.

The star begins on the floor, at east 0, north 0 and height 0. West and south count negative. "up"
raises the star and "down" lowers it, but never below the floor: a cue that would lower it further ends
on the floor (height 0).

Work through all cards, from the first one to the last. Answer with the final position as a list of
three whole numbers: metres to the east, metres to the north, height.
"""

from typing import Literal, TypedDict

META = {
    "title": "Flying star",
    "tags": ["simulation"],
    "public": ["cues"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem recalled-orders",
}
STEPS = {
    "east": [1, 0, 0],
    "west": [-1, 0, 0],
    "north": [0, 1, 0],
    "south": [0, -1, 0],
    "up": [0, 0, 1],
    "down": [0, 0, -1],
}


class Cue(TypedDict):
    name: str
    direction: Literal["east", "west", "north", "south", "up", "down"]
    distance: int
    struck: bool


class Card(TypedDict):
    direction: Literal["east", "west", "north", "south", "up", "down"]
    distance: int


class Environment:
    def __init__(self, cues: int, book: list[Cue]):
        names = [cue["name"] for cue in book]
        if (
            cues != len(book)
            or not book
            or len(set(names)) != cues
            or min(cue["distance"] for cue in book) < 0
        ):
            raise ValueError("the cues need different names, and distances that are not negative")
        self.book = book
        self.names = names

    def find_first_cue(self) -> str:
        """Tell the name of the first cue."""
        return self.names[0]

    def find_next_cue(self, name: str) -> str:
        """Tell the name of the cue after another one, struck or not, or "curtain" after the last one.

        Args:
            name: the name of a cue.
        """
        place = find_cue(name, self.names) + 1
        return self.names[place] if place < len(self.names) else "curtain"

    def is_struck(self, name: str) -> bool:
        """Tell whether a cue has been struck.

        Args:
            name: the name of a cue.
        """
        return self.book[find_cue(name, self.names)]["struck"]

    def read_card(self, name: str) -> Card:
        """Read the direction and the distance in metres of a cue; refuses a struck cue, whose card is gone.

        Args:
            name: the name of a cue.
        """
        cue = self.book[find_cue(name, self.names)]
        if cue["struck"]:
            raise ValueError("the card of a struck cue is gone")
        return {"direction": cue["direction"], "distance": cue["distance"]}


def find_cue(name, names):
    if name not in names:
        raise ValueError("no cue has this name; find_first_cue and find_next_cue tell names")
    return names.index(name)


def fly(book, clamp):
    position = [0, 0, 0]
    for cue in book:
        for axis in range(3):
            position[axis] += STEPS[cue["direction"]][axis] * cue["distance"]
        if clamp:
            position[2] = max(position[2], 0)
    return position


def reference(cues: int, book: list[Cue]) -> list[int]:
    return fly([cue for cue in book if not cue["struck"]], True)


def mistakes(cues: int, book: list[Cue]) -> dict[str, list[int]]:
    kept = [cue for cue in book if not cue["struck"]]
    free = fly(kept, False)
    return {
        "flies struck cues": fly(book, True),
        "lets the star sink below the floor": free,
        "looks at the floor at the end only": [free[0], free[1], max(free[2], 0)],
    }


def generate(random, difficulty):
    cues = [6, 10, 18, 32, 54][difficulty - 1]
    names = random.sample(
        [a + b + c for a in "bdfgklmnprst" for b in "aeiou" for c in ["nda", "lto", "rix"]], cues
    )
    ways = ["up", "down", "up", "down", "east", "west", "north", "south"]
    while True:
        book = [
            {
                "name": name,
                "direction": random.choice(ways),
                "distance": random.randint(1, 9),
                "struck": random.random() < 0.25,
            }
            for name in names
        ]
        right = reference(cues, book)
        if all(wrong != right for wrong in mistakes(cues, book).values()):
            return {"cues": cues, "book": book}


def solve(tools, cues):
    moves = {"east": (0, 1), "west": (0, -1), "north": (1, 1), "south": (1, -1), "up": (2, 1), "down": (2, -1)}
    position = [0, 0, 0]
    name = None
    for place in range(cues):
        name = tools.find_next_cue(name=name) if place else tools.find_first_cue()
        if name == "curtain":
            break
        if tools.is_struck(name=name):
            continue
        card = tools.read_card(name=name)
        axis, sign = moves[card["direction"]]
        position[axis] += sign * card["distance"]
        position[2] = max(position[2], 0)
    return position
