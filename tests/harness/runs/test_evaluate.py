"""Agents are evaluated from Python, and their runs are read as objects."""

import pickle
from pathlib import Path
from typing import Any

import pytest

from codegym_harness.agents.agent_context import AsyncAgentContext
from codegym_harness.agents.blocking_context import AgentContext
from codegym_harness.agents.configured_agents import CommandAgent, ModelAgent
from codegym_harness.processes.server_process import ServerProcess
from codegym_harness.records.trajectory import Outcome
from codegym_harness.runs.evaluate import evaluate, resume
from codegym_harness.runs.recorded_run import open_run
from codegym_harness.runs.run_tables import CALL_COLUMNS, EPISODE_COLUMNS, MESSAGE_COLUMNS
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.errors import CodegymError, NotFoundError, RunError, RunHaltedError, TaskError
from tests.conftest import ModelServer


def climb(episode: AgentContext) -> int:
    episode.record_message("I listen.")
    heard = episode.call("listen").value
    while heard["sound"] != "here":
        episode.call("move", floors=1)
        heard = episode.call("listen").value
    return int(heard["floor"])


async def give_one(episode: AsyncAgentContext) -> int:
    return 1


async def test_a_blocking_function_is_evaluated_on_an_environment_in_memory(
    bells: Environment, tmp_path: Path
) -> None:
    run = await evaluate(climb, bells, out=tmp_path / "run")
    assert (run.summary.agent, run.summary.reward, run.missing) == ("climb", 1.0, 0)
    assert run.tasks == {"counter": ["bell-1", "bell-2", "bell-4"]}
    assert {result.key for result in run.results()} == {f"counter/bell-{bell}/1" for bell in (1, 2, 4)}
    trajectory = run.trajectory("counter/bell-2/1")
    assert trajectory.steps[1].message == "I listen."
    assert trajectory.extra.max_calls == 256
    with pytest.raises(NotFoundError, match="Did you mean"):
        run.trajectory("counter/bell-3/1")


async def test_an_async_function_plays_difficulties_seeds_and_tasks_of_a_file(
    bells_file: Path, tmp_path: Path
) -> None:
    run = await evaluate(
        give_one, [bells_file, "count*"], difficulty=[1, 2], seed=range(5, 7), epochs=2, out=tmp_path / "run"
    )
    assert run.tasks == {"counter": ["d1-s5", "d1-s6", "d2-s5", "d2-s6"]}
    assert run.summary.episodes == 8
    single = await evaluate(give_one, bells_file, tasks=["bell-1"], out=tmp_path / "single")
    assert (single.tasks, single.summary.reward) == ({"counter": ["bell-1"]}, 1.0)


async def test_built_in_agents_play_catalogs_and_globs(bells: Environment, tmp_path: Path) -> None:
    run = await evaluate("oracle", Catalog.of([bells]), tasks=1, out=tmp_path / "run")
    assert (run.config.agent, run.summary.reward) == ("oracle", 1.0)
    bundled = await evaluate("observe", "night_courier", tasks=1, out=tmp_path / "bundled")
    assert list(bundled.summary.environments) == ["night_courier"]


async def test_a_model_is_evaluated_and_an_interrupted_run_is_resumed(
    bells_file: Path, openai_server: ModelServer, tmp_path: Path
) -> None:
    agent = ModelAgent("openai:climber", base_url=f"{openai_server.url}/v1", max_total_tokens=1)
    with pytest.raises(RunHaltedError):
        await evaluate(agent, bells_file, concurrency=1, out=tmp_path / "run")
    run = open_run(tmp_path / "run")
    assert run.missing > 0
    resumed = await resume(run, ModelAgent("openai:climber", base_url=f"{openai_server.url}/v1"))
    assert (resumed.missing, resumed.summary.reward) == (0, 1.0)


async def test_a_run_of_a_function_is_resumed_with_the_function_alone(
    bells: Environment, tmp_path: Path
) -> None:
    def fail_once(episode: AgentContext) -> int:
        if episode.task.id == "bell-2":
            raise CodegymError("The connection is lost.")
        return climb(episode)

    run = await evaluate(fail_once, bells, out=tmp_path / "run")
    assert run.summary.verdicts[Outcome.FAILED] == 1
    with pytest.raises(CodegymError, match="was given as an object"):
        await resume(run)
    with pytest.raises(RunError, match="is a run of fail_once, not of observe"):
        await resume(run, "observe")

    def climb_again(episode: AgentContext) -> int:
        return climb(episode)

    climb_again.__name__ = "fail_once"
    assert (await resume(run, climb_again)).summary.reward == 1.0


def test_a_run_is_resumed_by_a_blocking_call(tmp_path: Path, bells_file: Path) -> None:
    import anyio

    run = anyio.run(lambda: evaluate("observe", bells_file, out=tmp_path / "run"))
    file = run.path / "trajectories.jsonl"
    file.write_bytes(file.read_bytes().splitlines(keepends=True)[0])
    assert run.resume().summary.episodes == 3


