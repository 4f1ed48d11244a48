"""Ends a training when the model solves enough validation tasks."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

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

from examples.training_proof.recipe import Goal, Recipe
from examples.training_proof.sampled_episodes import grpo_config, gym_spec

FILE = "trainings.json"
"""The name of the file, in the folder of a stage, that tells how its trainings went."""


class Validated(BaseModel):
    """The result of one validation."""

    step: int
    solved: float
    """The mean reward of the validation tasks."""


class Training(BaseModel):
    """How one training went."""

    steps: int
    reached: bool
    """Whether it reached its goal. A training without a goal does not."""
    validations: list[Validated]


_TRAININGS = TypeAdapter(list[Training])


class Validation(TrainerCallback):
    """Plays the validation tasks every few steps, and stops the training at its goal.

    A copy of the model plays, since a trainer changes the model that it is given. The turns are sampled as in
    GRPO.

    Args:
        goal: None to only count the steps.
        model: the model that is trained. The trainer must not have received it yet.
        out: where TRL may write.
    """

    def __init__(
        self,
        goal: Goal | None,
        recipe: Recipe,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        out: Path,
    ) -> None:
        self._goal, self._steps = goal, 0
        self._results: list[Validated] = []
        if goal is not None:
            self._player = copy.deepcopy(model)
            spec = gym_spec(recipe, goal.tasks, recipe.first_validation_seed)
            config = grpo_config(
                recipe, out, per_device_eval_batch_size=goal.tasks.count, num_generations_eval=1
            )
            self._trainer = GRPOTrainer(
                model=self._player,
                args=config,
                train_dataset=spec.train_dataset,
                eval_dataset=spec.train_dataset,
                environment_factory=spec.environment_factory,
                processing_class=tokenizer,
            )
            self._trainer.remove_callback(PrinterCallback)

    @property
    def training(self) -> Training:
        """How the training went."""
        return Training(steps=self._steps, reached=self._reached(), validations=self._results)

    def on_step_end(
        self, args: Any, state: TrainerState, control: TrainerControl, model: PreTrainedModel, **_: Any
    ) -> None:
        """Is called by the trainer after each step."""
        self._steps = state.global_step
        if self._goal is None or state.global_step % self._goal.every:
            return
        self._player.load_state_dict(model.state_dict())
        self._trainer.evaluate()
        solved = self._trainer.state.log_history[-1]["eval_reward"]
        self._results.append(Validated(step=state.global_step, solved=solved))
        control.should_training_stop = control.should_training_stop or self._reached()

    def _reached(self) -> bool:
        if self._goal is None or not self._results:
            return False
        return self._goal.is_reached(self._results[-1].solved)


def write_trainings(trainings: Sequence[Training], folder: Path) -> None:
    """Writes how the trainings of a stage went into its folder."""
    (folder / FILE).write_bytes(_TRAININGS.dump_json(list(trainings), indent=2))


def read_trainings(folder: Path) -> list[Training]:
    """Reads how the trainings of a stage went."""
    return _TRAININGS.validate_json((folder / FILE).read_bytes())
