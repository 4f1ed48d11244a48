"""A verification context for all tests of this folder, and the environments with planted faults."""

from collections.abc import AsyncIterator, Callable

import pytest

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episode_limits import Limits
from codegym_mcp.verification.verification_context import VerificationContext
from tests.verification.planting import planted_entry


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The backend of the whole session, so that the context outlives a test."""
    return "asyncio"


@pytest.fixture(scope="session")
async def context() -> AsyncIterator[VerificationContext]:
    """Opens a context with short limits; they count processor time, so that load does not matter."""
    async with VerificationContext.open(jobs=4, limits=Limits(call_seconds=0.3, start_seconds=1.0)) as opened:
        yield opened


@pytest.fixture
def planted() -> Callable[[str], Environment]:
    """Returns a function that reads an environment with a planted fault."""
    return lambda name: planted_entry(name).read()
