import asyncio
import contextvars
import functools
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from codegym_harness.agents.agent_context import AsyncAgentContext
from codegym_harness.agents.blocking_context import AgentContext
from codegym_harness.agents.function_agent import FunctionAgent, load_function
from codegym_harness.episode_sources.episode_source import Assignment
from codegym_harness.episode_sources.in_process_episodes import InProcessEpisodes
from codegym_harness.records.trajectory import Fault, Outcome
from codegym_harness.rollouts.rollout import roll_out
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episode_protocol import CallResult, CallStatus
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.errors import CodegymError

BELL = Assignment(environment="counter", task="bell-2")
SOURCE = """
async def climb(episode):
    heard = (await episode.call("listen")).value
    while heard["sound"] != "here":
        await episode.call("move", floors=1)
        heard = (await episode.call("listen")).value
    return heard["floor"]


def climb_blocking(episode):
    heard = episode.call("listen").value
    while heard["sound"] != "here":
        episode.call("move", {"floors": 1})
        heard = episode.call("listen").value
    return heard["floor"]


class NotAFunction:
    pass
"""


async def opened(episodes: EpisodeManager, environment: Environment, task: int = 0) -> Episode:
    return await episodes.open(environment, environment.tasks[task], EpisodeSettings())


@pytest.mark.parametrize("name", ["climb", "climb_blocking"])
async def test_the_value_that_a_function_returns_is_submitted(
    bells: Environment, episodes: EpisodeManager, tmp_path: Path, name: str
) -> None:
    (tmp_path / "climber.py").write_text(SOURCE)
    agent = load_function(f"{tmp_path / 'climber.py'}:{name}")
    episode = await opened(episodes, bells, 2)
    await agent.play(AsyncAgentContext(episode))
    assert episode.verdict is not None
    assert episode.verdict.correct


async def test_a_function_that_returns_none_submits_nothing(
    bells: Environment, episodes: EpisodeManager
) -> None:
    async def look(context: AsyncAgentContext) -> None:
        await context.call("listen")

    def look_blocking(context: AgentContext) -> None:
        context.call("listen")

    for function in (look, look_blocking):
        episode = await opened(episodes, bells)
        await FunctionAgent(function).play(AsyncAgentContext(episode))
        assert (episode.state, episode.calls) == (EpisodeState.OPEN, 1)


async def test_a_partial_of_an_async_function_and_an_async_callable_are_awaited(
    bells: Environment, episodes: EpisodeManager
) -> None:
    async def answer(value: int, context: AsyncAgentContext) -> int:
        return value

    class Answering:
        async def __call__(self, context: AsyncAgentContext) -> int:
            return 1

    for function in (functools.partial(answer, 1), Answering()):
        episode = await opened(episodes, bells)
        await FunctionAgent(function, name="answer").play(AsyncAgentContext(episode))
        assert episode.state is EpisodeState.SUBMITTED


async def test_a_blocking_function_has_the_members_of_the_async_context(
    bells: Environment, episodes: EpisodeManager
) -> None:
    seen: dict[str, Any] = {}

    def play(context: AgentContext) -> None:
        context.record_message("I listen.", reasoning="It may be near.", model="m")
        seen["result"] = context.call("listen")
        seen["remaining"] = (context.remaining_calls, context.remaining_seconds)
        seen["given"] = (context.task.id, [tool.name for tool in context.tools], context.submission.name)
        seen["submitted"] = context.submit(1)

    context = AsyncAgentContext(await opened(episodes, bells), max_calls=5, epoch=3)
    await FunctionAgent(play).play(context)
    assert seen["result"].value["floor"] == 0
    assert seen["remaining"] == (4, float("inf"))
    assert seen["given"] == ("bell-1", ["move", "listen"], "submit_answer")
    assert seen["submitted"].over
    said = context.recorder.steps[1]
    assert (said.message, said.reasoning_content, said.model_name) == ("I listen.", "It may be near.", "m")
    assert [call.function_name for call in said.tool_calls or []] == ["listen"]
    public = {name for name in dir(AsyncAgentContext) if not name.startswith("_")}
    assert {"call", "submit", "record_message", "remaining_calls", "remaining_seconds"} <= public


