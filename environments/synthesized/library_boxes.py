"""A library packs its old volumes into boxes, in the order of the card index. The first card has the signature
{first}; every card names the signature of the following volume. The next volume joins the current box if the box
has fewer than {most} volumes, if its year differs by at most {years} years from the year of the first volume in the
box, and if the packer can still push it in. Otherwise it begins a new box; a volume that begins a box always goes in.

There are {volumes} volumes. Pack all of them. Answer with the signatures of the volumes that begin a box, in order.
"""

META = {
    "title": "Library boxes",
    "tags": ["schedules", "records"],
    "public": ["volumes", "first", "most", "years"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem kiln-batches",
}


class Environment:
    def __init__(
        self, volumes: int, first: str, most: int, years: int, room: int, cards: dict[str, list[int]], order: list[str]
    ):
        if volumes < 1 or len(order) != volumes or sorted(order) != sorted(cards) or order[0] != first:
            raise ValueError("order must name every card once, beginning with the first one")
        if most < 1 or years < 0 or room < 1 or any(len(card) != 2 or card[1] < 0 for card in cards.values()):
            raise ValueError("every card has a year and a thickness, and boxes have room")
        self.order = order
        self.cards = cards
        self.room = room
        self.free = 0
        self.packed = []

    def following_card(self, signature: str) -> str | None:
        """Return the signature of the volume that follows in the card index, or null after the last one.

        Args:
            signature: signature of a volume.
        """
        place = find(self.order, signature)
        return self.order[place + 1] if place + 1 < len(self.order) else None

    def years_between(self, signature: str, other: str) -> int:
        """Return how many years lie between two volumes, 0 or more.

        Args:
            signature: signature of one volume.
            other: signature of the other volume.
        """
        find(self.order, signature)
        find(self.order, other)
        return abs(self.cards[signature][0] - self.cards[other][0])

    def begin_box(self, signature: str) -> int:
        """Close the current box and begin a new one with a volume that is not packed yet.

        Args:
            signature: signature of the volume.

        Returns:
            The number of volumes that are packed now.
        """
        self.free = self.room - check_loose(self.order, self.packed, signature, self.cards)
        self.packed.append(signature)
        return len(self.packed)

    def push_in(self, signature: str) -> bool:
        """Try to push a volume that is not packed yet into the current box; refused before the first box.

        Args:
            signature: signature of the volume.

        Returns:
            Whether it fits; then it stays in the box. The packer looks only at the room, not at years or numbers.
        """
        thickness = check_loose(self.order, self.packed, signature, self.cards)
        if not self.packed:
            raise ValueError("there is no box yet; begin one")
        if thickness > self.free:
            return False
        self.free -= thickness
        self.packed.append(signature)
        return True


def find(order, signature):
    if signature not in order:
        raise ValueError("no volume has this signature; following_card tells the signatures one after another")
    return order.index(signature)


def check_loose(order, packed, signature, cards):
    find(order, signature)
    if signature in packed:
        raise ValueError("this volume is packed already")
    return cards[signature][1]


def pack(order, cards, most, years, room, compare_first):
    starts, box, free = [], [], 0
    for signature in order:
        year, thickness = cards[signature]
        near = box and abs(cards[box[0] if compare_first else box[-1]][0] - year) <= years
        if near and len(box) < most and thickness <= free:
            box.append(signature)
        else:
            starts.append(signature)
            box, free = [signature], room
        free -= thickness
    return starts


def reference(
    volumes: int, first: str, most: int, years: int, room: int, cards: dict[str, list[int]], order: list[str]
) -> list[str]:
    return pack(order, cards, most, years, room, True)


def mistakes(
    volumes: int, first: str, most: int, years: int, room: int, cards: dict[str, list[int]], order: list[str]
) -> dict[str, list[str]]:
    return {
        "years compared with the volume before": pack(order, cards, most, years, room, False),
        "number of volumes not limited": pack(order, cards, volumes, years, room, True),
        "room ignored": pack(order, cards, most, years, 10**6, True),
    }


def generate(random, difficulty):
    config = {}
    for attempt in range(20):
        volumes = random.randint(*[(6, 7), (9, 11), (15, 18), (24, 29), (40, 50)][difficulty - 1])
        names = [letter + str(number) for letter in "ABCDEFGH" for number in range(100, 160)]
        order = random.sample(names, volumes)
        year = random.randint(1600, 1800)
        cards = {}
        for signature in order:
            year += random.choice([-9, -5, -3, 0, 2, 3, 4, 6, 8])
            cards[signature] = [year, random.choice([2, 3, 3, 4, 5, 7, 9])]
        most, years, room = random.randint(3, 5), random.randint(6, 9), random.randint(13, 18)
        config = {
            "volumes": volumes,
            "first": order[0],
            "most": most,
            "years": years,
            "room": room,
            "cards": {name: cards[name] for name in sorted(cards)},
            "order": order,
        }
        right = pack(order, cards, most, years, room, True)
        wrong = mistakes(volumes, order[0], most, years, room, cards, order)
        if right not in wrong.values():
            return config
    return config


def solve(tools, first, volumes, most, years):
    # The first volume always begins a box. A full box is not tried, and neither is a volume of other years.
    tools.begin_box(signature=first)
    boxes = [[first]]
    current = first
    for volume in range(volumes - 1):
        current = tools.following_card(signature=current)
        if current is None:
            break
        box = boxes[-1]
        if len(box) < most and tools.years_between(signature=box[0], other=current) <= years:
            if tools.push_in(signature=current):
                box.append(current)
                continue
        tools.begin_box(signature=current)
        boxes.append([current])
    return [box[0] for box in boxes]
