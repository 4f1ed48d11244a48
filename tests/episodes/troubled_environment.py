"""Sources of environments whose tools fail in every way."""

SECRET = "zq93-secret"

TROUBLE = '''
"""Find the word."""
META = {"title": "Trouble", "public": ["label"]}
class Environment:
    def __init__(self, label: str, secret: str):
        self.secret = secret
        self.count = 0
    def step(self) -> int:
        """Count one more."""
        self.count += 1
        return self.count
    def guess(self, word: str) -> bool:
        """Guess.

        Args:
            word: your guess.
        """
        self.count += 1
        return word == self.secret
    def refuse(self) -> int:
        """Refuse."""
        self.count += 1
        raise ValueError(f"count is {self.count}")
    def crash(self) -> int:
        """Fail in a way that the environment's author did not think of."""
        self.count += 1
        return {}[self.secret]
    def loop(self) -> int:
        """Never return."""
        self.count += 1
        while True:
            pass
    def swell(self) -> int:
        """Take all memory."""
        self.count += 1
        return len([0] * 10 ** 11)
    def chatter(self, length: int) -> str:
        """Say much.

        Args:
            length: how much.
        """
        self.count += 1
        return "ä" * length
    def complain(self, length: int) -> str:
        """Refuse with many words.

        Args:
            length: how many.
        """
        self.count += 1
        raise ValueError("x" * length)
    def echo(self, value: object) -> object:
        """Give back.

        Args:
            value: anything.
        """
        return value
    def kinds(self, members: set[int], pair: tuple[int, str], names: dict[str, list[int]]) -> list[str]:
        """Tell how the arguments arrive.

        Args:
            members: a set.
            pair: a tuple.
            names: a dict.
        """
        return [str(members), str(pair), str(names)]
    def sets(self) -> set[int]:
        """Return a set."""
        return {3, 1, 2}
    def wrong_type(self) -> int:
        """Break the schema."""
        return self.secret
    def truth(self) -> int:
        """Break the schema in a way that Python does not mind."""
        return True
    def double(self) -> set[int]:
        """Return a set that is none."""
        return [1, 1]
    def not_a_number(self) -> float:
        """Return NaN."""
        return float("nan")
    def infinite(self) -> list[float]:
        """Return an infinity."""
        return [float("inf")]
    def half(self) -> str:
        """Return half of a surrogate pair."""
        return chr(55296)
    def half_refusal(self) -> str:
        """Refuse with half of a surrogate pair."""
        raise ValueError(chr(55296))
    def method(self) -> object:
        """Return what is no data."""
        return [self.step]
    def generator(self) -> int:
        """Return a generator."""
        yield 1
    def nest(self, depth: int) -> list:
        """Return lists within lists.

        Args:
            depth: how many.
        """
        nested = []
        for _ in range(depth):
            nested = [nested]
        return nested
    def endless(self) -> int:
        """Return a number of many digits."""
        return 10 ** 5000
def reference(label: str, secret: str) -> str:
    return secret
def solve(tools, label):
    return ""
'''


def broken(init: str = "self.x = x", reference: str = "return x", more: str = "", tail: str = "") -> str:
    return f'''
"""Find it."""
META = {{"title": "Broken"}}
class Environment:
    def __init__(self, x: int):
        {init}
    def look(self) -> int:
        """Look."""
        {more or "return 1"}
def reference(x: int) -> int:
    {reference}
def solve(tools):
    return 1
{tail}
'''
