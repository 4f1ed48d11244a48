"""Sources of environments whose final state is scored."""

BOTH = '''
"""Switch on the lamps that are broken, and answer how many there are."""
from typing import TypedDict
META = {"title": "Lamps", "tags": ["state"]}
class Lamps(TypedDict):
    lit: list[int]
class Environment:
    def __init__(self, lamps: int, broken: list[int]):
        self.lamps = lamps
        self.broken = broken
        self.lit = []
    def inspect(self, lamp: int) -> bool:
        """Tell whether a lamp is broken.

        Args:
            lamp: its number, from 0.
        """
        if not 0 <= lamp < self.lamps:
            raise ValueError(f"there is no lamp {lamp}")
        return lamp in self.broken
    def switch(self, lamp: int) -> bool:
        """Switch a lamp on.

        Args:
            lamp: its number, from 0.
        """
        self.lit.append(lamp)
        return True
    def final_state(self) -> Lamps:
        return {"lit": sorted(set(self.lit))}
def reference(lamps: int, broken: list[int]) -> int:
    return len(broken)
def accepts(answer, state: Lamps, lamps, broken):
    return answer == len(broken) and state["lit"] == sorted(broken)
def mistakes(lamps, broken):
    return {"counts the whole lamps": {"answer": lamps - len(broken), "state": {"lit": sorted(broken)}}}
def solve(tools):
    found = 0
    for lamp in range(100):
        try:
            broken = tools.inspect(lamp=lamp)
        except ValueError:
            return found
        if broken:
            tools.switch(lamp=lamp)
            found += 1
def generate(random, difficulty):
    lamps = 4 + 4 * difficulty
    return {"lamps": lamps, "broken": sorted(random.sample(range(lamps), 2 + difficulty))}
'''
"""The answer and the state are scored."""

CONFIG = {"lamps": 5, "broken": [1, 3]}

STATE_ALONE = (
    BOTH.replace(", and answer how many there are", "")
    .replace("def reference(lamps: int, broken: list[int]) -> int:\n    return len(broken)\n", "")
    .replace("accepts(answer, state: Lamps", "accepts(state: Lamps")
    .replace("answer == len(broken) and ", "")
    .replace('{"answer": lamps - len(broken), "state"', '{"state"')
)
"""The state alone is scored."""

ONE_CONFIG = '''
"""There are {lamps} lamps. Count the broken ones."""
from typing import TypedDict
META = {"title": "Lamps", "public": ["lamps"]}
class Config(TypedDict):
    lamps: int
    broken: list[int]
class Environment:
    def __init__(self, config: Config):
        self.broken = config["broken"]
    def inspect(self, lamp: int) -> bool:
        """Tell whether a lamp is broken.

        Args:
            lamp: its number, from 0.
        """
        return lamp in self.broken
def reference(config: Config) -> int:
    return len(config["broken"])
def accepts(answer: int, config: Config):
    return answer == len(config["broken"])
def mistakes(config: Config):
    return {"counts the whole lamps": config["lamps"] - len(config["broken"])}
def solve(tools, lamps):
    return sum(tools.inspect(lamp=lamp) for lamp in range(lamps))
def generate(random, difficulty) -> Config:
    return {"lamps": 4, "broken": [random.randrange(4)]}
'''
"""Functions take the configuration as one parameter."""


def with_state(body: str, returns: str = "Lamps") -> str:
    """Returns `BOTH` with another body and return annotation of `final_state`."""
    old = '    def final_state(self) -> Lamps:\n        return {"lit": sorted(set(self.lit))}\n'
    assert BOTH.count(old) == 1
    return BOTH.replace(old, f"    def final_state(self) -> {returns}:\n        {body}\n").replace(
        "state: Lamps", "state"
    )
