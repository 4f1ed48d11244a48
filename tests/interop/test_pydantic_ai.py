"""pydantic-ai plays through `MCPToolset`, with models that need no network."""

import pytest
from fastmcp.client.transports import StdioTransport
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.test import TestModel

from tests.interop.bell import BELL_CALLS, BELL_TASK, next_move
from tests.interop.bundled import BundledTask, bundled_tasks
from tests.interop.serving import RunningServer, StdioEpisode

pytestmark = pytest.mark.interop


def play_bell(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    """A model that finds the bell, if the server's instructions tell it to."""
    assert info.instructions is not None
    assert "Answer with the floor of the bell." in info.instructions
    returned = [part for part in messages[-1].parts if isinstance(part, ToolReturnPart)]
    if returned and returned[0].tool_name == "submit_answer":
        return ModelResponse(parts=[TextPart("done")])
    return ModelResponse(parts=[ToolCallPart(*next_move(returned[0].content if returned else None))])


async def test_an_agent_solves_an_episode_over_http(server: RunningServer) -> None:
    episode = server.open("counter", **BELL_TASK)
    agent = Agent(FunctionModel(play_bell), toolsets=[MCPToolset(episode.mcp_url, include_instructions=True)])
    result = await agent.run("Do the task.")
    assert result.output == "done"
    episode.check_solved(calls=BELL_CALLS)


async def test_an_agent_solves_an_episode_over_stdio(stdio_episode: StdioEpisode) -> None:
    command, *args = stdio_episode.command
    transport = StdioTransport(command, args, keep_alive=False)
    agent = Agent(FunctionModel(play_bell), toolsets=[MCPToolset(transport, include_instructions=True)])
    result = await agent.run("Do the task.")
    assert result.output == "done"
    stdio_episode.check_solved(calls=BELL_CALLS)


@pytest.mark.parametrize("task", bundled_tasks(), ids=lambda task: task.environment)
async def test_arguments_made_from_the_schema_of_every_tool_fit_it(
    server: RunningServer, task: BundledTask
) -> None:
    episode = server.open(task.environment, task=task.id)
    tools = server.tools(task.environment)
    # The model makes arguments from the schemas alone; what the environment refuses is told to it.
    toolset = MCPToolset(episode.mcp_url, tool_error_behavior="failed")
    result = await Agent(TestModel(call_tools=tools), toolsets=[toolset]).run("Try the tools.")
    parts = [part for message in result.all_messages() for part in message.parts]
    returned = [part for part in parts if isinstance(part, ToolReturnPart)]
    assert [part.tool_name for part in returned] == tools
    assert not [part.content for part in returned if "Invalid arguments" in str(part.content)]
    assert episode.info()["calls"] == len(tools)
