import json
from pathlib import Path

import pyarrow.parquet
import pytest

from codegym_harness.agents.system_prompt import DEFAULT_SYSTEM_PROMPT, render_system_prompt
from codegym_harness.export.export import export
from codegym_harness.export.export_metadata import METADATA_COLUMNS
from codegym_harness.export.format_registry import FORMATS
from codegym_harness.export.trajectory_filters import Filters
from codegym_harness.runs.run_directory_writer import RunDirectory
from codegym_harness.runs.task_selection import SeedRange
from codegym_mcp.errors import CodegymError, NotFoundError, RunError
from tests.conversations import agent, asked, example, trajectory, user
from tests.made_runs import Configuration


@pytest.fixture
def record(tmp_path):
    """Makes a run directory of trajectories."""

    def recorded(*trajectories, name="run"):
        with RunDirectory.create(tmp_path / name, Configuration()) as directory:
            for each in trajectories:
                directory.append(each)
        return tmp_path / name

    return recorded


def attempt(environment, task="low", epoch=1, **record):
    """A trajectory of one look, which shows what it is."""
    look = agent("", asked("look", {}, f"{environment} {task} {epoch}"))
    return trajectory(user("Go."), look, key=f"{environment}/{task}/{epoch}", **record)


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def seen(path):
    """The results in the first observation of each row."""
    return [row["messages"][2]["content"] for row in lines(path)]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_every_format_writes_every_trajectory(record, tmp_path: Path, name: str, suffix: str) -> None:
    run = record(example(), attempt("lift", "high", calls=3))
    out = tmp_path / f"set.{suffix}"
    summary = export([run], name, out)
    rows = lines(out) if suffix == "jsonl" else pyarrow.parquet.read_table(out).to_pylist()
    assert len(rows) == 2
    metadata = METADATA_COLUMNS if FORMATS[name].takes_metadata else {}
    assert all(row.keys() == FORMATS[name].columns.keys() | metadata.keys() for row in rows)
    assert (summary.format, summary.read, summary.kept) == (name, 2, 2)
    (file,) = summary.files
    assert (file.path, file.rows, file.environments) == (out, 2, 1)
    assert file.messages == 7 + 4 + 2 + 1


def test_several_runs_are_one_set_and_each_is_read_once(record, tmp_path: Path) -> None:
    first, second = record(attempt("a"), name="first"), record(attempt("b"), name="second")
    summary = export([first, second, first / "." / ".." / "first"], "trl", tmp_path / "set.jsonl")
    assert seen(tmp_path / "set.jsonl") == ["a low 1", "b low 1"]
    assert summary.runs == [first, second]


def test_the_summary_counts_what_each_filter_dropped_in_order(record, tmp_path: Path) -> None:
    run = record(
        attempt("a"),
        attempt("a", epoch=2),
        attempt("a", epoch=3, outcome="incorrect"),
        attempt("a", "high", calls=2),
        attempt("b"),
        attempt("c", outcome="failed"),
        trajectory(user("Go."), key="a/low/4", outcome="no_submission"),
    )
    filters = Filters(environments=("a",), reward=1, best_of=1)
    summary = export([run], "trl", tmp_path / "set.jsonl", filters)
    assert seen(tmp_path / "set.jsonl") == ["a low 1", "a high 1"]
    assert [*summary.dropped.items()] == [
        ("failed", 1),
        ("nothing_done", 1),
        ("env", 1),
        ("reward", 1),
        ("best_of", 1),
    ]
    assert summary.kept + sum(summary.dropped.values()) == summary.read == 7


def test_best_of_chooses_among_all_runs(record, tmp_path: Path) -> None:
    first = record(attempt("a", calls=5), attempt("b", calls=1), name="first")
    second = record(attempt("a", epoch=2, calls=2), attempt("a", epoch=3, calls=9), name="second")
    export([first, second], "trl", tmp_path / "set.jsonl", Filters(best_of=2))
    assert seen(tmp_path / "set.jsonl") == ["a low 1", "b low 1", "a low 2"]


