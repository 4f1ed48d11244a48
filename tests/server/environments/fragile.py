"""It is too fragile to be opened, or to be judged. Answer with anything."""

META = {"title": "Fragile", "tags": ["fixture"], "public": [], "license": "MIT", "source": "original"}


class Environment:
    def __init__(self, secret: int):
        self.secret = {7: "open"}[secret]

    def look(self) -> int:
        """Look at it."""
        return 0


def reference(secret: int) -> int:
    return {}[secret]


def solve(tools):
    return 0
