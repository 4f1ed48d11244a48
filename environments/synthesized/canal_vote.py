"""{farmers} farmers, numbered from 0, share an irrigation system, and vote on which of these canals is dug first:
{canals}. Every farmer has ranked all canals. The vote goes in rounds: in each round, the canal with the fewest
first places among those that remain is struck off; of several with equally few, the one whose name comes last in
the alphabet. A canal that nobody puts first has no first places, which is the fewest. This goes on until one
canal is left.

The clerk shows the first place of a farmer among the canals that remain, and strikes canals off for good. Hold the
vote. Answer with the canals in the order in which they were struck off, and the one that is left at the end.
"""

META = {
    "title": "Canal vote",
    "tags": ["voting", "rounds"],
    "public": ["farmers", "canals"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem runoff-vote",
}


class Environment:
    def __init__(self, farmers: int, canals: list[str], ballots: list[list[str]]):
        if farmers < 1 or len(ballots) != farmers or not canals or len(set(canals)) != len(canals):
            raise ValueError("there must be one ballot for each farmer, and canals with different names")
        if any(sorted(ballot) != sorted(canals) for ballot in ballots):
            raise ValueError("every ballot must rank every canal once")
        self.remaining = list(canals)
        self.ballots = ballots

    def first_place(self, farmer: int) -> str:
        """Return the canal that a farmer ranks first among the canals that remain.

        Args:
            farmer: number of the farmer, counted from 0.
        """
        if not 0 <= farmer < len(self.ballots):
            raise ValueError(f"farmers have the numbers 0 to {len(self.ballots) - 1}")
        return next(canal for canal in self.ballots[farmer] if canal in self.remaining)

    def strike_off(self, canal: str) -> list[str]:
        """Strike a canal off for good; the last one cannot be struck off.

        Args:
            canal: name of a canal that remains.

        Returns:
            The canals that remain.
        """
        if canal not in self.remaining:
            raise ValueError(f"this canal does not remain; these do: {', '.join(self.remaining)}")
        if len(self.remaining) == 1:
            raise ValueError("only one canal is left")
        self.remaining.remove(canal)
        return self.remaining


def hold_vote(canals, ballots, last, absent):
    remaining, order = list(canals), []
    while len(remaining) > 1:
        counts = {canal: 0 for canal in remaining} if absent else {}
        for ballot in ballots:
            first = next(canal for canal in ballot if canal in remaining)
            counts[first] = counts.get(first, 0) + 1
        fewest = min(counts.values())
        tied = [canal for canal in counts if counts[canal] == fewest]
        loser = max(tied) if last else min(tied)
        remaining.remove(loser)
        order.append(loser)
    return order + remaining


def reference(farmers: int, canals: list[str], ballots: list[list[str]]) -> list[str]:
    return hold_vote(canals, ballots, True, True)


def mistakes(farmers: int, canals: list[str], ballots: list[list[str]]) -> dict[str, list[str]]:
    return {
        "first in the alphabet is struck off": hold_vote(canals, ballots, False, True),
        "canals without first places stay": hold_vote(canals, ballots, True, False),
    }


def generate(random, difficulty):
    farmers = [6, 9, 16, 30, 52][difficulty - 1] + random.randint(0, 3)
    names = ["Amber", "Brook", "Cedar", "Delta", "Ester", "Fallow", "Gully", "Heron", "Islet", "Juniper"]
    canals = sorted(random.sample(names, 4 + difficulty))
    unloved = random.choice(canals)
    ballots = []
    for farmer in range(farmers):
        ballot = random.sample(canals, len(canals))
        if ballot[0] == unloved:
            ballot.append(ballot.pop(0))
        ballots.append(ballot)
    return {"farmers": farmers, "canals": canals, "ballots": ballots}


def solve(tools, farmers, canals):
    remaining = list(canals)
    order = []
    first = {farmer: tools.first_place(farmer=farmer) for farmer in range(farmers)}
    while len(remaining) > 1:
        counts = {canal: 0 for canal in remaining}
        for canal in first.values():
            counts[canal] += 1
        fewest = min(counts.values())
        loser = max(canal for canal in remaining if counts[canal] == fewest)
        remaining = tools.strike_off(canal=loser)
        order.append(loser)
        if len(remaining) > 1:
            for farmer, canal in first.items():
                if canal == loser:
                    first[farmer] = tools.first_place(farmer=farmer)
    return order + remaining
