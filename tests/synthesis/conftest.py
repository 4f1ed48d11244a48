"""A verification context and a small draft for the tests of this folder."""

from collections.abc import AsyncIterator

import pytest

from codegym_mcp.synthesis.environment_draft import Draft
from codegym_mcp.synthesis.synthesis_options import TRIAL_LIMITS
from codegym_mcp.verification.verification_context import VerificationContext
from tests.synthesis.drafted import CODE, SOLVE


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The backend of the whole session, so that the context outlives a test."""
    return "asyncio"


@pytest.fixture(scope="session")
async def context() -> AsyncIterator[VerificationContext]:
    async with VerificationContext.open(jobs=4, limits=TRIAL_LIMITS) as opened:
        yield opened


@pytest.fixture
def draft() -> Draft:
    return Draft.read(CODE, license="MIT", origin="nowhere 1")


@pytest.fixture
def code() -> str:
    return CODE


@pytest.fixture
def solve() -> str:
    return SOLVE
