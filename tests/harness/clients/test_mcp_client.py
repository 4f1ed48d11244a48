import sys
from pathlib import Path

import anyio
import mcp_types as types
import pytest
from mcp import MCPError, StdioServerParameters
from mcp.server.lowlevel.server import Server

from codegym_harness.clients.mcp_client import McpConnection, connect
from codegym_harness.processes.server_process import ServerProcess
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episode_protocol import CallStatus
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.errors import ConnectionFailedError
from codegym_mcp.policies.oracle import OraclePolicy
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.server.mcp_episode_server import EpisodeMcpServer

ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])
NO_ARGUMENTS = {"type": "object", "properties": {}}


async def opened(episodes: EpisodeManager, environment: Environment, **limits: int) -> Episode:
    return await episodes.open(environment, environment.tasks[1], EpisodeSettings(limits=Limits(**limits)))


async def play_and_check(connection: McpConnection, episode: Episode, pool: SandboxPool) -> None:
    assert connection.task == episode.task
    assert connection.tools == episode.tools
    assert connection.submission == episode.submission
    refusal = await connection.call("move", {"floors": 11})
    assert refusal.status is CallStatus.REFUSED
    assert "at most 10" in refusal.text
    unknown = await connection.call("fly", {})
    assert unknown.status is CallStatus.INVALID
    assert (await connection.call("move", {"floors": 1})).value == 1
    assert episode.calls == 3
    await OraclePolicy(pool, episode.environment).play(connection)
    assert episode.verdict is not None
    assert episode.verdict.correct
    after = await connection.call("listen", {})
    assert (after.status, after.over) == (CallStatus.OVER, True)


@ERAS
async def test_a_connection_in_memory_is_played_like_the_episode_itself(
    pool: SandboxPool, bells: Environment, episodes: EpisodeManager, mode: str
) -> None:
    episode = await opened(episodes, bells)
    async with connect(EpisodeMcpServer.of(episode).server, mode=mode) as connection:
        await play_and_check(connection, episode, pool)


@ERAS
async def test_a_connection_over_http_is_played_like_the_episode_itself(
    pool: SandboxPool, bells: Environment, episodes: EpisodeManager, server: ServerProcess, mode: str
) -> None:
    episode = await opened(episodes, bells)
    async with connect(f"{server.url}/episodes/{episode.token}/mcp", mode=mode) as connection:
        await play_and_check(connection, episode, pool)


@ERAS
async def test_a_connection_over_stdio_is_played_like_the_episode_itself(fixtures: Path, mode: str) -> None:
    serve = ["-m", "codegym_mcp.cli", "serve", str(fixtures / "counter.py"), "--difficulty", "1", "--reveal"]
    command = StdioServerParameters(command=sys.executable, args=serve)
    async with connect(command, mode=mode) as connection:
        assert connection.task.public == {"start": 0}
        heard = (await connection.call("listen", {})).value
        while heard["sound"] == "above":
            await connection.call("move", {"floors": 1})
            heard = (await connection.call("listen", {})).value
        done = await connection.submit(heard["floor"])
        assert done.over
        assert done.structured == {"received": True, "correct": True, "reward": 1.0}


@ERAS
async def test_a_refused_submission_does_not_end_the_episode(
    bells: Environment, episodes: EpisodeManager, mode: str
) -> None:
    episode = await opened(episodes, bells)
    async with connect(EpisodeMcpServer.of(episode).server, mode=mode) as connection:
        refused = await connection.submit("five")
        assert refused.is_error
        assert not refused.over
        assert episode.state is EpisodeState.OPEN
        accepted = await connection.submit(2)
        assert not accepted.is_error
        assert accepted.over


@ERAS
async def test_a_client_is_told_that_all_calls_are_used_up(
    bells: Environment, episodes: EpisodeManager, mode: str
) -> None:
    episode = await opened(episodes, bells, calls=1)
    async with connect(EpisodeMcpServer.of(episode).server, mode=mode) as connection:
        assert not (await connection.call("listen", {})).over
        assert (await connection.call("listen", {})).over


async def test_connecting_again_continues_the_episode(
    bells: Environment, episodes: EpisodeManager, server: ServerProcess
) -> None:
    episode = await opened(episodes, bells)
    url = f"{server.url}/episodes/{episode.token}/mcp"
    async with connect(url) as first:
        await first.call("move", {"floors": 2})
    async with connect(url) as second:
        assert (await second.call("listen", {})).value == {"floor": 2, "sound": "here"}


CODES = {
    "own code": types.CONNECTION_CLOSED,
    "unknown tool": types.METHOD_NOT_FOUND,
    "internal": types.INTERNAL_ERROR,
}
"""Codes with which servers refuse a call, by the names of tools that are not listed."""


