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


def points_to(tiles, row, column, arrow):
    return tiles[row][column] == arrow

def is_plain(tiles, row, column):
    return tiles[row][column] == '.'

def walk(tiles, row, steps):
    rows, columns = (len(tiles), len(tiles[0]))
    moves = {'N': (-1, 0), 'E': (0, 1), 'S': (1, 0), 'W': (0, -1)}
    turned = {'N': 'E', 'E': 'S', 'S': 'W', 'W': 'N'}
    column = made = 0
    heading = 'E'
    while made < steps:
        if not is_plain(tiles, row, column):
            for arrow in 'NESW':
                if points_to(tiles, row, column, arrow):
                    heading = arrow
                    break
            tiles[row][column] = turned[heading]
        made += 1
        next_row = row + moves[heading][0]
        next_column = column + moves[heading][1]
        if not (0 <= next_row < rows and 0 <= next_column < columns):
            break
        row, column = (next_row, next_column)
    return [row, column, made]


class Environment:
    def __init__(self, tiles: list[list[str]], row: int, steps: int):
        self.tiles = tiles

    def count_tiles(self) -> int:
        """Returns the number of items of tiles."""
        return len(self.tiles)

    def count_in_tiles(self, position: int) -> int:
        """Returns the number of items of the item of tiles at position.

        Args:
            position: position in tiles, counted from 0.
        """
        if not 0 <= position < len(self.tiles):
            raise ValueError(f"position must be at least 0 and less than {len(self.tiles)}.")
        try:
            return len(self.tiles[position])
        except Exception:
            raise ValueError("This call is not possible.")

    def is_plain(self, row: int, column: int) -> bool:
        """Returns whether a tile has no arrow.

        Args:
            row: position in tiles, counted from 0.
            column: position in the item of tiles at row, counted from 0.
        """
        if not 0 <= row < len(self.tiles):
            raise ValueError(f"row must be at least 0 and less than {len(self.tiles)}.")
        if not 0 <= column < len(self.tiles[row]):
            raise ValueError(f"column must be at least 0 and less than {len(self.tiles[row])}.")
        try:
            return bool(is_plain(self.tiles, row, column))
        except Exception:
            raise ValueError("This call is not possible.")

    def points_to(self, row: int, column: int, arrow: str) -> bool:
        """Returns whether a tile shows `arrow`.

        Args:
            row: position in tiles, counted from 0.
            column: position in the item of tiles at row, counted from 0.
            arrow: the value of arrow.
        """
        if not 0 <= row < len(self.tiles):
            raise ValueError(f"row must be at least 0 and less than {len(self.tiles)}.")
        if not 0 <= column < len(self.tiles[row]):
            raise ValueError(f"column must be at least 0 and less than {len(self.tiles[row])}.")
        try:
            return bool(points_to(self.tiles, row, column, arrow))
        except Exception:
            raise ValueError("This call is not possible.")

    def set_tiles_to(self, position: int, inner_position: int, value: str) -> None:
        """Sets the item of the item of tiles at position at inner position to value.

        Args:
            position: position in tiles, counted from 0.
            inner_position: position in the item of tiles at position, counted from 0.
            value: the value.
        """
        if not 0 <= position < len(self.tiles):
            raise ValueError(f"position must be at least 0 and less than {len(self.tiles)}.")
        if not 0 <= inner_position < len(self.tiles[position]):
            raise ValueError(f"inner_position must be at least 0 and less than {len(self.tiles[position])}.")
        try:
            self.tiles[position][inner_position] = value
        except Exception:
            raise ValueError("This call is not possible.")


def reference(tiles: list[list[str]], row: int, steps: int) -> list[int]:
    return walk(tiles, row, steps)


def solve(tools, row, steps):
    rows, columns = (tools.count_tiles(), tools.count_in_tiles(position=0))
    moves = {'N': (-1, 0), 'E': (0, 1), 'S': (1, 0), 'W': (0, -1)}
    turned = {'N': 'E', 'E': 'S', 'S': 'W', 'W': 'N'}
    made = 0
    column = 0
    heading = 'E'
    while made < steps:
        if not tools.is_plain(row=row, column=column):
            for arrow in 'NESW':
                if tools.points_to(row=row, column=column, arrow=arrow):
                    heading = arrow
                    break
            tools.set_tiles_to(position=row, inner_position=column, value=turned[heading])
        made += 1
        next_row = row + moves[heading][0]
        next_column = column + moves[heading][1]
        if not (0 <= next_row < rows and 0 <= next_column < columns):
            break
        row, column = (next_row, next_column)
    return [row, column, made]
