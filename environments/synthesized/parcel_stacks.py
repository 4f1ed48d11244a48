"""A post office stacks {parcels} parcels, numbered from 0, in the order of their numbers.

A parcel is put on the first stack (in the order in which the stacks were begun) for which both is true:
the parcel is not heavier than the parcel on top of the stack, and the lowest parcel of the stack bears
everything above it, the new parcel included. Nothing else is checked; what lies between does not
matter. If there is no such stack, the parcel begins a new one.

Stacks are numbered from 0 in the order in which they are begun. Answer with a list that has the number
of the stack for each parcel.
"""

META = {
    "title": "Parcel stacks",
    "tags": ["packing"],
    "public": ["parcels"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem crate-stacks",
}


class Environment:
    def __init__(self, parcels: int, weights: list[int], bears: list[int]):
        if (
            parcels < 1
            or parcels != len(weights)
            or parcels != len(bears)
            or min(weights) < 1
            or min(bears) < 0
        ):
            raise ValueError("every parcel needs a weight and a weight that it bears")
        self.weights = weights
        self.bears_weight = bears

    def is_heavier(self, parcel: int, other: int) -> bool:
        """Tell whether a parcel is strictly heavier than another one.

        Args:
            parcel: the number of the parcel.
            other: the number of the other parcel.
        """
        for each in [parcel, other]:
            check_parcel(each, self.weights)
        return self.weights[parcel] > self.weights[other]

    def bears(self, lowest: int, above: list[int]) -> bool:
        """Try whether a parcel bears others that are put on it together.

        Args:
            lowest: the number of the parcel that lies below.
            above: the numbers of all parcels above it, each one once.
        """
        check_parcel(lowest, self.weights)
        if len(above) > len(self.weights) or len(set(above)) != len(above) or lowest in above:
            raise ValueError("name each parcel above once, and not the lowest one")
        for each in above:
            check_parcel(each, self.weights)
        return sum(self.weights[each] for each in above) <= self.bears_weight[lowest]


def check_parcel(parcel, weights):
    if not 0 <= parcel < len(weights):
        raise ValueError(f"the parcels have the numbers 0 to {len(weights) - 1}")


def stack(weights, bears, checks_top):
    stacks = []
    places = []
    for parcel, weight in enumerate(weights):
        for place, pile in enumerate(stacks):
            fits = not checks_top or weight <= weights[pile[-1]]
            if fits and sum(weights[each] for each in pile[1:]) + weight <= bears[pile[0]]:
                pile.append(parcel)
                places.append(place)
                break
        else:
            places.append(len(stacks))
            stacks.append([parcel])
    return places


def reference(parcels: int, weights: list[int], bears: list[int]) -> list[int]:
    return stack(weights, bears, True)


def mistakes(parcels: int, weights: list[int], bears: list[int]) -> dict[str, list[int]]:
    return {
        "ignores the parcel on top": stack(weights, bears, False),
        "ignores what the lowest bears": stack(weights, [10**6] * parcels, True),
    }


def generate(random, difficulty):
    parcels = [7, 9, 13, 19, 27][difficulty - 1]
    while True:
        config = {
            "parcels": parcels,
            "weights": [random.randint(5, 40) for parcel in range(parcels)],
            "bears": [random.randint(20, 90 + 15 * difficulty) for parcel in range(parcels)],
        }
        if reference(**config) not in mistakes(**config).values():
            return config


def solve(tools, parcels):
    # Both conditions are needed; a parcel that no stack takes begins a new one.
    lowest, above, top, places = [], [], [], []
    for parcel in range(parcels):
        place = 0
        while place < len(lowest):
            light = not tools.is_heavier(parcel=parcel, other=top[place])
            if light and tools.bears(lowest=lowest[place], above=above[place] + [parcel]):
                above[place] = above[place] + [parcel]
                top[place] = parcel
                break
            place += 1
        if place == len(lowest):
            lowest.append(parcel)
            above.append([])
            top.append(parcel)
        places.append(place)
    return places
