"""In the cellar of a vineyard, barrels lie in {racks} racks, numbered from 0. In every rack the barrels are numbered
from 0 and sorted by sweetness, the driest first. {guests} guests, numbered from 0, have each chosen a rack and want
the first barrel in it that is at least as sweet as they like. The cellar master allows {tastings} tastings in all.

Answer with a list that has, for each guest, the number of the barrel, or the number of barrels in the rack if none
of them is sweet enough.
"""

META = {
    "title": "Barrel tasting",
    "tags": ["search", "budget"],
    "public": ["racks", "guests", "tastings"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem glacier-stakes",
}


class Environment:
    def __init__(
        self, racks: int, guests: int, tastings: int, barrels: list[list[int]], choices: list[int], likes: list[int]
    ):
        if racks < 1 or guests < 1 or len(barrels) != racks or {len(choices), len(likes)} != {guests}:
            raise ValueError("there must be barrels for each rack, and a choice and a like for each guest")
        if any(not 0 <= choice < racks for choice in choices) or any(not rack or rack != sorted(rack) for rack in barrels):
            raise ValueError("guests choose racks that exist, and barrels are sorted by sweetness")
        if tastings < sum(len(bin(len(barrels[choice]))) - 2 for choice in choices):
            raise ValueError("the tastings must be enough to halve the racks")
        self.barrels = barrels
        self.choices = choices
        self.likes = likes
        self.tastings = tastings

    def chosen_rack(self, guest: int) -> int:
        """Ask a guest for the number of the chosen rack.

        Args:
            guest: number of the guest.
        """
        check("guest", guest, self.choices)
        return self.choices[guest]

    def count_barrels(self, rack: int) -> int:
        """Count the barrels of a rack.

        Args:
            rack: number of the rack.
        """
        check("rack", rack, self.barrels)
        return len(self.barrels[rack])

    def let_taste(self, guest: int, barrel: int) -> bool:
        """Let a guest taste a barrel of the chosen rack; refused when all tastings are used up.

        Args:
            guest: number of the guest.
            barrel: number of the barrel in the rack that the guest has chosen.

        Returns:
            Whether the barrel is sweet enough for the guest.
        """
        check("guest", guest, self.choices)
        check("barrel", barrel, self.barrels[self.choices[guest]])
        if self.tastings == 0:
            raise ValueError("all tastings are used up")
        self.tastings -= 1
        return self.barrels[self.choices[guest]][barrel] >= self.likes[guest]


def check(what, number, items):
    if not 0 <= number < len(items):
        raise ValueError(f"{what} must be between 0 and {len(items) - 1}")


def reference(
    racks: int, guests: int, tastings: int, barrels: list[list[int]], choices: list[int], likes: list[int]
) -> list[int]:
    return [sum(barrel < like for barrel in barrels[choice]) for choice, like in zip(choices, likes)]


def generate(random, difficulty):
    racks = random.randint(2, 2 + difficulty // 2)
    guests = [3, 4, 6, 9, 15][difficulty - 1]
    most = [8, 14, 24, 40, 60][difficulty - 1]
    barrels = []
    for rack in range(racks):
        count = random.randint(most // 2, most)
        barrels.append(sorted(random.randint(0, count) for barrel in range(count)))
    choices = [random.randrange(racks) for guest in range(guests)]
    likes = [random.randint(0, len(barrels[choice]) + 2) for choice in choices]
    tastings = sum(len(bin(len(barrels[choice]))) - 2 for choice in choices) + random.randint(0, difficulty)
    return {
        "racks": racks,
        "guests": guests,
        "tastings": tastings,
        "barrels": barrels,
        "choices": choices,
        "likes": likes,
    }


def solve(tools, racks, guests, tastings):
    counts = {}
    answers = []
    for guest in range(guests):
        rack = tools.chosen_rack(guest=guest)
        if rack not in counts:
            counts[rack] = tools.count_barrels(rack=rack)
        low, high = 0, counts[rack]
        while low < high:
            middle = (low + high) // 2
            if tools.let_taste(guest=guest, barrel=middle):
                high = middle
            else:
                low = middle + 1
        answers.append(low)
    return answers
