"""In a textile mill bolts of cloth come in on three belts, called N, E and S, and are put on one common
belt, one after another. The bolts of each belt lie in the order in which they came in, and only the
front bolt of a belt can be taken.

The next bolt is the one of the three front bolts that came in earliest. Of bolts that came in at the
same time, the one from N goes first, then the one from E. There is one exception: after {most} bolts in
a row from the same belt, the next bolt is taken from another belt, by the same rule among the two
others, if a bolt is left there. If none is left there, it is taken from the same belt again.

Take all bolts in this order. Answer with a text that has one letter for each bolt, in order: "N", "E"
or "S". The belts do not stop you when you take a wrong one.
"""

from typing import Literal

META = {
    "title": "Three belts",
    "tags": ["queues", "merging"],
    "public": ["most"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem three-gates",
}
BELTS = ["N", "E", "S"]


class Environment:
    def __init__(self, most: int, times: dict[str, list[int]]):
        if sorted(times) != sorted(BELTS) or most < 1:
            raise ValueError("there have to be times for the belts N, E and S, and most has to be at least 1")
        if any(each != sorted(each) for each in times.values()):
            raise ValueError("the bolts of a belt come in one after another")
        self.belts = {belt: list(times[belt]) for belt in BELTS}

    def is_empty(self, belt: Literal["N", "E", "S"]) -> bool:
        """Tell whether no bolt is left on a belt.

        Args:
            belt: the belt.
        """
        return not self.belts[belt]

    def compare_fronts(
        self, belt: Literal["N", "E", "S"], other: Literal["N", "E", "S"]
    ) -> Literal["earlier", "same", "later"]:
        """Tell whether the front bolt of a belt came in earlier or later than that of another belt.

        Args:
            belt: a belt that is not empty.
            other: another belt that is not empty.
        """
        for each in [belt, other]:
            if not self.belts[each]:
                raise ValueError(f"no bolt is left on belt {each}")
        one, two = self.belts[belt][0], self.belts[other][0]
        return "same" if one == two else "earlier" if one < two else "later"

    def take_bolt(self, belt: Literal["N", "E", "S"]) -> bool:
        """Take the front bolt of a belt, for good; an empty belt is refused.

        Args:
            belt: the belt.

        Returns:
            Whether bolts are left on this belt.
        """
        if not self.belts[belt]:
            raise ValueError(f"no bolt is left on belt {belt}")
        self.belts[belt].pop(0)
        return bool(self.belts[belt])


def merge(most, times):
    belts = {belt: list(times[belt]) for belt in BELTS}
    order = ""
    while any(belts.values()):
        barred = order[-1] if len(order) >= most and len(set(order[-most:])) == 1 else ""
        allowed = [belt for belt in BELTS if belts[belt] and belt != barred] or [barred]
        belt = min(allowed, key=lambda each: (belts[each][0], BELTS.index(each)))
        belts[belt].pop(0)
        order += belt
    return order


def reference(most: int, times: dict[str, list[int]]) -> str:
    return merge(most, times)


def mistakes(most: int, times: dict[str, list[int]]) -> dict[str, str]:
    return {"no exception": merge(sum(len(each) for each in times.values()) + 1, times)}


def generate(random, difficulty):
    bolts = [6, 9, 15, 27, 45][difficulty - 1]
    while True:
        times = {belt: [] for belt in BELTS}
        minute = 0
        belt = random.choice(BELTS)
        for bolt in range(bolts):
            if random.random() < 0.5:
                belt = random.choice(BELTS)
            times[belt].append(minute)
            minute += random.choice([0, 0, 1, 2])
        config = {"most": 2, "times": times}
        if reference(**config) not in mistakes(**config).values():
            return config


def solve(tools, most):
    left = {belt: not tools.is_empty(belt=belt) for belt in ("N", "E", "S")}
    known = {}
    taken = ""
    run = 0

    def compare(belt, other):
        if (belt, other) not in known:
            known[(belt, other)] = tools.compare_fronts(belt=belt, other=other)
        return known[(belt, other)]

    while any(left.values()):
        choice = [belt for belt in ("N", "E", "S") if left[belt]]
        if run >= most:
            others = [belt for belt in choice if belt != taken[-1]]
            choice = others or choice
        best = choice[0]
        for belt in choice[1:]:
            if compare(best, belt) == "later":
                best = belt
        left[best] = tools.take_bolt(belt=best)
        known = {pair: result for pair, result in known.items() if best not in pair}
        run = run + 1 if taken and taken[-1] == best else 1
        taken += best
    return taken
