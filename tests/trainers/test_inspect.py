"""Inspect finds the task by the package's name, and plays."""

import gc
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task, eval_async
from inspect_ai.log import EvalLog
from inspect_ai.model import ChatMessage, ChatMessageTool, ModelOutput, ModelUsage, get_model
from inspect_ai.tool import ToolInfo

from codegym_mcp.errors import CodegymError, NotFoundError
from codegym_mcp.inspect_ai_tasks import episodes
from codegym_mcp.runtime.shared_runtime import shared_runtime
from tests.conftest import FIXTURES
from tests.failing_environment import FAILING

pytestmark = [
    pytest.mark.trainers,
    # Inspect AI's own: an outdated parameter of tenacity, and a stream of sample events left unclosed.
    pytest.mark.filterwarnings("ignore:The 'initial' parameter is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning"),
]


@pytest.fixture(autouse=True)
def collected_garbage() -> Iterator[None]:
    """Streams left unclosed are noticed here, where that is ignored, and not in a later test."""
    yield
    gc.collect()


LIFT = str(FIXTURES / "counter.py")


def call(tool: str, **arguments: Any) -> ModelOutput:
    return with_usage(ModelOutput.for_tool_call("mockllm/model", tool, arguments))


def say(text: str) -> ModelOutput:
    return with_usage(ModelOutput.from_content("mockllm/model", text))


def with_usage(output: ModelOutput) -> ModelOutput:
    """Without a usage, the model would count tokens with a tokenizer that is fetched."""
    output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    return output


def find_bell(input: list[ChatMessage], tools: list[ToolInfo], *_: Any) -> ModelOutput:
    """A model that solves the lift."""
    assert [tool.name for tool in tools] == ["move", "listen", "submit_answer"]
    last = input[-1]
    if not isinstance(last, ChatMessageTool) or last.function != "listen":
        return call("listen")
    heard = json.loads(last.text)
    if heard["sound"] == "here":
        return call("submit_answer", answer=heard["floor"])
    return call("move", floors=1 if heard["sound"] == "above" else -1)


async def run(task: Any, model: Any, folder: Path, **options: Any) -> EvalLog:
    models = get_model("mockllm/model", custom_outputs=model)
    (log,) = await eval_async(task, model=models, log_dir=str(folder), **options)
    return log


def test_inspect_finds_the_task_by_the_name_of_the_package(tmp_path: Path) -> None:
    # From another folder: in a checkout, Inspect takes its package for one that is not installed.
    program = (
        "from inspect_ai import eval\n"
        "from inspect_ai.model import ModelOutput, ModelUsage, get_model\n"
        "output = ModelOutput.from_content('mockllm/model', 'Hm.')\n"
        "output.usage = ModelUsage()\n"
        "model = get_model('mockllm/model', custom_outputs=[output] * 9)\n"
        "(log,) = eval('codegym_mcp/episodes', model=model, task_args={'names': 'parcel_hunt'}, limit=2)\n"
        "print(log.eval.task, log.status, len(log.samples))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.splitlines()[-1].strip() == "codegym_mcp/episodes success 2"


async def test_right_answers_are_paid(tmp_path: Path) -> None:
    log = await run(episodes(environments=LIFT, difficulty=[2, 3], tasks=3), find_bell, tmp_path)
    assert log.status == "success", log.error
    assert log.samples is not None
    assert [sample.id for sample in log.samples][:2] == ["counter/2/1000000", "counter/2/1000001"]
    assert [sample.scores["codegym_mcp_reward"].value for sample in log.samples] == [1.0] * 6
    messages = log.samples[0].messages
    assert [message.role for message in messages[:3]] == ["system", "user", "assistant"]
    assert "at most 256 calls" in messages[0].text
    # The episode ends with the submission: nothing more is asked of the model.
    assert messages[-1].role == "tool"


@pytest.mark.parametrize(
    ("outputs", "outcome", "reward", "told"),
    [
        ([call("submit_answer", answer=-1)], "incorrect", 0.0, "received"),
        ([say("Hm."), call("listen"), say("Hm."), say("Hm.")], "no_submission", 0.0, "Hm."),
        ([call("listen"), call("listen"), call("listen")], "no_submission", 0.0, "over"),
        ([call("dance"), call("move", floors="up"), say("?"), say("?")], "no_submission", 0.0, "?"),
    ],
)
async def test_every_other_end_is_not_paid(
    tmp_path: Path, outputs: list[Any], outcome: str, reward: float, told: str
) -> None:
    log = await run(episodes(environments=LIFT, difficulty=2, tasks=1, calls=2), outputs, tmp_path)
    assert log.status == "success", log.error
    assert log.samples is not None
    score = log.samples[0].scores["codegym_mcp_reward"]
    assert (score.value, score.explanation) == (reward, outcome)
    last = log.samples[0].messages[-1]
    assert told in (last.error.message if isinstance(last, ChatMessageTool) and last.error else last.text)


async def test_a_sample_without_a_score_is_unscored_and_not_0(tmp_path: Path) -> None:
    (tmp_path / "door.py").write_text(FAILING)
    task = episodes(environments=str(tmp_path / "door.py"), difficulty=1, tasks=1)
    log = await run(task, [call("submit_answer", answer=1)], tmp_path)
    assert log.samples is not None
    score = log.samples[0].scores["codegym_mcp_reward"]
    assert score.value != score.value
    assert score.reason == "scoring_failed"
    assert score.metadata["outcome"] == "failed"


async def test_a_model_that_fails_leaves_no_episode_open(tmp_path: Path) -> None:
    def fail(*_: Any) -> ModelOutput:
        raise RuntimeError("the provider is away")

    log = await run(episodes(names="leak_survey"), fail, tmp_path, fail_on_error=False)
    assert log.samples is not None
    assert all("provider is away" in sample.error.message for sample in log.samples)
    assert shared_runtime().open_count == 0


def test_fixed_tasks_are_played_without_a_difficulty() -> None:
    task = episodes(names=["night_courier", "crew_*"])
    assert isinstance(task, Task)
    assert {sample.metadata["environment"] for sample in task.dataset} == {"night_courier", "crew_rota"}
    assert all("task" in sample.metadata for sample in task.dataset)


def test_a_wrong_selection_is_an_error() -> None:
    with pytest.raises(NotFoundError, match="nowhere"):
        episodes(names="nowhere")
    with pytest.raises(CodegymError, match="calls"):
        episodes(calls=0)
