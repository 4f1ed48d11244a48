"""Trace a consignment that was mis-sorted in the depot.

The depot has {aisles} aisles of sealed crates; the manifest of an aisle names its crates and gives their
declared weights. Each parcel of the consignment was taken out of the crate in which it belongs and put
into one crate of a different aisle. So the crate in which it belongs is lighter than declared by its
weight, and the crate in which it landed is heavier by as much. Several parcels may have left the same
crate, or entered it, or some left it and others entered. Nothing else has moved, and otherwise every
declared weight is exact.

There is one parcel of each of these weights, in kilograms: {weights}. They have been picked so that any
sum of some of them minus a sum of others tells exactly which were added and which were taken away.

The weighbridge gives the total weight of up to {capacity} crates, from any aisles, but not the weight of
each. It may be used {weighings} times.

Opening a crate shows the tags of the mis-sorted parcels inside. The number of crates you may open is
{seals}; an opened crate goes to the customs cage and can be neither weighed nor opened again.
{circumstances}
Answer with a dictionary from the tag of each mis-sorted parcel to the name of the crate it belongs in.
"""

from typing import TypedDict

META = {
    "title": "Parcel hunt",
    "tags": ["search", "deduction"],
    "public": ["aisles", "weights", "capacity", "weighings", "seals", "quarantine", "circumstances"],
    "license": "MIT",
    "source": "original",
}

CIRCUMSTANCES = """
Three things are particular to this depot:
- Slips correct the manifests. A slip states the declared weight of a crate anew, or cancels an earlier slip.
  Of the slips that state a weight for a crate and have not been cancelled, the one with the highest number
  counts. If there is none, the manifest does.
- The crates FIRST and SECOND are in quarantine. They can be neither weighed nor opened, and no parcel has
  landed in them. If it cannot be established to which of the two a parcel belongs, the answer for this parcel
  is "unknown".
- While you work, crates may be emptied into another crate of the same aisle. The result of a weighing tells
  what was emptied right after it. An emptied crate is gone: its declared weight is added to that of the other
  crate, and what belongs in it belongs in the other crate from then on. Manifests and slips stay as they are.
"""
UNKNOWN = "unknown"
PAGE = 5


class Slip(TypedDict):
    number: int
    crate: str
    declared: int | None
    cancels: int | None


class Emptied(TypedDict):
    crate: str
    into: str


class Emptying(TypedDict):
    """An emptying, and after how many weighings it happens."""

    after: int
    crate: str
    into: str


class Stray(TypedDict):
    tag: str
    kilograms: int
    belongs: str
    landed: str


class Config(TypedDict):
    aisles: int
    weights: list[int]
    capacity: int
    weighings: int
    seals: int
    quarantine: list[str]
    circumstances: str
    manifests: list[dict[str, int]]
    slips: list[Slip]
    emptyings: list[Emptying]
    strays: list[Stray]


class Weighing(TypedDict):
    kilograms: int
    weighings_left: int
    emptied: list[Emptied]


class Parcel(TypedDict):
    tag: str
    kilograms: int


class Opened(TypedDict):
    mis_sorted: list[Parcel]
    seals_left: int


class Page(TypedDict):
    slips: list[Slip]
    next_cursor: int | None


class Environment:
    def __init__(self, config: Config):
        self.depot = Depot(config)

    def manifest(self, aisle: int) -> dict[str, int]:
        """Read the manifest of an aisle: the names of its crates with their declared weights in kilograms.

        Args:
            aisle: number of the aisle, from 1.
        """
        return self.depot.manifest(aisle)

    def read_slips(self, cursor: int) -> Page:
        """Read the slips that correct the manifests, a page at a time.

        Args:
            cursor: 0 for the first page, then the next cursor of the page before.
        """
        return self.depot.read_slips(cursor)

    def weigh(self, crates: list[str]) -> Weighing:
        """Put crates on the weighbridge together and read their true total weight; this uses up one weighing.

        Args:
            crates: names of the crates, each at most once; no more than the bridge carries.
        """
        return self.depot.weigh(crates)

    def open_crate(self, crate: str) -> Opened:
        """Break the seal of a crate for good and read the tags of the mis-sorted parcels in it.

        Args:
            crate: name of the crate.
        """
        return self.depot.open_crate(crate)


