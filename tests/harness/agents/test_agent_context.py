import anyio
import pytest

from codegym_harness.agents.agent_context import AsyncAgentContext, tool_definitions
from codegym_harness.clients.mcp_client import connect
from codegym_harness.records.episode_result import EpisodeUsage
from codegym_harness.records.trajectory import FinalMetrics
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.server.mcp_episode_server import EpisodeMcpServer


async def opened(episodes: EpisodeManager, environment: Environment) -> Episode:
    return await episodes.open(environment, environment.tasks[1], EpisodeSettings())


async def test_every_call_is_a_step_with_its_result(bells: Environment, episodes: EpisodeManager) -> None:
    context = AsyncAgentContext(await opened(episodes, bells))
    await context.call("move", {"floors": 1})
    await context.call("move", {"floors": 99})
    await context.submit(2)
    assert [step.step_id for step in context.recorder.steps] == [1, 2, 3, 4]
    task, moved, refused, submitted = context.recorder.steps
    assert task.source == "user"
    assert task.message.startswith("A lift stands at floor 0.")
    assert moved.tool_calls is not None
    assert moved.tool_calls[0].function_name == "move"
    assert moved.tool_calls[0].arguments == {"floors": 1}
    assert moved.observation is not None
    (result,) = moved.observation.results
    assert result.source_call_id == moved.tool_calls[0].tool_call_id
    assert result.content == "1"
    assert result.extra.structured == {"result": 1}
    assert not result.extra.is_error
    assert refused.observation is not None
    assert refused.observation.results[0].extra.is_error
    assert submitted.tool_calls is not None
    assert submitted.tool_calls[0].function_name == "submit_answer"
    assert submitted.tool_calls[0].arguments == {"answer": 2}


async def test_calls_are_counted_as_the_episode_counts_them(
    bells: Environment, episodes: EpisodeManager
) -> None:
    episode = await opened(episodes, bells)
    context = AsyncAgentContext(episode)
    await context.call("listen", {})
    await context.call("nothing", {})
    await context.submit("two")
    await context.call("submit_answer", {"answer": 2})
    assert context.calls == episode.calls == 3


async def test_later_changes_of_arguments_do_not_change_the_record(
    bells: Environment, episodes: EpisodeManager
) -> None:
    context = AsyncAgentContext(await opened(episodes, bells))
    arguments = {"floors": [1]}
    await context.call("move", arguments)
    arguments["floors"].append(2)
    (call,) = context.recorder.steps[1].tool_calls or []
    assert call.arguments == {"floors": [1]}


async def test_arguments_that_are_not_json_raise_an_error_and_are_not_recorded(
    bells: Environment, episodes: EpisodeManager
) -> None:
    episode = await opened(episodes, bells)
    context = AsyncAgentContext(episode)
    for wrong in (float("nan"), object(), "\ud800"):
        with pytest.raises(ValueError):  # noqa: PT011 - the words are pydantic's
            await context.call("move", {"floors": wrong})
    assert len(context.recorder.steps) == 1
    assert episode.calls == 0


async def test_concurrent_calls_are_separate_steps(bells: Environment, episodes: EpisodeManager) -> None:
    context = AsyncAgentContext(await opened(episodes, bells))
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(context.call, "listen", {})
    assert [step.step_id for step in context.recorder.steps] == [1, 2, 3, 4]
    assert all(step.observation is not None for step in context.recorder.steps[1:])


async def test_a_cancelled_call_has_no_result(bells: Environment, episodes: EpisodeManager) -> None:
    server = EpisodeMcpServer.of(await opened(episodes, bells)).server
    async with connect(server, mode="legacy") as connection:
        context = AsyncAgentContext(connection)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await context.call("listen", {})
    assert context.recorder.steps[1].tool_calls is not None
    assert context.recorder.steps[1].observation is None


async def test_a_turn_holds_a_message_and_several_calls(bells: Environment, episodes: EpisodeManager) -> None:
    context = AsyncAgentContext(await opened(episodes, bells))
    context.record_system_prompt("Be quick.")
    turn = context.begin_turn(message="Up, and listen.", reasoning_content="Where is it?")
    await turn.call("move", {"floors": 1}, id="a")
    turn.decline("move", "That was no JSON.", id="b")
    await turn.call("listen", {}, id="b")
    context.record_user_message("Go on.")
    system, task, said, reminded = context.recorder.steps
    assert [step.step_id for step in context.recorder.steps] == [1, 2, 3, 4]
    assert [step.source for step in context.recorder.steps] == ["system", "user", "agent", "user"]
    assert (system.message, reminded.message) == ("Be quick.", "Go on.")
    assert task.message.startswith("A lift stands")
    assert (said.message, said.reasoning_content) == ("Up, and listen.", "Where is it?")
    assert [call.tool_call_id for call in said.tool_calls or []] == ["a", "b", "b#3"]
    assert said.observation is not None
    results = [(each.source_call_id, each.extra.by, each.extra.is_error) for each in said.observation.results]
    assert results == [("a", "server", False), ("b", "agent", True), ("b#3", "server", False)]
    assert said.observation.results[1].content == "That was no JSON."
    assert context.calls == 2


