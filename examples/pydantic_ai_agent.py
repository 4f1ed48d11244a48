"""pydantic-ai as an agent program.

    pip install 'pydantic-ai-slim[mcp,openai]'
    codegym-mcp eval --agent command --command \
        "python {here}/examples/pydantic_ai_agent.py openai:MODEL {mcp_url} {task_file}"
"""

import asyncio
import sys
from pathlib import Path

from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.usage import UsageLimits


async def play(model: str, mcp_url: str, task: str) -> str:
    # By itself, pydantic-ai ends at the second refusal of a tool, and at the 50th request.
    toolset = MCPToolset(mcp_url, tool_error_behavior="failed")
    limits = UsageLimits(request_limit=None)
    result = await Agent(model, toolsets=[toolset]).run(task, usage_limits=limits)
    return result.output


if __name__ == "__main__":
    model, mcp_url, task_file = sys.argv[1:]
    print(asyncio.run(play(model, mcp_url, Path(task_file).read_text())))
