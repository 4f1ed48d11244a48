"""Built-in agents by name."""

from collections.abc import Callable
from dataclasses import dataclass

from codegym_harness.agents import policy_agents
from codegym_harness.agents.agent import Agent
from codegym_harness.agents.function_agent import load_function
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.errors import NotFoundError
from codegym_mcp.sandbox.process.pool import SandboxPool


@dataclass(frozen=True)
class AgentResources:
    """What built-in agents need.

    Attributes:
        pool: runs the code of environments, for agents that use it.
        catalog: the environments whose source an agent may need.
        seed: seeds agents that act at random.
    """

    pool: SandboxPool
    catalog: Catalog
    seed: int = 0


_AGENTS: dict[str, Callable[[AgentResources], Agent]] = {
    "oracle": lambda resources: policy_agents.oracle(resources.pool, resources.catalog),
    "random": lambda resources: policy_agents.random(resources.seed),
    "constant": lambda resources: policy_agents.constant(resources.pool, resources.catalog),
    "observe": lambda _: policy_agents.observe(),
}

AGENT_NAMES = tuple(_AGENTS)
BASELINE_NAMES = ("constant", "observe", "random")
"""Agents that show which reward is possible without solving the task."""
NEEDS_SOURCES = frozenset({"oracle", "constant"})
"""Agents that need the source of the environments they play."""


def make_agent(name: str, resources: AgentResources) -> Agent:
    """Returns the built-in agent of a name, or the function at `module:function` or `file.py:function`.

    Raises:
        NotFoundError: no agent has that name.
        CodegymError: the function cannot be loaded.
    """
    if ":" in name:
        return load_function(name)
    if name.endswith(".py"):
        raise NotFoundError("agent", name, hint=f"Name the function in the file: {name}:FUNCTION.")
    if name not in _AGENTS:
        raise NotFoundError("agent", name, [*AGENT_NAMES, "command", "module:function"])
    return _AGENTS[name](resources)
