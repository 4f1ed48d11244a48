"""In the depot of a museum one crate goes from office to office, past {offices} offices, numbered from 0,
in this order. There is a piece in the crate, and you have a purse with tokens for fees.

If an office wants the kind of piece that is in the crate, and the purse has enough tokens for its fee,
piece and fee are exchanged for the piece that the office gives. If the office wants the piece but the
tokens are not enough, nothing is exchanged, and you have to collect a grant from this office, which
adds 3 tokens to the purse. An office that does not want the piece is passed by.

Visit every office once, in order. Answer with the list of the kinds of pieces that were in the crate,
in order: the first one, and the new one after each exchange.
"""

META = {
    "title": "Depot exchange",
    "tags": ["accounting", "simulation"],
    "public": ["offices"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem spice-barter",
}
NOT_ENOUGH = "not enough tokens"


class Environment:
    def __init__(
        self, offices: int, wants: list[str], gives: list[str], fees: list[int], first: str, tokens: int
    ):
        if offices != len(wants) or offices != len(gives) or offices != len(fees) or min([tokens, *fees]) < 0:
            raise ValueError(
                "every office needs a wanted piece, a given piece, and a fee that is not negative"
            )
        if NOT_ENOUGH in gives or "" in [first, *wants, *gives]:
            raise ValueError("a piece has an unsuitable name")
        self.wants = wants
        self.gives = gives
        self.fees = fees
        self.piece = first
        self.tokens = tokens
        self.granted = []

    def open_crate(self) -> str:
        """Open the crate and tell the kind of piece that is in it."""
        return self.piece

    def ask_office(self, office: int) -> str:
        """Ask an office which kind of piece it wants.

        Args:
            office: the number of the office.
        """
        check_office(office, self.wants)
        return self.wants[office]

    def exchange(self, office: int) -> str:
        """Offer the piece in the crate to an office; refused if the office wants another kind.

        Args:
            office: the number of the office.

        Returns:
            The kind of the new piece, or "not enough tokens" if the purse does not cover the fee.
        """
        check_office(office, self.wants)
        if self.wants[office] != self.piece:
            raise ValueError(f"this office wants {self.wants[office]}, and in the crate is {self.piece}")
        if self.fees[office] > self.tokens:
            return NOT_ENOUGH
        self.tokens -= self.fees[office]
        self.piece = self.gives[office]
        return self.piece

    def collect_grant(self, office: int) -> str:
        """Collect a grant of 3 tokens from an office that wants the piece but whose fee is too high now.

        Args:
            office: the number of the office; it gives one grant only.
        """
        check_office(office, self.wants)
        if self.wants[office] != self.piece or self.fees[office] <= self.tokens or office in self.granted:
            raise ValueError("this office gives no grant now")
        self.granted.append(office)
        self.tokens += 3
        return "collected"


def check_office(office, wants):
    if not 0 <= office < len(wants):
        raise ValueError(f"the offices have the numbers 0 to {len(wants) - 1}")


def barter(wants, gives, fees, first, tokens, grant):
    pieces = [first]
    for wanted, given, fee in zip(wants, gives, fees):
        if wanted == pieces[-1]:
            if fee <= tokens:
                tokens -= fee
                pieces.append(given)
            else:
                tokens += grant
    return pieces


def reference(
    offices: int, wants: list[str], gives: list[str], fees: list[int], first: str, tokens: int
) -> list[str]:
    return barter(wants, gives, fees, first, tokens, 3)


def mistakes(
    offices: int, wants: list[str], gives: list[str], fees: list[int], first: str, tokens: int
) -> dict[str, list[str]]:
    return {
        "collects no grants": barter(wants, gives, fees, first, tokens, 0),
        "forgets the fees": barter(wants, gives, [0] * offices, first, tokens, 3),
    }


def generate(random, difficulty):
    offices = [9, 15, 28, 52, 90][difficulty - 1]
    kinds = ["vase", "mask", "coin", "idol"][: 3 + difficulty // 3]
    while True:
        config = {
            "offices": offices,
            "wants": [random.choice(kinds) for office in range(offices)],
            "gives": [random.choice(kinds) for office in range(offices)],
            "fees": [random.randint(1, 9) for office in range(offices)],
            "first": random.choice(kinds),
            "tokens": random.randint(8, 16),
        }
        right = reference(**config)
        if len(right) > 2 and len(right) < 50 and right not in mistakes(**config).values():
            return config


def solve(tools, offices):
    piece = tools.open_crate()
    pieces = [piece]
    for office in range(offices):
        if tools.ask_office(office=office) != piece:
            continue
        result = tools.exchange(office=office)
        if result == "not enough tokens":
            tools.collect_grant(office=office)
        else:
            piece = result
            pieces.append(piece)
    return pieces
