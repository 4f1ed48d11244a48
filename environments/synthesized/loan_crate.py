"""A museum's depot has {rooms} rooms, numbered from 0. A loan crate travels through them, and its purse
holds seals.

A crate in a room that exists pays the fee of the room, in seals, and is then carried to another room
number. It stops
- in the first room whose fee is more than the seals that are left,
- in a room in which it has already been, before it pays there again,
- at a number that no room has (a number of {rooms} or more).

Let the crate travel until it stops. Answer with a list of two numbers: the number at which it has
stopped, and the seals that are left. The crate stands in its first room and has paid nothing yet.
Nobody stops it for you: it also travels on from a room in which it has been.
"""

from typing import TypedDict

META = {
    "title": "Loan crate",
    "tags": ["graphs", "simulation"],
    "public": ["rooms"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem parcel-relay",
}


class Door(TypedDict):
    room: int
    fee: int


class Environment:
    def __init__(self, rooms: int, onward: list[int], fees: list[int], first: int, seals: int):
        if not rooms or rooms != len(onward) or rooms != len(fees):
            raise ValueError("every room needs an onward number and a fee")
        if not 0 <= first < rooms or seals < 0 or min(onward) < 0 or min(fees) < 0:
            raise ValueError("the first room has to exist, and no number may be negative")
        self.onward = onward
        self.fees = fees
        self.place = first
        self.seals = seals

    def count_seals(self) -> int:
        """Count the seals in the purse of the crate."""
        return self.seals

    def read_door(self) -> Door:
        """Read the number of the room in which the crate stands, and its fee in seals."""
        check_room(self.place, self.onward)
        return {"room": self.place, "fee": self.fees[self.place]}

    def pay(self, seals: int) -> int:
        """Pay the fee of the room in which the crate stands, and have the crate carried on.

        Args:
            seals: the exact fee; another number is refused, and so is a fee that the purse cannot pay.

        Returns:
            The number to which the crate has been carried.
        """
        check_room(self.place, self.onward)
        if seals != self.fees[self.place]:
            raise ValueError("this is not the fee of the room; read_door tells it")
        if seals > self.seals:
            raise ValueError(f"the purse holds only {self.seals} seals")
        self.seals -= seals
        self.place = self.onward[self.place]
        return self.place


def check_room(place, onward):
    if place >= len(onward):
        raise ValueError(f"no room has the number {place}; the crate has stopped")


def reference(rooms: int, onward: list[int], fees: list[int], first: int, seals: int) -> list[int]:
    visited = []
    place = first
    while place < rooms and place not in visited and fees[place] <= seals:
        visited.append(place)
        seals -= fees[place]
        place = onward[place]
    return [place, seals]


def generate(random, difficulty):
    steps = random.randint(*[(5, 8), (8, 14), (16, 26), (28, 42), (46, 64)][difficulty - 1])
    rooms = [12, 20, 36, 56, 80][difficulty - 1]
    way = random.sample(range(rooms), steps)
    onward = [random.randrange(rooms) for room in range(rooms)]
    fees = [random.choice([0, 1, 2, 3, 5, 8]) for room in range(rooms)]
    for room, following in zip(way, way[1:]):
        onward[room] = following
    seals = sum(fees[room] for room in way) + random.randint(0, 30)
    ending = random.choice(["again", "outside", "poor"])
    onward[way[-1]] = random.choice(way[:-2])
    if ending == "outside":
        onward[way[-1]] = rooms + random.randint(0, 9)
    if ending == "poor":
        fees[way[-1]] = random.randint(6, 12)
        seals = sum(fees[room] for room in way) - random.randint(1, 5)
    return {"rooms": rooms, "onward": onward, "fees": fees, "first": way[0], "seals": seals}


def solve(tools, rooms):
    seals = tools.count_seals()
    door = tools.read_door()
    been = set()
    while True:
        room = door["room"]
        if room in been or door["fee"] > seals:
            return [room, seals]
        been.add(room)
        carried = tools.pay(seals=door["fee"])
        seals -= door["fee"]
        if carried >= rooms:
            return [carried, seals]
        if carried in been:
            return [carried, seals]
        door = tools.read_door()
