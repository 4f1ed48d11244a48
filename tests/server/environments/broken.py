"""A file that is no environment: its tool is not described."""

META = {"title": "Broken"}


class Environment:
    def __init__(self, secret: int):
        self.secret = secret

    def peek(self) -> int:
        return self.secret


def reference(secret: int) -> int:
    return secret


def solve(tools):
    return 0
