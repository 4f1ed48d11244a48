"""Reports of runs in every state, also of damaged ones."""

import json
from pathlib import Path

import pytest

from codegym_harness.records.trajectory import Outcome
from codegym_harness.report.build_report import build_report
from codegym_harness.report.html_page import html_page
from codegym_harness.report.report_contents import Report
from codegym_harness.runs.run_directory_reader import CONFIGURATION, SUMMARY, TRAJECTORIES, locked
from codegym_harness.runs.run_directory_writer import RunDirectory
from codegym_harness.runs.run_index import RunState
from codegym_mcp.errors import RunError
from tests.conversations import agent, asked, example, refused, trajectory, user
from tests.made_runs import Configuration, made_call, made_run, made_trajectory

KEYS = {
    "lift/low/1": "correct",
    "lift/low/2": "incorrect",
    "lift/high/1": "no_submission",
    "pump/a/1": "failed",
}


def reported(*paths: Path) -> Report:
    """The report, after it was written as a page and read back from JSON."""
    report = build_report(paths)
    assert "</html>" in html_page(report)
    return Report.model_validate_json(report.model_dump_json())


def edit(run: Path, line: int, text: bytes) -> None:
    lines = (run / TRAJECTORIES).read_bytes().splitlines(keepends=True)
    lines[line] = text
    (run / TRAJECTORIES).write_bytes(b"".join(lines))


def test_a_run_is_reported_with_its_figures_and_endings(tmp_path: Path) -> None:
    made_run(tmp_path / "run", KEYS)
    (run,) = reported(tmp_path / "run").runs
    assert (run.label, run.agent, run.state) == ("A", "someone", RunState.FAILED)
    assert run.summary.verdicts[Outcome.CORRECT] == 1
    assert [(each.outcome, each.episodes) for each in run.endings] == [
        (Outcome.CORRECT, 1),
        (Outcome.INCORRECT, 1),
        (Outcome.NO_SUBMISSION, 1),
        (Outcome.FAILED, 1),
    ]
    assert any("1 of 4 episodes failed" in problem for problem in run.problems)


def test_every_pair_of_runs_is_compared_and_the_others_are_named(tmp_path: Path) -> None:
    made_run(tmp_path / "first", {"lift/low/1": "incorrect"})
    made_run(tmp_path / "second", {"lift/low/1": "correct"})
    made_run(tmp_path / "third", {"pump/a/1": "correct"})
    report = reported(tmp_path / "first", tmp_path / "second", tmp_path / "third")
    (comparison,) = report.comparisons
    assert (comparison.first_run, comparison.second_run, comparison.difference.mean) == ("A", "B", 1.0)
    assert report.not_compared == ["A and C", "B and C"]
    (task,) = report.differing_tasks
    assert (task.environment, task.task, task.rewards) == ("lift", "low", {"A": 0.0, "B": 1.0})


def test_a_run_that_is_given_twice_is_reported_once(tmp_path: Path) -> None:
    made_run(tmp_path / "run", KEYS)
    assert len(reported(tmp_path / "run", tmp_path / "." / "run").runs) == 1


def test_a_directory_that_is_no_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run directory"):
        build_report([tmp_path])


def test_a_run_without_episodes_is_reported(tmp_path: Path) -> None:
    made_run(tmp_path / "run", {}, missing=3)
    (run,) = reported(tmp_path / "run").runs
    assert (run.state, run.summary.missing, run.summary.reward) == (RunState.INTERRUPTED, 3, None)
    assert "No episode is recorded." in run.problems


