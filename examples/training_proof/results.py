"""What the stages of the training seeds wrote: rewards of held-out tasks, costs, learning curves."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import codegym_mcp as gym
from codegym_harness.statistics.estimators import Estimate, clustered_mean, paired_difference
from examples.training_proof.recipe import Model, Recipe, Tasks
from examples.training_proof.stages import STAGES, Cost, read_cost
from examples.training_proof.validation import Training, read_trainings


class UnscoredEpisodeError(Exception):
    """An episode of an evaluation has no reward, so that the evaluation is incomplete."""


class Score(NamedTuple):
    """The reward of one held-out task."""

    training_seed: int
    task: str
    reward: float


class SeedResults:
    """The results of one training seed.

    Args:
        directory: the directory of the seed; all its stages are finished.

    Raises:
        FileNotFoundError: a stage is not finished.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.recipe = Recipe.model_validate_json((directory / "recipe.json").read_text())

    @property
    def costs(self) -> dict[str, Cost]:
        """What each stage cost."""
        costs = {stage: read_cost(self.directory, stage) for stage in STAGES}
        if missing := [stage for stage, cost in costs.items() if cost is None]:
            raise FileNotFoundError(f"{self.directory}: these stages are not finished: {', '.join(missing)}")
        return {stage: cost for stage, cost in costs.items() if cost is not None}

    def scores(self, model: Model, tasks: Tasks) -> list[Score]:
        """Returns the rewards of a model on held-out tasks, in the order of their seeds.

        Raises:
            UnscoredEpisodeError: an episode was not scored.
        """
        run = gym.open_run(self.directory / f"evaluate-{model}" / tasks.name)
        results = sorted(run.results(), key=lambda result: result.seed or 0)
        scores = []
        for result in results:
            if result.reward is None:
                raise UnscoredEpisodeError(f"{run.path}: {result.key} was not scored: {result.error}")
            scores.append(Score(self.recipe.seed, result.task, result.reward))
        if len(scores) != tasks.count:
            raise UnscoredEpisodeError(f"{run.path} has {len(scores)} episodes, not {tasks.count}")
        return scores

    def calls(self, model: Model, tasks: Tasks) -> list[int]:
        """Returns how many calls a model made in each episode."""
        run = gym.open_run(self.directory / f"evaluate-{model}" / tasks.name)
        return [result.calls for result in run.results()]

    def curve(self, stage: str, value: str) -> list[tuple[int, float]]:
        """Returns a learning curve: the logged values, each with its step."""
        log: list[dict[str, Any]] = json.loads((self.directory / stage / "curve.json").read_text())
        return [(entry["step"], entry[value]) for entry in log if value in entry]

    def trainings(self, stage: str) -> list[Training]:
        """Returns how the trainings of a stage went."""
        return read_trainings(self.directory / stage)


class Difference(NamedTuple):
    """The difference between two models on the same held-out tasks."""

    over_tasks: Estimate
    """Clustered by task: what other tasks would give."""
    over_seeds: Estimate
    """Clustered by training seed: what another training would give."""

    @property
    def excludes_zero(self) -> bool:
        """Whether both intervals lie above 0."""
        return all(each.low is not None and each.low > 0 for each in self)


def mean_reward(seeds: Sequence[SeedResults], model: Model, tasks: Tasks) -> Estimate:
    """Returns the mean reward of a model over tasks and training seeds, clustered by task."""
    scores = [score for seed in seeds for score in seed.scores(model, tasks)]
    estimate = clustered_mean([score.reward for score in scores], [score.task for score in scores])
    return estimate.within(0, 1)


def difference(seeds: Sequence[SeedResults], first: Model, second: Model, tasks: Tasks) -> Difference:
    """Returns the reward of the second model minus that of the first, paired over tasks and seeds."""
    before = [score for seed in seeds for score in seed.scores(first, tasks)]
    after = [score for seed in seeds for score in seed.scores(second, tasks)]
    if [score[:2] for score in before] != [score[:2] for score in after]:
        raise ValueError(f"{first} and {second} did not play the same tasks of {tasks.name}")
    rewards = [score.reward for score in before], [score.reward for score in after]
    by_task = [score.task for score in before]
    by_seed = [score.training_seed for score in before]
    return Difference(paired_difference(*rewards, by_task), paired_difference(*rewards, by_seed))
