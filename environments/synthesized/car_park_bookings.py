"""An underground car park has {spaces} spaces without numbers. {bookings} bookings, numbered from 0, have come in;
each reserves a space from one hour to another one. A car that leaves at an hour makes room for one that comes at
this hour. Bookings are confirmed in the order of their numbers: one whose first hour is not before its last one is
refused. Another one is confirmed if, among the bookings confirmed so far, fewer than {spaces} have a part of the
time in common with it; otherwise it is refused.

Answer with the numbers of the refused bookings, in ascending order; the list may be empty.
"""

META = {
    "title": "Car park bookings",
    "tags": ["intervals", "reservations"],
    "public": ["spaces", "bookings"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem night-train-berths",
}


class Environment:
    def __init__(self, spaces: int, bookings: int, firsts: list[int], lasts: list[int]):
        if spaces < 1 or bookings < 1 or len(firsts) != bookings or len(lasts) != bookings:
            raise ValueError("there must be a space, and a first and a last hour for each booking")
        self.firsts = firsts
        self.lasts = lasts

    def begins_before_end(self, booking: int, other: int) -> bool:
        """Check on the time sheet whether the first hour of a booking is before the last hour of a booking.

        Args:
            booking: number of the booking whose first hour is meant.
            other: number of the booking whose last hour is meant; it may be the same booking.
        """
        check_booking(booking, self.firsts)
        check_booking(other, self.firsts)
        return self.firsts[booking] < self.lasts[other]


def check_booking(booking, firsts):
    if not 0 <= booking < len(firsts):
        raise ValueError(f"bookings have the numbers 0 to {len(firsts) - 1}")


def refuse(spaces, firsts, lasts, against_all, touching):
    confirmed, refused = [], []
    for booking in range(len(firsts)):
        others = range(booking) if against_all else confirmed
        common = sum(
            firsts[booking] < lasts[other] + touching and firsts[other] < lasts[booking] + touching
            for other in others
            if firsts[other] < lasts[other]
        )
        if firsts[booking] < lasts[booking] and common < spaces:
            confirmed.append(booking)
        else:
            refused.append(booking)
    return refused


def reference(spaces: int, bookings: int, firsts: list[int], lasts: list[int]) -> list[int]:
    return refuse(spaces, firsts, lasts, False, 0)


def mistakes(spaces: int, bookings: int, firsts: list[int], lasts: list[int]) -> dict[str, list[int]]:
    return {
        "refused bookings take spaces": refuse(spaces, firsts, lasts, True, 0),
        "touching bookings overlap": refuse(spaces, firsts, lasts, False, 1),
    }


def generate(random, difficulty):
    config = {}
    for attempt in range(40):
        bookings = random.randint(*[(5, 6), (7, 8), (9, 11), (12, 14), (15, 18)][difficulty - 1])
        spaces = random.randint(1, 2) + difficulty // 4
        firsts = [random.randint(0, 8 + 2 * difficulty) for booking in range(bookings)]
        lasts = [first + random.choice([-1, 0, 1, 2, 3, 4, 5, 6, 7]) for first in firsts]
        config = {"spaces": spaces, "bookings": bookings, "firsts": firsts, "lasts": lasts}
        right = refuse(spaces, firsts, lasts, False, 0)
        if right not in mistakes(spaces, bookings, firsts, lasts).values():
            return config
    return config


def solve(tools, spaces, bookings):
    confirmed = []
    refused = []
    for booking in range(bookings):
        if not tools.begins_before_end(booking=booking, other=booking):
            refused.append(booking)
            continue
        together = 0
        for place, other in enumerate(confirmed):
            if together + len(confirmed) - place < spaces:
                break
            if tools.begins_before_end(booking=booking, other=other) and tools.begins_before_end(
                booking=other, other=booking
            ):
                together += 1
                if together == spaces:
                    break
        if together >= spaces:
            refused.append(booking)
        else:
            confirmed.append(booking)
    return refused
