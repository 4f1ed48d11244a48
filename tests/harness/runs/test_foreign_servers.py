"""A run against another MCP server ends, whatever that server sends."""

import sys
from pathlib import Path

import pytest

from codegym_harness.agents.agent_context import AsyncAgentContext
from codegym_harness.agents.function_agent import FunctionAgent
from codegym_harness.records.trajectory import Outcome
from codegym_harness.runs.run_config import RunConfig
from codegym_harness.runs.run_directory_reader import read_trajectories
from codegym_harness.runs.run_execution import run_evaluation

SERVER = """
import json, sys

RESULTS = {
    "structured_only": {"content": [], "structuredContent": {"floor": 3}},
    "empty": {"content": []},
    "no_content": {},
    "no_result": None,
    "unknown_block": {"content": [{"type": "hologram", "data": 1}]},
    "wrong_types": {"content": "text", "isError": "maybe"},
    "image": {"content": [{"type": "image", "data": "AAAA", "mimeType": "image/png"}]},
    "against_schema": {"content": [], "structuredContent": {"floor": "third"}},
    "null_block": {"content": [None]},
    "surrogate": {"content": [{"type": "text", "text": "a\\ud800b"}]},
}
SCHEMA = {"type": "object", "properties": {"floor": {"type": "integer"}}, "required": ["floor"]}
TOOLS = [
    {"name": name, "inputSchema": {"type": "object", "properties": {}},
     **({"outputSchema": SCHEMA} if name in ("structured_only", "against_schema") else {})}
    for name in RESULTS
]

for line in sys.stdin:
    request = json.loads(line)
    if "id" not in request:
        continue
    method, answer = request["method"], {}
    if method == "initialize":
        answer = {
            "protocolVersion": request["params"]["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "odd", "version": "1"},
        }
    elif method == "tools/list":
        # The same page, and a next cursor, for ever.
        answer = {"tools": TOOLS, "nextCursor": "again"}
    elif method == "tools/call":
        answer = RESULTS[request["params"]["name"]]
    elif method != "ping":
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"],
                          "error": {"code": -32601, "message": "unknown method"}}), flush=True)
        continue
    text = json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": answer})
    print(text.replace("\\\\ud800", "\\ud800"), flush=True)
"""


async def test_every_odd_result_reaches_the_agent_as_text_and_the_run_ends(
    tmp_path: Path,
) -> None:
    script = tmp_path / "odd_server.py"
    script.write_text(SERVER)
    texts: dict[str, str] = {}

    async def call_everything(context: AsyncAgentContext) -> None:
        for tool in context.tools:
            if tool.name not in ("no_result", "no_content", "null_block", "surrogate"):
                texts[tool.name] = (await context.call(tool.name)).text
        for name in ("no_content", "null_block", "surrogate", "no_result"):
            texts[name] = (await context.call(name)).text

    config = RunConfig(
        agent="everything",
        custom_agent=True,
        mcp_command=f"{sys.executable} {script}",
        seconds=60,
    )
    summary = await run_evaluation(config, agent=FunctionAgent(call_everything), out=tmp_path / "run")
    (trajectory,) = read_trajectories(tmp_path / "run")
    assert summary.episodes == 1
    assert trajectory.extra.outcome in (Outcome.UNSCORED, Outcome.FAILED)
    assert texts["structured_only"] == '{"floor": 3}'
    assert texts["empty"] == "The tool returned no content."
    assert texts["image"] == "[image, image/png, 3 bytes]"
    assert all(texts.values())


MISBEHAVING = """
import json, os, sys, time

for line in sys.stdin:
    request = json.loads(line)
    if "id" not in request:
        continue
    print("starting up...\\n{not json", flush=True)
    answer = {}
    if request["method"] == "initialize":
        answer = {
            "protocolVersion": request["params"]["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "odd", "version": "1"},
        }
    elif request["method"] == "tools/list":
        answer = {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in ("die", "hang", "work")]}
    elif request["method"] == "tools/call":
        match request["params"]["name"]:
            case "die":
                os._exit(1)
            case "hang":
                time.sleep(3600)
        answer = {"content": [{"type": "text", "text": "worked"}]}
    print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": answer}), flush=True)
"""


@pytest.mark.parametrize(
    ("tool", "outcome", "limits"),
    [
        ("work", Outcome.UNSCORED, []),
        ("die", Outcome.FAILED, []),
        ("hang", Outcome.UNSCORED, ["deadline_seconds"]),
    ],
)
async def test_a_run_ends_though_the_server_writes_junk_dies_or_hangs(
    tmp_path: Path, tool: str, outcome: Outcome, limits: list[str]
) -> None:
    script = tmp_path / "server.py"
    script.write_text(MISBEHAVING)

    async def call_it(context: AsyncAgentContext) -> None:
        assert (await context.call(tool)).text == "worked"

    config = RunConfig(
        agent="call_it", custom_agent=True, mcp_command=f"{sys.executable} {script}", seconds=5
    )
    summary = await run_evaluation(config, agent=FunctionAgent(call_it), out=tmp_path / "run")
    (trajectory,) = read_trajectories(tmp_path / "run")
    assert summary.episodes == 1
    assert (trajectory.extra.outcome, trajectory.extra.limits_met) == (outcome, limits)