class Depot:
    """The depot, which the tools act on."""

    def __init__(self, config: Config):
        self.manifests = config["manifests"]
        self.slips = config["slips"]
        self.capacity = config["capacity"]
        self.weighings = config["weighings"]
        self.seals = config["seals"]
        self.quarantine = config["quarantine"]
        self.emptyings = config["emptyings"]
        self.weighed = 0
        self.gone = {}
        self.caged = []
        self.kilograms = corrected(config)
        self.inside = {crate: [] for crate in self.kilograms}
        for stray in config["strays"]:
            self.kilograms[stray["belongs"]] -= stray["kilograms"]
            self.kilograms[stray["landed"]] += stray["kilograms"]
            self.inside[stray["landed"]].append({"tag": stray["tag"], "kilograms": stray["kilograms"]})

    def manifest(self, aisle: int) -> dict[str, int]:
        if not 1 <= aisle <= len(self.manifests):
            raise ValueError(f"aisle must be between 1 and {len(self.manifests)}")
        return dict(self.manifests[aisle - 1])

    def read_slips(self, cursor: int) -> Page:
        if not 0 <= cursor <= len(self.slips) or cursor % PAGE:
            raise ValueError("cursor must be 0 or the next cursor of a page")
        following = cursor + PAGE if cursor + PAGE < len(self.slips) else None
        return {"slips": self.slips[cursor : cursor + PAGE], "next_cursor": following}

    def weigh(self, crates: list[str]) -> Weighing:
        if not 1 <= len(crates) <= self.capacity:
            raise ValueError(f"between 1 and {self.capacity} crates can be weighed at once")
        for crate in crates:
            check_crate(self, crate)
        if len(set(crates)) < len(crates):
            raise ValueError("every crate can be named only once")
        if self.weighings == 0:
            raise ValueError("the weighbridge may not be used any more")
        self.weighings -= 1
        self.weighed += 1
        kilograms = sum(self.kilograms[crate] for crate in crates)
        emptied = []
        for each in self.emptyings:
            if each["after"] == self.weighed:
                self.gone[each["crate"]] = each["into"]
                self.kilograms[each["into"]] += self.kilograms[each["crate"]]
                emptied.append({"crate": each["crate"], "into": each["into"]})
        return {"kilograms": kilograms, "weighings_left": self.weighings, "emptied": emptied}

    def open_crate(self, crate: str) -> Opened:
        check_crate(self, crate)
        if self.seals == 0:
            raise ValueError("no further crate may be opened")
        self.seals -= 1
        self.caged.append(crate)
        return {"mis_sorted": list(self.inside[crate]), "seals_left": self.seals}


def check_crate(depot: Depot, crate: str) -> None:
    if crate not in depot.kilograms:
        raise ValueError(f"there is no crate {crate[:20]}; the manifests name the crates")
    if crate in depot.quarantine:
        raise ValueError(f"crate {crate} is in quarantine")
    if crate in depot.caged:
        raise ValueError(f"crate {crate} has been opened and is in the customs cage")
    if crate in depot.gone:
        raise ValueError(f"crate {crate} has been emptied into crate {depot.gone[crate]}")


def corrected(config: Config, forget: str = "") -> dict[str, int]:
    """The declared weights by manifests and slips; with one rule about slips forgotten, if it is named."""
    declared = {crate: weight for aisle in config["manifests"] for crate, weight in aisle.items()}
    if forget == MANIFESTS_ALONE:
        return declared
    cancelled = [slip["cancels"] for slip in config["slips"] if slip["cancels"] and forget != CANCELLED_TOO]
    stating = [slip for slip in config["slips"] if slip["declared"] and slip["number"] not in cancelled]
    for slip in reversed(stating) if forget == FIRST_SLIP else stating:
        declared[slip["crate"]] = slip["declared"]
    return declared


