"""The oracle and the baselines as agents."""

from collections.abc import Callable
from dataclasses import dataclass

from codegym_mcp import __version__
from codegym_mcp.catalog import Catalog
from codegym_mcp.playable import Playable, TaskView
from codegym_mcp.players import Player
from codegym_mcp.players.constant import ConstantPlayer, ReferenceAnswers
from codegym_mcp.players.observe import ObservePlayer
from codegym_mcp.players.oracle import OraclePlayer
from codegym_mcp.players.random_play import RandomPlayer
from codegym_mcp.sandbox.pool import Pool
from harness.trajectory import AgentInfo

MakePlayer = Callable[[TaskView, int], Player]


@dataclass(frozen=True)
class PlayerAgent:
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

    async def play(self, playable: Playable, epoch: int) -> None:
        await self.make(playable.task, epoch).play(playable)


def oracle(pool: Pool, catalog: Catalog) -> PlayerAgent:
    """The environments' own solutions; the catalog holds their sources."""
    return PlayerAgent("oracle", lambda task, _: OraclePlayer(pool, catalog.get(task.environment)))


def constant(pool: Pool, catalog: Catalog) -> PlayerAgent:
    """The commonest right answer among an environment's other tasks."""
    answers = ReferenceAnswers(pool)
    return PlayerAgent("constant", lambda task, _: ConstantPlayer(catalog.get(task.environment), answers))


def observe() -> PlayerAgent:
    """Looking once and answering."""
    return PlayerAgent("observe", lambda _task, _epoch: ObservePlayer())


def random(seed: int = 0) -> PlayerAgent:
    """Random calls and a random answer; the same seed plays the same way."""
    return PlayerAgent("random", lambda _, epoch: RandomPlayer(f"{seed} {epoch}"))
