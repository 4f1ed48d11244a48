"""Stand in for the fixture server of the MCP conformance suite, whose tools are called by name."""

META = {
    "title": "Conformance fixtures",
    "tags": ["fixture"],
    "public": [],
    "license": "MIT",
    "source": "original",
}


class Environment:
    def __init__(self, secret: int):
        self.secret = secret

    def test_simple_text(self) -> str:
        """Return a line of text."""
        return "This is a simple text response for testing."

    def test_error_handling(self) -> str:
        """Refuse every call."""
        raise ValueError("This tool intentionally returns an error for testing")

    def greet(self, name: str) -> str:
        """Greet someone.

        Args:
            name: who is greeted.
        """
        return f"Hello, {name}!"


def reference(secret: int) -> int:
    return secret


def solve(tools):
    return 0


def generate(random, difficulty):
    return {"secret": difficulty}
