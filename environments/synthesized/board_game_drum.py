"""In a museum's depot a mechanical board game is tested. The track has {tiles} tiles, numbered from 0; two figures, 0
and 1, begin on tile 0 and move in turn, figure 0 first. Before each move the drum is turned, which gives the number
of tiles by which the figure moves forward; the drum has {turns} turns. A figure that moves beyond the last tile has
won. A plate may be set into a tile. On a tile with a "spring" the figure moves 2 tiles forward at once, which also
wins if it leads beyond the last tile. On a "chute" it moves 3 tiles back, but not before tile 0. The plate of a tile
that is reached by spring or chute has no effect. On a "net" the figure misses its next turn; the turn is then the
other figure's. The game ends when a figure has won or when the turns of the drum are used up.

Play the game. Answer with three numbers: the number of the winner, or -1 if nobody has won; the tile of figure 0; the
tile of figure 1. For the winner, {tiles} counts as the tile.
"""

from typing import Literal

META = {
    "title": "Board game drum",
    "tags": ["games", "simulation"],
    "public": ["tiles", "turns"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem fairground-track",
}


class Environment:
    def __init__(self, tiles: int, turns: int, plates: list[str], drum: list[int]):
        if tiles < 1 or len(plates) != tiles or set(plates) - {"spring", "chute", "net", "none"}:
            raise ValueError("there must be a plate, spring, chute, net or none, for each tile")
        if turns < 1 or len(drum) != turns or min(drum) < 1:
            raise ValueError("there must be a number of 1 or more for each turn of the drum")
        self.plates = plates
        self.drum = drum
        self.turned = 0

    def turn_drum(self) -> int:
        """Turn the drum once and return its number; refused when its turns are used up."""
        if self.turned == len(self.drum):
            raise ValueError("the turns of the drum are used up")
        self.turned += 1
        return self.drum[self.turned - 1]

    def look_at_tile(self, tile: int) -> Literal["spring", "chute", "net", "none"]:
        """Look what plate is set into a tile.

        Args:
            tile: number of the tile.
        """
        if not 0 <= tile < len(self.plates):
            raise ValueError(f"tiles have the numbers 0 to {len(self.plates) - 1}")
        return self.plates[tile]


def play(plates, drum, nets):
    end, places, misses, figure = len(plates), [0, 0], [False, False], 0
    for number in drum:
        place = places[figure] + number
        plate = plates[place] if place < end else "none"
        if plate == "spring":
            place += 2
        if plate == "chute":
            place = max(0, place - 3)
        misses[figure] = nets and plate == "net"
        places[figure] = min(place, end)
        if places[figure] == end:
            return [figure, *places]
        figure = 1 - figure
        while misses[figure]:
            misses[figure] = False
            figure = 1 - figure
    return [-1, *places]


def reference(tiles: int, turns: int, plates: list[str], drum: list[int]) -> list[int]:
    return play(plates, drum, True)


def mistakes(tiles: int, turns: int, plates: list[str], drum: list[int]) -> dict[str, list[int]]:
    return {"nets are ignored": play(plates, drum, False)}


def generate(random, difficulty):
    config = {}
    for attempt in range(40):
        turns = random.randint(*[(6, 8), (10, 12), (18, 22), (32, 38), (56, 70)][difficulty - 1])
        tiles = turns + random.randint(turns // 2, turns)
        plates = [random.choice(["spring", "chute", "net", "none", "net", "none"]) for tile in range(tiles)]
        drum = [random.randint(1, 4) for turn in range(turns)]
        config = {"tiles": tiles, "turns": turns, "plates": plates, "drum": drum}
        short = play(plates, drum[: turns - turns // 4], True)[0] >= 0
        if not short and play(plates, drum, True) != play(plates, drum, False):
            return config
    return config


def solve(tools, tiles, turns):
    # Special cases: the plate at the end of a spring or chute has no effect; no chute leads before tile 0; both
    # figures may have to miss a turn.
    seen = {}

    def move(tile):
        tile += tools.turn_drum()
        if tile >= tiles:
            return tiles, False
        plate = seen.get(tile)
        if plate is None:
            plate = seen[tile] = tools.look_at_tile(tile=tile)
        if plate == "spring":
            return min(tile + 2, tiles), False
        if plate == "chute":
            return max(tile - 3, 0), False
        return tile, plate == "net"

    position = {0: 0, 1: 0}
    caught = {0: False, 1: False}
    now = 0
    for turn in range(turns):
        while caught[now]:
            caught[now] = False
            now = 1 - now
        position[now], caught[now] = move(position[now])
        if position[now] == tiles:
            return [now, position[0], position[1]]
        now = 1 - now
    return [-1, position[0], position[1]]
