"""Episodes as samples of an Inspect task: a sample is a task, an epoch an episode, the score its reward.

`codegym_mcp.inspect_ai_tasks` offers it to `inspect eval`. https://inspect.aisi.org.uk
"""

from typing import Any

import anyio

from codegym_harness.agents.system_prompt import DEFAULT_SYSTEM_PROMPT, render_reminder, render_system_prompt
from codegym_harness.task_sets.task_set_contents import TaskSelection
from codegym_harness.trainers.trainer_episodes import EpisodeOptions
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.errors import MissingExtraError
from codegym_mcp.runtime.async_episode import AsyncEpisode
from codegym_mcp.task_reference import TaskReference

try:
    from inspect_ai import Task
    from inspect_ai.dataset import Sample
    from inspect_ai.model import ChatMessageSystem, ChatMessageUser
    from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr
    from inspect_ai.solver import Generate, Solver, TaskState, solver
    from inspect_ai.tool import Tool, ToolDef, ToolError, ToolParams
except ImportError:
    installed = False
else:
    installed = True

_ENDED = "codegym_mcp_episode"
"""The key under which the end of the episode is stored for the scorer."""


def episode_task(selection: TaskSelection, options: EpisodeOptions) -> "Task":
    """Returns an Inspect task with a sample for each selected task.

    Args:
        selection: the tasks, of the environments that `options` names.

    Raises:
        MissingExtraError: inspect_ai is not installed.
        NotFoundError, TaskError: the selection matches no tasks.
    """
    if not installed:
        raise MissingExtraError("Inspect", "pip install 'codegym-mcp[inspect]'")
    parts = selection.tasks(Catalog.load(options.environments))
    samples = [_sample(reference) for references in parts.values() for reference in references]
    return Task(dataset=samples, solver=_play(options), scorer=_reward())


def _sample(reference: TaskReference) -> "Sample":
    named = reference.model_dump(include=set(TaskReference.model_fields), exclude_none=True)
    name = "/".join(str(value) for value in named.values())
    return Sample(input=name, id=name, metadata=named)


def _play(options: EpisodeOptions) -> "Solver":
    async def solve(state: "TaskState", generate: "Generate") -> "TaskState":
        episode = await options.open_async(TaskReference.from_row(state.metadata))
        try:
            return await _let_play(state, generate, episode)
        finally:
            with anyio.CancelScope(shield=True):
                await episode.close()
            ended = {"outcome": episode.outcome.value, "reward": episode.reward, "calls": episode.calls}
            state.store.set(_ENDED, ended | {"reason": episode.reason})

    @solver(name="codegym_mcp_episode")  # type: ignore[untyped-decorator]
    def play() -> "Solver":
        return solve

    return play()


async def _let_play(state: "TaskState", generate: "Generate", episode: AsyncEpisode) -> "TaskState":
    """Lets the model work until the episode is over, or it replies twice in a row without a call."""
    system = render_system_prompt(DEFAULT_SYSTEM_PROMPT, episode.submission.name, episode.limits.calls)
    state.messages = [ChatMessageSystem(content=system), ChatMessageUser(content=episode.task.text)]
    state.tools = [_tool(state, episode, tool) for tool in (*episode.tools, episode.submission)]
    calls_at_reminder = None
    while True:
        state = await generate(state, tool_calls="loop")
        if state.completed or calls_at_reminder == episode.calls:
            return state
        calls_at_reminder = episode.calls
        state.messages.append(ChatMessageUser(content=render_reminder(episode.submission.name)))


def _tool(state: "TaskState", episode: AsyncEpisode, tool: ToolView) -> "Tool":
    async def call(**arguments: Any) -> str:
        result = await episode.call(tool.name, arguments)
        if result.over:
            state.completed = True
        if result.is_error:
            raise ToolError(result.text)
        return result.text

    parameters = ToolParams.model_validate(tool.input_schema)
    # The episode bounds the size of results.
    definition = ToolDef(
        call, name=tool.name, description=tool.description, parameters=parameters, max_output=0
    )
    return definition.as_tool()


def _reward() -> "Scorer":
    async def score(state: "TaskState", target: "Target") -> "Score":
        ended = state.store.get(_ENDED)
        if ended is None or ended["reward"] is None:
            why = "The episode was not played." if ended is None else ended["reason"]
            return Score.unscored(reason="scoring_failed", explanation=why, metadata=ended)
        return Score(value=ended["reward"], explanation=ended["outcome"], metadata=ended)

    @scorer(metrics=[mean(), stderr()], name="codegym_mcp_reward")  # type: ignore[untyped-decorator]
    def reward() -> "Scorer":
        return score

    return reward()
