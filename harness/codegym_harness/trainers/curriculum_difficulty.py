"""Lets a curriculum choose the difficulty of a trainer's episodes, and tells it how they ended."""

import atexit
import logging
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from codegym_harness.trainers.gym_spec_rows import ADAPTIVE, Difficulty
from codegym_mcp.curriculum.curriculum_file import CurriculumFile
from codegym_mcp.errors import CodegymError, TaskError

logger = logging.getLogger(__name__)


class AdaptiveDifficulty:
    """The difficulties of one environment's episodes, one after another.

    Args:
        environment: the name of the environment.
        curriculum: where the difficulties are kept; None if rows name the difficulty.
    """

    def __init__(self, environment: str, curriculum: CurriculumFile | None) -> None:
        self._environment = environment
        self._curriculum = curriculum
        self._episode: tuple[int, str] | None = None

    def begin(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """Returns the row of an episode that is about to be opened, with its difficulty.

        Rows with a difficulty or a task of their own, such as held-out rows, are returned as they are.

        Raises:
            TaskError: the row has no seed.
            CodegymError: the curriculum cannot be read or written.
        """
        named = any(_has(row, name) for name in ("difficulty", "task"))
        if self._curriculum is None or named:
            return row
        try:
            seed = int(row["seed"])
        except (KeyError, TypeError, ValueError):
            raise TaskError(
                "A row without a difficulty has no seed, which names the group of its episode.",
                hint="Rows of an adaptive GymSpec have the columns environment and seed.",
            ) from None
        self._episode = seed, secrets.token_hex(8)
        difficulty = self._curriculum.choose(self._environment, *self._episode)
        return {**row, "seed": seed, "difficulty": difficulty}

    def end(self, reward: float | None) -> None:
        """Records how the episode ended, if the curriculum chose its difficulty; once for each episode.

        A curriculum that cannot be written does not stop a training: the episode does not count then.

        Args:
            reward: 0 to 1; None for an episode that is not scored.
        """
        if self._curriculum is not None and self._episode is not None:
            episode, self._episode = self._episode, None
            try:
                self._curriculum.settle(self._environment, *episode, reward)
            except CodegymError as error:
                logger.warning(
                    "An episode of %s does not count for its difficulty. %s", self._environment, error
                )


def _has(row: Mapping[str, Any], name: str) -> bool:
    """Returns whether a row has a value in a column. Readers of tables fill others with None or NaN."""
    value = row.get(name)
    return value is not None and value == value  # noqa: PLR0124 - NaN alone differs from itself


def open_curriculum(
    difficulty: Difficulty, tasks: int, curriculum: str | os.PathLike[str] | CurriculumFile | None
) -> CurriculumFile | None:
    """Returns the curriculum of a spec, or None if its difficulty is not adaptive.

    Args:
        tasks: the number of tasks of each environment.
        curriculum: see `GymSpec`; without it, a file that is deleted when this process ends.

    Raises:
        TaskError: there are too few tasks, or a curriculum is given without an adaptive difficulty.
        CodegymError: the file cannot be read, or is damaged.
    """
    if difficulty != ADAPTIVE:
        if curriculum is not None:
            raise TaskError("A curriculum needs an adaptive difficulty.", hint='Give difficulty="adaptive".')
        return None
    if isinstance(curriculum, CurriculumFile):
        opened = curriculum
    else:
        opened = CurriculumFile(path=Path(curriculum) if curriculum is not None else _temporary_file())
    if tasks <= opened.rule.groups:
        raise TaskError(
            f"{tasks} tasks are too few for an adaptive difficulty: it is decided when a group begins after "
            f"{opened.rule.groups} others.",
            hint=f"Give at least {opened.rule.groups + 1} tasks.",
        )
    opened.read()
    return opened


def _temporary_file() -> Path:
    """Returns the path of a file in a directory that is deleted when this process ends."""
    directory = mkdtemp(prefix="codegym-curriculum-")
    owner = os.getpid()

    def remove() -> None:
        if os.getpid() == owner:
            rmtree(directory, ignore_errors=True)

    atexit.register(remove)
    return Path(directory) / "curriculum.json"
