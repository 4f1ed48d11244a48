"""A textile mill keeps {rolls} rolls of cloth in a rack, numbered from 0 and sorted by width, the narrowest first.
{orders} orders, numbered from 0, are served one after another. Each order gets the first roll in the rack that is
at least as wide as it asks for and has not been reserved for an earlier order; if there is none, it gets no roll.

Reserve the right roll for every order that gets one. A reservation cannot be taken back. Answer with the numbers of
the orders that get no roll, in ascending order; the list may be empty.
"""

from typing import Literal

META = {
    "title": "Cloth rack",
    "tags": ["search", "reservations"],
    "public": ["rolls", "orders"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem locker-bisection",
}


class Environment:
    def __init__(self, rolls: int, orders: int, widths: list[int], asked: list[int]):
        if rolls < 1 or orders < 1 or len(widths) != rolls or len(asked) != orders or widths != sorted(widths):
            raise ValueError("there must be a width for each roll, in ascending order, and one for each order")
        self.widths = widths
        self.asked = asked
        self.reserved = {}

    def hold_against(self, roll: int, order: int) -> Literal["too narrow", "wide enough"]:
        """Hold a roll against what an order asks for; also possible with reserved rolls.

        Args:
            roll: number of the roll.
            order: number of the order.
        """
        check("roll", roll, len(self.widths))
        check("order", order, len(self.asked))
        return "wide enough" if self.widths[roll] >= self.asked[order] else "too narrow"

    def reserve_roll(self, roll: int, order: int) -> int:
        """Reserve a roll for an order, for good; refused if it is too narrow, or if roll or order is taken.

        Args:
            roll: number of the roll.
            order: number of the order.

        Returns:
            The number of rolls that are reserved now.
        """
        check("roll", roll, len(self.widths))
        check("order", order, len(self.asked))
        if str(order) in self.reserved:
            raise ValueError(f"order {order} has a roll already")
        if roll in self.reserved.values():
            raise ValueError(f"roll {roll} is reserved already")
        if self.widths[roll] < self.asked[order]:
            raise ValueError(f"roll {roll} is too narrow for order {order}")
        self.reserved[str(order)] = roll
        return len(self.reserved)

    def final_state(self) -> dict[str, int]:
        return self.reserved


def check(what, number, count):
    if not 0 <= number < count:
        raise ValueError(f"{what} must be between 0 and {count - 1}")


def serve(widths, asked):
    reserved, without = {}, []
    for order, width in enumerate(asked):
        free = [roll for roll in range(len(widths)) if widths[roll] >= width and roll not in reserved.values()]
        if free:
            reserved[str(order)] = free[0]
        else:
            without.append(order)
    return reserved, without


def reference(rolls: int, orders: int, widths: list[int], asked: list[int]) -> list[int]:
    return serve(widths, asked)[1]


def accepts(
    answer: list[int], state: dict[str, int], rolls: int, orders: int, widths: list[int], asked: list[int]
) -> bool:
    reserved, without = serve(widths, asked)
    return answer == without and state == reserved


def generate(random, difficulty):
    rolls = random.randint(*[(5, 7), (8, 11), (14, 20), (24, 32), (36, 48)][difficulty - 1])
    orders = [4, 6, 9, 14, 22][difficulty - 1]
    widths = sorted(random.randint(60, 60 + 4 * rolls) for roll in range(rolls))
    # Orders crowd near some widths, so that rolls are taken and the last ones run out.
    focus = [random.choice(widths), widths[-1] - random.randint(0, 3), widths[-1] + random.randint(1, 9)]
    asked = [
        max(50, random.choice([*focus, random.randint(55, widths[-1])]) - random.randint(0, 4)) for order in range(orders)
    ]
    return {"rolls": rolls, "orders": orders, "widths": widths, "asked": asked}


def solve(tools, rolls, orders):
    free = list(range(rolls))
    without = []
    for order in range(orders):
        low, high = 0, len(free)
        while low < high:
            middle = (low + high) // 2
            if tools.hold_against(roll=free[middle], order=order) == "wide enough":
                high = middle
            else:
                low = middle + 1
        if low < len(free):
            tools.reserve_roll(roll=free[low], order=order)
            free.pop(low)
        else:
            without.append(order)
    return without
