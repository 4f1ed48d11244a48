"""A cleaning robot goes through the dusty reading room of a family archive, a floor of square tiles. It
starts on the tile in row 0 and column 0, which is clean, and looks to the east; rows are counted from
north to south, columns from west to east. Its bag has room for {room} grams of dust.

Exactly {steps} times it does one of two things. If there is a tile ahead, and the dust on it fits into
the room that is left in the bag, it drives onto that tile and sucks up its dust. A tile that it has
cleaned before has no dust. Otherwise, also at a wall, it turns to the right on the spot.

You steer the robot. Answer with a list of three numbers: the row and the column of the tile on which it
is at the end, and the grams of room that are left in the bag.
"""

from typing import Literal

META = {
    "title": "Dust robot",
    "tags": ["grids", "simulation"],
    "public": ["room", "steps"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem snow-plough",
}
MOVES = [[0, 1], [1, 0], [0, -1], [-1, 0]]


class Environment:
    def __init__(self, room: int, steps: int, dust: list[list[int]]):
        if not dust or not dust[0] or any(len(row) != len(dust[0]) for row in dust):
            raise ValueError("the tiles have to form a rectangle")
        if room < 0 or steps < 1 or min(min(row) for row in dust) < 0:
            raise ValueError("no number may be negative, and there has to be a step")
        self.dust = [list(row) for row in dust]
        self.dust[0][0] = 0
        self.room = room
        self.place = [0, 0]
        self.side = 0

    def look_ahead(self) -> Literal["wall", "dust fits", "too much dust"]:
        """Look at the tile ahead. A clean tile has dust that fits."""
        ahead = tile_ahead(self.place, self.side, self.dust)
        if ahead is None:
            return "wall"
        return "dust fits" if self.dust[ahead[0]][ahead[1]] <= self.room else "too much dust"

    def drive_on(self) -> int:
        """Drive onto the tile ahead, suck up its dust, and tell how many grams that were.

        Refused at a wall, and if the dust does not fit into the bag.
        """
        ahead = tile_ahead(self.place, self.side, self.dust)
        if ahead is None:
            raise ValueError("there is a wall ahead")
        grams = self.dust[ahead[0]][ahead[1]]
        if grams > self.room:
            raise ValueError("the dust on the tile ahead does not fit into the bag")
        self.dust[ahead[0]][ahead[1]] = 0
        self.room -= grams
        self.place = ahead
        return grams

    def turn_right(self) -> str:
        """Turn to the right on the spot."""
        self.side = (self.side + 1) % 4
        return "turned"


def tile_ahead(place, side, dust):
    row, column = place[0] + MOVES[side][0], place[1] + MOVES[side][1]
    return [row, column] if 0 <= row < len(dust) and 0 <= column < len(dust[0]) else None


def clean(room, steps, dust, cleans):
    dust = [list(row) for row in dust]
    dust[0][0] = 0
    place, side = [0, 0], 0
    for step in range(steps):
        ahead = tile_ahead(place, side, dust)
        if ahead is None or dust[ahead[0]][ahead[1]] > room:
            side = (side + 1) % 4
            continue
        place = ahead
        room -= dust[ahead[0]][ahead[1]]
        if cleans:
            dust[ahead[0]][ahead[1]] = 0
    return [*place, room]


def reference(room: int, steps: int, dust: list[list[int]]) -> list[int]:
    return clean(room, steps, dust, True)


def mistakes(room: int, steps: int, dust: list[list[int]]) -> dict[str, list[int]]:
    return {"dust stays on tiles": clean(room, steps, dust, False)}


def generate(random, difficulty):
    side = [4, 5, 6, 8, 10][difficulty - 1]
    steps = [8, 13, 24, 45, 80][difficulty - 1]
    room = [40, 60, 110, 200, 340][difficulty - 1]
    while True:
        dust = [[random.choice([1, 2, 3, 5, 8, 13, 60, 90]) for column in range(side)] for row in range(side)]
        config = {"room": room, "steps": steps, "dust": dust}
        right = reference(**config)
        if sum(right[:2]) > 0 and (right not in mistakes(**config).values() or random.random() < 0.2):
            return config


def solve(tools, room, steps):
    place = [0, 0]
    ahead = (0, 1)
    left = room
    done = 0
    while done < steps:
        done += 1
        view = tools.look_ahead()
        if view in ("wall", "too much dust"):
            tools.turn_right()
            # East becomes south, south west, west north, and north east.
            ahead = (ahead[1], -ahead[0])
        else:
            left -= tools.drive_on()
            place = [place[0] + ahead[0], place[1] + ahead[1]]
    return [*place, left]
