"""Tonight a van has to take a parcel from our depot at {depot} to {house}, and you plan its route. There
is no map of this part of the city: streets are known only from the signs at the junctions, and you can
read a sign only while you stand there. You scout the city on an electric bike, which starts at the depot
with a full battery.

The city has {junctions} junctions, the depot's included. Every street leaving a junction has a sign
there with its name, the junction it leads to, the minutes it takes and its toll zone (an empty zone
means no toll). A sign is valid in that direction only: you can come back the same way only if the other
end has a sign for it too. Some junctions may have no way out at all. At every junction you also
see the name of the one house that stands there.

A full battery lasts {battery} minutes. Riding a street uses its minutes, and you cannot set off on a
street that takes more than is left. Reading signs uses nothing. The bike is charged only by a pickup:
our truck brings you and the bike back to the depot, and you start again with a full battery. The truck
comes at most {pickups} times. One full battery takes you from the depot to any junction by the quickest
way.

The van drives by the same signs and takes the same minutes. It has no battery to worry about, but it
costs {rate} pence for each minute, and it needs a ticket for each toll zone it drives in. One ticket
covers every street of that zone for the whole trip. The price of a ticket is posted at the junctions
from which a street of that zone leaves, and can be read only there. The bike needs no tickets.

Find the cheapest route for the van from the depot to the junction where {house} stands. Answer with
the list of street names in the order in which the van drives them. If several routes are equally cheap,
any of them will do.
"""

import heapq
from itertools import combinations
from typing import TypedDict

META = {
    "title": "Night courier",
    "tags": ["graphs", "exploration"],
    "public": ["depot", "house", "junctions", "battery", "pickups", "rate"],
    "license": "MIT",
    "source": "original",
}


class Street(TypedDict):
    name: str
    start: str
    end: str
    minutes: int
    zone: str


class Sign(TypedDict):
    street: str
    leads_to: str
    minutes: int
    zone: str


class View(TypedDict):
    junction: str
    house: str
    signs: list[Sign]


class Position(TypedDict):
    junction: str
    battery: int
    pickups_left: int


class Environment:
    def __init__(
        self,
        depot: str,
        house: str,
        junctions: int,
        battery: int,
        pickups: int,
        rate: int,
        streets: list[Street],
        tickets: dict[str, int],
        houses: dict[str, str],
    ):
        self.depot = depot
        self.battery = battery
        self.streets = streets
        self.tickets = tickets
        self.houses = houses
        self.here = depot
        self.charge = battery
        self.pickups_left = pickups

    def look(self) -> View:
        """Read the street signs and the name of the house at the junction where you stand."""
        signs: list[Sign] = [
            {"street": s["name"], "leads_to": s["end"], "minutes": s["minutes"], "zone": s["zone"]}
            for s in self.streets
            if s["start"] == self.here
        ]
        return {"junction": self.here, "house": self.houses[self.here], "signs": signs}

    def read_ticket_price(self, zone: str) -> int:
        """Read the price, in pence, of a ticket for a toll zone that has a street leaving this junction.

        Args:
            zone: letter of the toll zone, as on the signs of this junction.
        """
        posted = sorted({s["zone"] for s in self.streets if s["start"] == self.here and s["zone"]})
        if zone not in posted:
            raise ValueError(f"no such price at {self.here}; zones posted here: {', '.join(posted) or '-'}")
        return self.tickets[zone]

    def ride(self, street: str) -> Position:
        """Ride the bike along a street that leaves this junction, to its other end.

        Args:
            street: name of the street, as on its sign.
        """
        leaving = {s["name"]: s for s in self.streets if s["start"] == self.here}
        if street not in leaving:
            known = ", ".join(sorted(leaving)) or "none"
            raise ValueError(f"no such street leaves {self.here}; streets here: {known}")
        minutes = leaving[street]["minutes"]
        if minutes > self.charge:
            raise ValueError(f"{street} takes {minutes} minutes, but the battery lasts only {self.charge}")
        self.charge -= minutes
        self.here = leaving[street]["end"]
        return {"junction": self.here, "battery": self.charge, "pickups_left": self.pickups_left}

    def call_pickup(self) -> Position:
        """Have the truck bring you back to the depot and charge the battery; this uses up one pickup."""
        if self.pickups_left == 0:
            raise ValueError("the truck does not come out again tonight: all pickups are used up")
        self.pickups_left -= 1
        self.here = self.depot
        self.charge = self.battery
        return {"junction": self.here, "battery": self.charge, "pickups_left": self.pickups_left}


