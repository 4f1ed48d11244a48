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
street that takes more than is left. Reading uses nothing. The bike is charged only by a pickup: our truck
brings you and the bike back to the depot, and you start again with a full battery. The truck comes at
most {pickups} times. One full battery takes you from the depot to any junction by the quickest way.

The van drives by the same signs and takes the same minutes. It has no battery to worry about, but it
costs {rate} pence for each minute, and it needs a ticket for each toll zone it drives in. One ticket
covers every street of that zone for the whole trip. The price of a ticket is posted at the junctions
from which a street of that zone leaves, and can be read only there; it is the same at all of them. The
bike needs no tickets.
{rules}
Find the cheapest route for the van from the depot to the house to which the parcel has to go. Answer
with the list of street names in the order in which the van drives them. If several routes are equally
cheap, any of them will do.
"""

import heapq
from itertools import combinations
from typing import Literal, TypedDict

META = {
    "title": "Night courier",
    "tags": ["graphs", "exploration"],
    "public": ["depot", "house", "junctions", "battery", "pickups", "rate", "rules"],
    "license": "MIT",
    "source": "original",
}

RULES = """
Notices hang at some junctions and can be read only there:
- The council closes to vans a street that leaves the junction, or opens it again. This concerns only the
  direction away from the junction. If several notices of the council are about the same street, the one with
  the highest number holds. The bike may use closed streets.
- A recipient has parcels for the house at the junction taken to another house instead. A notice at that house
  may send them on once more.