def test_trajectories_that_a_format_cannot_hold_are_dropped_with_the_reason(record, tmp_path: Path) -> None:
    big = trajectory(user("Go."), agent("", asked("move", {"floors": 2**64})))
    run = record(big, attempt("a"))
    summary = export([run], "trl", tmp_path / "set.jsonl")
    assert summary.kept == 1
    assert summary.dropped["trl: whole numbers beyond 64 bits"] == 1
    assert summary.lost["session_id"] == 1
    assert export([run], "openai", tmp_path / "set.jsonl").kept == 2


def test_decimals_are_lost_only_in_json_lines(record, tmp_path: Path) -> None:
    run = record(trajectory(user("Go."), agent("", asked("move", {"floors": 1e-12}))))
    place = "steps.tool_calls.arguments (decimals beyond the tenth)"
    assert export([run], "trl", tmp_path / "set.jsonl").lost[place] == 1
    assert place not in export([run], "trl", tmp_path / "set.parquet").lost


def test_a_split_shares_no_environment_and_loses_nothing(record, tmp_path: Path) -> None:
    run = record(*(attempt(f"e{number}", epoch=epoch) for number in range(20) for epoch in (1, 2)))
    summary = export([run], "trl", tmp_path / "set.jsonl", validation_share=0.2)
    train, validation = (summary.files[0].path, summary.files[1].path)
    assert (train.name, validation.name) == ("set.train.jsonl", "set.validation.jsonl")
    sides = [{text.split()[0] for text in seen(path)} for path in (train, validation)]
    assert not sides[0] & sides[1]
    assert sides[0] | sides[1] == {f"e{number}" for number in range(20)}
    assert summary.files[0].rows + summary.files[1].rows == summary.kept == 40
    assert [file.environments for file in summary.files] == [len(side) for side in sides]
    again = export([run], "trl", tmp_path / "again.jsonl", validation_share=0.2)
    assert [file.path.read_bytes() for file in again.files] == [train.read_bytes(), validation.read_bytes()]


def test_one_environment_cannot_be_split_and_leaves_no_file(record, tmp_path: Path) -> None:
    run = record(attempt("a"))
    with pytest.raises(CodegymError, match="there is only a"):
        export([run], "trl", tmp_path / "out" / "set.jsonl", validation_share=0.2)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("share", [None, 0.5])
def test_an_empty_export_is_an_error_with_the_reasons_and_writes_no_file(
    record, tmp_path: Path, share
) -> None:
    run = record(attempt("a", outcome="incorrect"), attempt("b", outcome="failed"))
    with pytest.raises(CodegymError, match=r"None of 2 trajectories is left .* failed 1, reward 1\."):
        export([run], "trl", tmp_path / "set.jsonl", Filters(reward=1), validation_share=share)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run directory"):
        export([tmp_path], "trl", tmp_path / "set.jsonl")


def test_an_export_never_replaces_the_trajectories_of_a_run(record, tmp_path: Path) -> None:
    run = record(attempt("a"))
    before = (run / "trajectories.jsonl").read_bytes()
    with pytest.raises(RunError, match="belongs to the run"):
        export([run], "atif", tmp_path / "run" / ".." / "run" / "trajectories.jsonl")
    assert (run / "trajectories.jsonl").read_bytes() == before


def test_a_damaged_trajectory_is_an_error_and_existing_files_stay(record, tmp_path: Path) -> None:
    run = record(attempt("a"), attempt("b"))
    written = (run / "trajectories.jsonl").read_bytes().splitlines(keepends=True)
    (run / "trajectories.jsonl").write_bytes(b"{}\n" + written[1])
    (tmp_path / "set.jsonl").write_text("before")
    with pytest.raises(RunError, match="Line 1"):
        export([run], "trl", tmp_path / "set.jsonl")
    assert (tmp_path / "set.jsonl").read_text() == "before"


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="format"):
        export([], "alpaca", tmp_path / "set.jsonl")


