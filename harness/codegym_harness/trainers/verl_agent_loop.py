"""Episodes as an agent loop of verl, with the tools of each sample's episode.

Importing this module registers the loop: `actor_rollout_ref.model.external_lib` names it. For options, name
the loop in the file `actor_rollout_ref.rollout.agent.agent_loop_config_path` instead:

    - name: codegym_mcp
      _target_: codegym_harness.trainers.verl_agent_loop.EpisodeAgentLoop
      episodes: {environments: [my_environments/]}

https://verl.readthedocs.io. Rows have the columns of `codegym-mcp export --tasks --format verl`. verl's own
loop generates, parses calls and merges tokens; this one opens the episode, makes its calls, reads its reward.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import anyio

from codegym_harness.agents.agent_context import tool_definitions
from codegym_harness.task_sets.verl_tasks import AGENT_NAME
from codegym_harness.trainers.missing_library import missing_class
from codegym_harness.trainers.prompt_filling import fill_prompt
from codegym_harness.trainers.trainer_episodes import EpisodeOptions, reward_of
from codegym_harness.trainers.verl_tool_schemas import parser_tools
from codegym_mcp.errors import UnscoredError
from codegym_mcp.models.call_arguments import parse_arguments
from codegym_mcp.task_reference import TaskReference

try:
    from verl.experimental.agent_loop.agent_loop import AgentLoopOutput, _agent_loop_registry, register
    from verl.experimental.agent_loop.tool_agent_loop import AgentState, ToolAgentLoop
    from verl.tools.schemas import ToolResponse
except ImportError:
    ToolAgentLoop = missing_class("verl", "pip install verl")
    installed = False
else:
    installed = True

REWARD = "codegym_mcp_reward"
"""The key of the reward in `extra_fields`."""
OUTCOME = "codegym_mcp_outcome"
"""The key of the outcome in `extra_fields`."""


class EpisodeAgentLoop(ToolAgentLoop):  # type: ignore[misc]
    """Plays the episode that a row names.

    Args:
        sets_reward: whether the output has the reward already, so that verl computes none; with False, a
            reward function does, such as `compute_score` of this module.
        attempts: how often a task is played if its episode ends without a score.
        episodes: see `EpisodeOptions`.
    """

    def __init__(
        self,
        *args: Any,
        sets_reward: bool = True,
        attempts: int = 3,
        episodes: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._sets_reward = sets_reward
        self._attempts = attempts
        self._options = EpisodeOptions.read(**(episodes or {}))

    async def run(self, sampling_params: dict[str, Any], **kwargs: Any) -> "AgentLoopOutput":
        """Plays the episode of a row.

        Args:
            kwargs: the columns of the row; `extra_info` names the task.

        Raises:
            TaskError: the row names no task.
            UnscoredError: no attempt ended with a score.
            CodegymError: an episode cannot be opened.
        """
        for _ in range(self._attempts - 1):
            with suppress(UnscoredError):
                return await self._play(sampling_params, kwargs)
        return await self._play(sampling_params, kwargs)

    async def _play(self, sampling_params: dict[str, Any], kwargs: dict[str, Any]) -> "AgentLoopOutput":
        row = kwargs.get("extra_info") or {}
        episode = await self._options.open_async(TaskReference.from_row(row), row.get("calls"))
        try:
            offered = [*episode.tools, episode.submission]
            # Each sample has a loop of its own.
            self._episode, self._over = episode, False
            self.tool_schemas = tool_definitions(offered)
            self.tools = parser_tools(offered)
            prompt = fill_prompt(kwargs["raw_prompt"], episode.task.text)
            output = await super().run(sampling_params, **{**kwargs, "raw_prompt": prompt})
        finally:
            with anyio.CancelScope(shield=True):
                await episode.close()
        reward = reward_of(episode)
        output.extra_fields |= {REWARD: reward, OUTCOME: episode.outcome.value}
        if self._sets_reward:
            output.reward_score = reward
            # What verl's own reward managers report besides a reward.
            output.extra_fields["reward_extra_info"] = {"acc": reward}
        return output

    async def _call_tool(
        self, tool_call: Any, tools_kwargs: Any, agent_data: Any
    ) -> tuple["ToolResponse", None, dict[str, Any]]:
        """Makes a call, which has no reward. The text is complete: the episode bounds the size of results."""
        arguments = parse_arguments(tool_call.arguments)
        if arguments.data is None:
            text = f"This call cannot be read and was not executed: {arguments.problem}."
        else:
            result = await self._episode.call(tool_call.name, arguments.data)
            self._over = self._over or result.over
            text = result.text
        return ToolResponse(text=text), None, {}

    async def _handle_processing_tools_state(self, agent_data: Any) -> "AgentState":
        before = agent_data.prompt_ids, agent_data.response_mask, agent_data.response_logprobs
        state = await super()._handle_processing_tools_state(agent_data)
        if not self._over:
            return state
        # The reward is put on the last token, which must be one of the model's.
        agent_data.prompt_ids, agent_data.response_mask, agent_data.response_logprobs = before
        return AgentState.TERMINATED


def compute_score(
    data_source: str, solution_str: str, ground_truth: str, extra_info: Mapping[str, Any], **_: Any
) -> float:
    """Returns the reward of the episode, for `reward.custom_reward_function`.

    Raises:
        UnscoredError: the agent loop was another one, or its episode has no score.
    """
    reward = extra_info.get(REWARD)
    if reward is None:
        raise UnscoredError(data_source, "unknown", f"The agent loop reported no {REWARD}.")
    return float(reward)


# A configuration that has been read already names options too.
if installed and AGENT_NAME not in _agent_loop_registry:
    register(AGENT_NAME)(EpisodeAgentLoop)
