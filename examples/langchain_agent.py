"""LangChain as an agent program.

    pip install langchain langchain-openai langchain-mcp-adapters    # in an environment of its own: mcp 1.x
    codegym-mcp eval --agent command --command \
        "/path/to/its/python {here}/examples/langchain_agent.py openai:MODEL {mcp_url} {task_file}"
"""

import asyncio
import sys
from pathlib import Path

from langchain.agents import create_agent
from langchain_mcp_adapters.client import MultiServerMCPClient


async def play(model: str, mcp_url: str, task: str) -> str:
    client = MultiServerMCPClient({"codegym": {"transport": "streamable_http", "url": mcp_url}})
    agent = create_agent(model, await client.get_tools())
    # Each call takes two steps of the graph.
    ended = await agent.ainvoke({"messages": [("user", task)]}, {"recursion_limit": 1000})
    return str(ended["messages"][-1].text)


if __name__ == "__main__":
    model, mcp_url, task_file = sys.argv[1:]
    print(asyncio.run(play(model, mcp_url, Path(task_file).read_text())))
