import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from codegym_harness.export import format_registry
from codegym_harness.export.token_counting import PlainTextCounter
from codegym_harness.export.validation_split import SplitBy
from codegym_harness.export.whole_run_export import VIEWER_FORMATS as OFFERED_VIEWER_FORMATS
from codegym_harness.runs.run_directory_writer import RunDirectory
from codegym_mcp.cli import main
from codegym_mcp.cli.export import FORMATS, SPLITS, VIEWER_FORMATS
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
    assert set(SPLITS) == set(SplitBy)


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


class _Characters(PlainTextCounter):
    """Counts characters, so that no tokenizer is loaded."""

    def __init__(self) -> None:
        super().__init__(len)


@pytest.fixture
def characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codegym_harness.export.token_statistics.open_token_counter", lambda _: _Characters())


def test_statistics_of_tokens_are_printed_and_nothing_is_written(
    run, tmp_path: Path, characters: None
) -> None:
    before = sorted(tmp_path.iterdir())
    done = invoke(run, "--stats", "tiny", "--env", "[ab]", "--reward", 1)
    assert done.exit_code == 0, done.output
    text = " ".join(done.stdout.split())
    assert "2 of 6 episodes" in text
    assert "tokens of tiny. Dropped by env 2, reward 2. Counted by plain text." in text
    assert [line.split()[0] for line in done.stdout.splitlines()[-3:]] == ["a", "b", "all"]
    assert sorted(tmp_path.iterdir()) == before


def test_statistics_of_tokens_are_written_as_json(run, characters: None) -> None:
    done = invoke(run, "--stats", "tiny", "--json")
    assert done.exit_code == 0, done.output
    statistics = json.loads(done.stdout)
    assert (statistics["tokenizer"], statistics["rendering"], statistics["total"]["episodes"]) == (
        "tiny",
        "plain text",
        6,
    )
    assert statistics["environments"].keys() == {"a", "b", "c"}
    assert statistics["total"]["longer_than"].keys() == {"4096", "8192", "16384", "32768"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--stats", "tiny", "-o", "set.jsonl"), "--output is for writing a file"),
        (("--stats", "tiny", "--split"), "--split is for writing a file"),
        (("--format", "trl"), "Missing option '--output'"),
        (("-o", "set.jsonl"), "Missing option '--format'"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(run, options, message) -> None:
    done = invoke(run, *options)
    assert done.exit_code == 2
    assert message in " ".join(done.output.split())


def test_the_library_that_reads_a_tokenizer_is_named_if_it_is_missing(run, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    done = invoke(run, "--stats", "Qwen/Qwen3-1.7B")
    assert done.exit_code == 1
    assert "pip install 'codegym-mcp[tokens]'" in done.output


def test_a_split_by_task_shares_no_task(run, tmp_path: Path) -> None:
    with RunDirectory.resume(run) as directory:
        for task in ("mid", "high"):
            directory.append(trajectory(user("Go."), agent("Done."), key=f"a/{task}/1"))
    done = invoke(
        *(run, "--format", "trl", "-o", tmp_path / "set.jsonl", "--env", "a"),
        *("--split", "--split-by", "task", "--validation-share", 0.3),
    )
    assert done.exit_code == 0, done.output
    train, validation = (
        {json.loads(line)["task"] for line in (tmp_path / f"set.{part}.jsonl").read_text().splitlines()}
        for part in ("train", "validation")
    )
    assert train
    assert validation
    assert not train & validation
    assert train | validation == {"low", "mid", "high"}
