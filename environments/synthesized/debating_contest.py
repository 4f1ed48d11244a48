"""A school has put a debating contest into its timetable. {teams} teams take part, numbered from 0.

In each round the remaining teams debate in pairs in the order of their numbers: the first with the
second, the third with the fourth and so on. If their number is odd, the last one goes on without a
debate. The loser of a debate is out. Then the bell is rung, and the next round begins with the teams
that remain, in the order of their numbers. This goes on until one team remains. Debates tire the
winner, so that the order of the debates matters: hold each debate in its round, and no other debates.

Answer with a list of two numbers: the team that remains, and the team that lost the last debate to it.
"""

META = {
    "title": "Debating contest",
    "tags": ["games", "simulation"],
    "public": ["teams"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem tournament-ladder",
}


class Environment:
    def __init__(self, teams: int, skill: list[int], energy: list[int], effort: int):
        if teams < 2 or teams != len(skill) or teams != len(energy) or effort < 0:
            raise ValueError("a contest needs two teams or more, and a skill and an energy for each")
        self.skill = skill
        self.energy = list(energy)
        self.effort = effort
        self.debated = []
        self.out = []

    def hold_debate(self, one: int, other: int) -> int:
        """Hold a debate between two teams and tell which one wins.

        Of equals, the one with the smaller number wins. The loser is out. The winner has less energy
        after that. A team that is out, or that has already debated since the bell was last rung, is
        refused.

        Args:
            one: the number of a team.
            other: the number of another team.
        """
        for team in [one, other]:
            if not 0 <= team < len(self.skill):
                raise ValueError(f"the teams have the numbers 0 to {len(self.skill) - 1}")
            if team in self.out:
                raise ValueError(f"team {team} is out")
            if team in self.debated:
                raise ValueError(
                    f"team {team} has already debated in this round; ring the bell for the next round"
                )
        if one == other:
            raise ValueError("a team cannot debate with itself")
        first, second = min(one, other), max(one, other)
        wins = self.skill[first] + self.energy[first] >= self.skill[second] + self.energy[second]
        winner, loser = (first, second) if wins else (second, first)
        self.energy[winner] -= self.effort
        self.debated.append(winner)
        self.out.append(loser)
        return winner

    def ring_bell(self) -> int:
        """End the round and begin the next one; tells how many teams remain."""
        self.debated = []
        return len(self.skill) - len(self.out)


def play(teams, skill, energy, effort):
    energy = list(energy)
    remaining = list(range(teams))
    loser = -1
    while len(remaining) > 1:
        winners = []
        for first, second in zip(remaining[::2], remaining[1::2]):
            wins = skill[first] + energy[first] >= skill[second] + energy[second]
            winner, loser = (first, second) if wins else (second, first)
            energy[winner] -= effort
            winners.append(winner)
        if len(remaining) % 2:
            winners.append(remaining[-1])
        remaining = winners
    return [remaining[0], loser]


def reference(teams: int, skill: list[int], energy: list[int], effort: int) -> list[int]:
    return play(teams, skill, energy, effort)


def generate(random, difficulty):
    teams = random.choice([[11, 12], [17, 19], [30, 31, 33], [50, 53], [90, 97]][difficulty - 1])
    while True:
        config = {
            "teams": teams,
            "skill": [random.randint(20, 50) for team in range(teams)],
            "energy": [random.randint(0, 12) for team in range(teams)],
            "effort": random.randint(2, 6),
        }
        if reference(**config) != play(teams, config["skill"], config["energy"], 0):
            return config


def solve(tools, teams):
    remaining = list(range(teams))
    loser = -1
    while len(remaining) > 1:
        following = []
        for place in range(0, len(remaining) - 1, 2):
            one, other = remaining[place], remaining[place + 1]
            winner = tools.hold_debate(one=one, other=other)
            loser = other if winner == one else one
            following.append(winner)
        if len(remaining) % 2:
            following.append(remaining[-1])
        remaining = following
        if len(remaining) > 1:
            tools.ring_bell()
    return [remaining[0], loser]
