"""Task sets, as files that trainers read."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result
from openai.types.responses import EasyInputMessageParam, FunctionToolParam
from pydantic import TypeAdapter

from codegym_harness.runs.task_selection import SeedRange
from codegym_harness.task_sets import task_set_export
from codegym_harness.task_sets.task_set_contents import Part, TaskSelection
from codegym_harness.task_sets.task_set_export import TaskSetSummary
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.cli import main
from codegym_mcp.cli.export_tasks import TASK_FORMATS
from codegym_mcp.errors import CodegymError, NotFoundError
from codegym_mcp.task_reference import TaskReference
from tests.conftest import FIXTURES

LIFTS = Catalog.load([FIXTURES / "counter.py"])
WORD = '''"""Guess the word."""
META = {"title": "Word", "license": "MIT", "source": "original"}
class Environment:
    def __init__(self, word: str):
        self.word = word
    def length(self) -> int:
        "Tell the length."
        return len(self.word)
def reference(word: str) -> str:
    return word[::-1]
def solve(tools):
    return ""
def generate(random, difficulty):
    return {"word": "xylographer"}
'''


async def export(path: Path, name: str = "trl", **choice: Any) -> TaskSetSummary:
    selection = TaskSelection.model_validate({"difficulties": (5,), "seeds": {"last": 2}, **choice})
    return await task_set_export.export_tasks(LIFTS, selection.tasks(LIFTS), name, path, calls=9)


def read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        return pyarrow.parquet.read_table(path).to_pylist()
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def reference(row: dict[str, Any]) -> TaskReference:
    return TaskReference.from_row(row.get("extra_info", row))


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
@pytest.mark.parametrize("name", TASK_FORMATS)
async def test_every_row_names_its_task(tmp_path: Path, name: str, suffix: str) -> None:
    if suffix not in task_set_export.TASK_FORMATS[name].suffixes:
        with pytest.raises(CodegymError, match=r"nemo-gym reads \.jsonl files, not \.parquet"):
            await export(tmp_path / f"set{suffix}", name)
        return
    summary = await export(tmp_path / f"set{suffix}", name)
    assert [(file.part, file.tasks, file.environments) for file in summary.files] == [(Part.TRAIN, 3, 1)]
    rows = read(tmp_path / f"set{suffix}")
    assert [reference(row) for row in rows] == [
        TaskReference(environment="counter", difficulty=5, seed=seed) for seed in range(3)
    ]


@pytest.mark.parametrize("name", TASK_FORMATS)
async def test_no_row_holds_hidden_values_or_an_answer(tmp_path: Path, name: str) -> None:
    (tmp_path / "word.py").write_text(WORD)
    catalog = Catalog.load([tmp_path / "word.py"])
    parts = TaskSelection(difficulties=(1,), seeds=SeedRange(last=1)).tasks(catalog)
    await task_set_export.export_tasks(catalog, parts, name, tmp_path / "set.jsonl")
    text = (tmp_path / "set.jsonl").read_text()
    assert "Guess the word." in text or name in ("trl", "skyrl")
    assert "xylographer" not in text
    assert "rehpargolyx" not in text


async def test_rows_of_trl_and_skyrl_leave_the_task_to_the_environment(tmp_path: Path) -> None:
    await export(tmp_path / "set.parquet", "trl")
    system, user = read(tmp_path / "set.parquet")[0]["prompt"]
    assert (system["role"], user) == ("system", {"role": "user", "content": ""})
    assert "at most 9 calls" in system["content"]
    assert "`submit_answer`" in system["content"]
    await export(tmp_path / "skyrl.parquet", "skyrl")
    row = read(tmp_path / "skyrl.parquet")[0]
    assert row["prompt"] == [system, user]
    assert (row["env_class"], row["data_source"], row["calls"]) == ("codegym_mcp", "codegym_mcp/counter", 9)


async def test_a_row_of_verl_names_its_agent_loop_and_has_no_ground_truth(tmp_path: Path) -> None:
    await export(tmp_path / "set.parquet", "verl")
    row = read(tmp_path / "set.parquet")[1]
    assert row["agent_name"] == "codegym_mcp"
    assert row["reward_model"] == {"style": "rule", "ground_truth": ""}
    assert (row["extra_info"]["index"], row["extra_info"]["calls"]) == (1, 9)
    assert [message["role"] for message in row["prompt"]] == ["system", "user"]
    assert row["prompt"][1]["content"].startswith("A lift stands at floor 0.")


async def test_a_row_of_nemo_gym_is_a_request_with_tools(tmp_path: Path) -> None:
    await export(tmp_path / "set.jsonl", "nemo-gym")
    row = read(tmp_path / "set.jsonl")[0]
    assert [*row] == ["responses_create_params", "environment", "difficulty", "seed"]
    tools = row["responses_create_params"]["tools"]
    assert [tool["name"] for tool in tools] == ["move", "listen", "submit_answer"]
    assert tools[0]["parameters"]["required"] == ["floors"]
    # The types of OpenAI's client, which NeMo Gym validates requests with.
    for tool in tools:
        assert TypeAdapter(FunctionToolParam).validate_python(tool) == tool
    for message in row["responses_create_params"]["input"]:
        assert TypeAdapter(EasyInputMessageParam).validate_python(message) == message


async def test_held_out_tasks_that_equal_a_training_task_are_left_out(tmp_path: Path) -> None:
    # Difficulty 1 has four different tasks.
    summary = await export(tmp_path / "set.jsonl", "verl", difficulties=(1,), held_out=20)
    train, held_out = summary.files
    assert [file.path.name for file in summary.files] == ["set.train.jsonl", "set.held_out.jsonl"]
    assert (train.tasks, held_out.tasks + held_out.left_out) == (3, 20)
    assert 0 < held_out.left_out < 20
    with pytest.raises(CodegymError, match="All 5 held-out tasks are equal to training tasks"):
        await export(tmp_path / "set.jsonl", difficulties=(1,), seeds={"last": 99}, held_out=5)
    assert len(read(tmp_path / "set.train.jsonl")) == 3


async def test_a_set_that_fails_leaves_the_earlier_file(tmp_path: Path) -> None:
    await export(tmp_path / "set.jsonl")
    before = (tmp_path / "set.jsonl").read_bytes()
    parts = {Part.FIXED: [TaskReference(environment="counter", difficulty=1), TaskReference(environment="x")]}
    with pytest.raises(NotFoundError, match="There is no environment named 'x'"):
        await task_set_export.export_tasks(LIFTS, parts, "trl", tmp_path / "set.jsonl")
    assert (tmp_path / "set.jsonl").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["set.jsonl"]


@pytest.mark.parametrize(("name", "tool"), [("trl", "reset"), ("nemo-gym", "verify")])
async def test_a_tool_with_a_name_that_the_trainer_reserves_is_an_error(
    tmp_path: Path, name: str, tool: str
) -> None:
    source = (FIXTURES / "counter.py").read_text().replace("listen(", f"{tool}(")
    (tmp_path / "lift.py").write_text(source)
    catalog = Catalog.load([tmp_path / "lift.py"])
    parts = TaskSelection(difficulties=(1,), seeds=SeedRange(last=0)).tasks(catalog)
    with pytest.raises(CodegymError, match=f"lift has a tool named {tool}"):
        await task_set_export.export_tasks(catalog, parts, name, tmp_path / "set.jsonl")
    assert not (tmp_path / "set.jsonl").exists()
    await task_set_export.export_tasks(catalog, parts, "verl", tmp_path / "set.jsonl")


async def test_each_task_is_reported_once(tmp_path: Path) -> None:
    reported: Counter[int | None] = Counter()
    parts = TaskSelection(difficulties=(5,), seeds=SeedRange(last=39)).tasks(LIFTS)
    await task_set_export.export_tasks(
        LIFTS, parts, "trl", tmp_path / "set.jsonl", on_task=lambda task: reported.update([task.seed])
    )
    assert reported == Counter(range(40))


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["export", *map(str, arguments)])


def test_the_command_offers_every_format() -> None:
    assert tuple(task_set_export.TASK_FORMATS) == TASK_FORMATS


def test_the_command_tells_the_split_of_the_seeds(tmp_path: Path) -> None:
    written = ("--tasks", "--format", "trl", "-o", tmp_path / "set.jsonl")
    selected = ("--environments", FIXTURES / "counter.py", "--difficulty", "4,5", "--difficulty", 5)
    done = invoke(*written, *selected, "--seed", "3-4", "--held-out", 2)
    assert done.exit_code == 0, done.output
    assert f"{tmp_path}/set.train.jsonl: tasks 4, environments 1, seeds 3 to 4" in done.stdout
    assert f"{tmp_path}/set.held_out.jsonl: tasks 4, environments 1, seeds 1000000 to 1000001" in done.stdout
    assert "codegym-mcp eval --difficulty 4,5 --seed 1000000-1000001" in done.stdout
    told = json.loads(invoke(*written, *selected, "--seed", 3, "--json").stdout)
    counts = {"part": "train", "tasks": 2, "environments": 1, "left_out": 0}
    assert told["files"] == [{"path": f"{tmp_path}/set.jsonl", **counts}]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--format", "trl"), "Give the runs whose episodes to write, or --tasks, not both."),
        (("--tasks", "--format", "openai"), "Tasks are written as one of: trl, verl, skyrl, nemo-gym."),
        (("--tasks", "--format", "trl", "--best-of", "2"), "--best-of is for episodes of runs only."),
        (("--tasks", "--format", "trl", "--seed", "2"), "Fixed tasks have no seeds"),
        (("--tasks", "--format", "trl", "--held-out", "2"), "fixed tasks have no seeds"),
        (("--tasks", "--format", "trl", "--difficulty", "1", "--seed", "5-1000000"), "partly held out"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    done = invoke(*arguments, "-o", tmp_path / "set.jsonl")
    assert done.exit_code == 2
    assert told in done.output
