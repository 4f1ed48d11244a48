"""A server answers before the MCP SDK is imported, and agents only wait for it."""

import subprocess
import sys

import anyio
import httpx2
import pytest

from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.server import mcp_endpoint_loading

from .serving import http_server

START = """
import sys
import codegym_mcp.cli.serve
import codegym_mcp.server.http_application
import codegym_mcp.server.uvicorn_server
import codegym_mcp.server.workers.supervisor_process
print([name for name in sys.modules if name.partition(".")[0] in ("mcp", "mcp_types")])
"""


def test_what_a_server_needs_to_listen_imports_no_mcp_sdk() -> None:
    done = subprocess.run([sys.executable, "-c", START], check=True, stdout=subprocess.PIPE, text=True)
    assert done.stdout == "[]\n"


async def test_mcp_requests_wait_until_their_endpoints_are_loaded(
    pool: SandboxPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = mcp_endpoint_loading._import_endpoints
    may_load = anyio.Event()

    def load_later() -> object:
        anyio.from_thread.run(may_load.wait)
        return load()

    monkeypatch.setattr(mcp_endpoint_loading, "_import_endpoints", load_later)
    async with http_server(pool) as server, server.client() as client:
        episode = await server.open()
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        headers = {"accept": "application/json, text/event-stream"}
        answered: list[httpx2.Response] = []

        async def list_tools(path: str) -> None:
            answered.append(await client.post(path, json=message, headers=headers))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(list_tools, f"/episodes/{episode.token}/mcp")
            tasks.start_soon(list_tools, "/mcp")
            assert (await client.get("/health")).status_code == 200
            assert not answered
            may_load.set()
        assert [response.status_code for response in answered] == [200, 200]
        await episode.close("done")
