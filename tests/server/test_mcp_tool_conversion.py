"""What goes wrong in the server reaches no agent as it is."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import mcp_types as types
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from codegym_mcp.episodes.episode import Episode
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.server.mcp_episode_server import EpisodeMcpServer

from .conftest import MODES
from .serving import Server, http_server


@pytest.fixture
async def served(pool: SandboxPool, tmp_path: Path) -> AsyncIterator[Server]:
    async with http_server(pool, journal_path=tmp_path / "journal.sqlite") as server:
        yield server


def refuse_writing(server: Server, refuse: bool) -> None:
    """Makes the journal's database refuse to be written, as on a full disk, or take it again."""
    server.journal._connection.execute(f"PRAGMA query_only = {refuse}")


@pytest.mark.parametrize("mode", MODES)
async def test_a_fault_of_the_server_is_told_without_internals(
    http: Server, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    episode = await http.open()

    def find(context: Any) -> Episode:
        if context.method == "tools/call":
            raise RuntimeError("a detail of the inside")
        return episode

    async with Client(EpisodeMcpServer(find).server, mode=mode, read_timeout_seconds=30) as client:
        with pytest.raises(MCPError) as told:
            await client.call_tool("look", {})
    assert told.value.code == types.INTERNAL_ERROR
    assert told.value.message == "The server failed; the request was not at fault. Try again."
    assert "a detail of the inside" in caplog.text


@pytest.mark.parametrize("mode", MODES)
async def test_a_call_that_cannot_be_recorded_was_not_made(
    served: Server, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    episode = await served.open()
    async with served.client() as plain:
        streams = streamable_http_client(served.url_of(episode), http_client=plain)
        async with Client(streams, mode=mode, read_timeout_seconds=30) as client:
            await client.call_tool("turn", {"clicks": 1})
            refuse_writing(served, True)
            for tool, arguments in (("turn", {"clicks": 1}), ("submit_answer", {"answer": "nothing"})):
                with pytest.raises(MCPError, match="could not record the call, so it was not made") as told:
                    await client.call_tool(tool, arguments)
                assert told.value.code == types.INTERNAL_ERROR
            refuse_writing(served, False)
            result = await client.call_tool("look", {})
    assert result.structured_content == {"dial": 1, "turns": 1}
    assert episode.calls == 2
    assert "The journal cannot be written" in caplog.text


async def test_the_gateway_and_the_control_plane_open_nothing_that_cannot_be_recorded(
    served: Server, caplog: pytest.LogCaptureFixture
) -> None:
    refuse_writing(served, True)
    async with served.client() as plain:
        streams = streamable_http_client(f"{served.url}/mcp", http_client=plain)
        async with Client(streams, read_timeout_seconds=30) as client:
            with pytest.raises(MCPError, match="could not record"):
                await client.call_tool("start_episode", {"environment": "safe"})
    async with served.control() as control:
        response = await control.post("/episodes", json={"environment": "safe"})
    assert response.status_code == 500
    assert "The journal cannot be written" in response.json()["error"]["message"]
    assert served.episodes.open_count == 0
    refuse_writing(served, False)
