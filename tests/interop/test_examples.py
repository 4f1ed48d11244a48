"""The examples: agents as libraries, with a model that needs no network."""

import gc
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import eval_async
from inspect_ai.model import ChatMessage, ChatMessageTool, ModelOutput, ModelUsage, get_model
from inspect_ai.tool import ToolInfo

from tests.interop.bell import BELL_CALLS, BELL_TASK, next_move
from tests.interop.model_server import model_server
from tests.interop.serving import COUNTER, RunningServer

pytestmark = pytest.mark.interop

ROOT = Path(__file__).parents[2]
LANGCHAIN = ROOT / ".venv-langchain" / "bin" / "python"


@pytest.fixture(scope="module")
def model_url() -> Iterator[str]:
    with model_server() as url:
        yield url


def evaluate(command: str, out: Path, **variables: str) -> dict[str, Any]:
    """Evaluates an agent program on one task, and returns its trajectory."""
    options = [*("--environments", str(COUNTER)), *("--difficulty", str(BELL_TASK["difficulty"]))]
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "codegym_mcp.cli", "eval", "--agent", "command", "--command", command),
            *(*options, "--out", str(out)),
        ],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return dict(json.loads((out / "trajectories.jsonl").read_text()))


@pytest.mark.parametrize(
    ("python", "example", "model"),
    [
        (sys.executable, "pydantic_ai_agent.py", "openai-chat:bell"),
        (sys.executable, "openai_agents_agent.py", "bell"),
        pytest.param(
            LANGCHAIN,
            "langchain_agent.py",
            "openai:bell",
            marks=pytest.mark.skipif(not LANGCHAIN.exists(), reason="make .venv-langchain/.installed"),
        ),
    ],
)
def test_an_agent_made_with_a_library_solves_an_episode(
    model_url: str, tmp_path: Path, python: str, example: str, model: str
) -> None:
    command = f"{python} {{here}}/examples/{example} {model} {{mcp_url}} {{task_file}}"
    trajectory = evaluate(command, tmp_path / "run", OPENAI_BASE_URL=model_url, OPENAI_API_KEY="none")
    record = trajectory["extra"]
    assert record["outcome"] == "correct", record
    assert record["calls"] == BELL_CALLS
    assert record["program"]["exit_code"] == 0
    assert record["program"]["stdout"] == "done\n"


def find_bell(input: list[ChatMessage], tools: list[ToolInfo], *_: Any) -> ModelOutput:
    """A model that finds the bell, and then says so."""
    returned = [message for message in input if isinstance(message, ChatMessageTool)]
    if returned and returned[-1].function == "submit_answer":
        output = ModelOutput.from_content("mockllm/model", "done")
    else:
        move = next_move(json.loads(returned[-1].text) if returned else None)
        output = ModelOutput.for_tool_call("mockllm/model", *move)
    output.usage = ModelUsage()
    return output


@pytest.mark.filterwarnings("ignore:The 'initial' parameter is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning")
async def test_an_inspect_task_is_scored_by_the_control_plane(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT / "examples")
    monkeypatch.setenv("CODEGYM_MCP_TOKEN", server.token)
    from inspect_task import codegym

    [log] = await eval_async(
        codegym(environments="counter", seeds=3, url=server.url),
        model=get_model("mockllm/model", custom_outputs=find_bell),
        epochs=2,
        log_dir=str(tmp_path),
    )
    gc.collect()  # what was left unclosed goes now, not in another test
    assert log.status == "success", log.error
    assert log.samples is not None
    assert len(log.samples) == 6
    episodes = set()
    for sample in log.samples:
        [score] = (sample.scores or {}).values()
        assert score.value == 1.0
        assert (score.metadata or {})["state"] == "submitted"
        episodes.add(sample.metadata["episode"])
    assert len(episodes) == 6
