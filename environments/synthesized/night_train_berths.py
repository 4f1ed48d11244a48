"""A night train has berths without numbers. A booking (first, last) reserves a berth from the station
`first` to the station `last`; the traveller gets off before others get on, so that one who leaves
at a station frees the berth for one who enters there. Bookings are confirmed in the order of the
list: a booking whose first station is not before its last one is refused; another one is confirmed
if, among the bookings confirmed so far, fewer than `berths` have a part of the line in common with
it. Answer with the numbers of the confirmed bookings, counted from 0.

You are not shown bookings; ask the tools about it. You know berths = {berths}.
"""


META = {
    'title': 'Night train berths',
    'tags': ['traced'],
    'public': ['berths'],
    'source': 'codegym-mcp examples, problem night-train-berths',
    'license': 'MIT',
}


def is_forward(bookings, booking):
    return bookings[booking][0] < bookings[booking][1]

def share_a_part(bookings, one, other):
    return bookings[one][0] < bookings[other][1] and bookings[other][0] < bookings[one][1]

def confirm(bookings, berths):
    confirmed = []
    for booking in range(len(bookings)):
        if not is_forward(bookings, booking):
            continue
        free = berths
        for other in confirmed:
            if share_a_part(bookings, booking, other):
                free -= 1
                if free == 0:
                    break
        if free > 0:
            confirmed.append(booking)
    return confirmed


class Environment:
    def __init__(self, bookings: list[tuple[int, int]], berths: int):
        self.bookings = [tuple(item) for item in bookings]

    def count_bookings(self) -> int:
        """Returns the length of `bookings`."""
        return len(self.bookings)

    def is_forward(self, booking: int) -> bool:
        """Returns whether a booking begins before it ends.

        Args:
            booking: position in `bookings`, counted from 0.
        """
        if not 0 <= booking < len(self.bookings):
            raise ValueError(f"booking must be at least 0 and less than {len(self.bookings)}.")
        try:
            return bool(is_forward(self.bookings, booking))
        except Exception:
            raise ValueError("is_forward is not defined for this booking; choose other arguments.")

    def share_a_part(self, one: int, other: int) -> bool:
        """Returns whether two bookings have a part of the line in common.

        Args:
            one: position in `bookings`, counted from 0.
            other: position in `bookings`, counted from 0.
        """
        if not 0 <= one < len(self.bookings):
            raise ValueError(f"one must be at least 0 and less than {len(self.bookings)}.")
        if not 0 <= other < len(self.bookings):
            raise ValueError(f"other must be at least 0 and less than {len(self.bookings)}.")
        try:
            return bool(share_a_part(self.bookings, one, other))
        except Exception:
            raise ValueError("share_a_part is not defined for this one and other; choose other arguments.")


def reference(bookings: list[tuple[int, int]], berths: int) -> list[int]:
    return confirm([tuple(item) for item in bookings], berths)


def solve(tools, berths):
    count_bookings = tools.count_bookings()
    confirmed = []
    for booking in range(count_bookings):
        if not tools.is_forward(booking=booking):
            continue
        free = berths
        for other in confirmed:
            if tools.share_a_part(one=booking, other=other):
                free -= 1
                if free == 0:
                    break
        if free > 0:
            confirmed.append(booking)
    return confirmed
