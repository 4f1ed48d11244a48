"""Through the palm house of a botanical garden leads a narrow track for {carts} carts, numbered from 0,
which come to it in this order. No cart can overtake another one.

- A cart can enter from the minute of its coming on, the first one not before minute 0, and every
  further one at the earliest {headway} minutes after the cart before it entered. It enters as early as
  it can.
- A cart that would have to wait for its entry for more than {limit} minutes turns back. Carts that
  turned back do not count as carts before others.
- A light cart needs {quick} minutes from its entry until it leaves the house, a heavy one twice as
  many. But it leaves at the earliest one minute after the cart before it has left.

Answer with a list that has one number for each cart: the minute in which it leaves the palm house, or
-1 if it turned back.
"""

META = {
    "title": "Palm house carts",
    "tags": ["schedules"],
    "public": ["carts", "quick", "headway", "limit"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem canal-convoy",
}


class Environment:
    def __init__(self, carts: int, quick: int, headway: int, limit: int, comes: list[int], heavy: list[bool]):
        if (
            carts != len(comes)
            or carts != len(heavy)
            or not comes
            or min(comes) < 0
            or comes != sorted(comes)
        ):
            raise ValueError("every cart needs a minute of its coming, in ascending order, and a load")
        if quick < 1 or headway < 1 or limit < 0:
            raise ValueError("quick and headway have to be at least 1, and limit at least 0")
        self.comes = comes
        self.heavy = heavy

    def ask_gatekeeper(self, cart: int) -> int:
        """Ask in which minute a cart comes to the track.

        Args:
            cart: the number of the cart.
        """
        check_cart(cart, self.comes)
        return self.comes[cart]

    def look_at_load(self, cart: int) -> str:
        """Look whether a cart is "light" or "heavy".

        Args:
            cart: the number of the cart.
        """
        check_cart(cart, self.comes)
        return "heavy" if self.heavy[cart] else "light"


def check_cart(cart, comes):
    if not 0 <= cart < len(comes):
        raise ValueError(f"the carts have the numbers 0 to {len(comes) - 1}")


def run(quick, headway, limit, comes, heavy, keeps_order):
    leaves = []
    free = 0
    last = -1
    for minute, is_heavy in zip(comes, heavy):
        if free - minute > limit:
            leaves.append(-1)
            continue
        free = max(free, minute)
        last = max(last + 1 if keeps_order else 0, free + (2 * quick if is_heavy else quick))
        free += headway
        leaves.append(last)
    return leaves


def reference(
    carts: int, quick: int, headway: int, limit: int, comes: list[int], heavy: list[bool]
) -> list[int]:
    return run(quick, headway, limit, comes, heavy, True)


def mistakes(
    carts: int, quick: int, headway: int, limit: int, comes: list[int], heavy: list[bool]
) -> dict[str, list[int]]:
    return {
        "carts overtake": run(quick, headway, limit, comes, heavy, False),
        "nobody turns back": run(quick, headway, 10**6, comes, heavy, True),
    }


def generate(random, difficulty):
    carts = [8, 13, 24, 42, 72][difficulty - 1]
    while True:
        minute = random.randint(0, 6)
        comes = []
        for cart in range(carts):
            comes.append(minute)
            minute += random.choice([0, 1, 1, 2, 3, 4, 5, 6, 8])
        config = {
            "carts": carts,
            "quick": 9 + difficulty,
            "headway": 4,
            "limit": 5,
            "comes": comes,
            "heavy": [random.random() < 0.3 for cart in range(carts)],
        }
        if reference(**config) not in mistakes(**config).values():
            return config


def solve(tools, carts, quick, headway, limit):
    leaves = []
    entered = None
    left = None
    for cart in range(carts):
        comes = tools.ask_gatekeeper(cart=cart)
        enter = max(comes, 0 if entered is None else entered + headway)
        if enter - comes > limit:
            leaves.append(-1)
            continue
        heavy = tools.look_at_load(cart=cart) == "heavy"
        leave = enter + quick * (2 if heavy else 1)
        if left is not None:
            leave = max(leave, left + 1)
        entered, left = enter, leave
        leaves.append(leave)
    return leaves
