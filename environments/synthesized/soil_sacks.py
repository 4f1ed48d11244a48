"""In a botanical garden {beds} beds are to be filled, numbered from 0. On each bed lie sacks of soil. Two
gardeners empty the sacks of a bed, and both have to carry exactly the same weight; no sack may be
opened or left over.

Find the beds for which the sacks can be divided like that. A bed without sacks counts as one of them.
Answer with the numbers of these beds in ascending order.

The sacks lie one upon another: the uppermost one has to be lifted off before the next one can be seen.
"""

META = {
    "title": "Soil sacks",
    "tags": ["packing", "subset sum"],
    "public": ["beds"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem even-cargo",
}


class Environment:
    def __init__(self, beds: int, sacks: list[list[int]], labels: list[list[str]]):
        if beds != len(sacks) or [len(pile) for pile in sacks] != [len(pile) for pile in labels]:
            raise ValueError("every bed needs a list of sacks, and every sack a label")
        self.piles = [list(zip(names, weights)) for names, weights in zip(labels, sacks)]
        self.lifted = {}
        names = [label for pile in labels for label in pile]
        if len(set(names)) != len(names) or "" in names or min([0] + [w for pile in sacks for w in pile]) < 0:
            raise ValueError("labels have to differ, and weights may not be negative")

    def lift_sack(self, bed: int) -> str:
        """Lift the uppermost sack off a bed and tell its label, or tell "" if no sack lies there any more.

        Args:
            bed: the number of the bed.
        """
        if not 0 <= bed < len(self.piles):
            raise ValueError(f"the garden has beds 0 to {len(self.piles) - 1}")
        if not self.piles[bed]:
            return ""
        label, weight = self.piles[bed].pop(0)
        self.lifted[label] = weight
        return label

    def weigh_sack(self, label: str) -> int:
        """Weigh a sack that has been lifted off its bed.

        Args:
            label: the label of the sack.

        Returns:
            Its weight in kilograms.
        """
        if label not in self.lifted:
            raise ValueError("no sack with this label has been lifted off a bed")
        return self.lifted[label]


def can_divide(weights):
    sums = {0}
    for weight in weights:
        sums |= {known + weight for known in sums}
    return sum(weights) % 2 == 0 and sum(weights) // 2 in sums


def reference(beds: int, sacks: list[list[int]], labels: list[list[str]]) -> list[int]:
    return [bed for bed in range(beds) if can_divide(sacks[bed])]


def mistakes(beds: int, sacks: list[list[int]], labels: list[list[str]]) -> dict[str, list[int]]:
    return {
        "every even weight": [bed for bed in range(beds) if sum(sacks[bed]) % 2 == 0],
        "empty beds left out": [bed for bed in range(beds) if sacks[bed] and can_divide(sacks[bed])],
    }


def generate(random, difficulty):
    beds = [3, 4, 6, 9, 13][difficulty - 1]
    known = [a + b + str(n) for a in "BGHLNRSV" for b in "aeiou" for n in range(10)]
    random.shuffle(known)
    sacks = []
    for bed in range(beds):
        count = random.randint(3, 4 + (difficulty > 2))
        while True:
            weights = [10 * random.randint(0, 2) + random.randint(0, 9) for sack in range(count)]
            if random.random() < 0.5:
                part = random.randint(1, count - 1)
                last = abs(sum(weights[:part]) - sum(weights[part:-1]))
                weights[-1] = last
                random.shuffle(weights)
            if min(weights) > 0 and (sum(weights) % 2 == 0 or random.random() < 0.2):
                break
        sacks.append(weights)
    sacks[random.randrange(beds)] = []
    if beds > 6:
        sacks[random.randrange(beds)] = [random.randint(1, 9) * 2]
    labels = [[known.pop() for sack in pile] for pile in sacks]
    return {"beds": beds, "sacks": sacks, "labels": labels}


def solve(tools, beds):
    def divisible(weights):
        # The differences between both gardeners that are possible.
        differences = {0}
        for weight in weights:
            differences = {abs(each - weight) for each in differences} | {each + weight for each in differences}
        return 0 in differences

    answer = []
    for bed in range(beds):
        labels = []
        while True:
            label = tools.lift_sack(bed=bed)
            if not label:
                break
            labels.append(label)
        if divisible([tools.weigh_sack(label=label) for label in labels]):
            answer.append(bed)
    return answer
