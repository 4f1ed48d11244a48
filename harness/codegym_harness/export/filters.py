"""Which trajectories are kept."""

from collections.abc import Callable, Hashable
from fnmatch import fnmatchcase
from hashlib import blake2b
from heapq import heappush, heappushpop

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json

from codegym_harness.export.loss_counts import LossCounts
from codegym_harness.export.training_conversation import AgentTurn, converse
from codegym_harness.records.episode_result import EpisodeResult
from codegym_harness.records.trajectory import Trajectory

Keeps = Callable[[Trajectory, EpisodeResult], bool]


class Filters(BaseModel):
    """What is asked of a trajectory. Filters apply in the order of these fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environments: tuple[str, ...] = ()
    """Globs over the environments' names, of which one must match."""
    tags: tuple[str, ...] = ()
    """Of the environment, which must have one of them."""
    difficulties: tuple[int, ...] = ()
    """Of the task, which must be known."""
    reward: float | None = None
    """At least so much; what was not scored is dropped."""
    max_calls_over_oracle: float | None = Field(default=None, gt=0)
    """At most so many times the calls of the environment's own solution, which must be known."""
    no_invalid_calls: bool = False
    """No call of a tool that does not exist, or with arguments that do not fit its schema."""
    dedupe: bool = False
    """Of those in which the same was said and done, the first."""
    best_of: int | None = Field(default=None, ge=1)
    """At most so many of each task: of the highest reward, and among these with the fewest calls."""

    def stream(self) -> list[tuple[str, Keeps]]:
        """Everything but `best_of`, by name, in order: what can be decided of trajectories one by one.

        The first two are always there: a failure of ours is not the agent's doing, and where an agent did
        nothing there is nothing to learn. Made anew for each reading, as `dedupe` remembers what came before.
        """
        asked: list[tuple[str, bool, Keeps]] = [
            ("failed", True, lambda _, result: result.outcome != "failed"),
            ("nothing_done", True, lambda trajectory, _: any(s.source == "agent" for s in trajectory.steps)),
            ("env", bool(self.environments), self._matches_environment),
            ("tag", bool(self.tags), lambda _, result: not set(self.tags).isdisjoint(result.tags)),
            ("difficulty", bool(self.difficulties), lambda _, result: result.difficulty in self.difficulties),
            ("reward", self.reward is not None, self._is_rewarded),
            ("oracle_calls_unknown", self.max_calls_over_oracle is not None, _knows_oracle_calls),
            ("max_calls_over_oracle", self.max_calls_over_oracle is not None, self._is_efficient),
            ("no_invalid_calls", self.no_invalid_calls, lambda _, result: not result.invalid_calls),
            ("dedupe", self.dedupe, _Distinct()),
        ]
        return [(name, keeps) for name, is_asked, keeps in asked if is_asked]

    def _matches_environment(self, _: Trajectory, result: EpisodeResult) -> bool:
        return any(fnmatchcase(result.environment, glob) for glob in self.environments)

    def _is_rewarded(self, _: Trajectory, result: EpisodeResult) -> bool:
        return self.reward is None or (result.reward is not None and result.reward >= self.reward)

    def _is_efficient(self, _: Trajectory, result: EpisodeResult) -> bool:
        if self.max_calls_over_oracle is None or result.oracle_calls is None:
            return True
        return result.calls <= self.max_calls_over_oracle * result.oracle_calls


def _knows_oracle_calls(_: Trajectory, result: EpisodeResult) -> bool:
    return result.oracle_calls is not None


class _Distinct:
    """Keeps the first of those in which the same was said, called and read."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def __call__(self, trajectory: Trajectory, _: EpisodeResult) -> bool:
        conversation = converse(trajectory, LossCounts())
        parts: list[object] = [conversation.system, conversation.tools]
        for turn in conversation.turns:
            parts.append(turn.text)
            if isinstance(turn, AgentTurn):
                # Their ids are as random as an episode's.
                calls = [(call.name, call.arguments, call.raw, call.result) for call in turn.calls]
                parts.append((turn.reasoning, calls))
        digest = blake2b(to_json(parts), digest_size=16).digest()
        if digest in self._seen:
            return False
        self._seen.add(digest)
        return True


class BestOf:
    """The best few of each task. Memory is of the tasks, not of the trajectories."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._best: dict[Hashable, list[tuple[float, int, int]]] = {}

    def offer(self, number: int, result: EpisodeResult) -> None:
        """Takes a trajectory into account.

        Args:
            number: names it; of equals, the lower is better.
        """
        best = self._best.setdefault((result.environment, result.task), [])
        worth = (result.reward or 0.0, -result.calls, -number)
        if len(best) < self._count:
            heappush(best, worth)
        else:
            heappushpop(best, worth)

    def chosen(self) -> frozenset[int]:
        """The numbers of the best."""
        return frozenset(-number for best in self._best.values() for _, _, number in best)
