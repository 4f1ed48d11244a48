"""What exports for viewers share, and what they do with unfit targets. `tests/viewers` reads them back."""

import json
from pathlib import Path

import pytest

from codegym_harness.export.export import export
from codegym_harness.export.trajectory_filters import Filters
from codegym_harness.export.whole_run_format import file_name
from codegym_harness.records.trajectory import Fault, RolloutError
from codegym_harness.runs.run_directory_writer import RunDirectory
from codegym_mcp.errors import CodegymError, MissingExtraError, NotFoundError, RunError
from tests.conversations import agent, asked, example, metrics, trajectory, user
from tests.made_runs import Configuration

FAILURE = RolloutError(fault=Fault.PROVIDER, kind="ModelError", message="status 503")
PLAIN = ["harbor", "sts", "otel"]
"""The formats that need no further library."""


def target(tmp_path: Path, name: str) -> Path:
    return tmp_path / ("spans.jsonl" if name == "otel" else name)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    turn = agent("I look.", asked("look", {}, "ok"), reasoning="Hm.")
    turn.metrics = metrics()
    with RunDirectory.create(tmp_path / "run", Configuration()) as directory:
        directory.append(example())
        directory.append(trajectory(user("Go."), turn, key="lift/high/1", outcome="failed", error=FAILURE))
        directory.append(trajectory(user("Go."), key="lift/none/1", outcome="no_submission"))
    return tmp_path / "run"


@pytest.mark.parametrize("name", PLAIN)
def test_every_episode_is_written_also_failed_and_empty_ones(run: Path, tmp_path: Path, name: str) -> None:
    summary = export([run], name, target(tmp_path, name))
    assert (summary.read, summary.kept, summary.dropped) == (3, 3, {})
    (file,) = summary.files
    assert (file.path, file.rows, file.messages) == (target(tmp_path, name), 3, 11 + 3 + 1)
    assert target(tmp_path, name).exists()


@pytest.mark.parametrize("name", PLAIN)
def test_filters_apply(run: Path, tmp_path: Path, name: str) -> None:
    summary = export([run], name, target(tmp_path, name), Filters(reward=1.0, best_of=1))
    assert (summary.kept, summary.dropped) == (1, {"reward": 2, "best_of": 0})


@pytest.mark.parametrize("name", PLAIN)
def test_nothing_is_left_behind_if_no_episode_is_left(run: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(CodegymError, match="None of 3"):
        export([run], name, target(tmp_path, name), Filters(environments=("pump",)))
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("name", ["harbor", "sts"])
def test_a_directory_that_exists_is_not_touched(run: Path, tmp_path: Path, name: str) -> None:
    target(tmp_path, name).mkdir()
    (target(tmp_path, name) / "mine").write_text("kept")
    with pytest.raises(CodegymError, match="exists already"):
        export([run], name, target(tmp_path, name))
    assert (target(tmp_path, name) / "mine").read_text() == "kept"


@pytest.mark.parametrize("name", PLAIN)
def test_a_run_directory_is_no_target(run: Path, name: str) -> None:
    before = sorted(run.iterdir())
    for out in (run, run / "within" / "spans.jsonl", run / "trajectories.jsonl"):
        with pytest.raises(RunError, match="is in the run directory"):
            export([run], name, out)
    assert sorted(run.iterdir()) == before


def test_runs_of_one_name_have_distinct_places(run: Path, tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path / "other" / "run", Configuration()) as directory:
        directory.append(example())
    export([run, tmp_path / "other" / "run"], "harbor", tmp_path / "jobs")
    assert sorted(path.name for path in (tmp_path / "jobs").iterdir()) == ["run", "run-2"]


def test_formats_for_viewers_have_neither_parts_nor_columns(run: Path, tmp_path: Path) -> None:
    for options in ({"validation_share": 0.5}, {"metadata_choice": "columns"}):
        with pytest.raises(CodegymError, match="neither parts nor columns"):
            export([run], "harbor", tmp_path / "jobs", **options)
    with pytest.raises(NotFoundError, match="harbor"):
        export([run], "harbour", tmp_path / "jobs")


def test_an_otel_file_has_a_known_suffix(run: Path, tmp_path: Path) -> None:
    with pytest.raises(CodegymError, match="OTLP endpoint"):
        export([run], "otel", tmp_path / "spans.txt")


def test_a_missing_library_is_named_with_the_command(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codegym_harness.export.inspect_ai_format.find_spec", lambda _: None)
    monkeypatch.setattr("codegym_harness.export.otel_format.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"codegym-mcp\[inspect\]"):
        export([run], "inspect", tmp_path / "logs")
    with pytest.raises(MissingExtraError, match=r"codegym-mcp\[otel\]"):
        export([run], "otel", "http://127.0.0.1:9/v1/traces")


def test_spans_of_an_episode_nest_and_equal_exports_are_equal(run: Path, tmp_path: Path) -> None:
    for name in ("first.jsonl", "second.jsonl"):
        export([run], "otel", tmp_path / name)
    assert (tmp_path / "first.jsonl").read_bytes() == (tmp_path / "second.jsonl").read_bytes()
    for line in (tmp_path / "first.jsonl").read_text(encoding="utf-8").splitlines():
        (resource,) = json.loads(line)["resourceSpans"]
        (scope,) = resource["scopeSpans"]
        root, *inner = scope["spans"]
        assert "parentSpanId" not in root
        assert root["name"] == "invoke_agent model"
        assert {span["parentSpanId"] for span in inner} <= {root["spanId"]}
        assert len({span["spanId"] for span in scope["spans"]}) == len(scope["spans"])
        for span in inner:
            assert int(root["startTimeUnixNano"]) <= int(span["startTimeUnixNano"])
            assert (
                int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"]) <= int(root["endTimeUnixNano"])
            )


@pytest.mark.parametrize("text", ["a/b", "..", "", ".hidden", "ü" * 300, "x" * 300, "a b", "con:1", "\0"])
def test_any_text_becomes_a_harmless_distinct_file_name(text: str) -> None:
    name = file_name(text)
    assert name
    assert not set(name) & set("/\\:\0 ")
    assert not name.startswith(".")
    assert len(name) <= 120
    assert file_name(text) == name != file_name(text + "!")
