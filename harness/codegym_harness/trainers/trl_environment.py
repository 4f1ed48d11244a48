"""An environment as TRL's GRPO trainers take it: a class whose functions are the tools.

https://huggingface.co/docs/trl/grpo_trainer, "Agent training". TRL makes an instance with a callable, reads
the tools from the functions of its class, and uses each instance for one rollout after another.
"""

import logging
from keyword import iskeyword
from typing import Any

from codegym_harness.trainers.offered_tools import OfferedTools
from codegym_harness.trainers.tool_functions import tool_function
from codegym_harness.trainers.trainer_episodes import EpisodeOptions
from codegym_mcp.episode_interface import ToolView
from codegym_mcp.errors import CodegymError, TaskError
from codegym_mcp.runtime.blocking_episode import Episode
from codegym_mcp.task_reference import TaskReference

logger = logging.getLogger(__name__)

RESERVED = frozenset({"reset", "get_reward"})
"""Names of functions that are no tools for TRL."""
_OVER = "This call was not executed: the episode is over."
_LOST = "The environment failed. The episode has ended and will not be scored."


class TrlEnvironment:
    """What plays one rollout after another. `EnvironmentFactory` derives a class with the tools."""

    def __init__(self, environment: str, options: EpisodeOptions) -> None:
        self._environment = environment
        self._options = options
        self._episode: Episode | None = None
        self._over = True
        self._reward: float | None = None

    def reset(self, **row: Any) -> str:
        """Opens the episode that a row names. An earlier one that was not finished is abandoned.

        Args:
            row: the columns of the row: `task`, or `difficulty` and `seed`, and optionally `calls`.

        Returns:
            The task text, which TRL appends to the last message of the prompt.

        Raises:
            TaskError: the row is of another environment, or names no task.
            CodegymError: the episode cannot be opened.
        """
        self._abandon("The trainer began another episode.")
        reference = TaskReference.from_row({"environment": self._environment, **row})
        if reference.environment != self._environment:
            raise TaskError(
                f"A row of the environment {reference.environment!r} was given to {self._environment}.",
                hint="Name every environment of the rows in GymSpec.",
            )
        self._episode = self._options.open(reference, row.get("calls"))
        self._over = False
        return self._episode.task.text

    def get_reward(self) -> float | None:
        """Ends the episode, if it is still open, and returns its reward.

        Returns:
            From 0.0 to 1.0; 0.0 for an agent that did not submit; None for an episode that is not scored.
        """
        if self._episode is not None:
            episode, self._episode = self._episode, None
            self._over = True
            try:
                episode.close()
                self._reward = episode.reward
            except CodegymError as error:
                logger.warning("An episode of %s is not scored. %s", self._environment, error)
        return self._reward

    def _call(self, tool: str, arguments: dict[str, Any]) -> str:
        if self._episode is None or self._over:
            return _OVER
        try:
            result = self._episode.call(tool, arguments)
        except CodegymError as error:
            logger.warning("An episode of %s was lost. %s", self._environment, error)
            self._abandon("The episode was lost.")
            return _LOST
        self._over = result.over
        return result.text

    def _abandon(self, reason: str) -> None:
        episode, self._episode = self._episode, None
        self._over = True
        self._reward = None
        if episode is not None:
            try:
                episode.abandon(reason)
            except CodegymError as error:
                logger.warning("An episode of %s was not closed. %s", self._environment, error)


class EnvironmentFactory:
    """Makes the instances of one environment, all of one class. It can be pickled.

    Args:
        environment: the name of the environment, which is also the name of the class.
        offered: its tools.
        options: where the episodes are opened.

    Raises:
        CodegymError: TRL cannot offer one of the tools.
    """

    def __init__(self, environment: str, offered: OfferedTools, options: EpisodeOptions) -> None:
        self._arguments = environment, offered, options
        tools = [*offered.tools, offered.submission]
        for tool in tools:
            _check_names(environment, tool)
        functions = {tool.name: tool_function(tool, TrlEnvironment._call) for tool in tools}
        self._class = type(environment, (TrlEnvironment,), functions)

    def __call__(self) -> TrlEnvironment:
        """Returns a new instance; its first `reset` opens an episode."""
        environment, _, options = self._arguments
        instance: TrlEnvironment = self._class(environment, options)
        return instance

    def __reduce__(self) -> tuple[type["EnvironmentFactory"], tuple[str, OfferedTools, EpisodeOptions]]:
        return EnvironmentFactory, self._arguments


def _check_names(environment: str, tool: ToolView) -> None:
    """Checks that TRL finds a function for the tool, and that it can have the tool's parameters."""
    name, problem = tool.name, ""
    if name in RESERVED:
        problem = "TRL reserves this name"
    elif name.startswith("_"):
        problem = "TRL ignores names that begin with an underscore"
    else:
        for each in (name, *tool.input_schema.get("properties", {})):
            if not each.isidentifier() or iskeyword(each) or each == "self":
                problem = f"a Python function cannot have the name or the parameter {each!r}"
    if problem:
        raise CodegymError(
            f"TRL cannot offer the tool {name!r} of {environment}: {problem}.",
            hint="Leave the environment out, or rename the tool.",
        )
