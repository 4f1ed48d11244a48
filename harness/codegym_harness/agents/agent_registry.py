"""Agents by name."""

from collections.abc import Callable
from dataclasses import dataclass

from codegym_harness.agents import policy_agents
from codegym_harness.agents.agent import Agent
from codegym_harness.agents.function_agent import load_function
from codegym_mcp.errors import NotFoundError
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.spec.catalog import Catalog


@dataclass(frozen=True)
class AgentResources:
    """What agents are made with.

    Attributes:
        pool: where those that run the environments' own code run it.
        catalog: the environments that they may need the source of.
        seed: for what acts at random.
    """

    pool: SandboxPool
    catalog: Catalog
    seed: int = 0


_AGENTS: dict[str, Callable[[AgentResources], Agent]] = {
    "oracle": lambda means: policy_agents.oracle(means.pool, means.catalog),
    "random": lambda means: policy_agents.random(means.seed),
    "constant": lambda means: policy_agents.constant(means.pool, means.catalog),
    "observe": lambda _: policy_agents.observe(),
}

AGENT_NAMES = tuple(_AGENTS)
BASELINE_NAMES = ("constant", "observe", "random")
"""Agents that show what can be had without thinking."""
NEEDS_SOURCES = frozenset({"oracle", "constant"})
"""Agents that play only environments whose source they have."""


def make_agent(name: str, means: AgentResources) -> Agent:
    """The agent of that name, or the function at `module:function` or `file.py:function`.

    Raises:
        NotFoundError: there is none of that name.
        CodegymError: the function cannot be had.
    """
    if ":" in name:
        return load_function(name)
    if name not in _AGENTS:
        raise NotFoundError("agent", name, [*AGENT_NAMES, "command", "module:function"])
    return _AGENTS[name](means)
