"""Episodes as Gymnasium environments, whose actions are tool calls as JSON text.

    import gymnasium
    env = gymnasium.make("codegym_harness.trainers.gymnasium_env:codegym_mcp/NightCourier-v0", difficulty=2)
    observation, info = env.reset(seed=7)
    action = '{"tool": "look", "arguments": {}}'
    observation, reward, terminated, truncated, info = env.step(action)

Importing this module registers an id for each bundled environment, and `codegym_mcp/Episode-v0`, which takes
the environment as an argument. https://gymnasium.farama.org
"""

from typing import Any

from codegym_harness.agents.agent_context import tool_definitions
from codegym_harness.trainers.json_actions import read_json_action
from codegym_harness.trainers.missing_library import missing_class
from codegym_harness.trainers.text_play import TextPlay
from codegym_harness.trainers.trainer_episodes import EpisodeOptions
from codegym_harness.trainers.unicode_text_space import UnicodeText
from codegym_mcp.bundled_environments import bundled_names
from codegym_mcp.errors import MissingExtraError, TaskError
from codegym_mcp.task_reference import FIRST_HELD_OUT_SEED, TaskReference

_INSTALL = "pip install gymnasium"
try:
    import gymnasium
    from gymnasium import Env
    from gymnasium.error import ResetNeeded
except ImportError:
    Env = missing_class("Gymnasium", _INSTALL)
    installed = False
else:
    installed = True

ANY_ENVIRONMENT = "codegym_mcp/Episode-v0"
"""The id of the environment whose argument `environment` names what is played."""
_MAX_ACTION = 1 << 18
_MAX_OBSERVATION = 1 << 21
_OPTIONS = {"task", "difficulty"}


class EpisodeEnv(Env):  # type: ignore[misc]
    """An environment of codegym-mcp: each reset opens an episode, each step makes one tool call.

    Args:
        environment: the name of the environment.
        difficulty: the difficulty of generated tasks, 1 to 5; None for the fixed tasks.
        render_mode: None; there is nothing to render.
        options: see `EpisodeOptions`.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - as gymnasium declares it

    def __init__(
        self, environment: str, difficulty: int | None = 1, render_mode: None = None, **options: Any
    ) -> None:
        self._options = EpisodeOptions.read(**options)
        self._environment = environment
        self._difficulty = difficulty
        self._play: TextPlay | None = None
        self.render_mode = render_mode
        self.action_space = UnicodeText(_MAX_ACTION)
        self.observation_space = UnicodeText(_MAX_OBSERVATION)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Opens an episode; the one before ends without a reward.

        Args:
            seed: the seed of the generated task. Without it, a seed for training is drawn.
            options: `task`, the id of a fixed task, or another `difficulty`.

        Returns:
            The task text; and the id of the task and the tools, in the format of OpenAI's function calling.

        Raises:
            CodegymError: there is no such task, or the episode cannot be opened.
        """
        super().reset(seed=seed)
        self.close()
        self._play = TextPlay(self._options.open(self._choose_task(seed, options or {})))
        episode = self._play.episode
        tools = tool_definitions([*episode.tools, episode.submission])
        return episode.task.text, {"task": episode.task.id, "tools": tools}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Makes the tool call that a JSON text describes: `{"tool": NAME, "arguments": {…}}`.

        Returns:
            The text of the result; the reward, which is 0.0 until the episode ends; whether it has ended;
            False; and the calls that were made and, at the end, the outcome.

        Raises:
            ResetNeeded: no episode is open.
            UnscoredError: the episode ended without a score.
        """
        if self._play is None or self._play.over:
            raise ResetNeeded("No episode is open. Call reset first.")
        text = self._play.make(read_json_action(action))
        info: dict[str, Any] = {"calls": self._play.calls}
        if self._play.over:
            info["outcome"] = self._play.episode.outcome.value
        return text, self._play.reward, self._play.over, False, info

    def close(self) -> None:
        """Ends the open episode, if there is one."""
        if self._play is not None:
            self._play.episode.close()
            self._play = None

    def _choose_task(self, seed: int | None, options: dict[str, Any]) -> TaskReference:
        if unknown := options.keys() - _OPTIONS:
            raise TaskError(
                f"Unknown options of reset: {', '.join(sorted(unknown))}.",
                hint=f"Known: {', '.join(sorted(_OPTIONS))}.",
            )
        chosen = {"environment": self._environment, **options}
        if "task" not in options and (difficulty := options.get("difficulty", self._difficulty)) is not None:
            drawn = int(self.np_random.integers(FIRST_HELD_OUT_SEED)) if seed is None else seed
            chosen |= {"difficulty": difficulty, "seed": drawn}
        return TaskReference.from_row(chosen)


def gymnasium_id(environment: str) -> str:
    """Returns the id of a bundled environment: `night_courier` is `codegym_mcp/NightCourier-v0`."""
    return f"codegym_mcp/{environment.title().replace('_', '')}-v0"


def register() -> None:
    """Registers the ids that are not registered yet.

    Raises:
        MissingExtraError: gymnasium is not installed.
    """
    if not installed:
        raise MissingExtraError("Gymnasium", _INSTALL)
    ids: dict[str, dict[str, str]] = {ANY_ENVIRONMENT: {}} | {
        gymnasium_id(name): {"environment": name} for name in bundled_names()
    }
    for id, arguments in ids.items():
        if id not in gymnasium.registry:
            gymnasium.register(id, entry_point=f"{__name__}:EpisodeEnv", kwargs=arguments)


if installed:
    register()
