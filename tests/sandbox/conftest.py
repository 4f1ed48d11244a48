"""Pools that tests of the sandbox share: one for each set of layers that is left out."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.sandbox.hostile import Pools
from tests.sandbox.target import Target


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """As everywhere; for the whole session, so that pools outlive a test."""
    return "asyncio"


@pytest.fixture(scope="session")
async def pools() -> AsyncIterator[Pools]:
    async with Pools.open() as opened:
        yield opened


@pytest.fixture(scope="session")
def target() -> Iterator[Target]:
    with Target.set_up() as standing:
        yield standing
