"""Episodes as an Inspect AI task: a sample is a task, an attempt an episode, the verdict the control plane's.

pip install inspect-ai
codegym-mcp serve --http 127.0.0.1:8000 --no-gateway          # with CODEGYM_MCP_TOKEN set
inspect eval examples/inspect_task.py --model openai/MODEL    # with the same CODEGYM_MCP_TOKEN
"""

import os
from typing import Any

import httpx
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessageUser
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import mcp_connection, mcp_server_http, mcp_tools


async def ask(url: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Asks the control plane."""
    headers = {"authorization": f"Bearer {os.environ['CODEGYM_MCP_TOKEN']}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as http:
        response = await http.request(method, path, json=body)
    response.raise_for_status()
    return response.json()


@solver
def play(url: str) -> Solver:
    """Opens an episode of the sample's task and lets the model work in it."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        opened = await ask(url, "POST", "/episodes", state.metadata["asked"])
        state.metadata["episode"] = opened["id"]
        state.messages = [ChatMessageUser(content=opened["task"]["text"])]
        tools = mcp_tools(mcp_server_http(url=opened["mcp_url"]))
        async with mcp_connection(tools):
            state.tools = list(await tools.tools())
            return await generate(state, tool_calls="loop")

    return solve


@scorer(metrics=[mean(), stderr()])
def reward(url: str) -> Scorer:
    """What the verifier says of the episode; without a submission nothing was earned."""

    async def score(state: TaskState, target: Target) -> Score:
        info = await ask(url, "DELETE", f"/episodes/{state.metadata['episode']}")
        verdict = info["verdict"] or {"reward": 0.0}
        return Score(value=verdict["reward"], metadata=info)

    return score


@task
def codegym(
    environments: str = "crew_rota,night_courier",
    difficulty: int = 2,
    seeds: int = 5,
    url: str = "http://127.0.0.1:8000",
) -> Task:
    """Generated tasks of some environments, named with commas between."""
    samples = [
        Sample(
            input=f"{name}, seed {seed}",
            id=f"{name}/{seed}",
            metadata={"asked": {"environment": name, "difficulty": difficulty, "seed": seed}},
        )
        for name in environments.split(",")
        for seed in range(seeds)
    ]
    return Task(dataset=samples, solver=play(url), scorer=reward(url))
