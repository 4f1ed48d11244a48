"""The settings of the proof: what is collected, trained and evaluated."""

from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

OWN_ENVIRONMENT = Path(__file__).with_name("cable_trace.py")
"""The environment that was written for the proof. It is not bundled."""
SOURCES = ("bundled", str(OWN_ENVIRONMENT))
"""Where the environments of the proof come from."""
FIRST_HELD_OUT_SEED = 1_000_000
"""Seeds from here on are never trained on: see docs/task-sets.md."""
FIRST_EVALUATED_SEED = FIRST_HELD_OUT_SEED + 3000
"""The first seed of the evaluations. Models of earlier recipes had played the first held-out tasks."""
TASKS_PER_TRAINING_SEED = 20_000
"""Two training seeds share no task."""
FIRST_REPORTED_SEED = 24
"""The training seeds below are for development: they are evaluated on other tasks, and not reported."""
_FIRST_DEVELOPMENT_TASK = 10_000
"""What a development seed adds to its first task seed for its evaluation. It trains on fewer tasks."""
_FIRST_VALIDATION_TASK = 15_000
"""What a training seed adds to its first task seed for its validation."""


_VALIDATED = 40
"""Tasks of a validation."""
_REWARDED = 0.1
"""The share of rewarded episodes from which GRPO can learn: of a task's group of 8 episodes, one or more then
have a reward in more than half of the cases."""


class Model(StrEnum):
    """The models that are evaluated, in the order in which they come to be."""

    START = "start"
    SFT = "sft"
    GRPO = "grpo"


class Settings(BaseModel):
    """Base of the parts of a recipe."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Tasks(Settings):
    """Generated tasks of one environment and difficulty."""

    environment: str
    difficulty: int
    count: int

    @property
    def name(self) -> str:
        """The name of a directory for them."""
        return f"{self.environment}-{self.difficulty}"


class Shape(Settings):
    """The size of the tiny model and its tokenizer. A pretrained model has its own."""

    vocabulary: int = 3000
    width: int = 128
    layers: int = 2
    heads: int = 4
    context: int = 2048


class Goal(Settings):
    """A share of solved validation tasks, which are never trained on or reported.

    In GRPO the model plays them, with sampled turns. In SFT the share is the mean probability of the oracle's
    turns: of sampled episodes, so many would be the oracle's.
    """

    tasks: Tasks
    solved: float = Field(ge=0, le=1)
    """The share of the tasks that is enough."""

    def is_reached(self, reward: float) -> bool:
        """Checks a mean reward of the tasks. TRL's of 38 solved tasks of 40 is a little less than 0.95."""
        return round(reward, 6) >= self.solved


class Ending(Settings):
    """When a training ends: the model reaches one of the goals.

    It is asked before the first step and then every few steps.
    """

    goals: tuple[Goal, ...] = Field(min_length=1)
    every: int = Field(ge=1)
    """Steps from one validation to the next."""
    first_step: bool = False
    """Whether the first step that reaches a goal is searched for, and its model is kept. Otherwise it is the
    model of the validation at which the training ends."""


class Sft(Settings):
    """Supervised fine-tuning on the episodes of the oracle."""

    tasks: tuple[Tasks, ...]
    """The collected tasks whose episodes are learned."""
    steps: int
    """The maximum if there is an ending."""
    ending: Ending | None = None
    batch: int = 8
    learning_rate: float
    warmup_steps: int = 50
    decay_steps: int = 0
    """Steps at the end in which the learning rate falls to 0. A training at its goal ends before them."""
    log_every: int = 5
    """Steps whose mean loss is one point of the learning curve."""


class Grpo(Settings):
    """Reinforcement learning on episodes that the model plays."""

    tasks: tuple[Tasks, ...]
    steps: int
    """The maximum if there is an ending."""
    ending: Ending | None = None
    prompts: int = 8
    """Tasks of a step."""
    generations: int = 8
    """Episodes of each task in a step."""
    learning_rate: float = 2e-4
    temperature: float = 1.0
    max_tokens: int = 256
    """Maximum number of tokens of an episode after its task, the results of tools included."""
    max_turns: int = 16


