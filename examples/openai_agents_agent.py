"""The OpenAI Agents SDK as an agent program.

    pip install openai-agents
    codegym-mcp eval --agent command --command \
        "python {here}/examples/openai_agents_agent.py MODEL {mcp_url} {task_file}"

It takes every server that speaks OpenAI's chat completions: set OPENAI_BASE_URL.
"""

import asyncio
import sys
from pathlib import Path

from agents import Agent, RunConfig, Runner, set_default_openai_api
from agents.mcp import MCPServerStreamableHttp


async def play(model: str, mcp_url: str, task: str) -> str:
    set_default_openai_api("chat_completions")
    # By itself, it gives a call up after 5 seconds, which a call may take.
    async with MCPServerStreamableHttp({"url": mcp_url}, client_session_timeout_seconds=30) as server:
        agent = Agent("player", model=model, mcp_servers=[server])
        run = RunConfig(tracing_disabled=True)
        result = await Runner.run(agent, task, max_turns=300, run_config=run)
    return str(result.final_output)


if __name__ == "__main__":
    model, mcp_url, task_file = sys.argv[1:]
    print(asyncio.run(play(model, mcp_url, Path(task_file).read_text())))
