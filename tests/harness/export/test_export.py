import json

import pyarrow.parquet
import pytest

from codegym_harness.export.export import export
from codegym_harness.export.filters import Filters
from codegym_harness.export.format_registry import FORMATS
from codegym_harness.runs.run_directory import RunDirectory
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
def test_every_format_writes_every_trajectory(record, tmp_path, name, suffix):
    run = record(example(), attempt("lift", "high", calls=3))
    out = tmp_path / f"set.{suffix}"
    summary = export([run], name, out)
    rows = lines(out) if suffix == "jsonl" else pyarrow.parquet.read_table(out).to_pylist()
    assert len(rows) == 2
    assert all(row.keys() == FORMATS[name].columns.keys() for row in rows)
    assert (summary.format, summary.read, summary.kept) == (name, 2, 2)
    (file,) = summary.files
    assert (file.path, file.rows, file.environments) == (out, 2, 1)
    assert file.messages == 7 + 4 + 2 + 1


def test_several_runs_are_one_set_and_each_is_read_once(record, tmp_path):
    first, second = record(attempt("a"), name="first"), record(attempt("b"), name="second")
    summary = export([first, second, first / "." / ".." / "first"], "trl", tmp_path / "set.jsonl")
    assert seen(tmp_path / "set.jsonl") == ["a low 1", "b low 1"]
    assert summary.runs == [first, second]


def test_the_summary_tells_what_each_filter_dropped_in_order(record, tmp_path):
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


def test_the_best_are_chosen_among_all_runs(record, tmp_path):
    first = record(attempt("a", calls=5), attempt("b", calls=1), name="first")
    second = record(attempt("a", epoch=2, calls=2), attempt("a", epoch=3, calls=9), name="second")
    export([first, second], "trl", tmp_path / "set.jsonl", Filters(best_of=2))
    assert seen(tmp_path / "set.jsonl") == ["a low 1", "b low 1", "a low 2"]


def test_what_a_format_cannot_hold_is_dropped_by_name(record, tmp_path):
    big = trajectory(user("Go."), agent("", asked("move", {"floors": 2**64})))
    run = record(big, attempt("a"))
    summary = export([run], "trl", tmp_path / "set.jsonl")
    assert summary.kept == 1
    assert summary.dropped["trl: whole numbers beyond 64 bits"] == 1
    assert summary.lost["session_id"] == 1
    assert export([run], "openai", tmp_path / "set.jsonl").kept == 2


def test_decimals_are_lost_in_json_lines_alone(record, tmp_path):
    run = record(trajectory(user("Go."), agent("", asked("move", {"floors": 1e-12}))))
    place = "steps.tool_calls.arguments (decimals beyond the tenth)"
    assert export([run], "trl", tmp_path / "set.jsonl").lost[place] == 1
    assert place not in export([run], "trl", tmp_path / "set.parquet").lost


def test_a_split_shares_no_environment_and_loses_nothing(record, tmp_path):
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


def test_one_environment_cannot_be_split_and_leaves_no_file(record, tmp_path):
    run = record(attempt("a"))
    with pytest.raises(CodegymError, match="there is only a"):
        export([run], "trl", tmp_path / "out" / "set.jsonl", validation_share=0.2)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("share", [None, 0.5])
def test_where_nothing_is_left_the_error_says_why_and_no_file_is_written(record, tmp_path, share):
    run = record(attempt("a", outcome="incorrect"), attempt("b", outcome="failed"))
    with pytest.raises(CodegymError, match=r"Of 2 trajectories none .* failed 1, reward 1\."):
        export([run], "trl", tmp_path / "set.jsonl", Filters(reward=1), validation_share=share)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_directory_without_a_run_is_refused(tmp_path):
    with pytest.raises(RunError, match="no run directory"):
        export([tmp_path], "trl", tmp_path / "set.jsonl")


def test_the_record_of_a_run_is_never_written_over(record, tmp_path):
    run = record(attempt("a"))
    before = (run / "trajectories.jsonl").read_bytes()
    with pytest.raises(RunError, match="is the run's own"):
        export([run], "atif", tmp_path / "run" / ".." / "run" / "trajectories.jsonl")
    assert (run / "trajectories.jsonl").read_bytes() == before


def test_a_damaged_record_is_told_and_what_was_there_stays(record, tmp_path):
    run = record(attempt("a"), attempt("b"))
    written = (run / "trajectories.jsonl").read_bytes().splitlines(keepends=True)
    (run / "trajectories.jsonl").write_bytes(b"{}\n" + written[1])
    (tmp_path / "set.jsonl").write_text("before")
    with pytest.raises(RunError, match="Line 1"):
        export([run], "trl", tmp_path / "set.jsonl")
    assert (tmp_path / "set.jsonl").read_text() == "before"


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(NotFoundError, match="format"):
        export([], "alpaca", tmp_path / "set.jsonl")
