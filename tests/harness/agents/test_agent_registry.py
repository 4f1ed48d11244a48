import pytest

from codegym_harness.agents.agent_context import AsyncAgentContext
from codegym_harness.agents.agent_registry import AGENT_NAMES, AgentResources, make_agent
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.errors import NotFoundError
from codegym_mcp.sandbox.process.pool import SandboxPool


@pytest.fixture
def resources(pool: SandboxPool, catalog: Catalog) -> AgentResources:
    return AgentResources(pool, catalog, seed=3)


@pytest.mark.parametrize("name", AGENT_NAMES)
async def test_every_registered_agent_plays_under_its_name(
    resources: AgentResources, bells: Environment, episodes: EpisodeManager, name: str
) -> None:
    agent = make_agent(name, resources)
    assert agent.info.name == name
    episode = await episodes.open(bells, bells.tasks[0], EpisodeSettings())
    await agent.play(AsyncAgentContext(episode))
    assert episode.state is EpisodeState.SUBMITTED


async def test_the_error_for_an_unknown_agent_suggests_a_known_one(resources: AgentResources) -> None:
    with pytest.raises(NotFoundError, match="Did you mean oracle"):
        make_agent("orcale", resources)


async def test_a_file_without_its_function_is_an_error_that_says_how_to_name_it(
    resources: AgentResources,
) -> None:
    with pytest.raises(NotFoundError, match=r"Name the function in the file: my_agent\.py:FUNCTION"):
        make_agent("my_agent.py", resources)
