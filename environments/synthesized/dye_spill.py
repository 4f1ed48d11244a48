"""In a dye works a vat has burst. The floor is laid with {rows} rows and {columns} columns of tiles, both counted
from 0, which are not level. The dye comes up on the tile in row {row}, column {column}. Dye flows from a tile to
those of its four neighbours (north, west, east, south) that lie strictly lower. A tile with a drain swallows the
dye: it becomes dyed itself, but no dye flows on from it, also if it is the tile where the dye comes up.

Answer with two numbers: how many tiles are dyed, the first one included, and how many of these are basins: dyed
tiles without a drain from which no dye flows on, since none of their neighbours lies lower.
"""

from typing import Literal

META = {
    "title": "Dye spill",
    "tags": ["grids", "flow"],
    "public": ["rows", "columns", "row", "column"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem hill-water",
}
STEPS = {"north": (-1, 0), "west": (0, -1), "east": (0, 1), "south": (1, 0)}


class Environment:
    def __init__(self, rows: int, columns: int, row: int, column: int, heights: list[list[int]], drains: list[list[int]]):
        if rows < 1 or columns < 1 or len(heights) != rows or any(len(line) != columns for line in heights):
            raise ValueError("heights must have one number for each tile")
        if any(not lies_on_floor(heights, *place) for place in [(row, column), *drains]):
            raise ValueError("the first tile and the drains must lie on the floor")
        self.heights = heights
        self.drains = drains

    def has_drain(self, row: int, column: int) -> bool:
        """Look whether a tile has a drain.

        Args:
            row: row of the tile.
            column: column of the tile.
        """
        check_tile(self.heights, row, column)
        return [row, column] in self.drains

    def slopes_down(self, row: int, column: int, side: Literal["north", "west", "east", "south"]) -> bool:
        """Lay the spirit level from a tile to the neighbour on one side: whether the neighbour is strictly lower.

        Args:
            row: row of the tile.
            column: column of the tile.
            side: north is the row before, west the column before; refused where the floor ends at a wall.
        """
        check_tile(self.heights, row, column)
        down, right = STEPS[side]
        if not lies_on_floor(self.heights, row + down, column + right):
            raise ValueError("there is a wall on this side")
        return self.heights[row + down][column + right] < self.heights[row][column]


def lies_on_floor(heights, row, column):
    return 0 <= row < len(heights) and 0 <= column < len(heights[0])


def check_tile(heights, row, column):
    if not lies_on_floor(heights, row, column):
        raise ValueError(f"rows are 0 to {len(heights) - 1}, columns 0 to {len(heights[0]) - 1}")


def flow(heights, row, column, drains):
    dyed, basins = [[row, column]], 0
    for row, column in dyed:
        if [row, column] in drains:
            continue
        lower = [
            [row + down, column + right]
            for down, right in STEPS.values()
            if lies_on_floor(heights, row + down, column + right)
            and heights[row + down][column + right] < heights[row][column]
        ]
        basins += not lower
        dyed += [place for place in lower if place not in dyed]
    return [len(dyed), basins]


def reference(
    rows: int, columns: int, row: int, column: int, heights: list[list[int]], drains: list[list[int]]
) -> list[int]:
    return flow(heights, row, column, drains)


def mistakes(
    rows: int, columns: int, row: int, column: int, heights: list[list[int]], drains: list[list[int]]
) -> dict[str, list[int]]:
    return {"drains forgotten": flow(heights, row, column, [])}


def generate(random, difficulty):
    least = [4, 7, 12, 18, 26][difficulty - 1]
    side = [4, 5, 6, 8, 9][difficulty - 1]
    while True:
        rows, columns = side + random.randint(0, 1), side + random.randint(0, 1)
        row, column = random.randrange(rows), random.randrange(columns)
        heights = [
            [90 - 6 * (abs(y - row) + abs(x - column)) + random.randint(0, 9) for x in range(columns)] for y in range(rows)
        ]
        drains = [[y, x] for y in range(rows) for x in range(columns) if random.random() < 0.14 and (y, x) != (row, column)]
        config = {"rows": rows, "columns": columns, "row": row, "column": column, "heights": heights, "drains": drains}
        wet = flow(heights, row, column, drains)[0]
        if least <= wet <= min(2 * least, 48) and flow(heights, row, column, []) != flow(heights, row, column, drains):
            return config


def solve(tools, rows, columns, row, column):
    # Special cases: a drain at the source swallows everything; a drain is never a basin; no neighbour beyond a wall.
    from collections import deque

    dyed = set()
    lower = {}
    queue = deque([(row, column)])
    basins = 0
    while queue:
        place = queue.popleft()
        if place in dyed:
            continue
        dyed.add(place)
        y, x = place
        if tools.has_drain(row=y, column=x):
            continue
        neighbours = {}
        if y > 0:
            neighbours["north"] = (y - 1, x)
        if x > 0:
            neighbours["west"] = (y, x - 1)
        if x < columns - 1:
            neighbours["east"] = (y, x + 1)
        if y < rows - 1:
            neighbours["south"] = (y + 1, x)
        out = 0
        for side, other in neighbours.items():
            # If the other one flows here, this one does not flow there.
            if (other, place) in lower and lower[other, place]:
                continue
            lower[place, other] = tools.slopes_down(row=y, column=x, side=side)
            if lower[place, other]:
                out += 1
                queue.append(other)
        basins += out == 0
    return [len(dyed), basins]
