"""The harbour chart is a square of {size} by {size} fields, rows and columns counted from 0. Some fields are rock,
the others are water. Two rocks belong to the same reef if one can be reached from the other over rocks that share
a side.

Survey all reefs with the launch. Answer with the number of rocks of every reef, the largest number first; the list
is empty if there is no rock.
"""

from typing import Literal, TypedDict

META = {
    "title": "Reef survey",
    "tags": ["grids", "search"],
    "public": ["size"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem reef-count",
}


class Field(TypedDict):
    row: int
    column: int


class Environment:
    def __init__(self, size: int, rows: list[str]):
        if size < 1 or len(rows) != size or any(len(row) != size or set(row) - set("#.") for row in rows):
            raise ValueError("rows must be a square of the given size, of the signs # and .")
        self.size = size
        self.rows = rows
        self.buoys = []

    def find_rock(self) -> Field | None:
        """Look for the first rock without a buoy, row by row from row 0, each row from column 0.

        Returns:
            Row and column of the rock, or null if every rock has a buoy.
        """
        for row in range(self.size):
            for column in range(self.size):
                if self.rows[row][column] == "#" and [row, column] not in self.buoys:
                    return {"row": row, "column": column}
        return None

    def place_buoy(self, row: int, column: int) -> list[Literal["north", "west", "east", "south"]]:
        """Put a buoy on a rock and sound the four fields beside it; refused on water and on a rock with a buoy.

        Args:
            row: row of the rock.
            column: column of the rock.

        Returns:
            The sides on which there is rock too, with or without a buoy. North is the row before, west the column
            before.
        """
        if not is_rock(self.rows, row, column):
            raise ValueError("there is no rock at this place; find_rock finds rocks")
        if [row, column] in self.buoys:
            raise ValueError("this rock has a buoy already")
        self.buoys.append([row, column])
        return [
            side
            for side, down, right in (("north", -1, 0), ("west", 0, -1), ("east", 0, 1), ("south", 1, 0))
            if is_rock(self.rows, row + down, column + right)
        ]


def is_rock(rows, row, column):
    return 0 <= row < len(rows) and 0 <= column < len(rows) and rows[row][column] == "#"


def reefs(rows, steps):
    unseen = {(row, column) for row in range(len(rows)) for column in range(len(rows)) if is_rock(rows, row, column)}
    sizes = []
    while unseen:
        waiting = [unseen.pop()]
        for row, column in waiting:
            for down, right in steps:
                place = (row + down, column + right)
                if place in unseen:
                    unseen.remove(place)
                    waiting.append(place)
        sizes.append(len(waiting))
    return sorted(sizes, reverse=True)


def reference(size: int, rows: list[str]) -> list[int]:
    return reefs(rows, ((-1, 0), (0, -1), (0, 1), (1, 0)))


def mistakes(size: int, rows: list[str]) -> dict[str, list[int]]:
    steps = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return {"corners join rocks": reefs(rows, steps)}


def generate(random, difficulty):
    size = random.randint(*[(4, 5), (6, 7), (8, 9), (10, 12), (13, 15)][difficulty - 1])
    rocks = [9, 16, 30, 54, 88][difficulty - 1] + random.randint(0, 3)
    places = random.sample([(row, column) for row in range(size) for column in range(size)], rocks)
    rows = ["".join("#" if (row, column) in places else "." for column in range(size)) for row in range(size)]
    return {"size": size, "rows": rows}


def solve(tools, size):
    reefs = []
    done = set()

    def survey(row, column):
        if (row, column) in done:
            return 0
        done.add((row, column))
        sides = tools.place_buoy(row=row, column=column)
        rocks = 1
        if "north" in sides:
            rocks += survey(row - 1, column)
        if "west" in sides:
            rocks += survey(row, column - 1)
        if "east" in sides:
            rocks += survey(row, column + 1)
        if "south" in sides:
            rocks += survey(row + 1, column)
        return rocks

    rock = tools.find_rock()
    while rock is not None:
        reefs.append(survey(rock["row"], rock["column"]))
        rock = tools.find_rock()
    reefs.sort()
    return reefs[::-1]
