"""A delivery robot drives through an underground car park with {rows} rows and {columns} columns of bays,
numbered from 0. In some bays stands a sign with an arrow: N (to the row before), E (to the next
column), S (to the next row) or W (to the column before). The robot comes in at column 0, heading east;
you can look up in which row.

In each bay the robot first turns to the direction of the arrow, if there is a sign, and then drives one
bay on in its direction. When it has left a bay with a sign, this sign has to be turned by a quarter to
the right (N, E, S, W, N); nobody else does that. The drive ends when the robot leaves the car park, or
after {steps} steps.

Answer with a list of three numbers: row and column of the last bay in which the robot was, and the
steps that it made, including the one that leaves the car park.
"""

from typing import Literal

META = {
    "title": "Car park robot",
    "tags": ["grids", "simulation"],
    "public": ["rows", "columns", "steps"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem ant-trail",
}
RIGHT = {"N": "E", "E": "S", "S": "W", "W": "N"}
MOVES = {"N": [-1, 0], "E": [0, 1], "S": [1, 0], "W": [0, -1]}


class Environment:
    def __init__(
        self,
        rows: int,
        columns: int,
        steps: int,
        entry: int,
        bays: list[list[Literal["N", "E", "S", "W", "."]]],
    ):
        if rows < 1 or columns < 1 or rows != len(bays) or any(len(row) != columns for row in bays):
            raise ValueError("the bays have to form a rectangle of rows and columns")
        if not 0 <= entry < rows or steps < 1:
            raise ValueError("the robot needs a row to come in and at least one step")
        self.bays = [list(row) for row in bays]
        self.entry = entry

    def find_entry(self) -> int:
        """Look up in which row the robot comes in."""
        return self.entry

    def read_sign(self, row: int, column: int) -> Literal["N", "E", "S", "W", "no sign"]:
        """Read the arrow that the sign in a bay shows now.

        Args:
            row: the row of the bay.
            column: the column of the bay.
        """
        check_bay(row, column, self.bays)
        arrow = self.bays[row][column]
        return "no sign" if arrow == "." else arrow

    def turn_sign(self, row: int, column: int) -> str:
        """Turn the sign in a bay by a quarter to the right; refused where no sign stands.

        Args:
            row: the row of the bay.
            column: the column of the bay.
        """
        check_bay(row, column, self.bays)
        if self.bays[row][column] == ".":
            raise ValueError("no sign stands in this bay")
        self.bays[row][column] = RIGHT[self.bays[row][column]]
        return "turned"


def check_bay(row, column, bays):
    if not (0 <= row < len(bays) and 0 <= column < len(bays[0])):
        raise ValueError(
            f"the rows go from 0 to {len(bays) - 1} and the columns from 0 to {len(bays[0]) - 1}"
        )


def drive(steps, entry, bays, turns):
    bays = [list(row) for row in bays]
    row, column, heading, made = entry, 0, "E", 0
    while made < steps:
        arrow = bays[row][column]
        if arrow != ".":
            heading = arrow
            bays[row][column] = RIGHT[arrow] if turns else arrow
        made += 1
        down, right = MOVES[heading]
        if not (0 <= row + down < len(bays) and 0 <= column + right < len(bays[0])):
            break
        row, column = row + down, column + right
    return [row, column, made]


def reference(
    rows: int, columns: int, steps: int, entry: int, bays: list[list[Literal["N", "E", "S", "W", "."]]]
) -> list[int]:
    return drive(steps, entry, bays, True)


def mistakes(
    rows: int, columns: int, steps: int, entry: int, bays: list[list[Literal["N", "E", "S", "W", "."]]]
) -> dict[str, list[int]]:
    return {"signs do not turn": drive(steps, entry, bays, False)}


def generate(random, difficulty):
    rows = [4, 5, 6, 8, 10][difficulty - 1]
    columns = [5, 5, 7, 9, 10][difficulty - 1]
    steps = [12, 18, 30, 48, 75][difficulty - 1]
    least = [7, 11, 17, 28, 45][difficulty - 1]
    while True:
        config = {
            "rows": rows,
            "columns": columns,
            "steps": steps,
            "entry": random.randrange(rows),
            "bays": [[random.choice("NESW...") for column in range(columns)] for row in range(rows)],
        }
        right = reference(**config)
        if (
            right[2] >= least
            and right not in mistakes(**config).values()
            and (right[2] < steps or random.random() < 0.3)
        ):
            return config


def solve(tools, rows, columns, steps):
    order = "NESW"
    signs = {}
    place = (tools.find_entry(), 0)
    direction = "E"
    count = 0
    while count != steps:
        if place not in signs:
            signs[place] = tools.read_sign(row=place[0], column=place[1])
        if signs[place] in order:
            direction = signs[place]
            tools.turn_sign(row=place[0], column=place[1])
            signs[place] = order[(order.index(direction) + 1) % 4]
        following = {
            "N": (place[0] - 1, place[1]),
            "S": (place[0] + 1, place[1]),
            "E": (place[0], place[1] + 1),
            "W": (place[0], place[1] - 1),
        }[direction]
        count += 1
        if following[0] in range(rows) and following[1] in range(columns):
            place = following
        else:
            break
    return [place[0], place[1], count]
