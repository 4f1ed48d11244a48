"""Trace a consignment that was mis-sorted in the depot, without breaking more seals than you must.

The depot has {aisles} aisles of sealed crates; the manifest of an aisle names its crates and gives their
declared weights. Each parcel of the consignment was taken out of the crate in which it belongs and put
into one crate of a different aisle. So the crate in which it belongs is lighter than declared by its
weight, and the crate in which it landed is heavier by as much. Several parcels may have left the same
crate, or entered it, or some left it and others entered. Nothing else has moved, and otherwise every
declared weight is exact.

There is one parcel of each of these weights, in kilograms: {weights}. They have been picked so that any
sum of some of them minus a sum of others tells exactly which were added and which were taken away.

The weighbridge gives the total weight of up to {capacity} crates, from any aisles, but not the weight of
each. It may be used {weighings} times, fewer than there are crates.

Opening a crate shows the tags of the mis-sorted parcels inside. The number of crates you may open is
{seals}; an opened crate goes to the customs cage and can be neither weighed nor opened again.

Answer with a dictionary from the tag of each mis-sorted parcel to the name of the crate it belongs in.
"""

from typing import TypedDict

META = {
    "title": "Parcel hunt",
    "tags": ["search", "deduction"],
    "public": ["aisles", "weights", "capacity", "weighings", "seals"],
    "license": "MIT",
    "source": "original",
}


class Weighing(TypedDict):
    kilograms: int
    weighings_left: int


class Parcel(TypedDict):
    tag: str
    kilograms: int


class Opened(TypedDict):
    mis_sorted: list[Parcel]
    seals_left: int


class Environment:
    def __init__(
        self,
        aisles: int,
        weights: list[int],
        capacity: int,
        weighings: int,
        seals: int,
        declared: list[dict[str, int]],
        tags: list[str],
        belongs: list[str],
        landed: list[str],
    ):
        self.declared = declared
        self.capacity = capacity
        self.weighings = weighings
        self.seals = seals
        self.caged = []
        self.kilograms = {crate: weight for aisle in declared for crate, weight in aisle.items()}
        self.strays = {crate: [] for crate in self.kilograms}
        for tag, weight, home, place in zip(tags, weights, belongs, landed):
            self.kilograms[home] -= weight
            self.kilograms[place] += weight
            self.strays[place].append({"tag": tag, "kilograms": weight})

    def manifest(self, aisle: int) -> dict[str, int]:
        """Read the manifest of an aisle: the names of its crates with their declared weights in kilograms.

        Args:
            aisle: number of the aisle, from 1.
        """
        if not 1 <= aisle <= len(self.declared):
            raise ValueError(f"aisle must be between 1 and {len(self.declared)}")
        return dict(self.declared[aisle - 1])

    def weigh(self, crates: list[str]) -> Weighing:
        """Put crates on the weighbridge together and read their true total weight; this uses up one weighing.

        Args:
            crates: names of the crates, each at most once; no more than the bridge carries.
        """
        if not 1 <= len(crates) <= self.capacity:
            raise ValueError(f"between 1 and {self.capacity} crates can be weighed at once")
        for crate in crates:
            check_crate(self.kilograms, self.caged, crate)
        if len(set(crates)) < len(crates):
            raise ValueError("every crate can be named only once")
        if self.weighings == 0:
            raise ValueError("the weighbridge may not be used any more")
        self.weighings -= 1
        return {"kilograms": sum(self.kilograms[crate] for crate in crates), "weighings_left": self.weighings}

    def open_crate(self, crate: str) -> Opened:
        """Break the seal of a crate for good and read the tags of the mis-sorted parcels in it.

        Args:
            crate: name of the crate.
        """
        check_crate(self.kilograms, self.caged, crate)
        if self.seals == 0:
            raise ValueError("no further crate may be opened")
        self.seals -= 1
        self.caged.append(crate)
        return {"mis_sorted": list(self.strays[crate]), "seals_left": self.seals}


def check_crate(kilograms, caged, crate):
    if crate not in kilograms:
        raise ValueError(f"there is no crate {crate[:20]}; the manifests name the crates")
    if crate in caged:
        raise ValueError(f"crate {crate} has been opened and is in the customs cage")


def reference(
    aisles: int,
    weights: list[int],
    capacity: int,
    weighings: int,
    seals: int,
    declared: list[dict[str, int]],
    tags: list[str],
    belongs: list[str],
    landed: list[str],
) -> dict[str, str]:
    return dict(zip(tags, belongs))


def solve(tools, aisles, weights, capacity, weighings, seals):
    declared = {}
    groups = []  # groups of crates with how much each of them is too heavy
    total_surplus = 0
    for aisle in range(1, aisles + 1):
        listed = tools.manifest(aisle=aisle)
        declared.update(listed)
        crates = list(listed)
        # What is missing in one aisle is too much in another, so the last aisle need not be weighed.
        surplus = -total_surplus if aisle == aisles else surplus_of(tools, declared, crates)
        total_surplus += surplus
        groups.append((crates, surplus))
    belongs, landed = {}, {}
    while groups:
        crates, surplus = groups.pop()
        moved = split(surplus, weights)
        if not moved:
            continue
        if len(crates) > 1:
            half = crates[: len(crates) // 2]
            half_surplus = surplus_of(tools, declared, half)
            groups.append((half, half_surplus))
            groups.append((crates[len(half) :], surplus - half_surplus))
            continue
        for weight, sign in moved.items():
            (landed if sign > 0 else belongs)[weight] = crates[0]
    answer = {}
    for crate in sorted(set(landed.values())):
        for parcel in tools.open_crate(crate=crate)["mis_sorted"]:
            answer[parcel["tag"]] = belongs[parcel["kilograms"]]
    return answer


def surplus_of(tools, declared, crates):
    return tools.weigh(crates=crates)["kilograms"] - sum(declared[crate] for crate in crates)


def split(surplus, weights):
    """Which parcels make up a surplus: weight to 1 for added, -1 for taken away.

    Each weight is more than twice all lighter ones together, so the heaviest settles the sign.
    """
    moved = {}
    for weight in sorted(weights, reverse=True):
        if 2 * abs(surplus) > weight:
            moved[weight] = 1 if surplus > 0 else -1
            surplus -= weight * moved[weight]
    return moved


def generate(random, difficulty: int) -> dict:
    aisles, size, parcels = [(3, 4, 1), (4, 6, 2), (5, 8, 3), (7, 11, 4), (9, 16, 5)][difficulty - 1]
    numbers = random.sample(range(100, 1000), aisles * size)
    names = [f"{random.choice('CHLNPS')}{number}" for number in numbers]
    rows = [names[start : start + size] for start in range(0, len(names), size)]
    weights = []
    for index in range(parcels):
        weights.append(2 * sum(weights) + random.randint(1, 3))
    belongs, landed = [], []
    for index in range(parcels):
        home_row, other_row = random.sample(rows, 2)
        belongs.append(random.choice(home_row))
        landed.append(random.choice(other_row))
    random.shuffle(weights)
    halvings = (size - 1).bit_length()
    return {
        "aisles": aisles,
        "weights": weights,
        "capacity": size,
        "weighings": aisles + 2 * parcels * halvings,
        "seals": parcels,
        "declared": [{crate: random.randint(300, 900) for crate in row} for row in rows],
        "tags": [f"{random.choice('QVXZ')}{number}" for number in random.sample(range(1000, 10000), parcels)],
        "belongs": belongs,
        "landed": landed,
    }
