"""Episodes as a SkyRL-gym environment, which parses the tool calls that a model writes as text.

    from codegym_harness.trainers import skyrl_env
    skyrl_env.register(tool_format="hermes")

https://docs.skyrl.ai. Rows have the columns of `codegym-mcp export --tasks --format skyrl`.
"""

from collections.abc import Mapping
from typing import Any

from codegym_harness.agents.system_prompt import render_reminder
from codegym_harness.task_sets.skyrl_tasks import ENVIRONMENT_CLASS
from codegym_harness.trainers.missing_library import missing_class
from codegym_harness.trainers.prompt_filling import fill_prompt
from codegym_harness.trainers.text_play import TextPlay
from codegym_harness.trainers.trainer_episodes import EpisodeOptions
from codegym_mcp.errors import ClosedError, MissingExtraError
from codegym_mcp.models.text_calls.call_parsing import parse_calls
from codegym_mcp.models.text_calls.tool_formats import ToolFormat
from codegym_mcp.models.text_calls.tool_instructions import tool_call_instructions
from codegym_mcp.task_reference import TaskReference

_INSTALL = "pip install skyrl-gym"
try:
    import skyrl_gym
    from skyrl_gym.envs.base_text_env import BaseTextEnv
except ImportError:
    BaseTextEnv = missing_class("SkyRL-gym", _INSTALL)
    installed = False
else:
    installed = True


class EpisodeTextEnv(BaseTextEnv):  # type: ignore[misc]
    """One episode. A second reply in a row without a tool call ends it, as in evaluations.

    Args:
        env_config: SkyRL's configuration of the environment; not used.
        extras: the row, with `max_turns`, the number of replies that SkyRL allows.
        tool_format: how the model writes calls; a value of `ToolFormat`.
        options: see `EpisodeOptions`.
    """

    def __init__(
        self,
        env_config: Any = None,
        extras: Mapping[str, Any] | None = None,
        *,
        tool_format: str = ToolFormat.HERMES,
        **options: Any,
    ) -> None:
        super().__init__()
        self._row = extras or {}
        self._format = ToolFormat(tool_format)
        self._options = EpisodeOptions.read(**options)
        self._play: TextPlay | None = None
        self._reminded = False
        self.max_turns = self._row.get("max_turns", self._options.calls)

    def init(self, prompt: list[dict[str, str]]) -> tuple[list[dict[str, str]], dict[str, Any]]:
        """Opens the episode of the row, and adds the tools and the task to the prompt.

        Raises:
            TaskError: the row names no task.
            CodegymError: the episode cannot be opened.
        """
        self.close()
        reference = TaskReference.from_row(self._row)
        self._play = TextPlay(self._options.open(reference, self._row.get("calls")))
        episode = self._play.episode
        tools = tool_call_instructions([*episode.tools, episode.submission], self._format)
        return fill_prompt(prompt, episode.task.text, tools), {}

    def step(self, action: str) -> dict[str, Any]:
        """Makes the tool calls of a reply.

        Raises:
            ClosedError: the episode is over, or was not begun.
            UnscoredError: the episode ended without a score.
        """
        if self._play is None:
            raise ClosedError("No episode is open.", hint="Call init first.")
        self._play.check_open()
        self.turns += 1
        episode = self._play.episode
        calls = parse_calls(action, self._format, [*episode.tools, episode.submission])
        texts = [self._play.make(call) for call in calls]
        if not calls and not self._reminded:
            texts = [render_reminder(episode.submission.name)]
        elif not calls:
            self._play.end()
        self._reminded = not calls
        if self.turns >= self.max_turns:
            self._play.end()
        return {
            "observations": [] if self._play.over else [{"role": "user", "content": "\n\n".join(texts)}],
            "reward": self._play.reward,
            "done": self._play.over,
            "metadata": {"outcome": episode.outcome.value},
        }

    def get_metrics(self) -> dict[str, Any]:
        """Returns the calls of the episode and whether it was solved."""
        if self._play is None:
            return {}
        return {"calls": self._play.calls, "solved": self._play.reward}

    def close(self) -> None:
        """Ends the episode, if one is open."""
        if self._play is not None:
            self._play.episode.close()


def register(id: str = ENVIRONMENT_CLASS, **options: Any) -> None:
    """Registers the environment class with SkyRL-gym.

    Args:
        id: the value of `env_class` in the rows.
        options: arguments of `EpisodeTextEnv`.

    Raises:
        MissingExtraError: skyrl-gym is not installed.
    """
    if not installed:
        raise MissingExtraError("SkyRL-gym", _INSTALL)
    skyrl_gym.register(id=id, entry_point=f"{__name__}:EpisodeTextEnv", kwargs=options)
