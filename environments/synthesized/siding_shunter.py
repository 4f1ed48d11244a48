"""Wagons come to a shunting yard in the order of the list; stations[w] is the number of the station at
which wagon w is uncoupled, and lengths[w] is its length in metres. There is one siding of `room`
metres; a wagon that is pushed into it stands in front of the wagons that are there already, and
only the wagon in front can be pulled out. For each arriving wagon, first the wagons in front of the
siding are pulled out, one after another, as long as their station has a smaller number than that of
the arriving wagon. Then the arriving wagon is pushed into the siding if it is not longer than the
free room; otherwise it goes past. When all wagons have come, the siding is emptied. Answer with the
numbers of the wagons in the order in which they were pulled out of the siding or went past it.

You are not shown stations, lengths and room; ask the tools about them.
"""


META = {
    'title': 'Siding shunter',
    'tags': ['traced'],
    'source': 'codegym-mcp examples, problem siding-shunter',
    'license': 'MIT',
}


def stops_earlier(stations, one, other):
    return stations[one] < stations[other]

def fits(lengths, wagon, room):
    return lengths[wagon] <= room

def room_with(lengths, wagon, room):
    return room - lengths[wagon]

def room_without(lengths, wagon, room):
    return room + lengths[wagon]

def shunt(stations, lengths, room):
    siding = []
    order = []
    for wagon in range(len(stations)):
        while siding and stops_earlier(stations, siding[-1], wagon):
            room = room_without(lengths, siding[-1], room)
            order.append(siding.pop())
        if fits(lengths, wagon, room):
            room = room_with(lengths, wagon, room)
            siding.append(wagon)
        else:
            order.append(wagon)
    return order + siding[::-1]


class Environment:
    def __init__(self, stations: list[int], lengths: list[int], room: int):
        self.stations = stations
        self.lengths = lengths
        self.room = room

    def count_stations(self) -> int:
        """Returns the length of `stations`."""
        return len(self.stations)

    def stops_earlier(self, one: int, other: int) -> bool:
        """Returns whether the station of wagon `one` has a smaller number than that of wagon `other`.

        Args:
            one: position in `stations`, counted from 0.
            other: position in `stations`, counted from 0.
        """
        if not 0 <= one < len(self.stations):
            raise ValueError(f"one must be at least 0 and less than {len(self.stations)}.")
        if not 0 <= other < len(self.stations):
            raise ValueError(f"other must be at least 0 and less than {len(self.stations)}.")
        try:
            return bool(stops_earlier(self.stations, one, other))
        except Exception:
            raise ValueError("stops_earlier is not defined for this one and other; choose other arguments.")

    def set_room_to_room_without(self, wagon: int) -> None:
        """Sets `room` to `room` plus the length of a wagon.

        Args:
            wagon: position in `lengths`, counted from 0.
        """
        if not 0 <= wagon < len(self.lengths):
            raise ValueError(f"wagon must be at least 0 and less than {len(self.lengths)}.")
        try:
            self.room = room_without(self.lengths, wagon, self.room)
        except Exception:
            raise ValueError("set_room_to_room_without is not defined for this wagon; choose other arguments.")

    def fits(self, wagon: int) -> bool:
        """Returns whether a wagon is at most `room` metres long.

        Args:
            wagon: position in `lengths`, counted from 0.
        """
        if not 0 <= wagon < len(self.lengths):
            raise ValueError(f"wagon must be at least 0 and less than {len(self.lengths)}.")
        try:
            return bool(fits(self.lengths, wagon, self.room))
        except Exception:
            raise ValueError("fits is not defined for this wagon; choose other arguments.")

    def set_room_to_room_with(self, wagon: int) -> None:
        """Sets `room` to what is left of `room` metres beside a wagon.

        Args:
            wagon: position in `lengths`, counted from 0.
        """
        if not 0 <= wagon < len(self.lengths):
            raise ValueError(f"wagon must be at least 0 and less than {len(self.lengths)}.")
        try:
            self.room = room_with(self.lengths, wagon, self.room)
        except Exception:
            raise ValueError("set_room_to_room_with is not defined for this wagon; choose other arguments.")


def reference(stations: list[int], lengths: list[int], room: int) -> list[int]:
    return shunt(stations, lengths, room)


def solve(tools):
    count_stations = tools.count_stations()
    siding = []
    order = []
    for wagon in range(count_stations):
        while siding and tools.stops_earlier(one=siding[-1], other=wagon):
            tools.set_room_to_room_without(wagon=siding[-1])
            order.append(siding.pop())
        if tools.fits(wagon=wagon):
            tools.set_room_to_room_with(wagon=wagon)
            siding.append(wagon)
        else:
            order.append(wagon)
    return order + siding[::-1]
