"""{climbers} climbers, numbered from 0, form rope teams on a glacier. Two climbers may go one behind the other if their
step counts have no common divisor greater than 1. Teams are formed as follows. The first one of a team is the climber
with the smallest number who is in no team yet. Then, again and again, the climber with the smallest number who is in
no team yet, may go behind the last one of the team, and is not heavier than that one is tied in at the end. When there
is none, the next team begins.

Answer with the teams in the order in which they were formed, each as the list of its numbers from the first one to
the last one.
"""

META = {
    "title": "Rope teams",
    "tags": ["number theory", "packing"],
    "public": ["climbers"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem drummer-rows",
}


class Environment:
    def __init__(self, climbers: int, steps: list[int], weights: list[int]):
        if climbers < 1 or len(steps) != climbers or len(weights) != climbers or min(steps) < 1:
            raise ValueError("there must be a step count of 1 or more and a weight for each climber")
        self.steps = steps
        self.weights = weights

    def in_rhythm(self, climber: int, other: int) -> bool:
        """Let two climbers walk: whether their step counts have no common divisor greater than 1.

        Args:
            climber: number of one climber.
            other: number of the other climber.
        """
        check_pair(climber, other, self.steps)
        return greatest_divisor(self.steps[climber], self.steps[other]) == 1

    def is_heavier(self, climber: int, other: int) -> bool:
        """Hang two climbers on the scales: whether the first one is heavier than the second one.

        Args:
            climber: number of the first climber.
            other: number of the second climber.
        """
        check_pair(climber, other, self.steps)
        return self.weights[climber] > self.weights[other]


def check_pair(climber, other, steps):
    if not (0 <= climber < len(steps) and 0 <= other < len(steps)) or climber == other:
        raise ValueError(f"name two different climbers with numbers from 0 to {len(steps) - 1}")


def greatest_divisor(one, other):
    while other:
        one, other = other, one % other
    return one


def form_teams(steps, weights, use_weights):
    waiting, teams = list(range(len(steps))), []
    while waiting:
        team = [waiting.pop(0)]
        while True:
            fitting = [
                climber
                for climber in waiting
                if greatest_divisor(steps[climber], steps[team[-1]]) == 1
                and (not use_weights or weights[climber] <= weights[team[-1]])
            ]
            if not fitting:
                break
            waiting.remove(fitting[0])
            team.append(fitting[0])
        teams.append(team)
    return teams


def reference(climbers: int, steps: list[int], weights: list[int]) -> list[list[int]]:
    return form_teams(steps, weights, True)


def mistakes(climbers: int, steps: list[int], weights: list[int]) -> dict[str, list[list[int]]]:
    return {"weights are ignored": form_teams(steps, weights, False)}


def generate(random, difficulty):
    climbers = random.randint(*[(5, 6), (7, 8), (10, 11), (13, 15), (17, 19)][difficulty - 1])
    steps = [random.choice([6, 8, 9, 10, 12, 14, 15, 21, 25, 35, 49, 11]) for climber in range(climbers)]
    weights = [random.choice([55, 60, 65, 70, 75, 80, 85]) for climber in range(climbers)]
    return {"climbers": climbers, "steps": steps, "weights": weights}


def solve(tools, climbers):
    # Weights only become smaller along a team: whoever is heavier than a member cannot follow later members either.
    teams = []
    placed = set()
    for first in range(climbers):
        if first in placed:
            continue
        team = [first]
        placed.add(first)
        too_heavy = set()
        searching = True
        while searching:
            searching = False
            for climber in range(first + 1, climbers):
                if climber in placed or climber in too_heavy:
                    continue
                if tools.is_heavier(climber=climber, other=team[-1]):
                    too_heavy.add(climber)
                    continue
                if tools.in_rhythm(climber=climber, other=team[-1]):
                    team.append(climber)
                    placed.add(climber)
                    searching = True
                    break
        teams.append(team)
    return teams
