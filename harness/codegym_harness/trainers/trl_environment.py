"""An environment as TRL's GRPO trainers take it: a class whose functions are the tools.

https://huggingface.co/docs/trl/grpo_trainer, "Agent training". TRL makes an instance with a callable, reads
the tools from the functions of its class, and uses each instance for one rollout after another.
"""

import logging
from typing import Any

from codegym_harness.trainers.background_opening import BackgroundOpening
from codegym_harness.trainers.curriculum_difficulty import AdaptiveDifficulty
from codegym_harness.trainers.offered_tools import OfferedTools
from codegym_harness.trainers.tool_functions import tool_function
from codegym_harness.trainers.trainer_episodes import EpisodeOptions
from codegym_harness.trainers.trl_names import check_names
from codegym_mcp.curriculum.curriculum_file import CurriculumFile
from codegym_mcp.errors import CodegymError, TaskError
from codegym_mcp.task_reference import TaskReference

logger = logging.getLogger(__name__)

_OVER = "This call was not executed: the episode is over."
_LOST = "The environment failed. The episode has ended and will not be scored."


class TrlEnvironment:
    """What plays one rollout after another. `EnvironmentFactory` derives a class with the tools."""

    def __init__(
        self, environment: str, options: EpisodeOptions, curriculum: CurriculumFile | None = None
    ) -> None:
        self._environment = environment
        self._options = options
        self._difficulty = AdaptiveDifficulty(environment, curriculum)
        self._opening: BackgroundOpening | None = None
        self._over = True
        self._reward: float | None = None

    def reset(self, **row: Any) -> str:
        """Opens the episode that a row names. An earlier one that was not finished is abandoned.

        The episode is opened in the background, while the trainer goes on. If that fails, it is not scored.

        Args:
            row: the columns of the row: `task`, or `difficulty` and `seed`, and optionally `calls`. If a
                curriculum chooses the difficulty, `seed` alone.

        Returns:
            The task text, which TRL appends to the last message of the prompt.

        Raises:
            TaskError: the row is of another environment, or names no task.
            CodegymError: the task cannot be generated; on a server, the episode cannot be opened.
        """
        self._abandon("The trainer began another episode.")
        if row.get("environment", self._environment) != self._environment:
            raise TaskError(
                f"A row of the environment {row['environment']!r} was given to {self._environment}.",
                hint="Name every environment of the rows in GymSpec.",
            )
        named = self._difficulty.begin(row)
        reference = TaskReference.from_row({**named, "environment": self._environment})
        self._opening = BackgroundOpening(self._options, reference, row.get("calls"))
        self._over = False
        return self._opening.text

    def get_reward(self) -> float | None:
        """Ends the episode, if it is still open, and returns its reward.

        Returns:
            From 0.0 to 1.0; 0.0 for an agent that did not submit; None for an episode that is not scored.
        """
        if self._opening is not None:
            opening, self._opening = self._opening, None
            self._over = True
            try:
                episode = opening.episode()
                episode.close()
                self._reward = episode.reward
            except CodegymError as error:
                logger.warning("An episode of %s is not scored. %s", self._environment, error)
            self._difficulty.end(self._reward)
        return self._reward

    def _call(self, tool: str, arguments: dict[str, Any]) -> str:
        if self._opening is None or self._over:
            return _OVER
        try:
            result = self._opening.episode().call(tool, arguments)
        except CodegymError as error:
            logger.warning("An episode of %s was lost. %s", self._environment, error)
            self._abandon("The episode was lost.")
            return _LOST
        self._over = result.over
        return result.text

    def _abandon(self, reason: str) -> None:
        opening, self._opening = self._opening, None
        self._over = True
        self._reward = None
        self._difficulty.end(None)
        if opening is not None:
            try:
                opening.episode().abandon(reason)
            except CodegymError as error:
                logger.warning("An episode of %s was not closed. %s", self._environment, error)


class EnvironmentFactory:
    """Makes the instances of one environment, all of one class. It can be pickled.

    Args:
        environment: the name of the environment, which is also the name of the class.
        offered: its tools.
        options: where the episodes are opened.
        curriculum: chooses the difficulty of rows that name none; None if all rows do.

    Raises:
        CodegymError: TRL cannot offer one of the tools.
    """

    def __init__(
        self,
        environment: str,
        offered: OfferedTools,
        options: EpisodeOptions,
        curriculum: CurriculumFile | None = None,
    ) -> None:
        self._arguments = environment, offered, options, curriculum
        tools = [*offered.tools, offered.submission]
        for tool in tools:
            check_names(environment, tool)
        functions = {tool.name: tool_function(tool, TrlEnvironment._call) for tool in tools}
        self._class = type(environment, (TrlEnvironment,), functions)

    def __call__(self) -> TrlEnvironment:
        """Returns a new instance; its first `reset` opens an episode."""
        environment, _, options, curriculum = self._arguments
        instance: TrlEnvironment = self._class(environment, options, curriculum)
        return instance

    def __reduce__(self) -> tuple[type["EnvironmentFactory"], tuple[Any, ...]]:
        return EnvironmentFactory, self._arguments