async def test_an_episode_without_scoring_offers_no_submission(
    bells: Environment, episodes: EpisodeManager
) -> None:
    context = AsyncAgentContext(await opened(episodes, bells), scored=False)
    assert [tool.name for tool in context.offered] == ["move", "listen"]
    assert [each["function"]["name"] for each in tool_definitions(context.offered)] == ["move", "listen"]


async def test_tools_are_defined_with_the_submission_last(
    bells: Environment, episodes: EpisodeManager
) -> None:
    context = AsyncAgentContext(await opened(episodes, bells))
    definitions = tool_definitions(context.offered)
    assert [each["function"]["name"] for each in definitions] == ["move", "listen", "submit_answer"]
    assert definitions[0]["function"]["parameters"]["required"] == ["floors"]


async def test_the_random_generator_is_seeded_by_run_task_and_epoch(
    bells: Environment, episodes: EpisodeManager
) -> None:
    episode = await opened(episodes, bells)
    other = await episodes.open(bells, bells.tasks[0], EpisodeSettings())

    def drawn(played: Episode, **options: int) -> float:
        return AsyncAgentContext(played, **options).random.random()

    assert drawn(episode, seed=1, epoch=1) == drawn(episode, seed=1, epoch=1)
    values = [
        drawn(episode),
        drawn(episode, seed=1),
        drawn(episode, epoch=2),
        drawn(other),
    ]
    assert len(set(values)) == 4


async def test_remaining_calls_count_refused_and_malformed_calls(
    bells: Environment, episodes: EpisodeManager
) -> None:
    context = AsyncAgentContext(await opened(episodes, bells), max_calls=4)
    assert context.remaining_calls == 4
    await context.call("listen")
    await context.call("nothing")
    context.malformed_calls += 1
    assert context.remaining_calls == 1
    assert AsyncAgentContext(await opened(episodes, bells)).remaining_calls is None


async def test_arguments_are_given_as_a_dictionary_or_by_name(
    bells: Environment, episodes: EpisodeManager
) -> None:
    context = AsyncAgentContext(await opened(episodes, bells))
    assert (await context.call("move", floors=1)).value == 1
    assert (await context.call("move", {"floors": 1})).value == 2
    with pytest.raises(TypeError, match="not both"):
        await context.call("move", {"floors": 1}, floors=1)


async def test_a_recorded_message_shares_its_step_with_the_next_call_alone(
    bells: Environment, episodes: EpisodeManager
) -> None:
    context = AsyncAgentContext(await opened(episodes, bells))
    usage = EpisodeUsage(prompt_tokens=10, completion_tokens=2, cost_usd=0.5)
    context.record_message("I listen.", usage=usage)
    await context.call("listen")
    await context.call("listen")
    context.record_message("I answer.")
    await context.submit(2)
    assert [(step.message, len(step.tool_calls or [])) for step in context.recorder.steps[1:]] == [
        ("I listen.", 1),
        ("", 1),
        ("I answer.", 1),
    ]
    sums = FinalMetrics.of(context.recorder.steps)
    assert (sums.total_prompt_tokens, sums.total_completion_tokens, sums.total_cost_usd) == (10, 2, 0.5)


async def test_no_attribute_of_a_context_leads_to_the_episode(
    bells: Environment, episodes: EpisodeManager
) -> None:
    episode = await opened(episodes, bells)
    found: set[int] = set()

    def walk(value: object) -> None:
        if id(value) in found:
            return
        found.add(id(value))
        for member in getattr(value, "__dict__", {}).values():
            walk(member)
        if isinstance(value, list | tuple | set):
            for item in value:
                walk(item)
        if isinstance(value, dict):
            for item in value.values():
                walk(item)

    context = AsyncAgentContext(episode)
    await context.call("listen")
    walk(context)
    assert id(context.task) in found
    assert id(episode) not in found
    assert id(episode.full_task) not in found
    assert not {name for name in dir(context) if "verdict" in name or "reward" in name or "config" in name}
