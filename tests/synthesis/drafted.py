"""A small environment as a model would write it."""

CODE = '''
"""A shelf has {jars} jars, counted from 0. Answer with the weight of all jars together."""

from typing import TypedDict

META = {"title": "Jars on a shelf", "tags": ["sums"], "public": ["jars"], "license": "mine", "source": "me"}


class Note(TypedDict):
    jar: int
    grams: int


def check_jar(jar, jars):
    if not 0 <= jar < jars:
        raise ValueError("there is no such jar")


class Environment:
    def __init__(self, jars: int, grams: list[int]):
        self.jars = jars
        self.grams = grams

    def weigh(self, jar: int) -> Note:
        """Weigh one jar.

        Args:
            jar: its number.
        """
        check_jar(jar, self.jars)
        return {"jar": jar, "grams": self.grams[jar]}


def reference(jars: int, grams: list[int]) -> int:
    return sum(grams)


def generate(random, difficulty):
    jars = 12 * difficulty
    return {"jars": jars, "grams": [random.randint(1, 99) for jar in range(jars)]}
'''
SOLVE = "def solve(tools, jars):\n    return sum(tools.weigh(jar=jar)['grams'] for jar in range(jars))\n"
