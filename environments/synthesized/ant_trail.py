"""Ants carry crumbs over a field of tiles; the field is given as rows of letters, and all rows are
equally long. "N", "E", "S" and "W" are tiles with an arrow to the north (the row above), east (the
next column), south and west; "." is a tile without an arrow. An ant enters on the tile in row `row`
and column 0, heading east. On each tile it first turns to the direction of the arrow, if there is
one, and then steps on to the next tile. After an ant has left a tile with an arrow, the arrow is
turned by a quarter to the right. The walk ends when the ant leaves the field, or after `steps`
steps. Answer with the list of row and column of the last tile on the field that the ant stood on,
and the number of steps that it has made, counting the one that leaves the field.

You are not shown tiles; ask the tools about it. You know row = {row}, steps = {steps}.
"""


META = {
    'title': 'Ant trail',
    'tags': ['traced'],
    'public': ['row', 'steps'],
    'source': 'codegym-mcp examples, problem ant-trail',
    'license': 'MIT',
}


MOVES = {'N': (-1, 0), 'E': (0, 1), 'S': (1, 0), 'W': (0, -1)}
TURNED = {'N': 'E', 'E': 'S', 'S': 'W', 'W': 'N'}

def points_to(tiles, row, column, arrow):
    return tiles[row][column] == arrow

def is_plain(tiles, row, column):
    return tiles[row][column] == '.'

def walk(tiles, row, steps):
    rows, columns = (len(tiles), len(tiles[0]))
    column = made = 0
    heading = 'E'
    while made < steps:
        if not is_plain(tiles, row, column):
            for arrow in 'NESW':
                if points_to(tiles, row, column, arrow):
                    heading = arrow
                    break
            tiles[row][column] = TURNED[heading]
        made += 1
        next_row = row + MOVES[heading][0]
        next_column = column + MOVES[heading][1]
        if not (0 <= next_row < rows and 0 <= next_column < columns):
            break
        row, column = (next_row, next_column)
    return [row, column, made]


class Environment:
    def __init__(self, tiles: list[list[str]], row: int, steps: int):
        self.tiles = tiles

    def count_tiles(self) -> int:
        """Returns the length of `tiles`."""
        return len(self.tiles)

    def count_in_tiles(self, position: int) -> int:
        """Returns the length of `tiles[position]`.

        Args:
            position: position in `tiles`, counted from 0.
        """
        if not 0 <= position < len(self.tiles):
            raise ValueError(f"position must be at least 0 and less than {len(self.tiles)}.")
        try:
            return len(self.tiles[position])
        except Exception:
            raise ValueError("count_in_tiles is not defined for this position; choose other arguments.")

    def is_plain(self, row: int, column: int) -> bool:
        """Returns whether a tile has no arrow.

        Args:
            row: position in `tiles`, counted from 0.
            column: position in `tiles[row]`, counted from 0.
        """
        if not 0 <= row < len(self.tiles):
            raise ValueError(f"row must be at least 0 and less than {len(self.tiles)}.")
        if not 0 <= column < len(self.tiles[row]):
            raise ValueError(f"column must be at least 0 and less than {len(self.tiles[row])}.")
        try:
            return bool(is_plain(self.tiles, row, column))
        except Exception:
            raise ValueError("is_plain is not defined for this row and column; choose other arguments.")

    def points_to(self, row: int, column: int, arrow: str) -> bool:
        """Returns whether a tile shows `arrow`.

        Args:
            row: position in `tiles`, counted from 0.
            column: position in `tiles[row]`, counted from 0.
            arrow: a text, for example 'E' or 'N' or 'S' or 'W'.
        """
        if not 0 <= row < len(self.tiles):
            raise ValueError(f"row must be at least 0 and less than {len(self.tiles)}.")
        if not 0 <= column < len(self.tiles[row]):
            raise ValueError(f"column must be at least 0 and less than {len(self.tiles[row])}.")
        try:
            return bool(points_to(self.tiles, row, column, arrow))
        except Exception:
            raise ValueError("points_to is not defined for this row, column and arrow; choose other arguments.")

    def set_tiles_to(self, row: int, column: int, value: str) -> None:
        """Sets `tiles[row][column]` to `value`.

        Args:
            row: position in `tiles`, counted from 0.
            column: position in `tiles[row]`, counted from 0.
            value: a text, for example 'E' or 'N' or 'S' or 'W'.
        """
        if not 0 <= row < len(self.tiles):
            raise ValueError(f"row must be at least 0 and less than {len(self.tiles)}.")
        if not 0 <= column < len(self.tiles[row]):
            raise ValueError(f"column must be at least 0 and less than {len(self.tiles[row])}.")
        try:
            self.tiles[row][column] = value
        except Exception:
            raise ValueError("set_tiles_to is not defined for this row, column and value; choose other arguments.")


def reference(tiles: list[list[str]], row: int, steps: int) -> list[int]:
    return walk(tiles, row, steps)


def solve(tools, row, steps):
    rows, columns = (tools.count_tiles(), tools.count_in_tiles(position=0))
    made = 0
    column = 0
    heading = 'E'
    while made < steps:
        if not tools.is_plain(row=row, column=column):
            for arrow in 'NESW':
                if tools.points_to(row=row, column=column, arrow=arrow):
                    heading = arrow
                    break
            tools.set_tiles_to(row=row, column=column, value=TURNED[heading])
        made += 1
        next_row = row + MOVES[heading][0]
        next_column = column + MOVES[heading][1]
        if not (0 <= next_row < rows and 0 <= next_column < columns):
            break
        row, column = (next_row, next_column)
    return [row, column, made]
