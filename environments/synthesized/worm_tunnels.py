"""Worms live in a tree of tunnels below chamber 0. Chamber c was dug from the chamber whose number is
smaller by rises[c] (at least 1), or from chamber 0 if that number would be negative; rises[0] has
no meaning. food[c] is the food in chamber c in grams. One worm starts in each chamber; the worm of
chamber c eats hungers[c] grams (0 or more). A worm eats as much in its chamber if there is enough,
and then stays there. Otherwise it leaves the food and climbs to the chamber from which its own was
dug; in chamber 0 it stays without eating. The worm of the chamber with the greatest number starts
first, then the worm of the chamber before it, and so on down to chamber 0. A worm starts when the
one before it stays, and food that was eaten is gone. Answer with a list with the chamber in which
each worm stays, in the order in which they started.

You are not shown rises, food and hungers; ask the tools about them.
"""


META = {
    'title': 'Worm tunnels',
    'tags': ['traced'],
    'source': 'codegym-mcp examples, problem worm-tunnels',
    'license': 'MIT',
}


def is_enough(food, hungers, chamber, worm):
    return food[chamber] >= hungers[worm]

def chamber_above(rises, chamber):
    return max(0, chamber - rises[chamber])

def resting_places(rises, food, hungers):
    chambers = len(rises)
    above = []
    for chamber in range(chambers):
        above.append(chamber_above(rises, chamber))
    places = []
    for worm in range(chambers - 1, -1, -1):
        chamber = worm
        while chamber > 0:
            if is_enough(food, hungers, chamber, worm):
                food[chamber] -= hungers[worm]
                break
            chamber = above[chamber]
        places.append(chamber)
    return places


class Environment:
    def __init__(self, rises: list[int], food: list[int], hungers: list[int]):
        self.rises = rises
        self.food = food
        self.hungers = hungers

    def count_rises(self) -> int:
        """Returns the length of `rises`."""
        return len(self.rises)

    def chamber_above(self, chamber: int) -> int:
        """Returns the chamber from which a chamber was dug.

        Args:
            chamber: position in `rises`, counted from 0.
        """
        if not 0 <= chamber < len(self.rises):
            raise ValueError(f"chamber must be at least 0 and less than {len(self.rises)}.")
        try:
            return chamber_above(self.rises, chamber)
        except Exception:
            raise ValueError("chamber_above is not defined for this chamber; choose other arguments.")

    def is_enough(self, chamber: int, worm: int) -> bool:
        """Returns whether a chamber has enough food for a worm.

        Args:
            chamber: position in `food`, counted from 0.
            worm: position in `hungers`, counted from 0.
        """
        if not 0 <= chamber < len(self.food):
            raise ValueError(f"chamber must be at least 0 and less than {len(self.food)}.")
        if not 0 <= worm < len(self.hungers):
            raise ValueError(f"worm must be at least 0 and less than {len(self.hungers)}.")
        try:
            return bool(is_enough(self.food, self.hungers, chamber, worm))
        except Exception:
            raise ValueError("is_enough is not defined for this chamber and worm; choose other arguments.")

    def change_food_minus_hungers(self, chamber: int, worm: int) -> None:
        """Subtracts `hungers[worm]` from `food[chamber]`.

        Args:
            chamber: position in `food`, counted from 0.
            worm: position in `hungers`, counted from 0.
        """
        if not 0 <= chamber < len(self.food):
            raise ValueError(f"chamber must be at least 0 and less than {len(self.food)}.")
        if not 0 <= worm < len(self.hungers):
            raise ValueError(f"worm must be at least 0 and less than {len(self.hungers)}.")
        try:
            self.food[chamber] -= self.hungers[worm]
        except Exception:
            raise ValueError("change_food_minus_hungers is not defined for this chamber and worm; choose other arguments.")


def reference(rises: list[int], food: list[int], hungers: list[int]) -> list[int]:
    return resting_places(rises, food, hungers)


def solve(tools):
    count_rises = tools.count_rises()
    chambers = count_rises
    above = []
    for chamber in range(chambers):
        above.append(tools.chamber_above(chamber=chamber))
    places = []
    for worm in range(chambers - 1, -1, -1):
        chamber = worm
        while chamber > 0:
            if tools.is_enough(chamber=chamber, worm=worm):
                tools.change_food_minus_hungers(chamber=chamber, worm=worm)
                break
            chamber = above[chamber]
        places.append(chamber)
    return places
