"""The yard of a power plant sorts {wagons} coal wagons, numbered from 0, which arrive in the order of
their numbers. Each is meant for a boiler; boilers have numbers. There is one siding. A wagon that is
pushed into it stands at the front, before those that are there already, and only the wagon at the front
can be pulled out.

For each arriving wagon: first wagons are pulled out at the front of the siding, one after another, as
long as the wagon at the front is meant for a boiler with a smaller number than the arriving wagon is. Then
the arriving wagon is pushed into the siding; if there is not enough room left for it, it goes past.
When all wagons have arrived, the siding is emptied from the front.

Shunt all wagons. Answer with their numbers in the order in which they were pulled out of the siding or
went past it.
"""

META = {
    "title": "Coal siding",
    "tags": ["queues", "simulation"],
    "public": ["wagons"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem siding-shunter",
}


class Environment:
    def __init__(self, wagons: int, boilers: list[int], lengths: list[int], room: int):
        if wagons < 1 or wagons != len(boilers) or wagons != len(lengths) or min(lengths) < 1 or room < 0:
            raise ValueError("every wagon needs a boiler and a length, and the room cannot be negative")
        self.boilers = boilers
        self.lengths = lengths
        self.room = room
        self.siding = []
        self.arrived = 0

    def has_smaller_boiler(self, wagon: int, other: int) -> bool:
        """Tell whether a wagon is meant for a boiler with a smaller number than another wagon is.

        Args:
            wagon: the number of the wagon.
            other: the number of the other wagon.
        """
        for each in [wagon, other]:
            if not 0 <= each < len(self.boilers):
                raise ValueError(f"the wagons have the numbers 0 to {len(self.boilers) - 1}")
        return self.boilers[wagon] < self.boilers[other]

    def push_in(self, wagon: int) -> bool:
        """Push the next arriving wagon into the siding, or let it go past if there is no room for it.

        Args:
            wagon: the number of the wagon; another one than the next to arrive is refused.

        Returns:
            Whether it is in the siding now; if not, it has gone past.
        """
        if wagon != self.arrived or wagon == len(self.boilers):
            raise ValueError(f"{self.arrived} of {len(self.boilers)} wagons have arrived so far")
        self.arrived += 1
        if self.lengths[wagon] > self.room:
            return False
        self.room -= self.lengths[wagon]
        self.siding.append(wagon)
        return True

    def pull_out(self) -> int:
        """Pull out the wagon at the front of the siding and tell its number; refused if the siding is empty."""
        if not self.siding:
            raise ValueError("no wagon is in the siding")
        wagon = self.siding.pop()
        self.room += self.lengths[wagon]
        return wagon


def shunt(boilers, lengths, room, pulls_equal):
    siding = []
    order = []
    for wagon, boiler in enumerate(boilers):
        while siding and boilers[siding[-1]] < boiler + pulls_equal:
            room += lengths[siding[-1]]
            order.append(siding.pop())
        if lengths[wagon] <= room:
            room -= lengths[wagon]
            siding.append(wagon)
        else:
            order.append(wagon)
    return order + siding[::-1]


def reference(wagons: int, boilers: list[int], lengths: list[int], room: int) -> list[int]:
    return shunt(boilers, lengths, room, 0)


def mistakes(wagons: int, boilers: list[int], lengths: list[int], room: int) -> dict[str, list[int]]:
    return {
        "pulls out wagons for the same boiler": shunt(boilers, lengths, room, 1),
        "ignores the room": shunt(boilers, lengths, sum(lengths), 0),
    }


def generate(random, difficulty):
    wagons = [6, 9, 16, 28, 46][difficulty - 1]
    while True:
        config = {
            "wagons": wagons,
            "boilers": [random.randint(1, 4 + difficulty) for wagon in range(wagons)],
            "lengths": [random.randint(8, 16) for wagon in range(wagons)],
            "room": random.randint(28, 46),
        }
        if reference(**config) not in mistakes(**config).values():
            return config


def solve(tools, wagons):
    siding = []
    order = []
    for wagon in range(wagons):
        while siding and tools.has_smaller_boiler(wagon=siding[-1], other=wagon):
            order.append(tools.pull_out())
            siding.pop()
        if tools.push_in(wagon=wagon):
            siding.append(wagon)
        else:
            order.append(wagon)
    while siding:
        order.append(tools.pull_out())
        siding.pop()
    return order