def test_a_run_in_progress_is_reported_as_far_as_it_is(tmp_path: Path) -> None:
    made_run(tmp_path / "run", KEYS, missing=2)
    (tmp_path / "run" / SUMMARY).unlink()
    with (tmp_path / "run" / TRAJECTORIES).open("ab") as file:
        file.write(b'{"schema_version": "ATIF-v1.8", "sess')
    import os

    with locked(tmp_path / "run", os.O_RDONLY):
        (run,) = reported(tmp_path / "run").runs
    assert (run.state, run.summary.episodes) == (RunState.IN_PROGRESS, 4)
    assert any("line 5 (incomplete" in problem for problem in run.problems)
    assert any("in progress: 2 of 6" in problem for problem in run.problems)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b'{"schema_ver\n', "not JSON"),
        (b"\xff\xfe\x00\n", "not JSON"),
        (b"\n", "not JSON"),
        (b'{"schema_version": "ATIF-v1.8"}\n', "session_id: Field required"),
        (b"[1, 2]\n", "line 2"),
    ],
)
def test_a_line_that_is_damaged_in_the_middle_costs_that_episode_alone(
    tmp_path: Path, text: bytes, problem: str
) -> None:
    made_run(tmp_path / "run", KEYS)
    edit(tmp_path / "run", 1, text)
    (run,) = reported(tmp_path / "run").runs
    assert run.summary.episodes == 3
    assert any(problem in each and "1 line of" in each for each in run.problems), run.problems


def test_fields_of_another_version_are_left_out_and_named(tmp_path: Path) -> None:
    made_run(tmp_path / "run", KEYS)
    content = json.loads((tmp_path / "run" / TRAJECTORIES).read_bytes().splitlines()[0])
    content["steps"][0]["mood"] = "calm"
    content["extra"]["weather"] = {"rain": True}
    edit(tmp_path / "run", 0, json.dumps(content).encode() + b"\n")
    (run,) = reported(tmp_path / "run").runs
    assert run.summary.episodes == 4
    assert any("extra.weather, steps.mood" in problem for problem in run.problems)


def test_records_of_the_first_version_are_read(tmp_path: Path) -> None:
    made_run(tmp_path / "run", KEYS)
    content = json.loads((tmp_path / "run" / TRAJECTORIES).read_bytes().splitlines()[3])
    content["extra"]["error"] = {"fault": "ours", "kind": "WorkerLostError", "message": "lost"}
    edit(tmp_path / "run", 3, json.dumps(content).encode() + b"\n")
    (run,) = reported(tmp_path / "run").runs
    assert run.endings[-1].reason == "an error of this project or its environment"


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"begun": 3}', b"\xff"])
def test_a_run_without_a_readable_configuration_is_reported(tmp_path: Path, text: bytes) -> None:
    made_run(tmp_path / "run", KEYS)
    (tmp_path / "run" / CONFIGURATION).write_bytes(text)
    (run,) = reported(tmp_path / "run").runs
    assert (run.agent, run.summary.episodes) == ("unknown agent", 4)
    assert any("run.json cannot be read" in problem for problem in run.problems)


def test_odd_values_in_a_configuration_do_not_prevent_the_report(tmp_path: Path) -> None:
    made_run(tmp_path / "run", KEYS)
    written = json.loads((tmp_path / "run" / CONFIGURATION).read_bytes())
    written |= {
        "model": 3,
        "selection": [1],
        "limits": "none",
        "paths": {"a": 1},
        "command": ["x"],
        "version": 7,
    }
    (tmp_path / "run" / CONFIGURATION).write_text(json.dumps(written))
    assert reported(tmp_path / "run").runs[0].summary.episodes == 4


def test_an_excerpt_holds_reasoning_parallel_calls_and_refusals(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path / "run", Configuration()) as directory:
        directory.append(example(outcome="incorrect", oracle_calls=4))
        step = refused(agent("", asked("move", {"floors": -1}, "No such floor.")))
        directory.append(trajectory(user("Go."), step, key="lift/high/1", outcome="no_submission"))
    episodes = {each.key: each for each in reported(tmp_path / "run").episodes}
    texts = [part.text for part in episodes["lift/low/1"].excerpt]
    assert "Two at once." in texts
    assert "look {}" in texts
    assert any(text.startswith("move") for text in texts)
    assert episodes["lift/low/1"].answer == '{"answer":3}'
    assert [part.kind for part in episodes["lift/high/1"].excerpt][-1] == "error"


def test_a_long_episode_is_shortened(tmp_path: Path) -> None:
    calls = [made_call("look", {}, "x" * 100_000) for _ in range(256)]
    with RunDirectory.create(tmp_path / "run", Configuration()) as directory:
        directory.append(made_trajectory("lift/low/1", "incorrect", calls, oracle_calls=10))
    report = reported(tmp_path / "run")
    assert any("250 turns are left out" in part.text for part in report.episodes[0].excerpt)
    assert len(html_page(report)) < 60_000
