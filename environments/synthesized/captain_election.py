"""A chess club elects its captain. The candidates are a, b, c, d and e. {ballots} ballots, numbered from
0, have been cast. A ballot is a column of letters of candidates, the most preferred one on top; a
letter may occur several times in it, and need not occur at all. A ballot may be empty.

A ballot counts for the first candidate in its column who remains, and for nobody if no candidate in it
remains. In each round the remaining candidate for whom the fewest ballots count is struck off; of
several with equally few, the one whose letter comes last in the alphabet. This goes on until one
candidate remains.

The ballots are rolled up, and you unroll them line by line. When a candidate is struck off, the lines
with this letter are blacked out on all ballots, and unrolling passes over them. Answer with a text of five letters: the candidates in
the order in which they were struck off, and the one who remains at the end.
"""

from typing import Literal

META = {
    "title": "Captain election",
    "tags": ["voting"],
    "public": ["ballots"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem club-ballot",
}
CANDIDATES = "abcde"


class Environment:
    def __init__(self, ballots: int, columns: list[str]):
        if ballots < 1 or ballots != len(columns) or set("".join(columns)) - set(CANDIDATES):
            raise ValueError("every ballot needs a text of the letters a to e")
        self.columns = columns
        self.lines = [0] * ballots
        self.struck = []

    def unroll(self, ballot: int) -> Literal["a", "b", "c", "d", "e", "end"]:
        """Unroll a ballot up to the next line that is not blacked out, and read the letter in it.

        The first call for a ballot reads the uppermost such line. A ballot cannot be rolled up again.

        Args:
            ballot: the number of the ballot.

        Returns:
            The letter, or "end" if the column has no further line that is not blacked out.
        """
        if not 0 <= ballot < len(self.columns):
            raise ValueError(f"the ballots have the numbers 0 to {len(self.columns) - 1}")
        column = self.columns[ballot]
        while self.lines[ballot] < len(column):
            letter = column[self.lines[ballot]]
            self.lines[ballot] += 1
            if letter not in self.struck:
                return letter
        return "end"

    def strike_off(self, candidate: Literal["a", "b", "c", "d", "e"]) -> int:
        """Strike a candidate off for good: the letter is blacked out on all ballots.

        Args:
            candidate: the letter of the candidate, who has not been struck off yet.

        Returns:
            How many candidates remain.
        """
        if candidate in self.struck or len(self.struck) == len(CANDIDATES) - 1:
            raise ValueError("this candidate cannot be struck off any more")
        self.struck.append(candidate)
        return len(CANDIDATES) - len(self.struck)


def elect(columns, first_of_equals):
    remaining = list(CANDIDATES)
    struck = ""
    while len(remaining) > 1:
        choices = [next((letter for letter in column if letter in remaining), "") for column in columns]
        fewest = min(choices.count(candidate) for candidate in remaining)
        losers = [candidate for candidate in remaining if choices.count(candidate) == fewest]
        loser = min(losers) if first_of_equals else max(losers)
        remaining.remove(loser)
        struck += loser
    return struck + remaining[0]


def reference(ballots: int, columns: list[str]) -> str:
    return elect(columns, False)


def mistakes(ballots: int, columns: list[str]) -> dict[str, str]:
    return {
        "counts only the tops": elect([column[:1] for column in columns], False),
        "strikes off the first of equals": elect(columns, True),
    }


def generate(random, difficulty):
    ballots = [9, 13, 23, 41, 75][difficulty - 1]
    while True:
        favourites = "".join(random.choice(CANDIDATES) for weight in range(5)) + CANDIDATES
        columns = [
            "".join(random.choice(favourites) for line in range(random.choice([0, 1, 2, 3, 3, 4, 5])))
            for ballot in range(ballots)
        ]
        config = {"ballots": ballots, "columns": columns}
        right, wrong = reference(**config), mistakes(**config)
        if right != wrong["counts only the tops"] and (
            right != wrong["strikes off the first of equals"] or random.random() < 0.2
        ):
            return config


def solve(tools, ballots):
    remaining = list("abcde")
    letters = [tools.unroll(ballot=ballot) for ballot in range(ballots)]
    order = ""
    while len(remaining) > 1:
        counts = {letter: letters.count(letter) for letter in remaining}
        fewest = min(counts.values())
        loser = max(letter for letter in remaining if counts[letter] == fewest)
        tools.strike_off(candidate=loser)
        remaining.remove(loser)
        order += loser
        if len(remaining) == 1:
            break
        for ballot in range(ballots):
            # The next letter that is not blacked out is one that remains, or the end.
            if letters[ballot] == loser:
                letters[ballot] = tools.unroll(ballot=ballot)
    return order + remaining[0]
