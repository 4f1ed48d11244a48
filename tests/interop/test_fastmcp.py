"""The fastmcp client plays, in both protocol eras, over HTTP and stdio."""

import json
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from fastmcp.exceptions import ToolError

from tests.interop.bell import BELL_CALLS, BELL_TASK, next_move
from tests.interop.bundled import BundledTask, bundled_tasks
from tests.interop.serving import RunningServer, StdioEpisode

pytestmark = pytest.mark.interop

ERAS = ["legacy", "2026-07-28"]


async def play(client: Client[Any]) -> None:
    """Finds the bell and submits its floor."""
    name, arguments = next_move()
    while name != "submit_answer":
        result = await client.call_tool(name, arguments)
        name, arguments = next_move(result.structured_content)
    acknowledged = await client.call_tool(name, arguments)
    assert acknowledged.structured_content == {"received": True}
    with pytest.raises(ToolError, match="The episode is over"):
        await client.call_tool("listen")


@pytest.mark.parametrize("era", ERAS)
async def test_an_episode_is_solved_over_http(server: RunningServer, era: Any) -> None:
    episode = server.open("counter", **BELL_TASK)
    async with Client(episode.mcp_url, mode=era) as client:
        await play(client)
    episode.check_solved(calls=BELL_CALLS)


@pytest.mark.parametrize("era", ERAS)
async def test_an_episode_is_solved_over_stdio(stdio_episode: StdioEpisode, era: Any) -> None:
    command, *args = stdio_episode.command
    async with Client(StdioTransport(command, args, keep_alive=False), mode=era) as client:
        await play(client)
    stdio_episode.check_solved(calls=BELL_CALLS)


@pytest.mark.parametrize("era", ERAS)
async def test_a_second_connection_goes_on_with_the_episode(server: RunningServer, era: Any) -> None:
    episode = server.open("counter", **BELL_TASK)
    async with Client(episode.mcp_url, mode=era) as client:
        await client.call_tool("move", {"floors": 3})
    async with Client(episode.mcp_url, mode=era) as client:
        heard = await client.call_tool("listen")
        assert heard.structured_content == {"floor": 3, "sound": "here"}
        await client.call_tool("submit_answer", {"answer": 3})
    episode.check_solved(calls=2)


async def test_the_task_is_offered_as_a_prompt_and_a_resource(server: RunningServer) -> None:
    episode = server.open("counter", **BELL_TASK)
    async with Client(episode.mcp_url) as client:
        prompt = await client.get_prompt("task")
        [resource] = await client.read_resource("codegym://task")
    assert episode.task in prompt.messages[0].content.text
    assert json.loads(resource.text)["text"] == episode.task


@pytest.mark.parametrize("task", bundled_tasks(), ids=lambda task: task.environment)
async def test_the_calls_of_the_oracle_solve_a_bundled_task(server: RunningServer, task: BundledTask) -> None:
    episode = server.open(task.environment, task=task.id)
    async with Client(episode.mcp_url) as client:
        listed = [tool.name for tool in await client.list_tools()]
        assert listed == ["read_task", *server.tools(task.environment), "submit_answer"]
        for name, arguments in task.calls:
            # The oracle's way may lead through refusals.
            await client.call_tool(name, arguments, raise_on_error=False)
        await client.call_tool("submit_answer", task.submission)
    episode.check_solved(calls=len(task.calls))


async def test_an_episode_is_played_through_the_gateway(server: RunningServer) -> None:
    async with Client(f"{server.url}/mcp") as client:
        started = await client.call_tool("start_episode", {"environment": "counter", **BELL_TASK})
        handle = {"episode": started.structured_content["episode"]}
        name, arguments = next_move()
        while name != "submit_answer":
            result = await client.call_tool("call_tool", {**handle, "name": name, "arguments": arguments})
            name, arguments = next_move(result.structured_content)
        acknowledged = await client.call_tool("submit_answer", {**handle, **arguments})
    assert acknowledged.structured_content == {"received": True}
