"""Find the wall socket at the far end of a network cable in an office building.

The building has {panels} patch panels. The cable begins at panel {first} and runs from panel to panel until
it ends at a socket. The card on a panel names the port by which the cable leaves that panel, and says whether
it leaves as copper or as fibre. A tone sent into a copper port, or light sent into a fibre port, shows where
the cable arrives: at another panel, or at the socket. Any other port leads nowhere.

Answer with the number of the socket.
"""

from typing import Literal, TypedDict

META = {
    "title": "Cable trace",
    "tags": ["trail"],
    "public": ["panels", "first"],
    "license": "MIT",
    "source": "original",
}


class Card(TypedDict):
    cable: Literal["copper", "fibre"]
    port: int


class Arrival(TypedDict):
    at: Literal["panel", "socket"]
    number: int


class Config(TypedDict):
    panels: int
    first: int
    cards: dict[str, Card]
    arrivals: dict[str, Arrival]


class Environment:
    def __init__(self, config: Config):
        self.cards = config["cards"]
        self.arrivals = config["arrivals"]

    def read_card(self, panel: int) -> Card:
        """Read the card on a patch panel.

        Args:
            panel: number of the panel.
        """
        return card_of(self.cards, panel)

    def send_tone(self, panel: int, port: int) -> Arrival:
        """Send a tone into a copper port and learn where the cable arrives.

        Args:
            panel: number of the panel.
            port: number of the port, as the panel's card names it.
        """
        return arrival(self, panel, port, "copper")

    def send_light(self, panel: int, port: int) -> Arrival:
        """Send light into a fibre port and learn where the cable arrives.

        Args:
            panel: number of the panel.
            port: number of the port, as the panel's card names it.
        """
        return arrival(self, panel, port, "fibre")


def card_of(cards, panel):
    if str(panel) not in cards:
        raise ValueError(f"there is no panel {panel}")
    return cards[str(panel)]


def arrival(environment, panel, port, cable):
    card = card_of(environment.cards, panel)
    if port != card["port"]:
        raise ValueError(f"port {port} of panel {panel} leads nowhere")
    if cable != card["cable"]:
        raise ValueError(f"port {port} of panel {panel} is {card['cable']}")
    return environment.arrivals[str(panel)]


def reference(config: Config) -> int:
    arrived = config["arrivals"][str(config["first"])]
    while arrived["at"] == "panel":
        arrived = config["arrivals"][str(arrived["number"])]
    return arrived["number"]


def solve(tools, panels, first):
    panel = first
    while True:
        card = tools.read_card(panel=panel)
        send = tools.send_tone if card["cable"] == "copper" else tools.send_light
        arrived = send(panel=panel, port=card["port"])
        if arrived["at"] == "socket":
            return arrived["number"]
        panel = arrived["number"]


def generate(random, difficulty) -> Config:
    """Draws a building in which the cable passes difficulty + 1 or difficulty + 2 panels.

    Nothing else depends on the difficulty. Panels off the way lead to panels, too. Numbers have two digits.
    """
    numbers = random.sample(range(10, 100), 20)
    way = numbers[: difficulty + random.randint(1, 2)]
    arrivals = {str(n): {"at": "panel", "number": random.choice(numbers)} for n in numbers}
    for here, following in zip(way, way[1:]):
        arrivals[str(here)] = {"at": "panel", "number": following}
    arrivals[str(way[-1])] = {"at": "socket", "number": random.randint(10, 99)}
    cards = {
        str(n): {"cable": random.choice(["copper", "fibre"]), "port": random.randint(10, 99)} for n in numbers
    }
    return {"panels": len(numbers), "first": way[0], "cards": cards, "arrivals": arrivals}
