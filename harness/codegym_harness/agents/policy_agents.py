"""The oracle and the baselines as agents."""

from collections.abc import Callable
from dataclasses import dataclass

from codegym_harness.agents.agent_context import AsyncAgentContext
from codegym_harness.records.trajectory import AgentInfo
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.policies.constant_baseline import ConstantPolicy, ReferenceAnswers
from codegym_mcp.policies.observe_baseline import ObservePolicy
from codegym_mcp.policies.oracle import OraclePolicy
from codegym_mcp.policies.policy import Policy
from codegym_mcp.policies.random_baseline import RandomPolicy
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.version import VERSION

ORACLE = "oracle"


@dataclass(frozen=True)
class PolicyAgent:
    """An agent that creates a policy for each episode.

    Attributes:
        name: the agent's name.
        make_policy: creates the policy for an episode.
    """

    name: str
    make_policy: Callable[[AsyncAgentContext], Policy]

    @property
    def info(self) -> AgentInfo:
        """The agent's name and version."""
        return AgentInfo(name=self.name, version=VERSION)

    async def play(self, context: AsyncAgentContext) -> None:
        """Lets the policy play."""
        await self.make_policy(context).play(context)


def oracle(pool: SandboxPool, catalog: Catalog) -> PolicyAgent:
    """Returns the agent that plays each environment's own solution; the catalog holds the sources."""
    return PolicyAgent(ORACLE, lambda context: OraclePolicy(pool, catalog.get(context.task.environment)))


def constant(pool: SandboxPool, catalog: Catalog) -> PolicyAgent:
    """Returns the agent that submits the most common correct answer of the environment's other tasks."""
    answers = ReferenceAnswers(pool)
    return PolicyAgent(
        "constant", lambda context: ConstantPolicy(catalog.get(context.task.environment), answers)
    )


def observe() -> PolicyAgent:
    """Returns the agent that calls each tool without required arguments once and then answers."""
    return PolicyAgent("observe", lambda _: ObservePolicy())


def random(seed: int = 0) -> PolicyAgent:
    """Returns the agent that makes random calls and submits a random answer; repeatable by its seed."""
    return PolicyAgent("random", lambda context: RandomPolicy(f"{seed} {context.epoch}"))
