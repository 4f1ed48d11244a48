"""A chess club orders figures with cards. Every line of a card says how many times something is wanted: either a
figure, or everything on another card, which may name further cards in its turn. A card that is named several times
is wanted each time. The order begins with the card "order", and no card contains itself in the end.

Work out the whole order. Answer with an object from the name of every figure that occurs in it to the number of
pieces that are wanted of it. A card without lines wants nothing.
"""

from typing import Literal, TypedDict

META = {
    "title": "Figure order",
    "tags": ["parsing", "trees"],
    "public": [],
    "license": "MIT",
    "source": "codegym-mcp examples, problem stencil-formula",
}


class Line(TypedDict):
    times: int
    kind: Literal["figure", "card"]
    name: str


class Environment:
    def __init__(self, cards: dict[str, list[Line]]):
        if "order" not in cards or any(line["times"] < 1 for lines in cards.values() for line in lines):
            raise ValueError("there must be a card named order, and everything is wanted once or more")
        for card in cards:
            if any(line["kind"] == "card" and line["name"] not in cards for line in cards[card]):
                raise ValueError(f"card {card} names a card that does not exist")
        if has_cycle(cards):
            raise ValueError("no card may contain itself in the end")
        self.cards = cards

    def count_lines(self, card: str) -> int:
        """Return the number of lines of a card.

        Args:
            card: name of the card.
        """
        check_card(card, self.cards)
        return len(self.cards[card])

    def read_line(self, card: str, line: int) -> Line:
        """Read a line of a card.

        Args:
            card: name of the card.
            line: number of the line, counted from 0.

        Returns:
            How many times it is wanted, whether it is a figure or another card, and its name.
        """
        check_card(card, self.cards)
        if not 0 <= line < len(self.cards[card]):
            raise ValueError(f"card {card} has {len(self.cards[card])} lines, counted from 0")
        return self.cards[card][line]


def check_card(card, cards):
    if card not in cards:
        raise ValueError('there is no card with this name; the first one is "order", and lines name others')


def inner_cards(cards, card):
    return {line["name"] for line in cards[card] if line["kind"] == "card"}


def has_cycle(cards):
    left = list(cards)
    while left:
        ready = [card for card in left if not inner_cards(cards, card) & set(left)]
        if not ready:
            return True
        left = [card for card in left if card not in ready]
    return False


def add_up(cards, card, multiply):
    totals = {}
    for line in cards[card]:
        if line["kind"] == "figure":
            wanted = {line["name"]: 1}
        else:
            wanted = add_up(cards, line["name"], multiply)
        for name in wanted:
            times = line["times"] if multiply or line["kind"] == "figure" else 1
            totals[name] = totals.get(name, 0) + times * wanted[name]
    return totals


def reference(cards: dict[str, list[Line]]) -> dict[str, int]:
    return add_up(cards, "order", True)


def mistakes(cards: dict[str, list[Line]]) -> dict[str, dict[str, int]]:
    return {"cards count once": add_up(cards, "order", False)}


def generate(random, difficulty):
    count = random.randint(*[(3, 4), (5, 6), (8, 10), (14, 17), (24, 29)][difficulty - 1])
    names = random.sample([letter + str(number) for letter in "GHKMQTVZ" for number in range(11, 40)], count)
    figures = random.sample(["pawn", "rook", "knight", "bishop", "queen", "king"], min(6, 2 + difficulty))
    cards = {}
    for place, name in enumerate(names):
        lines = []
        # Each card is named by a later one, so that nothing is left out of the order.
        inner = [names[place - 1]] if place else []
        if place > 2 and random.random() < 0.3:
            inner.append(names[random.randrange(max(0, place - 5), place - 1)])
        for card in inner:
            lines.append({"times": random.choice([1, 1, 1, 2]), "kind": "card", "name": card})
        for line in range(random.randint(1, 3)):
            lines.append({"times": random.randint(1, 9), "kind": "figure", "name": random.choice(figures)})
        random.shuffle(lines)
        cards[name] = lines
    last = [{"times": random.randint(1, 3), "kind": "card", "name": name} for name in names[-2:]]
    cards["order"] = [*last, {"times": random.randint(1, 9), "kind": "figure", "name": random.choice(figures)}]
    return {"cards": {name: cards[name] for name in sorted(cards)}}


def solve(tools):
    wanted = {}

    def pieces(card):
        # The pieces that are wanted by a card, by figure.
        if card not in wanted:
            total = {}
            for number in range(tools.count_lines(card=card)):
                line = tools.read_line(card=card, line=number)
                parts = {line["name"]: 1} if line["kind"] == "figure" else pieces(line["name"])
                for figure, count in parts.items():
                    total[figure] = total.get(figure, 0) + line["times"] * count
            wanted[card] = total
        return wanted[card]

    return pieces("order")
