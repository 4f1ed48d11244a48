import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from codegym_harness.export import format_registry
from codegym_harness.export.whole_run_export import VIEWER_FORMATS as OFFERED_VIEWER_FORMATS
from codegym_harness.runs.run_directory_writer import RunDirectory
from codegym_mcp.cli import main
from codegym_mcp.cli.export import FORMATS, VIEWER_FORMATS
from tests.conversations import agent, asked, trajectory, user
from tests.made_runs import Configuration


@pytest.fixture
def run(tmp_path):
    with RunDirectory.create(tmp_path / "run", Configuration()) as directory:
        for environment in "abc":
            for epoch, outcome in enumerate(("correct", "incorrect"), 1):
                key = f"{environment}/low/{epoch}"
                told = {"outcome": outcome, "tags": ["search"], "difficulty": 2, "oracle_calls": 1}
                look = agent("", asked("look", {}, key))
                directory.append(trajectory(user("Go."), look, key=key, **told))
    return tmp_path / "run"


def invoke(*arguments):
    return CliRunner().invoke(main, ["export", *map(str, arguments)])


def test_the_command_offers_every_format() -> None:
    assert set(FORMATS) == set(format_registry.FORMATS)
    assert set(VIEWER_FORMATS) == set(OFFERED_VIEWER_FORMATS)


def test_every_option_reaches_the_export(run, tmp_path: Path) -> None:
    done = invoke(
        run,
        *("--format", "sharegpt", "-o", tmp_path / "set.parquet", "--reward", 1, "--best-of", 1),
        *("--max-calls-over-oracle", 2, "--no-invalid-calls", "--dedupe", "--env", "a", "--env", "b"),
        *(
            "--metadata",
            "none",
            "--tag",
            "search",
            "--difficulty",
            2,
            "--split",
            "--validation-share",
            0.5,
            "--json",
        ),
    )
    assert done.exit_code == 0, done.output
    summary = json.loads(done.stdout)
    assert [*summary["dropped"]] == (
        "failed nothing_done env tag difficulty reward oracle_calls_unknown max_calls_over_oracle "
        "no_invalid_calls dedupe best_of"
    ).split()
    assert (summary["dropped"]["env"], summary["dropped"]["reward"]) == (2, 2)
    assert [file["rows"] for file in summary["files"]] == [1, 1]
    assert [file["path"] for file in summary["files"]] == [
        str(tmp_path / f"set.{part}.parquet") for part in ("train", "validation")
    ]


def test_the_printed_summary_counts_kept_dropped_changed_and_lost(run, tmp_path: Path) -> None:
    done = invoke(run, "--format", "openai", "-o", tmp_path / "set.jsonl", "--reward", 1)
    assert done.exit_code == 0, done.output
    words = " ".join(done.stdout.split())
    assert "3 of 6 episodes kept." in words
    assert "reward 3" in words
    assert "rows that end with an added message 3" in words
    assert "steps.timestamp 6" in words
    assert "set.jsonl: rows 3, messages 9, environments 3" in words


def test_an_impossible_export_prints_an_error(run, tmp_path: Path) -> None:
    done = invoke(run, "--format", "trl", "-o", tmp_path / "set.txt")
    assert done.exit_code == 1
    assert "neither .jsonl nor .parquet" in done.output
