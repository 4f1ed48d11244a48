"""A clerk checks a paper. Answer with its number."""

META = {"title": "Clerk", "tags": ["fixture"], "public": [], "license": "MIT", "source": "original"}


class Environment:
    def __init__(self, number: int):
        self.number = number

    def verify(self) -> int:
        """Check the paper."""
        return self.number


def reference(number: int) -> int:
    return number


def solve(tools):
    return tools.verify()


def generate(random, difficulty):
    return {"number": random.randint(1, 9)}
