"""The conditions that trajectories of an export meet, each decided from one trajectory."""

from collections.abc import Callable
from fnmatch import fnmatchcase
from hashlib import blake2b

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json

from codegym_harness.export.conversion_counts import LossCounts, UnfitError
from codegym_harness.export.training_conversation import AgentTurn, converse
from codegym_harness.records.episode_result import EpisodeResult
from codegym_harness.records.trajectory import Outcome, Trajectory
from codegym_harness.runs.task_selection import SeedRange

Keeps = Callable[[Trajectory, EpisodeResult], bool]


class Filters(BaseModel):
    """The conditions on trajectories. Filters are applied in the order of these fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environments: tuple[str, ...] = ()
    """Globs over the names of environments, of which one must match."""
    tags: tuple[str, ...] = ()
    """Tags of environments, of which one must be present."""
    difficulties: tuple[int, ...] = ()
    """Difficulties of tasks. Tasks of unknown difficulty are dropped."""
    seeds: SeedRange | None = None
    """The seeds of generated tasks. Fixed tasks are dropped."""
    reward: float | None = None
    """The minimum reward. Trajectories without a score are dropped."""
    max_calls_over_oracle: float | None = Field(default=None, gt=0)
    """The maximum number of calls, as a multiple of the oracle's calls, which must be known."""
    no_invalid_calls: bool = False
    """Whether to drop trajectories with a call of an unknown tool, or with invalid arguments."""
    dedupe: bool = False
    """Whether to keep only the first of trajectories with equal messages, calls and results."""
    best_of: int | None = Field(default=None, ge=1)
    """The maximum number per task: those of the highest reward, and among these with the fewest calls."""

    def stream(self, *, training: bool = True) -> list[tuple[str, Keeps]]:
        """Returns the filters that decide on each trajectory alone, by name and in order.

        The first two always apply to training sets: failed episodes were not ended by the agent, and an
        episode without a turn of the agent teaches nothing. The list is created for each reading, since
        `dedupe` has a state.
        """
        filters: list[tuple[str, bool, Keeps]] = [
            ("failed", training, lambda _, result: result.outcome is not Outcome.FAILED),
            (
                "nothing_done",
                training,
                lambda trajectory, _: any(s.source == "agent" for s in trajectory.steps),
            ),
            ("env", bool(self.environments), self._matches_environment),
            ("tag", bool(self.tags), lambda _, result: not set(self.tags).isdisjoint(result.tags)),
            ("difficulty", bool(self.difficulties), lambda _, result: result.difficulty in self.difficulties),
            ("seed", self.seeds is not None, self._has_seed),
            ("reward", self.reward is not None, self._is_rewarded),
            ("oracle_calls_unknown", self.max_calls_over_oracle is not None, _knows_oracle_calls),
            ("max_calls_over_oracle", self.max_calls_over_oracle is not None, self._is_efficient),
            ("no_invalid_calls", self.no_invalid_calls, lambda _, result: not result.invalid_calls),
            ("dedupe", self.dedupe, _Distinct()),
        ]
        return [(name, keeps) for name, applies, keeps in filters if applies]

    def _matches_environment(self, _: Trajectory, result: EpisodeResult) -> bool:
        return any(fnmatchcase(result.environment, glob) for glob in self.environments)

    def _has_seed(self, _: Trajectory, result: EpisodeResult) -> bool:
        return self.seeds is None or (result.seed is not None and self.seeds.contains(result.seed))

    def _is_rewarded(self, _: Trajectory, result: EpisodeResult) -> bool:
        return self.reward is None or (result.reward is not None and result.reward >= self.reward)

    def _is_efficient(self, _: Trajectory, result: EpisodeResult) -> bool:
        if self.max_calls_over_oracle is None or result.oracle_calls is None:
            return True
        return result.calls <= self.max_calls_over_oracle * result.oracle_calls


def _knows_oracle_calls(_: Trajectory, result: EpisodeResult) -> bool:
    return result.oracle_calls is not None


class _Distinct:
    """Keeps the first of trajectories with equal messages, calls and results."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def __call__(self, trajectory: Trajectory, _: EpisodeResult) -> bool:
        try:
            conversation = converse(trajectory, LossCounts())
        except UnfitError:
            return True  # The format drops it, with the reason.
        parts: list[object] = [conversation.system, conversation.tools]
        for turn in conversation.turns:
            parts.append(turn.text)
            if isinstance(turn, AgentTurn):
                # Without ids, which are random.
                calls = [(call.name, call.arguments, call.raw, call.result) for call in turn.calls]
                parts.append((turn.reasoning, calls))
        digest = blake2b(to_json(parts), digest_size=16).digest()
        if digest in self._seen:
            return False
        self._seen.add(digest)
        return True
