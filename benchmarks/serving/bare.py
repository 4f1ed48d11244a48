"""A minimal server on the same SDK: one tool that does nothing, with the same transport options.

    python bare.py stdio
    python bare.py http [--json-responses]

Over HTTP it prints its address as one JSON line on stderr, as `codegym-mcp serve --json` does.
"""

import json
import sys
from typing import Any

import anyio
import mcp_types as types
import uvicorn
from mcp.server.lowlevel.server import Server
from mcp.server.stdio import stdio_server

from codegym_mcp.server.listeners import bind

NUMBER = {
    "type": "object",
    "properties": {"number": {"type": "integer"}},
    "required": ["number"],
    "additionalProperties": False,
}
RESULT = {"type": "object", "properties": {"result": {"type": "integer"}}, "required": ["result"]}
TOOL = types.Tool(name="echo", description="Return a number.", input_schema=NUMBER, output_schema=RESULT)


async def list_tools(_context: Any, _params: Any) -> types.ListToolsResult:
    return types.ListToolsResult(tools=[TOOL])


async def call_tool(_context: Any, _params: Any) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text="7")], structured_content={"result": 7})


server: Server[Any] = Server(
    "bare", get_tool_input_schema=lambda _: None, on_list_tools=list_tools, on_call_tool=call_tool
)


async def serve_stdio() -> None:
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


async def serve_http(json_responses: bool) -> None:
    app = server.streamable_http_app(json_response=json_responses, stateless_http=True)
    with bind("127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        print(json.dumps({"url": url}), file=sys.stderr, flush=True)
        config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, ws="none")
        await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    options: dict[str, Any] = {"backend_options": {"use_uvloop": True}}
    if sys.argv[1] == "stdio":
        anyio.run(serve_stdio, **options)
    else:
        anyio.run(serve_http, "--json-responses" in sys.argv, **options)
