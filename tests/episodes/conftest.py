"""An episode of an environment whose tools fail in every way."""

import pytest

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episodes.episode import Episode
from tests.conftest import Declare, OpenEpisode
from tests.episodes.troubled_environment import SECRET, TROUBLE


@pytest.fixture
def trouble(declare: Declare) -> Environment:
    return declare(TROUBLE, name="trouble")


@pytest.fixture
async def episode(trouble: Environment, open_episode: OpenEpisode) -> Episode:
    return await open_episode(
        trouble, {"label": "a", "secret": SECRET}, call_seconds=0.3, memory_bytes=64 << 20, result_bytes=1000
    )
