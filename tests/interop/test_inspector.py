"""The MCP Inspector's command line: each request is a process and a connection of its own."""

import json
from typing import Any

import pytest

from tests.interop.bell import BELL_CALLS, BELL_TASK, next_move
from tests.interop.node import run_program
from tests.interop.serving import OpenedEpisode, RunningServer

pytestmark = pytest.mark.interop


def inspect(episode: OpenedEpisode, method: str, *options: str) -> Any:
    """Makes one request and returns its result."""
    target = ("--cli", episode.mcp_url, "--transport", "http")
    ran = run_program("mcp-inspector", *target, "--method", method, *options)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def call(episode: OpenedEpisode, name: str, arguments: dict[str, Any]) -> Any:
    given = [option for key, value in arguments.items() for option in ("--tool-arg", f"{key}={value}")]
    return inspect(episode, "tools/call", "--tool-name", name, *given)


def test_an_episode_is_solved_by_requests_that_share_nothing_but_its_address(server: RunningServer) -> None:
    episode = server.open("counter", **BELL_TASK)
    name, arguments = next_move()
    while name != "submit_answer":
        result = call(episode, name, arguments)
        assert result["isError"] is False
        name, arguments = next_move(result["structuredContent"])
    assert call(episode, name, arguments)["structuredContent"] == {"received": True}
    episode.check_solved(calls=BELL_CALLS)


def test_the_tools_are_listed_with_their_schemas(server: RunningServer) -> None:
    episode = server.open("counter", **BELL_TASK)
    tools = {tool["name"]: tool for tool in inspect(episode, "tools/list")["tools"]}
    assert list(tools) == ["read_task", "move", "listen", "submit_answer"]
    assert tools["move"]["inputSchema"]["properties"]["floors"]["type"] == "integer"
    assert tools["listen"]["outputSchema"]["required"] == ["floor", "sound"]


def test_the_task_is_read_as_a_prompt_and_as_a_resource(server: RunningServer) -> None:
    episode = server.open("counter", **BELL_TASK)
    [message] = inspect(episode, "prompts/get", "--prompt-name", "task")["messages"]
    assert episode.task in message["content"]["text"]
    [content] = inspect(episode, "resources/read", "--uri", "codegym://task")["contents"]
    assert json.loads(content["text"])["text"] == episode.task


def test_a_call_that_does_not_fit_the_schema_is_refused_in_words(server: RunningServer) -> None:
    episode = server.open("counter", **BELL_TASK)
    refused = call(episode, "move", {"floors": "many"})
    assert refused["isError"] is True
    assert "floors" in refused["content"][0]["text"]
    assert episode.info()["state"] == "open"
