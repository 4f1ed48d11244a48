"""Say a number and hear it again. Answer with {number}."""

META = {"title": "Echo", "tags": ["benchmark"], "public": ["number"], "license": "MIT", "source": "original"}


class Environment:
    def __init__(self, number: int):
        self.number = number

    def echo(self, number: int) -> int:
        """Return the number.

        Args:
            number: any number.
        """
        return number


def reference(number: int) -> int:
    return number


def solve(tools, number):
    return tools.echo(number=number)


def generate(random, difficulty):
    return {"number": difficulty}
