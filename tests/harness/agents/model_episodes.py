"""Scripted models that play the counter of the fixtures, for tests of the model agent."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from codegym_harness.agents.model_agent import LanguageModelAgent, ModelAgentOptions
from codegym_harness.episode_sources.episode_source import Assignment
from codegym_harness.records.trajectory import Trajectory
from codegym_mcp.models import Retries
from tests.conftest import ModelServer

Play = Callable[..., Awaitable[Trajectory]]

BELL = Assignment(environment="counter", task="bell-1")


def call(name: str, arguments: Any, id: str = "c") -> dict[str, Any]:
    """Returns a call of a scripted reply."""
    return {"id": id, "name": name, "arguments": arguments}


def calls(*made: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Returns a scripted reply with calls."""
    return {"say": {"calls": list(made), **more}}


LISTEN = call("listen", {})
SUBMIT = calls(call("submit_answer", {"answer": 1}))
TEXT = {"say": {"text": "The bell is at floor 1."}}


class AgentEndpoint:
    """A provider whose API a test server speaks."""

    def __init__(self, provider: str, server: ModelServer, path: str) -> None:
        self.provider = provider
        self.server = server
        self.url = server.url + path

    def name(self, *actions: dict[str, Any]) -> str:
        """Returns the name of a new model that executes the actions, one for each request."""
        return f"{self.provider}:{self.server.script(*actions)}"

    @asynccontextmanager
    async def agent(self, *actions: dict[str, Any], **options: Any) -> AsyncIterator[LanguageModelAgent]:
        """Opens an agent whose server executes the actions."""
        given = ModelAgentOptions(name=self.name(*actions), base_url=self.url, **options)
        async with LanguageModelAgent.open(given, retries=Retries(base_seconds=0.0)) as agent:
            yield agent

    def bodies(self, agent: LanguageModelAgent) -> list[dict[str, Any]]:
        """Returns the bodies of the requests that the server received."""
        assert agent.info.model_name is not None
        return self.server.bodies(agent.info.model_name.partition(":")[2])
