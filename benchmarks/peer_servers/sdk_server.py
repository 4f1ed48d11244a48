"""Serves an environment with the MCP SDK alone: one object for each of its sessions, in the server's process.

    python sdk_server.py counter|parcel_hunt

It prints its address as one JSON line on stderr.
"""

import json
import socket
import sys
from typing import Any

import anyio
import mcp_types as types
import uvicorn
from mcp.server.lowlevel.server import Server
from plain_environments import ENVIRONMENTS

environment = ENVIRONMENTS[sys.argv[1]]()
sessions: dict[str, Any] = {}


async def call_tool(context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
    session = context.request.headers["mcp-session-id"]
    if session not in sessions:
        sessions[session] = environment.make()
    result = getattr(sessions[session], params.name)(**(params.arguments or {}))
    content = types.TextContent(text=json.dumps(result))
    return types.CallToolResult(content=[content], structured_content={"result": result})


server: Server[Any] = Server("bare", get_tool_input_schema=lambda _: None, on_call_tool=call_tool)


async def serve() -> None:
    app = server.streamable_http_app(json_response=True)
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        print(json.dumps({"url": url}), file=sys.stderr, flush=True)
        config = uvicorn.Config(app, log_level="error", access_log=False, ws="none")
        await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    anyio.run(serve, backend_options={"use_uvloop": True})