def from_quarantine(config: Config, stray: Stray, forget: str = "") -> str:
    """What is to be answered for a parcel that belongs in a crate in quarantine."""
    aisles = {crate: number for number, aisle in enumerate(config["manifests"]) for crate in aisle}
    possible = [
        crate
        for crate in config["quarantine"]
        if aisles[crate] != aisles[stray["landed"]] or forget in (SAME_AISLE, GUESS)
    ]
    return possible[0] if len(possible) == 1 or (possible and forget == GUESS) else UNKNOWN


def reference(config: Config) -> dict[str, str]:
    gone = {each["crate"]: each["into"] for each in config["emptyings"]}
    found = {}
    for stray in config["strays"]:
        home = gone.get(stray["belongs"], stray["belongs"])
        found[stray["tag"]] = from_quarantine(config, stray) if home in config["quarantine"] else home
    return found


def deduced(config: Config, forget: str) -> dict[str, str]:
    """What the differences of all crates suggest to somebody who forgets a rule."""
    depot, declared = Depot(config), corrected(config, forget)
    gone = {} if forget == OLD_CRATES else {each["crate"]: each["into"] for each in config["emptyings"]}
    belongs = {}
    for crate in declared:
        if crate not in config["quarantine"]:
            moved = split(depot.kilograms[crate] - declared[crate], config["weights"])
            if forget == ONE_PARCEL:
                moved = dict(list(moved.items())[:1])
            belongs.update({weight: gone.get(crate, crate) for weight in moved if moved[weight] < 0})
    found = {}
    for stray in config["strays"]:
        home = belongs.get(stray["kilograms"]) or from_quarantine(config, stray, forget)
        found[stray["tag"]] = stray["landed"] if forget == WHERE_IT_LANDED else home
    return found


WHERE_IT_LANDED = "names the crate in which a parcel landed"
ONE_PARCEL = "takes every difference for one parcel"
MANIFESTS_ALONE = "ignores slips"
CANCELLED_TOO = "follows slips that were cancelled"
FIRST_SLIP = "follows the first slip"
OLD_CRATES = "names crates that were emptied"
SAME_AISLE = "forgets that parcels changed the aisle"
GUESS = "picks one of the crates in quarantine"
RULES = [WHERE_IT_LANDED, ONE_PARCEL]
MORE_RULES = [OLD_CRATES, SAME_AISLE, GUESS, MANIFESTS_ALONE, CANCELLED_TOO, FIRST_SLIP]


def mistakes(config: Config) -> dict[str, dict[str, str]]:
    rules = RULES + MORE_RULES if config["circumstances"] else RULES
    return {rule: deduced(config, rule) for rule in rules}


def solve(tools, aisles, weights, capacity, weighings, seals, quarantine, circumstances):
    return trace(tools, aisles, weights, quarantine, bool(circumstances))


class Group(TypedDict):
    """Crates, and by how much all of them together are too heavy, once that is known."""

    crates: list[str]
    surplus: int | None