async def test_context_variables_reach_a_blocking_function(
    bells: Environment, episodes: EpisodeManager
) -> None:
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("set by the caller")
    seen = []
    await FunctionAgent(lambda _: seen.append(variable.get())).play(
        AsyncAgentContext(await opened(episodes, bells))
    )
    assert seen == ["set by the caller"]


async def test_a_blocking_function_that_exceeds_its_time_is_left_behind_and_its_calls_are_refused(
    episodes: EpisodeManager,
) -> None:
    go_on = threading.Event()
    late: list[CallResult] = []
    ended = threading.Event()

    def linger(context: AgentContext) -> int:
        context.call("listen")
        go_on.wait()
        late.append(context.call("move", floors=1))
        late.append(context.submit(2))
        context.record_message("Too late.")
        ended.set()
        return 2

    trajectory = await roll_out(FunctionAgent(linger), InProcessEpisodes(episodes), BELL, seconds=0.3)
    assert trajectory.extra.outcome is Outcome.NO_SUBMISSION
    assert trajectory.extra.limits_met == ["deadline_seconds"]
    assert len(trajectory.steps) == 2
    go_on.set()
    await asyncio.to_thread(ended.wait, 10)
    assert [(result.status, result.over) for result in late] == [(CallStatus.OVER, True)] * 2
    assert len(trajectory.steps) == 2


@pytest.mark.parametrize("error", [KeyError("lost"), SystemExit(3)])
async def test_an_exception_of_a_blocking_function_is_the_agents_failure(
    episodes: EpisodeManager, error: BaseException
) -> None:
    def fail(context: AgentContext) -> None:
        context.call("listen")
        raise error

    trajectory = await roll_out(FunctionAgent(fail), InProcessEpisodes(episodes), BELL, seconds=30)
    assert trajectory.extra.outcome is Outcome.NO_SUBMISSION
    assert trajectory.extra.error is not None
    assert trajectory.extra.error.fault is Fault.AGENT
    assert type(error).__name__ in trajectory.extra.error.kind + trajectory.extra.error.message


async def test_a_blocking_function_that_returns_a_coroutine_is_an_error_of_the_agent(
    episodes: EpisodeManager,
) -> None:
    async def answer(context: AsyncAgentContext) -> int:
        return 2

    agent = FunctionAgent(lambda context: answer(context), name="forgotten")  # noqa: PLW0108 - a lambda is what is tested
    trajectory = await roll_out(agent, InProcessEpisodes(episodes), BELL)
    assert trajectory.extra.error is not None
    assert "define it with `async def`" in trajectory.extra.error.message


def test_a_function_is_named_after_itself_or_its_location(tmp_path: Path) -> None:
    async def look(context: AsyncAgentContext) -> None: ...

    assert FunctionAgent(look).info.name == "look"
    (tmp_path / "climber.py").write_text(SOURCE)
    assert load_function(f"{tmp_path / 'climber.py'}:climb").info.name.endswith("climber.py:climb")


def test_a_module_in_the_working_directory_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a_climber_of_ones_own.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert load_function("a_climber_of_ones_own:climb").info.name == "a_climber_of_ones_own:climb"
    del sys.modules["a_climber_of_ones_own"]


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("nowhere.py:climb", "there is no file nowhere.py"),
        ("no_such_module:climb", "No module named"),
        ("climber.py:NotAFunction", "has no function 'NotAFunction'"),
        ("climber.py:missing", "has no function 'missing'"),
        ("broken.py:climb", "SyntaxError"),
    ],
)
def test_the_error_for_a_function_that_cannot_be_loaded_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "climber.py").write_text(SOURCE)
    (tmp_path / "broken.py").write_text("async def climb(:\n")
    with pytest.raises(CodegymError, match=message):
        load_function(location)


def test_something_that_cannot_be_called_is_refused_as_an_agent() -> None:
    with pytest.raises(CodegymError, match="is not a function"):
        FunctionAgent("oracle")  # type: ignore[arg-type]
