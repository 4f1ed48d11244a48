from collections.abc import Iterable
from io import StringIO
from types import SimpleNamespace

import pytest
from rich.console import Console

from codegym_harness.episode_sources.episode_source import Assignment
from codegym_harness.records.episode_result import EpisodeResult
from codegym_mcp.cli import evaluate_progress
from codegym_mcp.cli.evaluate_progress import EvaluationProgress, short_number
from codegym_mcp.models.model_messages import RequestRetried
from tests.made_runs import made_call, made_trajectory


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(evaluate_progress, "time", clock)
    return clock


def directory(keys: Iterable[str] = (), path: str = "runs/mine"):
    """A run directory as progress sees it."""
    return SimpleNamespace(path=path, results={key: EpisodeResult.of(made_trajectory(key)) for key in keys})


def play(progress: EvaluationProgress, keys: Iterable[str], clock: Clock | None = None, **made) -> None:
    for key in keys:
        environment, task, epoch = key.split("/")
        progress.episode_begins(Assignment(environment=environment, task=task, epoch=int(epoch)))
        if clock is not None:
            clock.now += 2.0
        trajectory = made_trajectory(key, **made)
        progress.episode_ends(trajectory, EpisodeResult.of(trajectory))


def keys(count: int, start: int = 0) -> list[str]:
    return [f"lift/t{number}/1" for number in range(start, start + count)]


def plain() -> EvaluationProgress:
    return EvaluationProgress(Console(file=StringIO()))


def test_without_a_terminal_progress_prints_ten_lines(capsys: pytest.CaptureFixture[str], clock) -> None:
    with plain() as progress:
        progress.run_begins("oracle", directory(), 500)
        play(progress, keys(500))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "oracle: 500 episodes"
    assert len(lines) == 11
    assert lines[1].startswith("oracle: 50/500, 0 running, reward 1.000")
    assert lines[-1] == "oracle: 500/500, 0 running, reward 1.000"


def test_slow_progress_prints_a_line_every_half_minute(capsys: pytest.CaptureFixture[str], clock) -> None:
    with plain() as progress:
        progress.run_begins("oracle", directory(), 1000)
        play(progress, keys(45), clock)
    assert capsys.readouterr().err.splitlines()[1:] == [
        "oracle: 15/1000, 0 running, reward 1.000, 0:32:50 left",
        "oracle: 30/1000, 0 running, reward 1.000, 0:32:20 left",
        "oracle: 45/1000, 0 running, reward 1.000, 0:31:50 left",
    ]


def test_earlier_results_count_for_the_reward_and_not_for_the_speed(
    capsys: pytest.CaptureFixture[str], clock
) -> None:
    with plain() as progress:
        progress.run_begins("oracle", directory(keys(8)), 10)
        play(progress, keys(1, start=8), clock, outcome="incorrect")
    assert capsys.readouterr().err.splitlines() == [
        "oracle: 10 episodes, 8 of them recorded before",
        "oracle: 9/10, 0 running, reward 0.889, 0:00:02 left",
    ]


def test_progress_shows_tokens_if_there_are_any(capsys: pytest.CaptureFixture[str], clock) -> None:
    with plain() as progress:
        progress.run_begins("model", directory(), 1)
        play(progress, keys(1), outcome="failed", played=[made_call("look", {})], tokens=(12_000, 345))
    assert capsys.readouterr().err.splitlines()[-1] == "model: 1/1, 0 running, 1 failed, 12.3k tokens"


def test_a_terminal_shows_a_bar() -> None:
    screen = StringIO()
    with EvaluationProgress(Console(file=screen, force_terminal=True, width=120)) as progress:
        progress.run_begins("oracle", directory(keys(1)), 3)
        play(progress, keys(1, start=1))
        progress.episode_begins(Assignment(environment="lift", task="t2"))
    shown = screen.getvalue()
    assert "2/3" in shown
    assert "1 running, reward 1.000" in shown


def test_no_bar_is_drawn_before_a_run_begins() -> None:
    screen = StringIO()
    with EvaluationProgress(Console(file=screen, force_terminal=True)) as progress:
        pass
    assert screen.getvalue() == ""
    assert progress.resume_hint() == "Nothing was recorded."


def test_the_resume_hint_names_the_run_while_its_baselines_play(clock) -> None:
    with EvaluationProgress(Console(file=StringIO()), resume_options=" --baselines") as progress:
        progress.run_begins("oracle", directory(path="my runs/a"), 2)
        play(progress, keys(2))
        progress.run_begins("random", directory(path="my runs/a/baselines/random"), 2)
        play(progress, keys(1))
    assert progress.resume_hint() == (
        "1 of 2 episodes are recorded in my runs/a/baselines/random.\n"
        "Resume with: codegym-mcp eval --resume 'my runs/a' --baselines"
    )


def test_baselines_are_counted_from_the_beginning(capsys: pytest.CaptureFixture[str], clock) -> None:
    with plain() as progress:
        for agent in ("oracle", "random"):
            progress.run_begins(agent, directory(), 2)
            play(progress, keys(2))
    assert capsys.readouterr().err.splitlines()[3:] == [
        "random: 2 episodes",
        "random: 1/2, 0 running, reward 1.000, 0:00:00 left",
        "random: 2/2, 0 running, reward 1.000",
    ]


@pytest.mark.parametrize(
    ("value", "short"), [(0, "0"), (999, "999"), (12_345, "12.3k"), (1_240_000, "1.24M"), (5e9, "5G")]
)
def test_large_numbers_are_shortened(value, short) -> None:
    assert short_number(value) == short


def test_retries_are_shown_at_once_and_then_every_half_minute(
    capsys: pytest.CaptureFixture[str], clock: Clock
) -> None:
    with plain() as progress:
        progress.run_begins("model", directory(), 2)
        for attempt in (1, 2, 3):
            progress.request_retried(RequestRetried("Internal\nerror\x1b[2J", 500, attempt, 1.0))
        clock.now += 31
        progress.request_retried(RequestRetried("It timed out.", None, 4, 1.0))
    assert capsys.readouterr().err.splitlines()[1:] == [
        "model: retrying: status 500, attempt 1: Internal error\\x1b[2J",
        "model: retrying: no response, attempt 4 (4 retries so far): It timed out.",
    ]


def test_a_terminal_shows_the_retry_in_the_bar() -> None:
    screen = StringIO()
    with EvaluationProgress(Console(file=screen, force_terminal=True, width=120)) as progress:
        progress.run_begins("model", directory(), 2)
        progress.request_retried(RequestRetried("Internal error", 503, 3, 1.0))
    assert "retrying: status 503, attempt 3" in screen.getvalue()