- Notices of residents have no force.
"""


class Street(TypedDict):
    name: str
    start: str
    end: str
    minutes: int
    zone: str


class Notice(TypedDict):
    number: int
    sender: Literal["council", "recipient", "resident"]
    says: Literal["closed to vans", "open again", "take the parcel to"]
    subject: str


class Config(TypedDict):
    depot: str
    house: str
    junctions: int
    battery: int
    pickups: int
    rate: int
    rules: str
    streets: list[Street]
    tickets: dict[str, int]
    houses: dict[str, str]
    notices: dict[str, list[Notice]]


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
    def __init__(self, config: Config):
        self.city = City(config)

    def look(self) -> View:
        """Read the street signs and the name of the house at the junction where you stand."""
        return self.city.look()

    def read_notices(self) -> list[Notice]:
        """Read the notices at the junction where you stand."""
        return self.city.read_notices()

    def read_ticket_price(self, zone: str) -> int:
        """Read the price, in pence, of a ticket for a toll zone that has a street leaving this junction.

        Args:
            zone: letter of the toll zone, as on the signs of this junction.
        """
        return self.city.read_ticket_price(zone)

    def ride(self, street: str) -> Position:
        """Ride the bike along a street that leaves this junction, to its other end.

        Args:
            street: name of the street, as on its sign.
        """
        return self.city.ride(street)

    def call_pickup(self) -> Position:
        """Have the truck bring you back to the depot and charge the battery; this uses up one pickup."""
        return self.city.call_pickup()


class City:
    """The city and the bike in it, which the tools act on."""

    def __init__(self, config: Config):
        self.config = config
        self.here = config["depot"]
        self.charge = config["battery"]
        self.pickups_left = config["pickups"]
        self.calls = 0

    def look(self):
        self.calls += 1
        signs = [
            {"street": s["name"], "leads_to": s["end"], "minutes": s["minutes"], "zone": s["zone"]}
            for s in leaving(self).values()
        ]
        return {"junction": self.here, "house": self.config["houses"][self.here], "signs": signs}

    def read_notices(self):
        self.calls += 1
        return self.config["notices"].get(self.here, [])

    def read_ticket_price(self, zone):
        self.calls += 1
        posted = sorted({s["zone"] for s in leaving(self).values() if s["zone"]})
        if zone not in posted:
            raise ValueError(f"no such price at {self.here}; zones posted here: {', '.join(posted) or '-'}")
        return self.config["tickets"][zone]

    def ride(self, street):
        self.calls += 1
        streets = leaving(self)
        if street not in streets:
            known = ", ".join(sorted(streets)) or "none"
            raise ValueError(f"no such street leaves {self.here}; streets here: {known}")
        minutes = streets[street]["minutes"]
        if minutes > self.charge:
            raise ValueError(f"{street} takes {minutes} minutes, but the battery lasts only {self.charge}")
        self.charge -= minutes
        self.here = streets[street]["end"]
        return {"junction": self.here, "battery": self.charge, "pickups_left": self.pickups_left}

    def call_pickup(self):
        self.calls += 1
        if self.pickups_left == 0:
            raise ValueError("the truck does not come out again tonight: all pickups are used up")
        self.pickups_left -= 1
        self.here = self.config["depot"]
        self.charge = self.config["battery"]
        return {"junction": self.here, "battery": self.charge, "pickups_left": self.pickups_left}


def leaving(city) -> dict[str, Street]:
    return {s["name"]: s for s in city.config["streets"] if s["start"] == city.here}


def closed_streets(notices: list[Notice], forget: str = "") -> set[str]:
    """The streets from a junction that its notices close to vans; with one rule forgotten, if it is named."""
    closed = set()
    if forget != "follows the council's notice that is listed last":
        notices = sorted(notices, key=lambda notice: notice["number"])
    for notice in notices:
        by_resident = notice["sender"] == "resident"
        if by_resident and forget != "heeds residents who close streets":
            continue
        if notice["says"] == "closed to vans" and forget != "drives through closed streets":
            closed.add(notice["subject"])
        elif notice["says"] == "open again" and forget != "keeps to what was closed once":
            closed.discard(notice["subject"])
    return closed


def forwarded_to(notices: list[Notice], forget: str = "") -> str | None:
    """The house to which notices send the parcel, or None; with one rule forgotten, if it is named."""
    senders = (
        ["recipient", "resident"] if forget == "heeds residents who send the parcel on" else ["recipient"]
    )
    for notice in notices:
        if notice["says"] == "take the parcel to" and notice["sender"] in senders:
            return notice["subject"]
    return None


def destination(config: Config, forget: str = "") -> str:
    """The junction to which the parcel has to go."""
    junctions = {house: junction for junction, house in config["houses"].items()}
    goal = junctions[config["house"]]
    most = {"delivers to the old house": 0, "sends the parcel on only once": 1}.get(forget, len(junctions))
    for step in range(most):
        house = forwarded_to(config["notices"].get(goal, []), forget)
        goal = goal if house is None else junctions[house]
    return goal


def van_streets(config: Config, forget: str = "") -> list[Street]:
    closed = {place: closed_streets(notices, forget) for place, notices in config["notices"].items()}
    return [s for s in config["streets"] if s["name"] not in closed.get(s["start"], set())]


def route_cost(config: Config, route: list[str]) -> int | None:
    """Pence for driving the route, or None if it is not a way from the depot to the destination."""
    by_sign = {(s["start"], s["name"]): s for s in van_streets(config)}
    here, minutes, zones = config["depot"], 0, set()
    for name in route:
        if (here, name) not in by_sign:
            return None
        street = by_sign[here, name]
        here, minutes = street["end"], minutes + street["minutes"]
        zones.add(street["zone"])
    if here != destination(config):
        return None
    return config["rate"] * minutes + sum(config["tickets"][zone] for zone in sorted(zones) if zone)


def quickest(depot: str, streets: list[Street], goal: str = "") -> dict[str, tuple[int, str, str]]:
    """For each junction the minutes of a quickest way to it, the junction before it and the last street.

    Stops at the goal, if there is one.
    """
    onward = {}
    for street in streets:
        onward.setdefault(street["start"], []).append(street)
    best, queue = {}, [(0, depot, "", "")]
    while queue:
        minutes, here, before, name = heapq.heappop(queue)
        if here not in best:
            best[here] = (minutes, before, name)
            if here == goal:
                break
            for street in onward.get(here, []):
                if street["end"] not in best:
                    heapq.heappush(queue, (minutes + street["minutes"], street["end"], here, street["name"]))
    return best


def route_to(goal: str, ways: dict[str, tuple[int, str, str]]) -> list[str]:
    route = []
    before, name = ways[goal][1:]
    while before:
        route.insert(0, name)
        before, name = ways[before][1:]
    return route


def cheapest_route(config: Config, forget: str = "") -> list[str]:
    """The cheapest route, or none if there is none; with one rule forgotten, if it is named."""
    goal, streets = destination(config, forget), van_streets(config, forget)
    rate, tickets = config["rate"], config["tickets"]
    if forget == "takes the quickest way":
        tickets = {}
        streets = [{**s, "zone": ""} for s in streets]
    elif forget == "pays for a zone again on every street":
        paid = [rate * s["minutes"] + tickets.get(s["zone"], 0) for s in streets]
        streets = [{**s, "minutes": pence, "zone": ""} for s, pence in zip(streets, paid)]
        tickets = {}
    elif forget == "drives streets against their signs":
        streets = streets + [{**s, "start": s["end"], "end": s["start"]} for s in streets]
    offers = []
    for count in range(len(tickets) + 1):
        for bought in combinations(sorted(tickets), count):
            usable = [s for s in streets if s["zone"] in ("", *bought)]
            ways = quickest(config["depot"], usable, goal)
            if goal in ways:
                pence = rate * ways[goal][0] + sum(tickets[zone] for zone in bought)
                offers.append((pence, route_to(goal, ways)))
    return min(offers)[1] if offers else []


def reference(config: Config) -> list[str]:
    return cheapest_route(config)


def accepts(answer: list[str], config: Config) -> bool:
    return route_cost(config, answer) == route_cost(config, cheapest_route(config))


DRIVING = [
    "pays for a zone again on every street",
    "takes the quickest way",
    "drives streets against their signs",
]
NOTICED = [
    "drives through closed streets",
    "keeps to what was closed once",
    "follows the council's notice that is listed last",
    "heeds residents who close streets",
    "delivers to the old house",
    "sends the parcel on only once",
    "heeds residents who send the parcel on",
]


def mistakes(config: Config) -> dict[str, list[str]]:
    return {
        rule: cheapest_route(config, rule) for rule in (DRIVING + NOTICED if config["rules"] else DRIVING)
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


def solve(tools, depot, house, junctions, battery, pickups, rate, rules):
    return scout(tools, depot, house, battery, rate, rules)


def scout(tools, depot, house, battery, rate, rules):
    """Rides until no junction is left that may lie on a cheaper route, and returns the cheapest one."""
    signs, van_signs, tickets = {}, {}, {}
    places, forwards = {}, {}
    here, charge = depot, battery
    while True:
        view = tools.look()
        signs[here] = view["signs"]
        places[view["house"]] = here
        notices = tools.read_notices() if rules else []
        forwards[view["house"]] = forwarded_to(notices)
        closed = closed_streets(notices)
        van_signs[here] = [sign for sign in view["signs"] if sign["street"] not in closed]
        for zone in sorted({sign["zone"] for sign in van_signs[here]}):
            if zone and zone not in tickets:
                tickets[zone] = tools.read_ticket_price(zone=zone)
        while forwards.get(house) is not None:
            house = forwards[house]
        routes = van_routes(van_signs, tickets, depot, rate)
        known = routes.get(places.get(house))
        unseen = {sign["leads_to"] for seen in signs.values() for sign in seen} - {*signs}
        # A junction that already costs as much as the best known delivery cannot lie on a cheaper one.
        promising = unseen
        if known is not None:
            promising = {place for place in unseen if place in routes and routes[place][0] < known[0]}
        if not promising:
            return known[1]
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
        zone = "ABC"[cells[b][0] * zones // side] if random.random() < 0.5 else ""
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


def hang(config: Config, random, junction, sender, says, subject):
    earlier = [notice["number"] for notices in config["notices"].values() for notice in notices]
    number = max(earlier, default=100) + random.randint(1, 40)
    notice = {"number": number, "sender": sender, "says": says, "subject": subject}
    # Mostly in front of those that it replaces.
    config["notices"].setdefault(junction, []).insert(random.choice([0, 0, 1]), notice)


def send_on(config: Config, random, far: list[str]):
    """Adds two notices that send the parcel on, in the end to a far junction, and one that has no force."""
    near = [place for place in config["houses"] if place not in far and place != config["depot"]]
    far = [place for place in far if place != destination(config)]
    goals = [random.choice(near), random.choice(far), random.choice(near)]
    for goal, sender in zip(goals, ["recipient", "recipient", "resident"]):
        hang(config, random, destination(config), sender, "take the parcel to", config["houses"][goal])


def close_streets(config: Config, random):
    """Adds notices about streets that the van would take."""
    for change in random.sample(["closed", "opened", "doubtful"], 3):
        here, on_route = config["depot"], []
        for name in cheapest_route(config):
            on_route += [s for s in config["streets"] if (s["start"], s["name"]) == (here, name)]
            here = on_route[-1]["end"]
        street = random.choice(on_route or config["streets"])
        sender = "resident" if change == "doubtful" else "council"
        hang(config, random, street["start"], sender, "closed to vans", street["name"])
        if change == "opened":
            hang(config, random, street["start"], sender, "open again", street["name"])


def all_matter(config: Config, rules: list[str]) -> bool:
    cost = route_cost(config, cheapest_route(config))
    return all(route_cost(config, cheapest_route(config, rule)) != cost for rule in rules)


class Rehearsal(TypedDict):
    calls: int
    pickups: int


def rehearse(config: Config) -> Rehearsal:
    """Scouts the city, and counts the calls and the pickups that this takes."""
    pickups = 10 * config["junctions"]
    city = City({**config, "pickups": pickups})
    scout(city, *(config[name] for name in ("depot", "house", "battery", "rate", "rules")))
    return {"calls": city.calls, "pickups": pickups - city.pickups_left}


def generate(random, difficulty: int) -> Config:
    size = (5, 8, 13, 20, 28)[difficulty - 1]
    zones = (1, 2, 2, 3, 3)[difficulty - 1]
    rules = (DRIVING[1:2], DRIVING, DRIVING, DRIVING + NOTICED, DRIVING + NOTICED)[difficulty - 1]
    while True:
        names, streets = draw_city(random, size, zones)
        used = sorted({s["zone"] for s in streets if s["zone"]})
        ways = quickest(names[0], streets)
        houses = dict(zip(names, draw_names(random, HOUSES, size)))
        far = sorted(names, key=lambda name: ways[name][0])[-(size // 3) :]
        config = {
            "depot": names[0],
            "house": houses[random.choice(far)],
            "junctions": size,
            "battery": max(way[0] for way in ways.values()) * 5 // 4,
            "pickups": size - 2,
            "rate": random.randint(6, 12),
            "rules": "",
            "streets": streets,
            "tickets": {zone: 5 * random.randint(6, 20) for zone in used},
            "houses": houses,
            "notices": {},
        }
        if difficulty > 3:
            config["rules"] = RULES
            send_on(config, random, far)
            close_streets(config, random)
        if not all_matter(config, rules):
            continue
        # A street on its own could be guessed.
        if len(cheapest_route(config)) < 2:
            continue
        needed = rehearse(config)
        if needed["calls"] < 10:
            continue
        if difficulty > 2:
            if needed["pickups"] < 2:
                continue
            config["pickups"] = needed["pickups"] * 3 // 2
        return config