def route_cost(route, depot, house, rate, streets, tickets, houses):
    """Pence for driving the route, or None if it is not a way from the depot to the house."""
    by_sign = {(s["start"], s["name"]): s for s in streets}
    here, minutes, zones = depot, 0, set()
    for name in route:
        if (here, name) not in by_sign:
            return None
        street = by_sign[here, name]
        here, minutes = street["end"], minutes + street["minutes"]
        zones.add(street["zone"])
    if houses[here] != house:
        return None
    return rate * minutes + sum(tickets[zone] for zone in sorted(zones) if zone)


def quickest(depot, streets):
    """Minutes and street names of a quickest way from the depot to each junction, by repeated relaxation."""
    best = {depot: (0, [])}
    changed = True
    while changed:
        changed = False
        for s in streets:
            if s["start"] in best:
                minutes, route = best[s["start"]]
                if s["end"] not in best or minutes + s["minutes"] < best[s["end"]][0]:
                    best[s["end"]] = (minutes + s["minutes"], route + [s["name"]])
                    changed = True
    return best


def reference(
    depot: str,
    house: str,
    junctions: int,
    battery: int,
    pickups: int,
    rate: int,
    streets: list[Street],
    tickets: dict[str, int],
    houses: dict[str, str],
) -> list[str]:
    goal = next(junction for junction in houses if houses[junction] == house)
    offers = []
    for count in range(len(tickets) + 1):
        for bought in combinations(sorted(tickets), count):
            ways = quickest(depot, [s for s in streets if s["zone"] in ("",) + bought])
            if goal in ways:
                minutes, route = ways[goal]
                offers.append((rate * minutes + sum(tickets[zone] for zone in bought), route))
    return min(offers)[1]


def accepts(answer, depot, house, junctions, battery, pickups, rate, streets, tickets, houses) -> bool:
    best = reference(depot, house, junctions, battery, pickups, rate, streets, tickets, houses)
    trip = (depot, house, rate, streets, tickets, houses)
    return route_cost(answer, *trip) == route_cost(best, *trip)


def mistakes(
    depot, house, junctions, battery, pickups, rate, streets, tickets, houses
) -> dict[str, list[str]]:
    goal = next(junction for junction in houses if houses[junction] == house)
    paid = [{**s, "minutes": rate * s["minutes"] + tickets.get(s["zone"], 0)} for s in streets]
    return {
        "takes the quickest way": quickest(depot, streets)[goal][1],
        "pays for a zone again on every street": quickest(depot, paid)[goal][1],
    }


def van_routes(signs, tickets, depot, rate):
    """Cost and route of the cheapest known way for the van to every junction seen so far."""
    found, settled = {}, set()
    queue = [(0, [], depot, "")]
    while queue:
        cost, route, junction, zones = heapq.heappop(queue)
        if (junction, zones) in settled:
            continue
        settled.add((junction, zones))
        if junction not in found:
            found[junction] = (cost, route)
        for sign in signs.get(junction, []):
            fresh = sign["zone"] not in zones
            price = rate * sign["minutes"] + (tickets[sign["zone"]] if fresh else 0)
            held = "".join(sorted(zones + sign["zone"])) if fresh else zones
            heapq.heappush(queue, (cost + price, route + [sign["street"]], sign["leads_to"], held))
    return found


def bike_route(signs, start, wanted, charge):
    """The quickest known way for the bike to the nearest wanted junction, or None if none is in reach."""
    queue, settled = [(0, start, [])], set()
    while queue:
        minutes, junction, route = heapq.heappop(queue)
        if junction in wanted:
            return route
        if junction in settled:
            continue
        settled.add(junction)
        for sign in signs.get(junction, []):
            if minutes + sign["minutes"] <= charge:
                heapq.heappush(queue, (minutes + sign["minutes"], sign["leads_to"], route + [sign["street"]]))
    return None


