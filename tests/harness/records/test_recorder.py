import anyio
import pytest

from codegym_harness.clients.mcp_client import connect
from codegym_harness.records.recorder import Recorder, tool_definitions
from codegym_mcp.episodes.episode import Episode, EpisodeSettings
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.server.mcp_episode import EpisodeMcpServer
from codegym_mcp.spec.environment import Environment


async def opened(episodes: EpisodeManager, environment: Environment) -> Episode:
    return await episodes.open(environment, environment.tasks[1], EpisodeSettings())


async def test_every_call_is_a_step_with_its_result(bells, episodes):
    recorder = Recorder(await opened(episodes, bells))
    await recorder.call("move", {"floors": 1})
    await recorder.call("move", {"floors": 99})
    await recorder.submit(2)
    assert [step.step_id for step in recorder.steps] == [1, 2, 3, 4]
    task, moved, refused, submitted = recorder.steps
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


async def test_calls_are_counted_as_the_episode_counts_them(bells, episodes):
    episode = await opened(episodes, bells)
    recorder = Recorder(episode)
    await recorder.call("listen", {})
    await recorder.call("nothing", {})
    await recorder.submit("two")
    await recorder.call("submit_answer", {"answer": 2})
    assert recorder.calls == episode.calls == 3


async def test_what_an_agent_does_with_its_arguments_later_changes_no_record(bells, episodes):
    recorder = Recorder(await opened(episodes, bells))
    arguments = {"floors": [1]}
    await recorder.call("move", arguments)
    arguments["floors"].append(2)
    (call,) = recorder.steps[1].tool_calls or []
    assert call.arguments == {"floors": [1]}


async def test_arguments_that_are_no_json_are_the_callers_error(bells, episodes):
    episode = await opened(episodes, bells)
    recorder = Recorder(episode)
    for wrong in (float("nan"), object(), "\ud800"):
        with pytest.raises(ValueError):  # noqa: PT011 - the words are pydantic's
            await recorder.call("move", {"floors": wrong})
    assert len(recorder.steps) == 1
    assert episode.calls == 0


async def test_calls_at_the_same_time_are_steps_of_their_own(bells, episodes):
    recorder = Recorder(await opened(episodes, bells))
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(recorder.call, "listen", {})
    assert [step.step_id for step in recorder.steps] == [1, 2, 3, 4]
    assert all(step.observation is not None for step in recorder.steps[1:])


async def test_a_call_that_was_cut_off_has_no_result(bells, episodes):
    server = EpisodeMcpServer.of(await opened(episodes, bells)).server
    async with connect(server, mode="legacy") as connection:
        recorder = Recorder(connection)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await recorder.call("listen", {})
    assert recorder.steps[1].tool_calls is not None
    assert recorder.steps[1].observation is None


async def test_a_turn_holds_what_was_said_and_several_calls(bells, episodes):
    recorder = Recorder(await opened(episodes, bells))
    recorder.prompt("Be quick.")
    turn = recorder.turn(message="Up, and listen.", reasoning_content="Where is it?")
    await turn.call("move", {"floors": 1}, id="a")
    turn.decline("move", "That was no JSON.", id="b")
    await turn.call("listen", {}, id="b")
    recorder.say("Go on.")
    system, task, said, reminded = recorder.steps
    assert [step.step_id for step in recorder.steps] == [1, 2, 3, 4]
    assert [step.source for step in recorder.steps] == ["system", "user", "agent", "user"]
    assert (system.message, reminded.message) == ("Be quick.", "Go on.")
    assert task.message.startswith("A lift stands")
    assert (said.message, said.reasoning_content) == ("Up, and listen.", "Where is it?")
    assert [call.tool_call_id for call in said.tool_calls or []] == ["a", "b", "b#3"]
    assert said.observation is not None
    results = [(each.source_call_id, each.extra.by, each.extra.is_error) for each in said.observation.results]
    assert results == [("a", "server", False), ("b", "agent", True), ("b#3", "server", False)]
    assert said.observation.results[1].content == "That was no JSON."
    assert recorder.calls == 2


async def test_what_takes_no_answer_offers_no_submission(bells, episodes):
    recorder = Recorder(await opened(episodes, bells), scored=False)
    assert [tool.name for tool in recorder.offered] == ["move", "listen"]
    assert [each["function"]["name"] for each in tool_definitions(recorder)] == ["move", "listen"]


async def test_tools_are_defined_with_the_submission_last(bells, episodes):
    recorder = Recorder(await opened(episodes, bells))
    definitions = tool_definitions(recorder)
    assert [each["function"]["name"] for each in definitions] == ["move", "listen", "submit_answer"]
    assert definitions[0]["function"]["parameters"]["required"] == ["floors"]
