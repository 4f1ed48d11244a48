"""A harbour office keeps the cards of {ships} ships, numbered from 0 in the order in which they lie in the
drawer. Each card shows the year in which the ship was built, and the mark of her berth.

Put the ships into this order: the earlier year first; of the same year, the mark that comes earlier in
the alphabet; of the same year and mark, the smaller number. Answer with the list of all ship numbers in
this order.

The cards are old, and the clerk lets you only compare two of them at a time.
"""

from typing import Literal

META = {
    "title": "Ship register",
    "tags": ["sorting", "comparison"],
    "public": ["ships"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem card-sorter",
}


class Environment:
    def __init__(self, ships: int, years: list[int], marks: list[str]):
        if ships < 1 or ships != len(years) or ships != len(marks) or min(len(mark) for mark in marks) < 1:
            raise ValueError("every ship needs a year and a mark")
        self.years = years
        self.marks = marks

    def compare_years(self, ship: int, other: int) -> Literal["earlier", "same", "later"]:
        """Tell whether a ship was built earlier or later than another one, or in the same year.

        Args:
            ship: the number of the ship.
            other: the number of the other ship.
        """
        check_ships(ship, other, self.years)
        return compare(self.years[ship], self.years[other])

    def compare_marks(self, ship: int, other: int) -> Literal["earlier", "same", "later"]:
        """Tell whether the mark of a ship comes earlier or later in the alphabet than that of another one.

        The clerk refuses to compare the marks of ships that were built in different years.

        Args:
            ship: the number of the ship.
            other: the number of the other ship.
        """
        check_ships(ship, other, self.years)
        if self.years[ship] != self.years[other]:
            raise ValueError("these ships were built in different years")
        return compare(self.marks[ship], self.marks[other])


def check_ships(ship, other, years):
    if not (0 <= ship < len(years) and 0 <= other < len(years)):
        raise ValueError(f"the ships have the numbers 0 to {len(years) - 1}")


def compare(one, other):
    return "same" if one == other else "earlier" if one < other else "later"


def reference(ships: int, years: list[int], marks: list[str]) -> list[int]:
    return sorted(range(ships), key=lambda ship: (years[ship], marks[ship]))


def mistakes(ships: int, years: list[int], marks: list[str]) -> dict[str, list[int]]:
    return {
        "ignores the marks": sorted(range(ships), key=lambda ship: years[ship]),
        "last numbers first": sorted(range(ships)[::-1], key=lambda ship: (years[ship], marks[ship])),
    }


def generate(random, difficulty):
    ships = [6, 9, 13, 18, 25][difficulty - 1]
    while True:
        years = [random.randint(1900, 1900 + ships // 2) for ship in range(ships)]
        marks = [random.choice("ABCD") for ship in range(ships)]
        config = {"ships": ships, "years": years, "marks": marks}
        if reference(**config) not in mistakes(**config).values():
            return config


def solve(tools, ships):
    def group(numbers, compare):
        groups = []
        for ship in numbers:
            low, high = 0, len(groups)
            while low < high:
                middle = (low + high) // 2
                result = compare(ship, groups[middle][0])
                if result == "same":
                    groups[middle].append(ship)
                    break
                if result == "earlier":
                    high = middle
                else:
                    low = middle + 1
            else:
                groups.insert(low, [ship])
        return groups

    order = []
    for year in group(range(ships), lambda ship, other: tools.compare_years(ship=ship, other=other)):
        for mark in group(year, lambda ship, other: tools.compare_marks(ship=ship, other=other)):
            order.extend(sorted(mark))
    return order
