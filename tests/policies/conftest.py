"""Episodes for policies to play."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episode_protocol import CallResult, TaskView, ToolView
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.sandbox.process.pool import SandboxPool

OpenEpisode = Callable[..., Awaitable[Episode]]


@pytest.fixture
def open_episode(pool: SandboxPool, journal: Journal) -> OpenEpisode:
    """Opens an episode of an environment with a configuration."""

    async def opened(
        environment: Environment, config: dict[str, Any], *, id: str = "one", **limits: Any
    ) -> Episode:
        episode = Episode(
            pool=pool,
            journal=journal,
            environment=environment,
            task=Task(id=id, config=config),
            settings=EpisodeSettings(limits=Limits(**limits)),
        )
        await episode.open()
        return episode

    return opened


class ScriptedEpisode:
    """An episode whose tools return fixed results and which records every call."""

    def __init__(
        self,
        results: dict[str, CallResult],
        *,
        answer: dict[str, Any],
        arguments: dict[str, dict[str, Any]] | None = None,
        **task: Any,
    ) -> None:
        nothing = {"type": "object", "properties": {}}
        self.task = TaskView(**{"environment": "table", "id": "one", "text": "Play.", **task})
        self.tools: Sequence[ToolView] = [
            ToolView(name=name, input_schema=(arguments or {}).get(name, nothing)) for name in results
        ]
        schema = {"type": "object", "properties": {"answer": answer}, "required": ["answer"]}
        self.submission = ToolView(name="submit_answer", input_schema=schema)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.answers: list[Any] = []
        self._results = results

    async def call(self, name: str, arguments: dict[str, Any]) -> CallResult:
        self.calls.append((name, arguments))
        return self._results[name]

    async def submit(self, answer: Any) -> CallResult:
        self.answers.append(answer)
        return CallResult(text="received", over=True)


@pytest.fixture
def table() -> type[ScriptedEpisode]:
    """Returns the class of scripted episodes, for policies that must see particular results."""
    return ScriptedEpisode
