"""The stores of a submarine are boxes in boxes. You stand before the open hold. The loading arm can open a box that
lies directly in what is open at the moment, and can close what was opened last; so at every moment one box is
open, with all the boxes round it, or only the hold.

Find the deepest box: the one with the most boxes round it. Of several equally deep ones it is the one whose code
comes first in the alphabet. Answer with the codes of the boxes on the way to it, from the one that lies directly in
the hold to the deepest box itself. There is at least one box; every code occurs once.
"""

META = {
    "title": "Submarine stores",
    "tags": ["trees", "search"],
    "public": [],
    "license": "MIT",
    "source": "codegym-mcp examples, problem nested-boxes",
}


class Environment:
    def __init__(self, contents: dict[str, list[str]]):
        boxes = [code for codes in contents.values() for code in codes]
        if not contents.get("hold") or len(set(boxes)) != len(boxes) or set(contents) - {"hold"} - set(boxes):
            raise ValueError("contents need a hold that is not empty, and every box lies in exactly one place")
        if len(list_depths(contents)) != len(boxes):
            raise ValueError("every box must lie in the hold or in a box that does")
        self.contents = contents
        self.opened = ["hold"]

    def count_boxes(self) -> int:
        """Return how many boxes lie directly in what is open at the moment."""
        return len(self.contents.get(self.opened[-1], []))

    def read_label(self, place: int) -> str:
        """Read the code of a box that lies directly in what is open at the moment.

        Args:
            place: place of the box, counted from 0.
        """
        boxes = self.contents.get(self.opened[-1], [])
        if not 0 <= place < len(boxes):
            raise ValueError(f"{len(boxes)} boxes lie here, counted from 0")
        return boxes[place]

    def open_box(self, code: str) -> int:
        """Open a box that lies directly in what is open at the moment; refused for other boxes.

        Args:
            code: code of the box.

        Returns:
            The number of boxes that are open now.
        """
        if code not in self.contents.get(self.opened[-1], []):
            raise ValueError("no box with this code lies directly in what is open")
        self.opened.append(code)
        return len(self.opened) - 1

    def close_box(self) -> int:
        """Close the box that was opened last; refused if only the hold is open.

        Returns:
            The number of boxes that are open now.
        """
        if len(self.opened) == 1:
            raise ValueError("only the hold is open")
        self.opened.pop()
        return len(self.opened) - 1


def list_depths(contents):
    ways = {}
    waiting = [[code] for code in contents["hold"]]
    while waiting:
        way = waiting.pop()
        if way[-1] in way[:-1]:
            continue
        ways[way[-1]] = way
        for code in contents.get(way[-1], []):
            waiting.append([*way, code])
    return ways


def reference(contents: dict[str, list[str]]) -> list[str]:
    ways = list_depths(contents)
    deepest = max(len(way) for way in ways.values())
    return ways[min(code for code in ways if len(ways[code]) == deepest)]


def mistakes(contents: dict[str, list[str]]) -> dict[str, list[str]]:
    ways = list_depths(contents)
    deepest = max(len(way) for way in ways.values())
    return {"last in the alphabet": ways[max(code for code in ways if len(ways[code]) == deepest)]}


def generate(random, difficulty):
    count = random.randint(*[(4, 5), (7, 9), (13, 17), (22, 28), (36, 46)][difficulty - 1])
    codes = random.sample([a + b + str(c) for a in "CDHJKNPQSVWX" for b in "aeiou" for c in range(2, 8)], count)
    contents = {"hold": []}
    for place, code in enumerate(codes):
        holder = random.choice(["hold", *codes[max(0, place - 4) : place]]) if place else "hold"
        contents.setdefault(holder, []).append(code)
    ways = list_depths(contents)
    leaf = max(ways, key=lambda code: len(ways[code]))
    # A second box at the greatest depth, so that the tie has to be broken.
    twin = leaf[:-1] + random.choice([digit for digit in "0189"])
    holder = ways[leaf][-2] if len(ways[leaf]) > 1 else "hold"
    contents[holder].append(twin)
    for boxes in contents.values():
        random.shuffle(boxes)
    return {"contents": contents}


def solve(tools):
    best = []

    def visit(path):
        nonlocal best
        if path and (len(path) > len(best) or (len(path) == len(best) and path[-1] < best[-1])):
            best = list(path)
        count = tools.count_boxes()
        codes = [tools.read_label(place=place) for place in range(count)]
        for code in codes:
            tools.open_box(code=code)
            visit([*path, code])
            tools.close_box()

    visit([])
    return best