def foreign() -> Server:
    """A server that knows nothing of episodes: one tool a page, and tools that go wrong."""
    counted = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    tools = [
        types.Tool(name="greet", input_schema=NO_ARGUMENTS),
        types.Tool(name="fail", input_schema=NO_ARGUMENTS),
        types.Tool(name="lie", input_schema=NO_ARGUMENTS, output_schema=counted),
    ]

    async def list_tools(_: object, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        place = int((params.cursor if params else None) or 0)
        following = str(place + 1) if place + 1 < len(tools) else None
        return types.ListToolsResult(tools=[tools[place]], next_cursor=following)

    async def call_tool(_: object, params: types.CallToolRequestParams) -> types.CallToolResult:
        if params.name == "fail":
            raise MCPError(types.INVALID_PARAMS, "no such door")
        if params.name in CODES:
            raise MCPError(CODES[params.name], "no such door")
        if params.name == "lie":
            return types.CallToolResult(content=[], structured_content={"n": "one"})
        words = [types.TextContent(text="hello"), types.TextContent(text="you")]
        image = types.ImageContent(data="AA==", mime_type="image/png")
        return types.CallToolResult(content=[words[0], image, words[1]])

    return Server("doors", instructions="Open the doors.", on_list_tools=list_tools, on_call_tool=call_tool)


@ERAS
async def test_another_server_is_played_with_its_own_instructions(mode: str) -> None:
    async with connect(foreign(), mode=mode) as connection:
        assert connection.task.environment == "doors"
        assert connection.task.text == "Open the doors."
        assert [tool.name for tool in connection.tools] == ["greet", "fail", "lie"]
        greeted = await connection.call("greet", {})
        assert greeted.text == "hello\n[image, image/png, 1 bytes]\nyou"
        assert greeted.structured is None
        failed = await connection.call("fail", {})
        assert failed.status is CallStatus.REFUSED
        assert "no such door" in failed.text


@ERAS
@pytest.mark.parametrize("name", CODES)
async def test_an_error_of_another_server_is_told_and_does_not_end_the_episode(mode: str, name: str) -> None:
    async with connect(foreign(), mode=mode) as connection:
        refused = await connection.call(name, {})
        assert refused.status is CallStatus.REFUSED
        assert "no such door" in refused.text
        assert (await connection.call("greet", {})).status is CallStatus.OK


async def test_a_result_that_breaks_its_tools_schema_is_an_error_result() -> None:
    async with connect(foreign()) as connection:
        result = await connection.call("lie", {})
        assert result.is_error
        assert "cannot be used" in result.text


async def test_another_server_refuses_answers_and_the_prompt_replaces_its_instructions() -> None:
    async with connect(foreign(), prompt="Find the red door.") as connection:
        assert connection.task.text == "Find the red door."
        assert not connection.scored
        assert (await connection.submit(1)).is_error


async def test_an_unused_address_is_a_failed_connection(unused_tcp_port: int) -> None:
    with pytest.raises(ConnectionFailedError, match=f"127.0.0.1:{unused_tcp_port}.*Check that it is running"):
        async with connect(f"http://127.0.0.1:{unused_tcp_port}/mcp"):
            pytest.fail("connected to nobody")


@ERAS
async def test_the_address_of_no_episode_is_a_failed_connection(server: ServerProcess, mode: str) -> None:
    with pytest.raises(ConnectionFailedError, match="Not Found"):
        async with connect(f"{server.url}/episodes/nothing/mcp", mode=mode):
            pytest.fail("connected to nothing")


async def test_a_command_that_is_no_server_is_a_failed_connection() -> None:
    with pytest.raises(ConnectionFailedError, match="no-such-command"):
        async with connect(StdioServerParameters(command="no-such-command")):
            pytest.fail("connected to nothing")
    with pytest.raises(ConnectionFailedError):
        async with connect(StdioServerParameters(command=sys.executable, args=["-c", ""])):
            pytest.fail("connected to nothing")


@ERAS
async def test_a_server_that_ends_during_an_episode_is_a_failed_connection(
    bells: Environment, episodes: EpisodeManager, mortal_server, mode: str
) -> None:
    address, server = mortal_server
    episode = await opened(episodes, bells, calls=100_000)

    async def play() -> None:
        async with connect(f"{address.url}/episodes/{episode.token}/mcp", mode=mode) as connection:
            server.should_exit = True
            with anyio.fail_after(30):
                while True:
                    await connection.call("listen", {})

    with pytest.raises(ConnectionFailedError):
        await play()


async def test_an_error_of_the_block_is_raised_unchanged(
    bells: Environment, episodes: EpisodeManager, server: ServerProcess
) -> None:
    episode = await opened(episodes, bells)
    with pytest.raises(KeyError, match="mine"):
        async with connect(f"{server.url}/episodes/{episode.token}/mcp"):
            raise KeyError("mine")


async def test_listing_tools_is_not_counted_as_a_call(
    bells: Environment, episodes: EpisodeManager, server: ServerProcess
) -> None:
    episode = await opened(episodes, bells)
    for mode in ("auto", "legacy"):
        async with connect(f"{server.url}/episodes/{episode.token}/mcp", mode=mode):
            pass
    assert episode.calls == 0
