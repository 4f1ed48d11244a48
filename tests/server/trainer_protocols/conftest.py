"""A server that speaks the trainers' protocols."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.server.trainer_protocols.trainer_protocol import TrainerProtocol
from tests.server.serving import ENVIRONMENTS, Server, http_server

PATHS = (
    ENVIRONMENTS / "safe.py",
    ENVIRONMENTS / "fragile.py",
    Path(__file__).parent / "environments" / "clerk.py",
)


@pytest.fixture(scope="module")
async def served(pool: SandboxPool) -> AsyncIterator[Server]:
    """A server of a good environment, a fragile one, and one with a tool named `verify`."""
    async with http_server(pool, paths=PATHS, protocols=frozenset(TrainerProtocol)) as server:
        yield server
