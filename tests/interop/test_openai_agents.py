"""The OpenAI Agents SDK plays, with a model of our own in place of OpenAI's."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from agents import Agent, Model, ModelResponse, RunConfig, Runner, Usage
from agents.mcp import MCPServer, MCPServerStdio, MCPServerStreamableHttp
from openai.types.responses import (
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
)

from tests.interop.bell import BELL_CALLS, BELL_TASK, next_move
from tests.interop.serving import RunningServer, StdioEpisode

pytestmark = pytest.mark.interop


class BellModel(Model):
    """A model that finds the bell."""

    async def get_response(
        self, system_instructions: str | None, input: Any, *_: Any, **__: Any
    ) -> ModelResponse:
        calls = [item for item in input if not isinstance(item, str) and item.get("type") == "function_call"]
        if calls and calls[-1]["name"] == "submit_answer":
            said = ResponseOutputText(annotations=[], text="done", type="output_text")
            output = ResponseOutputMessage(
                id="said", content=[said], role="assistant", status="completed", type="message"
            )
            return ModelResponse(output=[output], usage=Usage(), response_id=None)
        name, arguments = next_move(_returned(input[-1]) if calls else None)
        call = ResponseFunctionToolCall(
            arguments=json.dumps(arguments), call_id=f"call-{len(calls)}", name=name, type="function_call"
        )
        return ModelResponse(output=[call], usage=Usage(), response_id=None)

    def stream_response(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
        raise NotImplementedError("The tests do not stream.")


def _returned(item: Any) -> Any:
    assert item["type"] == "function_call_output"
    [text] = item["output"]
    return json.loads(text["text"])


async def play(mcp: MCPServer) -> None:
    async with mcp:
        agent = Agent("player", instructions="Do the task.", mcp_servers=[mcp], model=BellModel())
        result = await Runner.run(
            agent, "Do the task.", max_turns=20, run_config=RunConfig(tracing_disabled=True)
        )
    assert result.final_output == "done"


async def test_an_agent_solves_an_episode_over_http(server: RunningServer) -> None:
    episode = server.open("counter", **BELL_TASK)
    await play(MCPServerStreamableHttp({"url": episode.mcp_url}))
    episode.check_solved(calls=BELL_CALLS)


async def test_an_agent_solves_an_episode_over_stdio(stdio_episode: StdioEpisode) -> None:
    command, *args = stdio_episode.command
    await play(MCPServerStdio({"command": command, "args": args}, client_session_timeout_seconds=30))
    stdio_episode.check_solved(calls=BELL_CALLS)
