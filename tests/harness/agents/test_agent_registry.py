import pytest

from codegym_harness.agents.agent_registry import AGENT_NAMES, AgentResources, make_agent
from codegym_mcp.errors import NotFoundError


@pytest.fixture
def means(pool, catalog) -> AgentResources:
    return AgentResources(pool, catalog, seed=3)


@pytest.mark.parametrize("name", AGENT_NAMES)
async def test_every_agent_of_the_registry_plays_under_its_name(means, bells, episodes, name):
    from codegym_mcp.episodes.episode import EpisodeSettings, EpisodeState

    agent = make_agent(name, means)
    assert agent.info.name == name
    episode = await episodes.open(bells, bells.tasks[0], EpisodeSettings())
    await agent.play(episode, 1)
    assert episode.state is EpisodeState.SUBMITTED


async def test_an_unknown_agent_is_an_error_that_names_those_that_exist(means):
    with pytest.raises(NotFoundError, match="Did you mean oracle"):
        make_agent("orcale", means)
