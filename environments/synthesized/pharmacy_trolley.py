"""A trolley of the hospital pharmacy goes from the store to the ward through stations. The stations form a
rectangular floor plan of {rows} rows and {columns} columns, and each station has a name. The store is
in the north-western corner, the ward in the south-eastern one. From a station the trolley can go on in
two ways only: one station to the east or one station to the south. Some stations are closed and cannot
be entered.

Every station takes some minutes, those of the store and of the ward included. Find the least number of
minutes that the trolley needs from the store to the ward, both included. Answer with it, or with -1 if
the ward cannot be reached.
"""

from typing import Literal

META = {
    "title": "Pharmacy trolley",
    "tags": ["grids", "graphs", "dynamic programming"],
    "public": ["rows", "columns"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem cheapest-descent",
}


class Environment:
    def __init__(self, rows: int, columns: int, names: list[list[str]], minutes: list[list[int | None]]):
        shape = [columns] * rows
        if (
            not shape
            or columns < 1
            or [len(row) for row in names] != shape
            or [len(row) for row in minutes] != shape
        ):
            raise ValueError("names and minutes need a value for each row and column")
        self.minutes = minutes
        self.names = names
        self.places = {name: (y, x) for y, row in enumerate(names) for x, name in enumerate(row)}
        if len(self.places) != rows * columns:
            raise ValueError("two stations have the same name")
        if minutes[0][0] is None or minutes[-1][-1] is None:
            raise ValueError("the store and the ward cannot be closed")

    def find_store(self) -> str:
        """Tell the name of the station in which the store is."""
        return self.names[0][0]

    def next_station(self, station: str, way: Literal["east", "south"]) -> str:
        """Tell where the trolley gets to from a station.

        Args:
            station: the name of a station.
            way: the way to go on.

        Returns:
            The name of the next station, "closed" if the next station cannot be entered, or "wall" if
            there is none.
        """
        y, x = find_station(station, self.places)
        y, x = (y, x + 1) if way == "east" else (y + 1, x)
        if y == len(self.names) or x == len(self.names[0]):
            return "wall"
        return "closed" if self.minutes[y][x] is None else self.names[y][x]

    def ask_minutes(self, station: str) -> int:
        """Tell how many minutes a station takes; refuses a closed one.

        Args:
            station: the name of a station.
        """
        y, x = find_station(station, self.places)
        minutes = self.minutes[y][x]
        if minutes is None:
            raise ValueError("this station is closed")
        return minutes


def find_station(station, places):
    if station not in places:
        raise ValueError("no station has this name; find_store and next_station tell names")
    return places[station]


def reference(rows: int, columns: int, names: list[list[str]], minutes: list[list[int | None]]) -> int:
    times = {}
    for y in range(rows):
        for x in range(columns):
            before = [times[place] for place in [(y - 1, x), (y, x - 1)] if place in times]
            if y == x == 0:
                before = [0]
            if before and minutes[y][x] is not None:
                times[y, x] = min(before) + minutes[y][x]
    return times.get((rows - 1, columns - 1), -1)


def generate(random, difficulty):
    rows = [3, 3, 5, 6, 7][difficulty - 1]
    columns = [3, 4, 5, 6, 8][difficulty - 1]
    known = random.sample(
        [a + b + c for a in "bdfgklmnprst" for b in "aeiou" for c in "lnrst"], rows * columns
    )
    names = [known[row * columns : (row + 1) * columns] for row in range(rows)]
    blocked = random.random() < 0.06
    while True:
        minutes = [
            [None if random.random() < 0.17 else random.randint(1, 15) for column in range(columns)]
            for row in range(rows)
        ]
        minutes[0][0], minutes[-1][-1] = random.randint(1, 15), random.randint(1, 15)
        config = {"rows": rows, "columns": columns, "names": names, "minutes": minutes}
        if (reference(**config) == -1) == blocked:
            return config


def solve(tools, rows, columns):
    from functools import lru_cache

    cells = {}

    def find(row, column):
        # The stations that can be reached, by place; those that cannot are left out.
        waiting = [(0, 0)]
        cells[(0, 0)] = tools.find_store()
        blocked = set()
        while waiting:
            row, column = waiting.pop(0)
            for way, there in (("east", (row, column + 1)), ("south", (row + 1, column))):
                if there in cells or there in blocked or there[0] == rows or there[1] == columns:
                    continue
                name = tools.next_station(station=cells[(row, column)], way=way)
                if name == "closed" or name == "wall":
                    blocked.add(there)
                else:
                    cells[there] = name
                    waiting.append(there)

    find(0, 0)
    goal = (rows - 1, columns - 1)
    if goal not in cells:
        return -1
    # Only stations from which the ward can be reached matter.
    useful = set()
    for row in range(rows - 1, -1, -1):
        for column in range(columns - 1, -1, -1):
            if (row, column) in cells:
                if (row, column) == goal or (row + 1, column) in useful or (row, column + 1) in useful:
                    useful.add((row, column))
    least = {}
    for row in range(rows):
        for column in range(columns):
            if (row, column) in useful:
                before = [least[each] for each in ((row - 1, column), (row, column - 1)) if each in least]
                minutes = tools.ask_minutes(station=cells[(row, column)])
                least[(row, column)] = minutes + (min(before) if before else 0)
    return least[goal]
