"""Ends a training when the model solves enough validation tasks."""

import copy
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, TypeAdapter
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
)
from trl import GRPOTrainer

from examples.training_proof.recipe import Ending, Goal, Recipe
from examples.training_proof.sampled_episodes import grpo_config, gym_spec

FILE = "trainings.json"
"""The name of the file, in the folder of a stage, that tells how its trainings went."""

Weights = Mapping[str, torch.Tensor]
Measure = Callable[[Weights], list[float]]


class Validated(BaseModel):
    """The result of one validation."""

    step: int
    solved: list[float]
    """The share of solved tasks of each goal."""


class Training(BaseModel):
    """How one training went."""

    steps: int
    """The step whose model was kept."""
    reached: bool
    """Whether it reached its goal. A training without a goal does not."""
    validations: list[Validated]
    """In the order in which they were made."""

    @property
    def before(self) -> Validated | None:
        """The validation before the first step, or None if there is no goal."""
        return next((each for each in self.validations if each.step == 0), None)

    @property
    def last(self) -> Validated | None:
        """The validation of the kept model, or else the one before it. None if there is no goal."""
        known = [each for each in self.validations if each.step <= self.steps]
        return max(known, key=lambda each: each.step, default=None)


_TRAININGS = TypeAdapter(list[Training])


class Validation(TrainerCallback):
    """Counts the steps of a training, measures its model every few steps, and ends the training.

    Args:
        ending: None to only count the steps.
        measure: returns the share of solved tasks of each goal for a model's weights.
    """

    def __init__(self, ending: Ending | None, measure: Measure | None) -> None:
        self._ending, self._measure = ending, measure
        self._steps, self._reached = 0, False
        self._results: list[Validated] = []
        self._recent: dict[int, Weights] = {}
        """The weights after each step since the last validation, if one of them may be kept."""

    @property
    def training(self) -> Training:
        """How the training went."""
        return Training(steps=self._steps, reached=self._reached, validations=self._results)

    def is_reached_by(self, model: PreTrainedModel) -> bool:
        """Measures the model before the first step, and returns whether there is nothing left to train."""
        self._reached = self._reaches(0, model.state_dict())
        return self._reached

    def on_step_end(
        self, args: Any, state: TrainerState, control: TrainerControl, model: PreTrainedModel, **_: Any
    ) -> None:
        """Is called by the trainer after each step."""
        self._steps = state.global_step
        if self._ending is None:
            return
        if self._ending.first_step:
            self._recent[self._steps] = {
                name: value.detach().clone() for name, value in model.state_dict().items()
            }
        if self._steps % self._ending.every:
            return
        if self._reaches(self._steps, model.state_dict()):
            self._reached = control.should_training_stop = True
            if self._ending.first_step:
                self._return_to_first_step(model)
        self._recent.clear()

    def _reaches(self, step: int, weights: Weights) -> bool:
        """Measures the model of a step, and returns whether it reaches a goal."""
        if self._ending is None or self._measure is None:
            return False
        solved = self._measure(weights)
        self._results.append(Validated(step=step, solved=solved))
        return any(goal.is_reached(share) for goal, share in zip(self._ending.goals, solved, strict=True))

    def _return_to_first_step(self, model: PreTrainedModel) -> None:
        """Searches the first step since the last validation that reaches a goal; restores its weights.

        The search is by halving: it takes it that the steps after that one reach the goal, too.
        """
        steps = sorted(self._recent)
        earlier = bisect_left(
            steps, True, hi=len(steps) - 1, key=lambda step: self._reaches(step, self._recent[step])
        )
        self._steps = steps[earlier]
        model.load_state_dict(self._recent[self._steps])


class Player:
    """A copy of a model that plays the tasks of a goal. A trainer changes the model that it is given.

    Args:
        out: where TRL may write.
    """

    def __init__(
        self,
        goal: Goal,
        recipe: Recipe,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        out: Path,
    ) -> None:
        self._model = copy.deepcopy(model)
        spec = gym_spec(recipe, goal.tasks, recipe.first_validation_seed)
        config = grpo_config(recipe, out, per_device_eval_batch_size=goal.tasks.count, num_generations_eval=1)
        self._trainer = GRPOTrainer(
            model=self._model,
            args=config,
            train_dataset=spec.train_dataset,
            eval_dataset=spec.train_dataset,
            environment_factory=spec.environment_factory,
            processing_class=tokenizer,
        )
        self._trainer.remove_callback(PrinterCallback)

    def __call__(self, weights: Weights) -> float:
        """Plays the tasks with sampled turns, and returns the mean reward."""
        self._model.load_state_dict(weights)
        self._trainer.evaluate()
        return float(self._trainer.state.log_history[-1]["eval_reward"])


def playing(
    ending: Ending | None,
    recipe: Recipe,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    out: Path,
) -> Measure | None:
    """Returns a measure for which copies of the model play the tasks of each goal; None without an ending.

    Args:
        model: the model that is trained. The trainer must not have received it yet.
        out: where TRL may write.
    """
    if ending is None:
        return None
    players = [Player(goal, recipe, model, tokenizer, out) for goal in ending.goals]
    return lambda weights: [player(weights) for player in players]


def write_trainings(trainings: Sequence[Training], folder: Path) -> None:
    """Writes how the trainings of a stage went into its folder."""
    (folder / FILE).write_bytes(_TRAININGS.dump_json(list(trainings), indent=2))


def read_trainings(folder: Path) -> list[Training]:
    """Reads how the trainings of a stage went."""
    return _TRAININGS.validate_json((folder / FILE).read_bytes())
