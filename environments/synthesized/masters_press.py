"""In a printing house {setters} typesetters, numbered from 0, contest the place at the master's press. Typesetter 0
has it first. The others challenge the holder in the order of their numbers. A challenger who sets faster takes the
place. If both are equally fast, the older one has it afterwards; the old holder keeps it if they are equally old
too. A holder who has withstood three challenges in a row steps down: the typesetter with the smallest number who
has challenged already and has never had the place takes it, without a contest. If there is none, the holder keeps
the place and counts challenges anew.

Answer with the numbers of all who have had the place, in order, typesetter 0 included.
"""

from typing import Literal

META = {
    "title": "Master's press",
    "tags": ["voting", "comparison"],
    "public": ["setters"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem reindeer-herd",
}


class Environment:
    def __init__(self, setters: int, speeds: list[int], births: list[int]):
        if setters < 1 or len(speeds) != setters or len(births) != setters:
            raise ValueError("there must be a speed and a birth for each typesetter")
        self.speeds = speeds
        self.births = births

    def race(self, setter: int, other: int) -> Literal["slower", "equal", "faster"]:
        """Let two typesetters set the same page: whether the first one is slower or faster than the second one.

        Args:
            setter: number of the first one.
            other: number of the second one.
        """
        check_setters(setter, other, self.speeds)
        if self.speeds[setter] == self.speeds[other]:
            return "equal"
        return "faster" if self.speeds[setter] > self.speeds[other] else "slower"

    def is_older(self, setter: int, other: int) -> bool:
        """Look into the church register: whether the first typesetter was born before the second one.

        Args:
            setter: number of the first one.
            other: number of the second one.
        """
        check_setters(setter, other, self.speeds)
        return self.births[setter] < self.births[other]


def check_setters(setter, other, speeds):
    if not (0 <= setter < len(speeds) and 0 <= other < len(speeds)):
        raise ValueError(f"typesetters have the numbers 0 to {len(speeds) - 1}")


def contest(speeds, births, age_counts, limit):
    order, withstood = [0], 0
    for challenger in range(1, len(speeds)):
        holder = order[-1]
        tie = speeds[challenger] == speeds[holder] and age_counts and births[challenger] < births[holder]
        if speeds[challenger] > speeds[holder] or tie:
            order.append(challenger)
            withstood = 0
            continue
        withstood += 1
        if withstood == limit:
            withstood = 0
            order += [setter for setter in range(challenger + 1) if setter not in order][:1]
    return order


def reference(setters: int, speeds: list[int], births: list[int]) -> list[int]:
    return contest(speeds, births, True, 3)


def mistakes(setters: int, speeds: list[int], births: list[int]) -> dict[str, list[int]]:
    return {
        "age is ignored": contest(speeds, births, False, 3),
        "nobody steps down": contest(speeds, births, True, setters + 1),
    }


def generate(random, difficulty):
    config = {}
    for attempt in range(60):
        setters = random.randint(*[(10, 12), (15, 19), (27, 33), (48, 58), (86, 110)][difficulty - 1])
        speeds = [random.choice([3, 4, 5, 5, 6, 6]) for setter in range(setters)]
        births = [random.randint(1700, 1715) for setter in range(setters)]
        config = {"setters": setters, "speeds": speeds, "births": births}
        if reference(**config) not in mistakes(**config).values():
            return config
    return config


def solve(tools, setters):
    # Special cases: equal speed and age leave the place with the holder; the successor is the smallest number that
    # has challenged and never had the place; the challenger who has just lost counts too.
    had = {0}
    losers = []
    order = [0]
    row = 0
    for challenger in range(1, setters):
        speed = tools.race(setter=challenger, other=order[-1])
        wins = speed == "faster"
        if speed == "equal":
            wins = tools.is_older(setter=challenger, other=order[-1])
        if wins:
            order.append(challenger)
            had.add(challenger)
            row = 0
        else:
            losers.append(challenger)
            row += 1
        if row == 3:
            row = 0
            waiting = sorted(set(losers) - had)
            if waiting:
                order.append(waiting[0])
                had.add(waiting[0])
    return order