class Recipe(Settings):
    """Everything that decides the result of a training seed."""

    seed: int = Field(ge=0, lt=FIRST_HELD_OUT_SEED // TASKS_PER_TRAINING_SEED)
    """The training seed. A greater one would train on held-out tasks."""
    pretrained: str | None = None
    """The model to begin with: a folder, a GGUF file, or a name on the Hub. None for a tiny model with random
    weights."""
    collected: tuple[Tasks, ...]
    shape: Shape = Shape()
    sft: tuple[Sft, ...]
    """One training after another."""
    grpo: Grpo
    evaluated: tuple[Tasks, ...]
    """Held-out tasks for the SFT and the GRPO model; the first are those that GRPO trains."""
    transfer: tuple[Tasks, ...] = ()
    """Held-out tasks of what was never trained on, for the GRPO model alone."""
    isolation: Literal["process", "shared"] = "process"
    """Of the episodes of GRPO and of validation; see `GymSpec`."""
    calls: int = Field(default=40, ge=1)
    """Tool calls that an episode allows, as the system prompt says."""
    reply_tokens: int = 32
    """Maximum number of tokens of a turn under evaluation."""

    @property
    def target(self) -> Tasks:
        """The held-out tasks on which the proof depends: those of the difficulty that GRPO trains."""
        return self.evaluated[0]

    def played_by(self, model: Model) -> tuple[Tasks, ...]:
        """Returns the held-out tasks that a model plays."""
        match model:
            case Model.START:
                return (self.target,)
            case Model.SFT:
                return self.evaluated
            case Model.GRPO:
                return self.evaluated + self.transfer

    def players(self, tasks: Tasks) -> list[Model]:
        """Returns the models that play a set of held-out tasks."""
        return [model for model in Model if tasks in self.played_by(model)]

    @property
    def validated(self) -> tuple[Tasks, ...]:
        """The tasks by which the supervised trainings end."""
        endings = [settings.ending for settings in self.sft if settings.ending is not None]
        return tuple(dict.fromkeys(goal.tasks for ending in endings for goal in ending.goals))

    @property
    def first_task_seed(self) -> int:
        """The first seed of the tasks to train on."""
        return self.seed * TASKS_PER_TRAINING_SEED

    @property
    def first_validation_seed(self) -> int:
        """The first seed of the tasks of the validations."""
        return self.first_task_seed + _FIRST_VALIDATION_TASK

    @property
    def first_evaluated_seed(self) -> int:
        """The first seed of the tasks of the evaluations."""
        if self.seed < FIRST_REPORTED_SEED:
            return self.first_task_seed + _FIRST_DEVELOPMENT_TASK
        return FIRST_EVALUATED_SEED


def tiny_recipe(seed: int) -> Recipe:
    """Returns the recipe of `make proof`.

    Args:
        seed: the training seed: of the weights, the order, the sampling, and the tasks that are trained on.
    """
    easy, middle, hard, target = (
        Tasks(environment="cable_trace", difficulty=difficulty, count=count)
        for difficulty, count in ((1, 500), (2, 150), (3, 150), (4, 2000))
    )
    return Recipe(
        seed=seed,
        collected=(easy, middle, hard),
        sft=_easy_then_longer((easy,), (easy, middle, hard), easy, target),
        grpo=Grpo(
            tasks=(target,),
            steps=60,
            ending=Ending(goals=(_goal(target, 0.8),), every=5),
        ),
        evaluated=(_some(target, 60), _some(middle, 20)),
        transfer=(
            Tasks(environment="cable_trace", difficulty=5, count=20),
            Tasks(environment="leak_survey", difficulty=1, count=10),
        ),
        isolation="shared",
        calls=24,
    )


def mixed_recipe(seed: int) -> Recipe:
    """Returns the recipe for one model of two environments, of which `leak_survey` is bundled.

    Args:
        seed: see `tiny_recipe`.
    """
    tiny = tiny_recipe(seed)
    easy, middle, hard = tiny.collected
    leaks = Tasks(environment="leak_survey", difficulty=1, count=800)
    return Recipe(
        seed=seed,
        collected=(*tiny.collected, leaks),
        sft=_easy_then_longer(
            (easy, leaks), (easy, middle, hard, leaks), easy, tiny.target, learning_rate=2e-3, steps=1000
        ),
        grpo=tiny.grpo,
        evaluated=(*tiny.evaluated, _some(leaks, 50)),
        transfer=(Tasks(environment="leak_survey", difficulty=2, count=20),),
    )


def _easy_then_longer(
    first: tuple[Tasks, ...],
    second: tuple[Tasks, ...],
    easy: Tasks,
    target: Tasks,
    *,
    learning_rate: float = 1.5e-3,
    steps: int = 800,
) -> tuple[Sft, Sft]:
    """Returns two trainings: until easy tasks are solved, and slowly until GRPO has rewards to learn from.

    How many of longer tasks a model solves changes within a few steps; when it does, differs between training
    seeds. Each training therefore ends at the first step at which enough episodes of the target are rewarded.
    """
    enough = _goal(target, _REWARDED)
    return (
        Sft(
            tasks=first,
            steps=steps,
            ending=Ending(goals=(_goal(easy, 0.95), enough), every=25, first_step=True),
            learning_rate=learning_rate,
        ),
        Sft(
            tasks=second,
            steps=200,
            ending=Ending(goals=(enough,), every=8, first_step=True),
            learning_rate=1e-4,
        ),
    )


def _goal(tasks: Tasks, solved: float) -> Goal:
    return Goal(tasks=_some(tasks, _VALIDATED), solved=solved)


def _some(tasks: Tasks, count: int) -> Tasks:
    return tasks.model_copy(update={"count": count})


def pretrained_recipe(model: str, seed: int) -> Recipe:
    """Returns the recipe for a pretrained model of some hundred million parameters, on a GPU.

    Its settings were not tuned.

    Args:
        model: a folder, a GGUF file, or a name on the Hub.
        seed: see `tiny_recipe`.
    """
    trained = ("leak_survey", "crew_rota", "night_courier", "ticket_triage")
    collected = tuple(Tasks(environment=name, difficulty=1, count=1000) for name in trained)
    return Recipe(
        seed=seed,
        pretrained=model,
        collected=collected,
        sft=(Sft(tasks=collected, steps=1000, learning_rate=2e-4, decay_steps=300, log_every=20),),
        grpo=Grpo(
            tasks=tuple(Tasks(environment=name, difficulty=2, count=1000) for name in trained),
            steps=200,
            prompts=4,
            learning_rate=5e-6,
            max_tokens=4096,
            max_turns=60,
        ),
        evaluated=tuple(Tasks(environment=name, difficulty=2, count=50) for name in trained),
        transfer=tuple(
            Tasks(environment=name, difficulty=1, count=50) for name in ("parcel_hunt", "venue_bookings")
        ),
        calls=60,
        reply_tokens=256,
    )
