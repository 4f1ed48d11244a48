"""At a flea market {customers} customers want to buy at your stall, one after another in a fixed order.
The stall opens at minute 0 of its clock. Serving a customer takes some minutes, which you learn from
the clock only.

Whenever you are free, look after the next customer: serve a customer who is waiting; strike off one who
has gone home out of impatience; let single minutes pass as long as the next one has not come yet.
Nobody is served out of order, and no minute may be wasted: time passes only while a customer is served
or while you wait for one who has not come yet.

Answer with a list of two numbers: how many customers went home, and the minute at which the last
customer who was served had been served (0 if nobody was served).
"""

from typing import Literal

META = {
    "title": "Flea market stall",
    "tags": ["queues", "simulation"],
    "public": ["customers"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem museum-tickets",
}


class Environment:
    def __init__(
        self, customers: int, arrivals: list[int], goods: list[Literal["small", "large"]], patience: int
    ):
        if customers != len(arrivals) or customers != len(goods) or min([patience, *arrivals]) < 0:
            raise ValueError("every customer needs a minute of arrival and goods")
        if arrivals != sorted(arrivals):
            raise ValueError("the customers come in the order of their arrival")
        self.arrivals = arrivals
        self.goods = goods
        self.patience = patience
        self.customer = 0
        self.minute = 0

    def read_clock(self) -> int:
        """Read the minutes since the stall opened."""
        return self.minute

    def look(self) -> Literal["waiting", "gone home", "not here yet", "nobody left"]:
        """Look after the next customer who has been neither served nor struck off."""
        if self.customer == len(self.arrivals):
            return "nobody left"
        waited = self.minute - self.arrivals[self.customer]
        return "not here yet" if waited < 0 else "gone home" if waited > self.patience else "waiting"

    def serve(self) -> int:
        """Serve the next customer, who has to be waiting; then look after the one behind.

        Returns:
            The number of customers who have been served or struck off.
        """
        if self.look() != "waiting":
            raise ValueError("no customer is waiting now; look tells why")
        self.minute += 4 if self.goods[self.customer] == "large" else 1
        self.customer += 1
        return self.customer

    def strike_off(self) -> int:
        """Strike off the next customer, who has to have gone home. This takes no time.

        Returns:
            The number of customers who have been served or struck off.
        """
        if self.look() != "gone home":
            raise ValueError("the next customer has not gone home; look tells more")
        self.customer += 1
        return self.customer

    def let_minute_pass(self) -> int:
        """Do nothing for one minute and tell the minute after that."""
        self.minute += 1
        return self.minute


def trade(arrivals, goods, patience):
    gone = minute = 0
    for arrival, kind in zip(arrivals, goods):
        if minute - arrival > patience:
            gone += 1
        else:
            minute = max(minute, arrival) + (4 if kind == "large" else 1)
    return [gone, minute]


def reference(
    customers: int, arrivals: list[int], goods: list[Literal["small", "large"]], patience: int
) -> list[int]:
    return trade(arrivals, goods, patience)


def generate(random, difficulty):
    customers = [6, 10, 18, 32, 52][difficulty - 1]
    while True:
        minute = random.randint(0, 3)
        arrivals = []
        for customer in range(customers):
            arrivals.append(minute)
            minute += random.choice([0, 0, 1, 1, 2, 2, 3, 5])
        goods = [random.choice(["small", "large"]) for customer in range(customers)]
        config = {
            "customers": customers,
            "arrivals": arrivals,
            "goods": goods,
            "patience": random.randint(3, 5),
        }
        if reference(**config)[0] > 0:
            return config


def solve(tools, customers):
    home = 0
    last = 0
    done = 0
    served_since_reading = False
    while done < customers:
        state = tools.look()
        if state == "not here yet":
            if served_since_reading:
                last = tools.read_clock()
                served_since_reading = False
            tools.let_minute_pass()
        elif state == "gone home":
            done = tools.strike_off()
            home += 1
        elif state == "waiting":
            done = tools.serve()
            served_since_reading = True
        else:
            break
    if served_since_reading:
        # No time has passed since the last customer was served: striking off takes none.
        last = tools.read_clock()
    return [home, last]