@pytest.mark.parametrize("name", ["trl", "sharegpt"])
@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_rows_say_which_episode_they_are_and_how_it_ended(
    record, tmp_path: Path, name: str, suffix: str
) -> None:
    run = record(
        attempt("lift", "d2-s7", difficulty=2, seed=7), attempt("lift", outcome="no_submission", epoch=2)
    )
    out = tmp_path / f"set.{suffix}"
    export([run], name, out)
    rows = lines(out) if suffix == "jsonl" else pyarrow.parquet.read_table(out).to_pylist()
    assert [{column: row[column] for column in METADATA_COLUMNS} for row in rows] == [
        {
            "key": "lift/d2-s7/1",
            "environment": "lift",
            "task": "d2-s7",
            "difficulty": 2,
            "seed": 7,
            "reward": 1.0,
            "outcome": "correct",
        },
        {
            "key": "lift/low/2",
            "environment": "lift",
            "task": "low",
            "difficulty": None,
            "seed": None,
            "reward": 0.0,
            "outcome": "no_submission",
        },
    ]


def test_metadata_is_added_where_it_is_requested_and_left_out_where_it_is_not(record, tmp_path: Path) -> None:
    run, out = record(attempt("lift")), tmp_path / "set.jsonl"
    export([run], "openai", out)
    assert lines(out)[0].keys() == {"messages", "tools"}
    export([run], "openai", out, metadata_choice="columns")
    assert lines(out)[0]["key"] == "lift/low/1"
    export([run], "trl", out, metadata_choice="none")
    assert lines(out)[0].keys() == {"messages", "tools"}
    with pytest.raises(CodegymError, match="hold the metadata in `extra` already"):
        export([run], "atif", out, metadata_choice="columns")


@pytest.mark.parametrize("name", ["trl", "openai", "sharegpt"])
def test_calls_that_were_not_executed_are_no_part_of_a_row_and_are_counted(
    record, tmp_path: Path, name: str
) -> None:
    malformed = asked("move", {}, "no JSON", raw_arguments='{"floors', invalid="malformed_arguments")
    after_end = asked("look", {"x": 1}, "over", invalid="after_end")
    run = record(
        trajectory(
            user("Go."),
            agent("First try.", malformed),
            agent("Both.", malformed, asked("move", {"floors": 1}, "seen")),
            agent("", asked("submit_answer", {"answer": 3}, "received"), after_end),
        ),
        trajectory(user("Go."), agent("", malformed), key="lift/low/2", outcome="no_submission"),
    )
    summary = export([run], name, tmp_path / "set.jsonl")
    (row,) = lines(tmp_path / "set.jsonl")
    text = json.dumps(row["conversations" if name == "sharegpt" else "messages"])
    assert "{}" not in text
    assert '"x"' not in text
    assert "First try." not in text
    assert "no JSON" not in text
    assert '"over"' not in text
    assert "Both." in text
    assert summary.changed["calls left out: malformed arguments"] == 2
    assert summary.changed["calls left out: after the end of the episode"] == 1
    assert summary.changed["turns left out: no call remains"] == 1
    assert summary.dropped[f"{name}: no turn of the agent remains"] == 1


def test_rows_of_the_oracle_have_the_prompt_under_which_a_model_is_evaluated(record, tmp_path: Path) -> None:
    played = attempt("lift", max_calls=40)
    played.agent.model_name = None
    foreign = attempt("mcp", outcome="unscored", epoch=2)
    foreign.agent.model_name = None
    run = record(played, foreign)
    summary = export([run], "trl", tmp_path / "set.jsonl")
    first, second = lines(tmp_path / "set.jsonl")
    prompt = render_system_prompt(DEFAULT_SYSTEM_PROMPT, "submit_answer", 40)
    assert first["messages"][0] == {"role": "system", "content": prompt}
    assert "at most 40 calls" in prompt
    assert second["messages"][0]["role"] == "user"
    assert summary.changed["system prompts added"] == 1


def test_episodes_are_selected_by_seed(record, tmp_path: Path) -> None:
    run = record(
        *(attempt("lift", f"d1-s{seed}", seed=seed) for seed in (99, 100, 149, 150)), attempt("lift")
    )
    summary = export([run], "trl", tmp_path / "set.jsonl", Filters(seeds=SeedRange(first=100, last=149)))
    assert [row["seed"] for row in lines(tmp_path / "set.jsonl")] == [100, 149]
    assert summary.dropped["seed"] == 3
