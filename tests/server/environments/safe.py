"""A safe stands before you, its dial at {start}. A word is engraved inside.

Answer with the word.
"""

from typing import TypedDict

META = {"title": "Safe", "tags": ["fixture"], "public": ["start"], "license": "MIT", "source": "original"}


class Dial(TypedDict):
    dial: int
    turns: int


class Environment:
    def __init__(self, start: int, word: str):
        self.dial = start
        self.word = word
        self.turns = 0

    def turn(self, clicks: int) -> int:
        """Turn the dial and return where it stands.

        Args:
            clicks: how many clicks to the right, negative to the left.
        """
        self.dial += clicks
        self.turns += 1
        return self.dial

    def look(self) -> Dial:
        """Look at the dial."""
        return {"dial": self.dial, "turns": self.turns}

    def force(self) -> bool:
        """Try to force the door."""
        raise ValueError("the door does not give way")

    def kick(self) -> bool:
        """Kick the door, which breaks more than the door."""
        self.turns += 1
        return {}[self.word]

    def ring(self, times: int) -> str:
        """Ring the bell on the safe.

        Args:
            times: how often.
        """
        return "ding " * times

    def write(self, text: str) -> str:
        """Write something on the door and read it back.

        Args:
            text: what to write.
        """
        return text

    def polish(self, strokes: int) -> int:
        """Polish the dial, which takes time, and return where it stands afterwards: one further.

        Args:
            strokes: how long to go on.
        """
        for _ in range(strokes):
            pass
        self.dial += 1
        return self.dial


def reference(start: int, word: str) -> str:
    return word


def solve(tools, start):
    tools.look()
    return "the oracle cannot open this safe"


def generate(random, difficulty):
    return {"start": difficulty, "word": "grown-" + str(random.randint(10**6, 10**7))}
