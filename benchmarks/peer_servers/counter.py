"""Count up to {goal}, then answer with {goal}."""

META = {"title": "Counter", "tags": ["benchmark"], "public": ["goal"], "license": "MIT", "source": "original"}


class Environment:
    def __init__(self, goal: int):
        self.goal = goal
        self.count = 0

    def add(self, amount: int) -> int:
        """Add to the count and return it.

        Args:
            amount: what to add.
        """
        self.count += amount
        return self.count


def reference(goal: int) -> int:
    return goal


def solve(tools, goal):
    tools.add(amount=goal)
    return goal


def generate(random, difficulty):
    return {"goal": 10 * difficulty}
