"""Environments and tasks for TRL's GRPO trainers.

    spec = GymSpec(["night_courier", "crew_rota"], difficulty=2, tasks=512, held_out=50)
    trainer = GRPOTrainer(
        model="Qwen/Qwen3-1.7B",
        args=GRPOConfig(max_tool_calling_iterations=64, max_completion_length=8192),
        train_dataset=spec.train_dataset,
        eval_dataset=spec.eval_dataset,
        environment_factory=spec.environment_factory,
    )

https://huggingface.co/docs/trl/grpo_trainer. `AsyncGRPOTrainer` takes the same arguments.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError

from codegym_harness.agents.system_prompt import DEFAULT_SYSTEM_PROMPT
from codegym_harness.runs.evaluate import split_sources
from codegym_harness.runs.task_selection import SeedRange, matching_environments
from codegym_harness.task_sets.described_tasks import opening_messages
from codegym_harness.trainers.curriculum_difficulty import open_curriculum
from codegym_harness.trainers.gym_spec_rows import Columns, Difficulty, select_tasks
from codegym_harness.trainers.offered_tools import OfferedTools, list_environments, read_tools
from codegym_harness.trainers.trainer_episodes import EpisodeOptions
from codegym_harness.trainers.trl_environment import EnvironmentFactory, TrlEnvironment
from codegym_mcp.curriculum.curriculum_file import CurriculumFile
from codegym_mcp.episode_limits import Limits
from codegym_mcp.errors import MissingExtraError, TaskError
from codegym_mcp.sandbox.process.pool import Isolation
from codegym_mcp.validation_messages import first_fault

Row = dict[str, Any]


class GymSpec:
    """The environments, the training tasks and the held-out tasks of a training run.

    Args:
        environments: names or globs of environments, and files, folders and sets of environments. Without a
            file, folder or set, the bundled environments are meant, or those of the server.
        difficulty: difficulties, 1 to 5, for which tasks are generated; "adaptive" for a curriculum that
            follows the success of the last groups; None for the fixed tasks.
        tasks: generated tasks for each environment and difficulty, with the seeds from `seed` on.
        seed: the first seed; all seeds are below 1,000,000.
        held_out: held-out tasks for each environment and difficulty, with the seeds from 1,000,000 on.
        calls: the tool calls that an episode allows.
        curriculum: the file in which the difficulties of an adaptive spec are kept, by its path or with a
            rule of its own. A training that names an existing file resumes it; without a file, they are kept
            until the process ends.
        system_prompt: the system prompt of each row; `{calls}` and `{submission}` are filled in. None if "".
        server: the address of a server that holds the episodes; without it, they are in this process.
        token: the token of the server's control plane; read from `CODEGYM_MCP_TOKEN` without it.
        isolation: "process" gives each episode in this process a confined process of its own; "shared" lets
            the episodes of an environment share one, which costs about half the processor time.

    Raises:
        NotFoundError: no environment has such a name.
        TaskError: an environment has no such tasks, the seeds are partly held out, or the tasks are too few
            for an adaptive difficulty.
        SourceError: a file cannot be used.
        ConnectionFailedError: the server cannot be reached, or refuses.
        CodegymError: TRL cannot offer a tool of an environment, for example since it reserves the name.
    """

    def __init__(
        self,
        environments: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = "*",
        *,
        difficulty: Difficulty = 1,
        tasks: int = 512,
        seed: int = 0,
        held_out: int = 0,
        calls: int = Limits().calls,
        curriculum: str | os.PathLike[str] | CurriculumFile | None = None,
        system_prompt: str = DEFAULT_SYSTEM_PROMPT,
        server: str | None = None,
        token: str | None = None,
        isolation: Isolation = "process",
    ) -> None:
        paths, globs = split_sources(environments)
        options = EpisodeOptions.read(
            environments=[str(path) for path in paths],
            url=server,
            token=token,
            calls=calls,
            isolation=isolation,
        )
        chosen = matching_environments(globs or ("*",), list_environments(options))
        self._curriculum = open_curriculum(difficulty, tasks, curriculum)
        try:
            seeds = SeedRange(first=seed, last=seed + tasks - 1)
            self._tasks = select_tasks(chosen, difficulty, seeds, held_out)
        except ValidationError as error:
            raise TaskError(f"The tasks cannot be selected: {first_fault(error)}.") from None
        samples = sorted(self._tasks.samples.items())
        self._offered = {name: read_tools(options, sample) for name, sample in samples}
        self._factories = {
            name: EnvironmentFactory(name, offered, options, self._curriculum)
            for name, offered in self._offered.items()
        }
        self._calls = calls
        self._system_prompt = system_prompt

    @property
    def rows(self) -> list[Row]:
        """The rows of the training tasks: `prompt`, `environment`, and `task` or `difficulty` and `seed`."""
        return self._rows(self._tasks.train)

    @property
    def eval_rows(self) -> list[Row]:
        """The rows of the held-out tasks, which have the same columns."""
        return self._rows(self._tasks.held_out)

    @property
    def train_dataset(self) -> Any:
        """The training tasks as a `datasets.Dataset`. Raises `MissingExtraError` without that package."""
        return _dataset(self.rows)

    @property
    def eval_dataset(self) -> Any:
        """The held-out tasks as a `datasets.Dataset`, see `train_dataset`; None if `held_out` is 0."""
        rows = self.eval_rows
        return _dataset(rows) if rows else None

    @property
    def environment_factory(self) -> Callable[[], TrlEnvironment] | dict[str, Callable[[], TrlEnvironment]]:
        """A callable that makes environments; for several environments, a callable for each by name."""
        if len(self._factories) > 1:
            return dict(self._factories)
        return next(iter(self._factories.values()))

    @property
    def difficulties(self) -> dict[str, int]:
        """The difficulty at which each environment of an adaptive spec is now, by name; empty for others."""
        if self._curriculum is None:
            return {}
        curriculum, rule = self._curriculum.read(), self._curriculum.rule
        return {name: curriculum.progress(name, rule).difficulty for name in self._offered}

    def _rows(self, tasks: Sequence[Columns]) -> list[Row]:
        return [{"prompt": self._prompt(self._offered[task["environment"]]), **task} for task in tasks]

    def _prompt(self, offered: OfferedTools) -> list[dict[str, str]]:
        return opening_messages(self._system_prompt, offered.submission.name, self._calls)


def _dataset(rows: list[Row]) -> Any:
    try:
        from datasets import Dataset
    except ImportError:
        raise MissingExtraError("A data set for TRL", "pip install datasets") from None
    return Dataset.from_list(rows)
