"""A club elects a chair from the candidates "a", "b", "c", "d" and "e". ballots[k] is a text with the
letters of candidates, the most preferred one first; a letter may occur several times, and need not
occur at all. A ballot counts for the first candidate in it who remains, and for nobody if none of
them remains. In each round the remaining candidate for whom the fewest ballots count is struck off;
of several with equally few, the one whose letter comes last in the alphabet. Answer with a text
with the letters of the candidates in the order in which they were struck off, with the last
remaining candidate at the end.

You are not shown ballots; ask the tools about it.
"""


META = {
    'title': 'Club ballot',
    'tags': ['traced'],
    'source': 'codegym-mcp examples, problem club-ballot',
    'license': 'MIT',
}


def is_used_up(ballots, ballot, place):
    return place >= len(ballots[ballot])

def names(ballots, ballot, place, candidate):
    return ballots[ballot][place] == candidate

def elect(ballots):
    count = len(ballots)
    remaining = ['a', 'b', 'c', 'd', 'e']
    places = [0] * count
    choices = [''] * count
    struck = ''
    while len(remaining) > 1:
        for ballot in range(count):
            while choices[ballot] not in remaining and (not is_used_up(ballots, ballot, places[ballot])):
                for candidate in remaining:
                    if names(ballots, ballot, places[ballot], candidate):
                        choices[ballot] = candidate
                        break
                places[ballot] += 1
        fewest = min((choices.count(candidate) for candidate in remaining))
        loser = max((candidate for candidate in remaining if choices.count(candidate) == fewest))
        remaining.remove(loser)
        struck += loser
    return struck + remaining[0]


class Environment:
    def __init__(self, ballots: list[str]):
        self.ballots = ballots

    def count_ballots(self) -> int:
        """Returns the length of `ballots`."""
        return len(self.ballots)

    def is_used_up(self, ballot: int, place: int) -> bool:
        """Returns whether a ballot has no letter at a place because it is not that long.

        Args:
            ballot: position in `ballots`, counted from 0.
            place: a whole number.
        """
        if not 0 <= ballot < len(self.ballots):
            raise ValueError(f"ballot must be at least 0 and less than {len(self.ballots)}.")
        try:
            return bool(is_used_up(self.ballots, ballot, place))
        except Exception:
            raise ValueError("is_used_up is not defined for this ballot and place; choose other arguments.")

    def names(self, ballot: int, place: int, candidate: str) -> bool:
        """Returns whether a ballot has the letter of a candidate at a place.

        Args:
            ballot: position in `ballots`, counted from 0.
            place: position in `ballots[ballot]`, counted from 0.
            candidate: a text, for example 'a' or 'b' or 'c' or 'd'.
        """
        if not 0 <= ballot < len(self.ballots):
            raise ValueError(f"ballot must be at least 0 and less than {len(self.ballots)}.")
        if not 0 <= place < len(self.ballots[ballot]):
            raise ValueError(f"place must be at least 0 and less than {len(self.ballots[ballot])}.")
        try:
            return bool(names(self.ballots, ballot, place, candidate))
        except Exception:
            raise ValueError("names is not defined for this ballot, place and candidate; choose other arguments.")


def reference(ballots: list[str]) -> str:
    return elect(ballots)


def solve(tools):
    known_is_used_up = {}

    def ask_is_used_up(ballot, place):
        if (ballot, place) not in known_is_used_up:
            known_is_used_up[ballot, place] = tools.is_used_up(ballot=ballot, place=place)
        return known_is_used_up[ballot, place]
    count_ballots = tools.count_ballots()
    count = count_ballots
    remaining = ['a', 'b', 'c', 'd', 'e']
    places = [0] * count
    choices = [''] * count
    struck = ''
    while len(remaining) > 1:
        for ballot in range(count):
            while choices[ballot] not in remaining and (not ask_is_used_up(ballot=ballot, place=places[ballot])):
                for candidate in remaining:
                    if tools.names(ballot=ballot, place=places[ballot], candidate=candidate):
                        choices[ballot] = candidate
                        break
                places[ballot] += 1
        fewest = min((choices.count(candidate) for candidate in remaining))
        loser = max((candidate for candidate in remaining if choices.count(candidate) == fewest))
        remaining.remove(loser)
        struck += loser
    return struck + remaining[0]