def trace(tools, aisles: int, weights: list[int], quarantine: list[str], has_slips: bool) -> dict[str, str]:
    """Weighs the aisles, halves those from which or into which parcels have moved, and opens crates."""
    manifests = [tools.manifest(aisle=aisle) for aisle in range(1, aisles + 1)]
    aisle_of = {crate: number for number, aisle in enumerate(manifests) for crate in aisle}
    declared = {crate: weight for aisle in manifests for crate, weight in aisle.items()}
    declared.update(weights_on_slips(tools) if has_slips else {})
    groups = [
        {"crates": [crate for crate in aisle if crate not in quarantine], "surplus": None}
        for aisle in manifests
    ]
    gone = {}
    while True:
        unknown = [group for group in groups if group["surplus"] is None]
        mixed = [
            group
            for group in groups
            if group not in unknown and len(group["crates"]) > 1 and split(group["surplus"], weights)
        ]
        if len(unknown) == 1 and not quarantine:
            # What is missing elsewhere is too much here.
            unknown[0]["surplus"] = -sum(group["surplus"] for group in groups if group not in unknown)
            continue
        if not unknown and not mixed:
            break
        group = unknown[0] if unknown else mixed[-1]
        crates = group["crates"] if unknown else group["crates"][: len(group["crates"]) // 2]
        weighing = tools.weigh(crates=crates)
        surplus = weighing["kilograms"] - sum(declared[crate] for crate in crates)
        if not unknown:
            rest = [crate for crate in group["crates"] if crate not in crates]
            groups.append({"crates": rest, "surplus": group["surplus"] - surplus})
        group.update({"crates": crates, "surplus": surplus})
        for each in weighing["emptied"]:
            gone[each["crate"]] = each["into"]
            declared[each["into"]] += declared[each["crate"]]
            empty_into(groups, each["crate"], each["into"])
    belongs, landed = {}, set()
    for group in groups:
        for weight, sign in split(group["surplus"], weights).items():
            if sign > 0:
                landed.add(group["crates"][0])
            else:
                belongs[weight] = group["crates"][0]
    answer = {}
    for crate in sorted(landed):
        for parcel in tools.open_crate(crate=crate)["mis_sorted"]:
            possible = [each for each in quarantine if aisle_of[each] != aisle_of[crate]]
            other = possible[0] if len(possible) == 1 else UNKNOWN
            answer[parcel["tag"]] = belongs.get(parcel["kilograms"], other)
    return answer


def weights_on_slips(tools) -> dict[str, int]:
    slips, cursor = {}, 0
    while cursor is not None:
        page = tools.read_slips(cursor=cursor)
        for slip in page["slips"]:
            if slip["cancels"]:
                slips.pop(slip["cancels"])
            else:
                slips[slip["number"]] = slip
        cursor = page["next_cursor"]
    return {slip["crate"]: slip["declared"] for slip in slips.values()}


def empty_into(groups: list[Group], crate: str, into: str) -> None:
    """Takes a crate out of the groups; groups become one if their crates were mixed."""
    source = next(group for group in groups if crate in group["crates"])
    target = next(group for group in groups if into in group["crates"])
    source["crates"].remove(crate)
    if source is not target:
        groups.remove(source)
        target["crates"] = source["crates"] + target["crates"]
        target["surplus"] += source["surplus"]


def split(surplus: int, weights: list[int]) -> dict[int, int]:
    """Which parcels make up a surplus: weight to 1 for added, -1 for taken away.

    Each weight is more than twice all lighter ones together, so the heaviest settles the sign.
    """
    moved = {}
    for weight in sorted(weights, reverse=True):
        if 2 * abs(surplus) > weight:
            moved[weight] = 1 if surplus > 0 else -1
            surplus -= weight * moved[weight]
    return moved


def draw_slips(random, right: dict[str, int], crates: list[str], weights: list[int]) -> tuple[dict, list]:
    """Weights for the manifests, and slips by which the right weights can be told from them."""
    printed, slips = dict(right), []
    for crate in crates:
        wrong = [right[crate] + sign * weight for weight in weights for sign in (1, -1)]
        first, second = random.sample(wrong, 2)
        kind = random.choice(["one", "two", "cancelled", "second cancelled"])
        if kind == "one":
            own = [right[crate]]
        elif kind == "two":
            own = [second, right[crate]]
        elif kind == "cancelled":
            own = [first, None]
        else:
            own = [right[crate], second, None]
        printed[crate] = right[crate] if kind == "cancelled" else first
        slips.append([(crate, declared) for declared in own])
    mixed, last = [], {}
    while any(slips):
        crate, declared = random.choice([own for own in slips if own]).pop(0)
        number = len(mixed) + 1
        cancels = None if declared else last[crate]
        mixed.append({"number": number, "crate": crate, "declared": declared, "cancels": cancels})
        last[crate] = number
    return printed, mixed


def draw_strays(random, rows: list[list[str]], weights: list[int], quarantine: list[str]) -> list[Stray]:
    """Parcels that often share crates, or come from the crates in quarantine."""
    tags = random.sample(range(1000, 10000), len(weights))
    strays = []
    for tag, weight in zip(tags, weights):
        used = [stray[place] for stray in strays for place in ("belongs", "landed")]
        shared = [crate for crate in used if crate not in quarantine]
        if quarantine and random.random() < 0.4:
            home = random.choice(quarantine)
        elif shared and random.random() < 0.5:
            home = random.choice(shared)
        else:
            home = random.choice(random.choice(rows))
        aisles = [row for row in rows if home not in row]
        near_quarantine = [row for row in aisles if set(row) & set(quarantine)]
        row = random.choice(near_quarantine if near_quarantine and random.random() < 0.3 else aisles)
        landed = random.choice([crate for crate in row if crate not in quarantine])
        name = f"{random.choice('QVXZ')}{tag}"
        strays.append({"tag": name, "kilograms": weight, "belongs": home, "landed": landed})
    return strays


def draw_emptyings(random, rows: list[list[str]], config: Config, count: int) -> list[Emptying]:
    """Crates in which nothing has landed are emptied into others, the first ones on which something hangs."""
    full = config["quarantine"] + [stray["landed"] for stray in config["strays"]]
    homes = sorted({stray["belongs"] for stray in config["strays"]} - set(full))
    emptyings, used = [], list(full)
    for home in homes[:count]:
        row = next(row for row in rows if home in row)
        free = [crate for crate in row if crate not in used and crate not in homes]
        if free:
            into = random.choice(free)
            after = random.randint(2, len(rows) - 2)
            emptyings.append({"after": after, "crate": home, "into": into})
            used += [home, into]
    return sorted(emptyings, key=lambda each: each["after"])


def draw_depot(random, difficulty: int) -> Config:
    aisles, size, parcels = [(3, 4, 1), (4, 6, 2), (5, 8, 3), (7, 11, 4), (9, 16, 5)][difficulty - 1]
    numbers = random.sample(range(100, 1000), aisles * size)
    names = [f"{random.choice('CHLNPS')}{number}" for number in numbers]
    rows = [names[start : start + size] for start in range(0, len(names), size)]
    weights = []
    for index in range(parcels):
        weights.append(2 * sum(weights) + random.randint(1, 3))
    random.shuffle(weights)
    right = {name: random.randint(400, 900) for name in names}
    quarantine, circumstances, slips, printed = [], "", [], right
    if difficulty > 3:
        quarantine = [random.choice(row) for row in random.sample(rows, 2)]
        circumstances = CIRCUMSTANCES.replace("FIRST", quarantine[0]).replace("SECOND", quarantine[1])
        unweighed = [name for name in names if name not in quarantine]
        printed, slips = draw_slips(random, right, random.sample(unweighed, 2 * difficulty), weights)
    strays = draw_strays(random, rows, weights, quarantine)
    config = {
        "aisles": aisles,
        "weights": weights,
        "capacity": size,
        "weighings": aisles * size,
        "seals": len({stray["landed"] for stray in strays}) + (difficulty > 1),
        "quarantine": quarantine,
        "circumstances": circumstances,
        "manifests": [{crate: printed[crate] for crate in row} for row in rows],
        "slips": slips,
        "emptyings": [],
        "strays": strays,
    }
    if difficulty > 3:
        config["emptyings"] = draw_emptyings(random, rows, config, difficulty - 3)
    return config


def weighings_needed(config: Config) -> int:
    depot = Depot(config)
    trace(depot, config["aisles"], config["weights"], config["quarantine"], bool(config["slips"]))
    return depot.weighed


def generate(random, difficulty: int) -> Config:
    # Most tasks need every rule; if all did, a parcel from quarantine and a shared crate would be certain.
    most_idle = 1 if difficulty == 1 or random.random() < 0.4 else 0
    while True:
        config = draw_depot(random, difficulty)
        right = reference(config)
        idle = [rule for rule, found in mistakes(config).items() if found == right]
        if len(idle) <= most_idle:
            needed = weighings_needed(config)
            config["weighings"] = 2 * needed if difficulty < 3 else needed * 4 // 3
            return config
