"""AttackedPools that tests of the sandbox share: one for each set of layers that is left out."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.sandbox.attack_targets import Target
from tests.sandbox.raw_code import AttackedPools


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Returns the backend for the whole session, so that pools outlive a test."""
    return "asyncio"


@pytest.fixture(scope="session")
async def pools() -> AsyncIterator[AttackedPools]:
    async with AttackedPools.open() as opened:
        yield opened


@pytest.fixture(scope="session")
def target() -> Iterator[Target]:
    with Target.set_up() as created:
        yield created
