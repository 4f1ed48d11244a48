"""Agents by name."""

from collections.abc import Callable
from dataclasses import dataclass

from codegym_mcp.catalog import Catalog
from codegym_mcp.errors import NotFoundError
from codegym_mcp.sandbox.pool import Pool
from harness.agents import Agent, players
from harness.agents.function import load_function


@dataclass(frozen=True)
class Means:
    """What agents are made with.

    Attributes:
        pool: where those that run the environments' own code run it.
        catalog: the environments that they may need the source of.
        seed: for what acts at random.
    """

    pool: Pool
    catalog: Catalog
    seed: int = 0


_AGENTS: dict[str, Callable[[Means], Agent]] = {
    "oracle": lambda means: players.oracle(means.pool, means.catalog),
    "random": lambda means: players.random(means.seed),
    "constant": lambda means: players.constant(means.pool, means.catalog),
    "observe": lambda _: players.observe(),
}

AGENT_NAMES = tuple(_AGENTS)
BASELINE_NAMES = ("constant", "observe", "random")
"""Agents that show what can be had without thinking."""
NEEDS_SOURCES = frozenset({"oracle", "constant"})
"""Agents that play only environments whose source they have."""


def make_agent(name: str, means: Means) -> Agent:
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
