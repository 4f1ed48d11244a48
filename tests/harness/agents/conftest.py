"""Fixtures for tests of agents: model servers, and playing an episode."""

from typing import Any

import pytest

from codegym_harness.agents.agent import Agent
from codegym_harness.episode_sources.episode_source import Assignment
from codegym_harness.episode_sources.in_process_episodes import InProcessEpisodes
from codegym_harness.records.trajectory import Trajectory
from codegym_harness.rollouts.rollout import roll_out
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode_manager import EpisodeManager
from tests.conftest import ModelServer
from tests.harness.agents.model_episodes import BELL, AgentEndpoint, Play


@pytest.fixture
def openai(openai_server: ModelServer) -> AgentEndpoint:
    return AgentEndpoint("openai", openai_server, "/v1")


@pytest.fixture
def anthropic(anthropic_server: ModelServer) -> AgentEndpoint:
    return AgentEndpoint("anthropic", anthropic_server, "")


@pytest.fixture(params=["openai", "anthropic"])
def endpoint(request: pytest.FixtureRequest) -> AgentEndpoint:
    """Both APIs: the provider makes no difference."""
    found: AgentEndpoint = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def play(episodes: EpisodeManager) -> Play:
    """Plays an episode to its end, with limits by name."""

    async def played(
        agent: Agent, assignment: Assignment = BELL, *, seconds: float = 60, **limits: Any
    ) -> Trajectory:
        source = InProcessEpisodes(episodes, Limits(**limits))
        trajectory = await roll_out(agent, source, assignment, seconds=seconds)
        assert Trajectory.model_validate_json(trajectory.to_json()) == trajectory
        return trajectory

    return played
