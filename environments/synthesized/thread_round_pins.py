"""In a textile mill {pins} pins, numbered from 0, stick in a cloth that lies flat, no two at the same
place. A thread is drawn round all of them, as tightly as possible.

The corners are the pins at which the thread bends; pins on a straight piece of the thread between two
corners are not corners. Begin at the westernmost pin (of several, the southernmost one of them) and
follow the thread counter-clockwise: all other pins lie to the left of the way or on it. Answer with the
numbers of the corners in this order, the first one only once. If all pins lie on one line, the corners
are its two ends.
"""

from typing import Literal

META = {
    "title": "Thread round pins",
    "tags": ["geometry"],
    "public": ["pins"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem sheep-fence",
}


class Environment:
    def __init__(self, pins: int, places: list[list[int]]):
        if pins < 2 or pins != len(places) or any(len(place) != 2 for place in places):
            raise ValueError("there have to be two pins or more, each with two coordinates, east and north")
        if len({(place[0], place[1]) for place in places}) != pins:
            raise ValueError("two pins stick at the same place")
        self.places = places

    def is_further_west(self, pin: int, other: int) -> bool:
        """Tell whether a pin is further west than another one, or exactly as far west and further south.

        Args:
            pin: the number of the pin.
            other: the number of the other pin.
        """
        check_pins([pin, other], self.places)
        return self.places[pin] < self.places[other]

    def sight(self, start: int, end: int, pin: int) -> Literal["left", "right", "behind", "not behind"]:
        """Look from one pin to a second one, and tell where a third one is.

        Args:
            start: the number of the pin from which you look.
            end: the number of the pin to which you look.
            pin: the number of the third pin.

        Returns:
            "left" or "right" of the straight line through both; for a pin on this line "behind" if it is
            further away than the second pin, on the same side, and "not behind" otherwise.
        """
        check_pins([start, end, pin], self.places)
        if len({start, end, pin}) < 3:
            raise ValueError("sighting needs three different pins")
        return see(self.places[start], self.places[end], self.places[pin])


def check_pins(pins, places):
    for pin in pins:
        if not 0 <= pin < len(places):
            raise ValueError(f"the pins have the numbers 0 to {len(places) - 1}")


def see(start, end, pin):
    east, north = end[0] - start[0], end[1] - start[1]
    turn = east * (pin[1] - start[1]) - north * (pin[0] - start[0])
    if turn:
        return "left" if turn > 0 else "right"
    return "behind" if east * (pin[0] - end[0]) + north * (pin[1] - end[1]) > 0 else "not behind"


def reference(pins: int, places: list[list[int]]) -> list[int]:
    first = min(range(pins), key=lambda pin: places[pin])
    corners = [first]
    while True:
        here = corners[-1]
        end = -1
        for pin in range(pins):
            if pin != here and (
                end < 0 or see(places[here], places[end], places[pin]) in ("right", "behind")
            ):
                end = pin
        if end == first:
            return corners
        corners.append(end)


def generate(random, difficulty):
    pins = [5, 6, 9, 14, 22][difficulty - 1]
    side = [4, 5, 7, 9, 11][difficulty - 1]
    spots = [[east, north] for east in range(side + 1) for north in range(side + 1)]
    while True:
        config = {"pins": pins, "places": random.sample(spots, pins)}
        if 3 <= len(reference(**config)) <= 8 + difficulty // 2:
            return config


def solve(tools, pins):
    def sort(numbers):
        if len(numbers) < 2:
            return numbers
        middle = len(numbers) // 2
        first, second = sort(numbers[:middle]), sort(numbers[middle:])
        merged = []
        while first and second:
            west = tools.is_further_west(pin=first[0], other=second[0])
            merged.append(first.pop(0) if west else second.pop(0))
        return merged + first + second

    def walk(order):
        chain = []
        for pin in order:
            while len(chain) > 1 and tools.sight(start=chain[-2], end=chain[-1], pin=pin) != "left":
                chain.pop()
            chain.append(pin)
        return chain

    order = sort(list(range(pins)))
    if len(order) < 3:
        return order
    lower = walk(order)
    inner = [pin for pin in order if pin not in lower[1:-1]]
    upper = walk(inner[::-1])
    return lower[:-1] + upper[:-1]
