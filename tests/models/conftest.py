"""Time that passes when it is told to."""

import socket
from dataclasses import dataclass, field

import pytest

from codegym_mcp.models import Retries


@dataclass
class Clock:
    """Nobody waits: what would be waited is kept, and time jumps.

    Attributes:
        waits: in seconds.
        time: in seconds.
    """

    waits: list[float] = field(default_factory=list)
    time: float = 1000.0

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds

    def retries(self, **settings: float) -> Retries:
        """Retries by this clock; without chance where `base_seconds` is not given."""
        return Retries(**{"base_seconds": 0.0, **settings}, sleep=self.sleep, now=lambda: self.time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def unused_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
