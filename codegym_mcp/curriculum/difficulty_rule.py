"""The rule by which a curriculum chooses the difficulty of an environment's tasks, as a pure state machine.

It is the update of automatic domain randomization (Akkaya et al. 2019, https://arxiv.org/abs/1910.07113) with
the difficulty as the only parameter: performance is collected in a buffer; when the buffer is full, its mean
is compared with two thresholds, the parameter is moved by one step or stays, and the buffer is cleared. What
is collected is the mean reward of a group, from which a group-based trainer such as GRPO learns: a group
whose episodes are all right or all wrong has no advantages.
"""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field, model_validator

LOWEST, HIGHEST = 1, 5
"""The difficulties that a generated task can have."""
_ROUNDING = 1e-9
"""The mean of 1, 1 and 0.4 is below 0.8 as a floating-point number."""


class CurriculumRule(BaseModel):
    """The parameters of the rule."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    groups: int = Field(default=8, ge=1)
    """How many groups of an environment one decision is about."""
    raise_at: float = Field(default=0.8, ge=0, le=1)
    """The mean success, 0 to 1, from which on the difficulty is raised by one."""
    lower_at: float = Field(default=0.2, ge=0, le=1)
    """The mean success, 0 to 1, up to which the difficulty is lowered by one."""
    first: int = Field(default=LOWEST, ge=LOWEST, le=HIGHEST)
    """The difficulty of an environment's first group."""

    @model_validator(mode="after")
    def _thresholds_are_apart(self) -> "CurriculumRule":
        if self.lower_at >= self.raise_at:
            raise ValueError("the difficulty must be lowered at a smaller success than it is raised at")
        return self

    def next_difficulty(self, difficulty: int, success: float) -> int:
        """Returns the difficulty after groups of this mean success."""
        if success >= self.raise_at - _ROUNDING:
            return min(HIGHEST, difficulty + 1)
        return max(LOWEST, difficulty - 1) if success <= self.lower_at + _ROUNDING else difficulty


class Group(BaseModel):
    """Episodes of one generated task."""

    difficulty: int = Field(ge=LOWEST, le=HIGHEST)
    decision: int
    """How many decisions had been made when the group began."""
    open: list[str] = []
    """The ids of episodes that are not settled."""
    rewards: list[float] = []
    """The rewards of the episodes that were scored."""

    @property
    def success(self) -> float | None:
        """The mean reward, 0 to 1; None while episodes are open, and if none was scored."""
        return sum(self.rewards) / len(self.rewards) if self.rewards and not self.open else None


class EnvironmentProgress(BaseModel):
    """The difficulty of one environment, and the groups that will decide about the next."""

    difficulty: int = Field(ge=LOWEST, le=HIGHEST)
    decisions: int = 0
    """How many decisions have been made."""
    groups: dict[int, Group] = {}
    """The groups by seed, in the order in which they began."""

    def choose(self, seed: int, rule: CurriculumRule) -> int:
        """Returns the difficulty of the group of a seed. A new group begins if there is none.

        A decision is made, if it is due, before a group begins, so that a group keeps its difficulty. It
        drops the groups that it is about: their seeds can be played again, as other groups.
        """
        if seed not in self.groups:
            self._decide(rule)
            self.groups[seed] = Group(difficulty=self.difficulty, decision=self.decisions)
        return self.groups[seed].difficulty

    def begin(self, seed: int, difficulty: int, episode: str) -> None:
        """Adds an episode to the group of its seed, once.

        Args:
            difficulty: what `choose` returned for the episode.
            episode: the id of the episode.
        """
        group = self.groups.setdefault(seed, Group(difficulty=difficulty, decision=self.decisions))
        if group.difficulty == difficulty and episode not in group.open:
            group.open.append(episode)

    def settle(self, seed: int, episode: str, reward: float | None) -> None:
        """Records how an episode ended. Episodes of groups that were dropped are ignored.

        Args:
            reward: 0 to 1; None for an episode that is not scored, which does not count.
        """
        group = self.groups.get(seed)
        if group is not None and episode in group.open:
            group.open.remove(episode)
            if reward is not None:
                group.rewards.append(reward)

    def unsettled(self) -> Iterator[tuple[int, str]]:
        """Yields the seed and the id of each episode that is not settled."""
        for seed, group in self.groups.items():
            for episode in group.open:
                yield seed, episode

    def _decide(self, rule: CurriculumRule) -> None:
        """Compares the success of the last groups with the thresholds, if there are enough of them."""
        successes = [
            group.success
            for group in self.groups.values()
            if group.difficulty == self.difficulty and group.success is not None
        ][-rule.groups :]
        if len(successes) < rule.groups:
            return
        self.difficulty = rule.next_difficulty(self.difficulty, sum(successes) / len(successes))
        self.decisions += 1
        # Open groups remain until the next decision, so that their episodes keep one difficulty. Groups that
        # are still open then have episodes that were lost.
        self.groups = {
            seed: group
            for seed, group in self.groups.items()
            if group.open and group.decision >= self.decisions - 1
        }


class Curriculum(BaseModel):
    """The progress of all environments of a training run."""

    model_config = ConfigDict(extra="forbid")

    environments: dict[str, EnvironmentProgress] = {}

    def progress(self, environment: str, rule: CurriculumRule) -> EnvironmentProgress:
        """Returns the progress of an environment, which begins at the rule's first difficulty."""
        return self.environments.setdefault(environment, EnvironmentProgress(difficulty=rule.first))
