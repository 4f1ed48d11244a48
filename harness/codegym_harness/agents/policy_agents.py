"""The oracle and the baselines as agents."""

from collections.abc import Callable
from dataclasses import dataclass

from codegym_harness.records.trajectory import AgentInfo
from codegym_mcp import __version__
from codegym_mcp.episode_interface import EpisodeProtocol, TaskView
from codegym_mcp.policies.constant_baseline import ConstantPolicy, ReferenceAnswers
from codegym_mcp.policies.observe_baseline import ObservePolicy
from codegym_mcp.policies.oracle import OraclePolicy
from codegym_mcp.policies.policy import Policy
from codegym_mcp.policies.random_baseline import RandomPolicy
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.spec.catalog import Catalog

MakePlayer = Callable[[TaskView, int], Policy]


@dataclass(frozen=True)
class PolicyAgent:
    """An agent that makes a player for each episode.

    Attributes:
        name: what it is called.
        make: makes the player for a task and an epoch.
    """

    name: str
    make: MakePlayer

    @property
    def info(self) -> AgentInfo:
        return AgentInfo(name=self.name, version=__version__)

    async def play(self, playable: EpisodeProtocol, epoch: int) -> None:
        await self.make(playable.task, epoch).play(playable)


def oracle(pool: SandboxPool, catalog: Catalog) -> PolicyAgent:
    """The environments' own solutions; the catalog holds their sources."""
    return PolicyAgent("oracle", lambda task, _: OraclePolicy(pool, catalog.get(task.environment)))


def constant(pool: SandboxPool, catalog: Catalog) -> PolicyAgent:
    """The commonest right answer among an environment's other tasks."""
    answers = ReferenceAnswers(pool)
    return PolicyAgent("constant", lambda task, _: ConstantPolicy(catalog.get(task.environment), answers))


def observe() -> PolicyAgent:
    """Looking once and answering."""
    return PolicyAgent("observe", lambda _task, _epoch: ObservePolicy())


def random(seed: int = 0) -> PolicyAgent:
    """Random calls and a random answer; the same seed plays the same way."""
    return PolicyAgent("random", lambda _, epoch: RandomPolicy(f"{seed} {epoch}"))