def solve(tools, depot, house, junctions, battery, pickups, rate):
    signs, tickets = {}, {}
    here, charge, goal = depot, battery, None
    while True:
        view = tools.look()
        signs[here] = view["signs"]
        if view["house"] == house:
            goal = here
        for zone in sorted({sign["zone"] for sign in view["signs"]}):
            if zone and zone not in tickets:
                tickets[zone] = tools.read_ticket_price(zone=zone)
        routes = van_routes(signs, tickets, depot, rate)
        unseen = [junction for junction in routes if junction not in signs]
        # A junction that already costs as much as the best known delivery cannot lie on a cheaper one.
        promising = [j for j in unseen if goal is None or routes[j][0] < routes[goal][0]]
        if not promising:
            return routes[goal][1]
        way = bike_route(signs, here, promising, charge)
        if way is None:
            tools.call_pickup()
            # From the depot the nearest unseen junction is always in reach; a promising one may not be.
            way = bike_route(signs, depot, promising, battery) or bike_route(signs, depot, unseen, battery)
        for street in way:
            position = tools.ride(street=street)
            here, charge = position["junction"], position["battery"]


JUNCTIONS = ("Anvil Barley Drover Fiddler Gander Harrow Lantern Otter Wicker", "Bridge Cross Gate Green")
STREETS = ("Amber Brine Cinder Dove Elder Flint Gable Heron Linnet Plover Rook", "Lane Street Row Hill Way")
HOUSES = ("Fennel Garnet Holly Jasper Larch Mistral Opal Rowan Sable Teasel", "House Cottage Lodge")


def draw_names(random, words, count):
    first, last = words
    return random.sample([f"{one} {two}" for one in first.split() for two in last.split()], count)


def draw_city(random, size, zones):
    """A city laid out on a grid: every junction can be reached from the first, which is the depot."""
    side = 2 + int(size**0.5)
    cells = random.sample([(x, y) for x in range(side) for y in range(side)], size)
    left, top = cells[0]
    cells = sorted(cells, key=lambda cell: (abs(cell[0] - left) + abs(cell[1] - top), cell))
    names = draw_names(random, JUNCTIONS, size)

    def apart(a, b):
        return abs(cells[a][0] - cells[b][0]) + abs(cells[a][1] - cells[b][1])

    pairs = []
    for i in range(1, size):
        pairs.append((min(random.sample(range(i), min(i, 3)), key=lambda j: (apart(i, j), j)), i))
    near = [(a, b) for b in range(size) for a in range(b) if apart(a, b) <= 3 and (a, b) not in pairs]
    pairs += random.sample(near, min(len(near), size))
    labels = draw_names(random, STREETS, len(pairs))
    streets = []
    for place, ((a, b), label) in enumerate(zip(pairs, labels)):
        zone = random.choice("ABC"[:zones]) if random.random() < 0.4 else ""
        minutes = 2 * apart(a, b) + random.randint(0, 4)
        if place >= size - 1 and random.random() < 0.4:
            a, b = b, a
        for start, end in [(a, b), (b, a)] if random.random() < 0.4 else [(a, b)]:
            streets.append(
                {
                    "name": label,
                    "start": names[start],
                    "end": names[end],
                    "minutes": minutes,
                    "zone": zone,
                }
            )
    random.shuffle(streets)
    return names, streets


def generate(random, difficulty: int) -> dict:
    size = (5, 8, 13, 20, 28)[difficulty - 1]
    zones = (1, 2, 2, 3, 3)[difficulty - 1]
    rate = random.randint(6, 12)
    # That a ticket lasts for the whole trip matters in most tasks of more than one zone.
    tickets_last = difficulty > 1 and random.random() < 0.7
    while True:
        names, streets = draw_city(random, size, zones)
        used = sorted({s["zone"] for s in streets if s["zone"]})
        tickets = {zone: 5 * random.randint(6, 20) for zone in used}
        ways = quickest(names[0], streets)
        houses = dict(zip(names, draw_names(random, HOUSES, size)))
        goal = random.choice(sorted(names, key=lambda name: ways[name][0])[-(size // 3) :])
        config = {
            "depot": names[0],
            "house": houses[goal],
            "junctions": size,
            "battery": max(minutes for minutes, route in ways.values()) * 5 // 4,
            "pickups": size - 2 if difficulty < 3 else (size - 2) * 2 // 3,
            "rate": rate,
            "streets": streets,
            "tickets": tickets,
            "houses": houses,
        }
        best = reference(**config)
        # Worth asking only if the tolls matter: the quickest way must not be the cheapest one.
        trip = (names[0], houses[goal], rate, streets, tickets, houses)
        wrong = [route_cost(best, *trip) < route_cost(way, *trip) for way in mistakes(**config).values()]
        if len(best) >= 2 and wrong[0] and (wrong[1] or not tickets_last):
            return config
