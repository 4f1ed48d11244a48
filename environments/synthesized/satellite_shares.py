"""Ground stations share a satellite. It had {passes} passes, numbered from 0. One station has paid the whole price of
a pass in advance, and some antennas were used in it. The price of a pass is divided equally among its antennas; cents
that remain are charged to the first antennas of its list, one cent each. What an antenna is charged, the station owes
that owns it. The station that has paid need not own an antenna of the pass, and a station may own several.

Answer with an object from the name of every station that has paid a pass or owns an antenna that was used to its
balance in cents: what it has paid minus what it owes.
"""

from typing import TypedDict

META = {
    "title": "Satellite shares",
    "tags": ["accounting", "records"],
    "public": ["passes"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem shared-taxi",
}


class Pass(TypedDict):
    payer: str
    price: int
    antennas: list[str]


class Environment:
    def __init__(self, passes: int, log: list[Pass], owners: dict[str, str]):
        if passes < 1 or len(log) != passes:
            raise ValueError("there must be an entry of the log for each pass")
        for entry in log:
            used = entry["antennas"]
            if not used or len(set(used)) != len(used) or set(used) - set(owners) or entry["price"] < 0:
                raise ValueError("a pass uses one antenna or more, each once, and each has an owner")
        self.log = log
        self.owners = owners

    def read_pass(self, number: int) -> Pass:
        """Read the entry of a pass.

        Args:
            number: number of the pass.

        Returns:
            The station that has paid, the price in cents, and the antennas in the order of the list.
        """
        if not 0 <= number < len(self.log):
            raise ValueError(f"passes have the numbers 0 to {len(self.log) - 1}")
        return self.log[number]

    def owner_of(self, antenna: str) -> str:
        """Return the name of the station that owns an antenna.

        Args:
            antenna: name of the antenna.
        """
        if antenna not in self.owners:
            raise ValueError("there is no antenna with this name; the entries of passes name them")
        return self.owners[antenna]


def settle(log, owners, rest_to_first):
    totals = {}
    for entry in log:
        payer, used = entry["payer"], entry["antennas"]
        totals[payer] = totals.get(payer, 0) + entry["price"]
        share, rest = entry["price"] // len(used), entry["price"] % len(used)
        for place, antenna in enumerate(used):
            late = place < rest if rest_to_first else place >= len(used) - rest
            totals[owners[antenna]] = totals.get(owners[antenna], 0) - share - late
    return totals


def reference(passes: int, log: list[Pass], owners: dict[str, str]) -> dict[str, int]:
    return settle(log, owners, True)


def mistakes(passes: int, log: list[Pass], owners: dict[str, str]) -> dict[str, dict[str, int]]:
    return {"the last antennas are charged the rest": settle(log, owners, False)}


def generate(random, difficulty):
    passes = random.randint(*[(5, 6), (7, 9), (13, 16), (24, 30), (50, 64)][difficulty - 1])
    stations = random.sample(["Kiruna", "Perth", "Malindi", "Kourou", "Tolhuin", "Weilheim", "Fucino", "Redu"], 3 + difficulty)
    names = [letter + str(number) for letter in "ABCDEFGH" for number in range(1, 10)]
    antennas = random.sample(names, random.randint(*[(6, 7), (7, 9), (11, 14), (20, 26), (38, 48)][difficulty - 1]))
    owners = {antenna: random.choice(stations) for antenna in sorted(antennas)}
    log = []
    for number in range(passes):
        used = random.sample(antennas, random.randint(1, 4))
        log.append({"payer": random.choice(stations), "price": random.randint(100, 9999), "antennas": used})
    return {"passes": passes, "log": log, "owners": owners}


def solve(tools, passes):
    # Special cases: remaining cents go to the first antennas; the payer need not own an antenna; several antennas of one.
    entries = [tools.read_pass(number=number) for number in range(passes)]
    used = sorted({antenna for entry in entries for antenna in entry["antennas"]})
    owner = {antenna: tools.owner_of(antenna=antenna) for antenna in used}
    stations = {entry["payer"] for entry in entries} | set(owner.values())
    balance = {station: 0 for station in sorted(stations)}
    for entry in entries:
        balance[entry["payer"]] += entry["price"]
        count = len(entry["antennas"])
        for place, antenna in enumerate(entry["antennas"]):
            cents = entry["price"] // count
            if place < entry["price"] % count:
                cents += 1
            balance[owner[antenna]] -= cents
    return balance
