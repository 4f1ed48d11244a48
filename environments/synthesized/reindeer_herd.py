"""Reindeer choose a leader by pushing. Animal a has the age ages[a] in months and the antlers
antlers[a] in centimetres. The first animal leads. The others challenge the leader in the order of
their numbers. A challenger with longer antlers becomes the leader; with equally long antlers, the
older animal leads afterwards, and the old leader stays if the ages are equal too. A leader who has
withstood three challenges in a row steps down: the animal with the smallest number that has
challenged and has never led becomes the leader, without a push. If there is none, the leader stays,
and counts challenges anew. Answer with the list of all leaders in order.

You are not shown ages and antlers; ask the tools about them.
"""


META = {
    'title': 'Reindeer herd',
    'tags': ['traced'],
    'source': 'codegym-mcp examples, problem reindeer-herd',
    'license': 'MIT',
}


def has_longer_antlers(antlers, one, other):
    return antlers[one] > antlers[other]

def has_equal_antlers(antlers, one, other):
    return antlers[one] == antlers[other]

def is_older(ages, one, other):
    return ages[one] > ages[other]

def leaders(ages, antlers):
    animals = len(ages)
    order = [0] if animals > 0 else []
    withstood = 0
    for challenger in range(1, animals):
        leader = order[-1]
        wins = has_longer_antlers(antlers, challenger, leader)
        if not wins and has_equal_antlers(antlers, challenger, leader):
            wins = is_older(ages, challenger, leader)
        if wins:
            order.append(challenger)
            withstood = 0
            continue
        withstood += 1
        if withstood == 3:
            withstood = 0
            for animal in range(challenger + 1):
                if animal not in order:
                    order.append(animal)
                    break
    return order


class Environment:
    def __init__(self, ages: list[int], antlers: list[int]):
        self.ages = ages
        self.antlers = antlers

    def count_ages(self) -> int:
        """Returns the length of `ages`."""
        return len(self.ages)

    def has_longer_antlers(self, one: int, other: int) -> bool:
        """Returns whether animal `one` has longer antlers than `other`.

        Args:
            one: position in `antlers`, counted from 0.
            other: position in `antlers`, counted from 0.
        """
        if not 0 <= one < len(self.antlers):
            raise ValueError(f"one must be at least 0 and less than {len(self.antlers)}.")
        if not 0 <= other < len(self.antlers):
            raise ValueError(f"other must be at least 0 and less than {len(self.antlers)}.")
        try:
            return has_longer_antlers(self.antlers, one, other)
        except Exception:
            raise ValueError("has_longer_antlers is not defined for this one and other; choose other arguments.")

    def has_equal_antlers(self, one: int, other: int) -> bool:
        """Returns whether two animals have equally long antlers.

        Args:
            one: position in `antlers`, counted from 0.
            other: position in `antlers`, counted from 0.
        """
        if not 0 <= one < len(self.antlers):
            raise ValueError(f"one must be at least 0 and less than {len(self.antlers)}.")
        if not 0 <= other < len(self.antlers):
            raise ValueError(f"other must be at least 0 and less than {len(self.antlers)}.")
        try:
            return bool(has_equal_antlers(self.antlers, one, other))
        except Exception:
            raise ValueError("has_equal_antlers is not defined for this one and other; choose other arguments.")

    def is_older(self, one: int, other: int) -> bool:
        """Returns whether animal `one` is older than `other`.

        Args:
            one: position in `ages`, counted from 0.
            other: position in `ages`, counted from 0.
        """
        if not 0 <= one < len(self.ages):
            raise ValueError(f"one must be at least 0 and less than {len(self.ages)}.")
        if not 0 <= other < len(self.ages):
            raise ValueError(f"other must be at least 0 and less than {len(self.ages)}.")
        try:
            return is_older(self.ages, one, other)
        except Exception:
            raise ValueError("is_older is not defined for this one and other; choose other arguments.")


def reference(ages: list[int], antlers: list[int]) -> list[int]:
    return leaders(ages, antlers)


def solve(tools):
    count_ages = tools.count_ages()
    animals = count_ages
    order = [0] if animals > 0 else []
    withstood = 0
    for challenger in range(1, animals):
        leader = order[-1]
        wins = tools.has_longer_antlers(one=challenger, other=leader)
        if not wins and tools.has_equal_antlers(one=challenger, other=leader):
            wins = tools.is_older(one=challenger, other=leader)
        if wins:
            order.append(challenger)
            withstood = 0
            continue
        withstood += 1
        if withstood == 3:
            withstood = 0
            for animal in range(challenger + 1):
                holds = True
                for item in order:
                    if item == animal:
                        holds = False
                        break
                if holds:
                    order.append(animal)
                    break
    return order
