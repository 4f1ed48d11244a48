"""A textile mill has {vats} vats of dye, numbered from 0, and {orders} orders, numbered from 0, each for some litres
of dye. Order 0 is addressed to vat 0, order 1 to vat 1 and so on; after the last vat it is the turn of vat 0 again.
Orders are served one after another. If the vat to which an order is addressed has enough dye, it pays for the order.
Otherwise the order passes to the next vat (after the last one to vat 0), until a vat can pay or all have been asked
once; then the order is refused. A vat that was not addressed must give one litre more than the order asks for, and
can only pay if it has that much.

A vat gives dye only if it has been stirred since dye was taken from it; at the beginning all have been stirred.
Serve the orders. Answer with a list that has, for each order, the number of the vat that paid, or -1 if the order
was refused.
"""

META = {
    "title": "Dye vats",
    "tags": ["accounting", "simulation"],
    "public": ["vats", "orders"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem ration-ledger",
}


class Environment:
    def __init__(self, vats: int, orders: int, litres: list[int], asked: list[int]):
        if vats < 1 or orders < 1 or len(litres) != vats or len(asked) != orders or min(litres + asked) < 0:
            raise ValueError("there must be litres for each vat and each order, none of them negative")
        self.litres = list(litres)
        self.asked = asked
        self.settled = []
        self.served = []

    def draw_dye(self, vat: int, order: int) -> bool:
        """Let a vat pay for an order: with one litre more than it asks for, if the vat was not addressed.

        Args:
            vat: number of the vat; refused if it has to be stirred first.
            order: number of the order; refused if it has been paid.

        Returns:
            Whether the vat had enough. If not, nothing was taken.
        """
        check("vat", vat, self.litres)
        check("order", order, self.asked)
        if order in self.served:
            raise ValueError(f"order {order} has been paid")
        if vat in self.settled:
            raise ValueError(f"vat {vat} has settled and has to be stirred")
        litres = self.asked[order] + (vat != order % len(self.litres))
        if litres > self.litres[vat]:
            return False
        self.litres[vat] -= litres
        self.settled.append(vat)
        self.served.append(order)
        return True

    def stir_vat(self, vat: int) -> None:
        """Stir a vat from which dye was taken; refused if that is not needed.

        Args:
            vat: number of the vat.
        """
        check("vat", vat, self.litres)
        if vat not in self.settled:
            raise ValueError(f"vat {vat} has been stirred since dye was taken from it")
        self.settled.remove(vat)


def check(what, number, items):
    if not 0 <= number < len(items):
        raise ValueError(f"{what} must be between 0 and {len(items) - 1}")


def serve(litres, asked, fee, onward):
    left, paid = list(litres), []
    for order, wanted in enumerate(asked):
        payer = -1
        for step in range(len(left) if onward else 1):
            vat = (order + step) % len(left)
            needed = wanted + (fee if step else 0)
            if left[vat] >= needed:
                left[vat] -= needed
                payer = vat
                break
        paid.append(payer)
    return paid


def reference(vats: int, orders: int, litres: list[int], asked: list[int]) -> list[int]:
    return serve(litres, asked, 1, True)


def mistakes(vats: int, orders: int, litres: list[int], asked: list[int]) -> dict[str, list[int]]:
    return {"orders are not passed on": serve(litres, asked, 1, False)}


def generate(random, difficulty):
    vats = random.randint(3, 3 + difficulty)
    orders = random.randint(*[(6, 7), (9, 11), (15, 18), (24, 28), (36, 42)][difficulty - 1])
    asked = [random.choice([0, 3, 5, 8, 8, 11, 14]) for order in range(orders)]
    whole = sum(asked)
    litres = [random.randint(whole // (3 * vats), whole // vats) for vat in range(vats)]
    return {"vats": vats, "orders": orders, "litres": litres, "asked": asked}


def solve(tools, vats, orders):
    unstirred = set()
    paid = []
    for order in range(orders):
        payer = -1
        for step in range(vats):
            vat = (order + step) % vats
            if vat in unstirred:
                tools.stir_vat(vat=vat)
                unstirred.discard(vat)
            if tools.draw_dye(vat=vat, order=order):
                unstirred.add(vat)
                payer = vat
                break
        paid.append(payer)
    return paid