async def test_a_run_is_read_as_rows_with_fixed_columns(bells: Environment, tmp_path: Path) -> None:
    run = await evaluate(climb, bells, tasks=2, out=tmp_path / "run")
    episodes = list(run.rows())
    assert [tuple(row) for row in episodes] == [EPISODE_COLUMNS] * 2
    assert {(row["key"], row["outcome"], row["reward"], row["oracle_calls"]) for row in episodes} == {
        ("counter/bell-1/1", "correct", 1.0, 3),
        ("counter/bell-2/1", "correct", 1.0, 5),
    }
    calls = list(run.rows("calls"))
    assert [tuple(row) for row in calls] == [CALL_COLUMNS] * len(calls)
    assert {row["status"] for row in calls} == {"ok"}
    assert {row["arguments"] for row in calls if row["tool"] == "move"} == {'{"floors":1}'}
    messages = list(run.rows("messages"))
    assert [tuple(row) for row in messages] == [MESSAGE_COLUMNS] * len(messages)
    assert [row["message"] for row in messages if row["source"] == "agent" and row["message"]] == [
        "I listen."
    ] * 2
    for table in (episodes, calls, messages):
        assert all(row["run"] == str(run.path) for row in table)
        assert all(
            isinstance(value, str | int | float | bool | list | None)
            for row in table
            for value in row.values()
        )
    with pytest.raises(ValueError, match="steps"):
        run.rows("steps")  # type: ignore[arg-type]


def test_the_column_names_are_pinned() -> None:
    assert " ".join(EPISODE_COLUMNS) == (
        "run key environment task difficulty seed epoch tags outcome reward submission calls oracle_calls "
        "max_calls invalid_calls repeated_calls limits_met stop fault error prompt_tokens completion_tokens "
        "cached_tokens cost_usd seconds"
    )
    assert " ".join(CALL_COLUMNS) == (
        "run key step call_id tool arguments raw_arguments invalid status is_error result structured "
        "answered_by seconds"
    )
    assert " ".join(MESSAGE_COLUMNS) == (
        "run key step source timestamp message reasoning model calls prompt_tokens completion_tokens "
        "cached_tokens cost_usd"
    )


async def test_trajectories_are_selected_by_environment_outcome_and_condition(
    bells: Environment, tmp_path: Path
) -> None:
    run = await evaluate(give_one, bells, out=tmp_path / "run")
    assert [each.extra.task for each in run.trajectories(outcome="correct")] == ["bell-1"]
    assert not list(run.trajectories(environments="ledger*"))
    assert (
        len(list(run.trajectories(outcome=Outcome.INCORRECT, where=lambda each: each.extra.calls == 0))) == 2
    )
    with pytest.raises(ValueError, match="right"):
        run.trajectories(outcome="right")
    assert pickle.loads(pickle.dumps(run)) == run


@pytest.mark.parametrize(
    ("agent", "environments", "options", "error"),
    [
        ("orcale", "*", {}, NotFoundError),
        ("model", "*", {}, NotFoundError),
        ("observe", "nowhere_*", {}, NotFoundError),
        ("observe", "night_courier", {"tasks": ["no-such-task"]}, NotFoundError),
        ("observe", "night_courier", {"grade": "A", "difficulty": 2, "tasks": ["x"]}, CodegymError),
        ("observe", "night_courier", {"seed": range(3, 3)}, CodegymError),
        (42, "*", {}, CodegymError),
    ],
)
async def test_an_evaluation_that_cannot_start_writes_nothing(
    tmp_path: Path, agent: Any, environments: str, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await evaluate(agent, environments, out=tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


async def test_a_folder_with_other_files_is_not_used_for_a_run(bells: Environment, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="is not empty"):
        await evaluate(climb, bells, out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


async def test_an_environment_in_memory_that_cannot_start_leaves_no_folder(
    bells: Environment, tmp_path: Path
) -> None:
    with pytest.raises((TaskError, NotFoundError)):
        await evaluate(climb, [bells, "other_*"], out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_option_that_does_not_exist_is_refused_when_a_model_is_configured() -> None:
    with pytest.raises(CodegymError, match="temprature"):
        ModelAgent("openai:x", temprature=1)
    assert CommandAgent(["claude", "-p", "{task}"]).command == "claude -p '{task}'"
    with pytest.raises(RunError, match="is no run directory"):
        open_run("nowhere")


async def test_episodes_of_a_running_server_are_played_and_resumed_with_the_server(
    server: ServerProcess, tmp_path: Path
) -> None:
    run = await evaluate(climb, "count*", server=server, out=tmp_path / "run")
    assert (run.summary.episodes, run.summary.reward) == (3, 1.0)
    file = run.path / "trajectories.jsonl"
    file.write_bytes(file.read_bytes().splitlines(keepends=True)[0])
    with pytest.raises(CodegymError, match="Give the server again"):
        await resume(run, climb)
    assert (await resume(run, climb, server=server)).summary.episodes == 3
    assert server.token not in (run.path / "run.json").read_text()
    with pytest.raises(CodegymError, match="cannot bring its own"):
        await evaluate(climb, "bundled", server=server, out=tmp_path / "other")
