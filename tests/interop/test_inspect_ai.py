"""Inspect AI evaluates bundled environments: each sample is an episode, scored by the control plane."""

import gc
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task, eval_async
from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessage, ChatMessageTool, ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import ToolInfo, mcp_connection, mcp_server_http, mcp_tools

from tests.interop.bundled import BundledTask, bundled_tasks
from tests.interop.serving import RunningServer

pytestmark = [
    pytest.mark.interop,
    # Inspect AI's own: an outdated parameter of tenacity, and a stream of sample events left unclosed.
    pytest.mark.filterwarnings("ignore:The 'initial' parameter is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning"),
]


@solver
def play() -> Solver:
    """Connects each sample to its own episode and lets the model work in it."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        source = mcp_tools(mcp_server_http(url=state.metadata["mcp_url"]))
        async with mcp_connection(source):
            state.tools = list(await source.tools())
            return await generate(state, tool_calls="loop")

    return solve


@scorer(metrics=[mean()])
def reward(server: RunningServer) -> Scorer:
    """The reward that the control plane reports."""

    async def score(state: TaskState, target: Target) -> Score:
        info = server.ask("GET", f"/episodes/{state.metadata['id']}")
        return Score(value=info["verdict"]["reward"], metadata=info)

    return score


def play_known(tasks: dict[str, BundledTask]) -> Any:
    """A model that makes the oracle's calls, and then submits."""

    def respond(input: list[ChatMessage], tools: list[ToolInfo], *_: Any) -> ModelOutput:
        task = tasks[input[0].text]
        turn = sum(isinstance(message, ChatMessageTool) for message in input)
        moves = [*task.calls, ("submit_answer", task.submission)]
        if turn < len(moves):
            output = ModelOutput.for_tool_call("mockllm/model", *moves[turn])
        else:
            output = ModelOutput.from_content("mockllm/model", "done")
        output.usage = ModelUsage()
        return output

    return respond


async def test_an_evaluation_of_every_bundled_environment_is_rewarded(
    server: RunningServer, tmp_path: Path
) -> None:
    samples, tasks = [], {}
    for task in bundled_tasks():
        episode = server.open(task.environment, task=task.id)
        tasks[episode.task] = task
        metadata = {"id": episode.id, "mcp_url": episode.mcp_url}
        samples.append(Sample(input=episode.task, id=task.environment, metadata=metadata))
    [log] = await eval_async(
        Task(dataset=samples, solver=play(), scorer=reward(server)),
        model=get_model("mockllm/model", custom_outputs=play_known(tasks)),
        log_dir=str(tmp_path),
    )
    gc.collect()  # what was left unclosed goes now, not in another test
    assert log.status == "success", log.error
    assert log.samples is not None
    for sample in log.samples:
        [score] = (sample.scores or {}).values()
        tried = [message for message in sample.messages if isinstance(message, ChatMessageTool)]
        assert score.value == 1.0, sample.id
        assert score.metadata["calls"] == len(tried) - 1
    assert len(log.samples) == len(samples)
