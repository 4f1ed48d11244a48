"""Shows the progress of an evaluation: a bar on a terminal, occasional lines elsewhere."""

import shlex
import time
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from codegym_harness.episode_sources.episode_source import Assignment
from codegym_harness.records.episode_result import EpisodeResult
from codegym_harness.records.trajectory import Outcome, Trajectory
from codegym_harness.runs.run_directory_writer import RunDirectory
from codegym_harness.runs.run_observer import Observer
from codegym_mcp.cli.command_output import echo
from codegym_mcp.models.model_messages import RequestRetried
from codegym_mcp.terminal_text import escape_control_characters

_LINE_SECONDS = 30.0
_LINES = 10
_CAUSE_SHOWN = 200
"""The maximum number of characters of a cause that are shown."""


class EvaluationProgress(Observer):
    """Shows the progress of one or several evaluations, one after the other, until the block is left.

    Args:
        console: where the bar is drawn.
        resume_options: the options that are needed besides --resume to resume all of the evaluations.

    Attributes:
        path: the run directory of the first evaluation, once it has started; the others are below it.
    """

    def __init__(self, console: Console, *, resume_options: str = "") -> None:
        self.path: Path | None = None
        self._current: Path | None = None
        self._resume_options = resume_options
        self._done = 0
        self._failed = 0
        self._episodes = 0
        self._running = 0
        self._rewards = 0.0
        self._scored = 0
        self._tokens = 0
        self._display: _Display = _Bar(console) if console.is_terminal else _Lines()

    def __enter__(self) -> "EvaluationProgress":
        return self

    def __exit__(self, *_: object) -> None:
        self._display.stop()

    def notice(self, message: str) -> None:
        echo(message, err=True)

    def run_begins(self, agent: str, directory: RunDirectory, episodes: int) -> None:
        self.path = self.path or directory.path
        self._current = directory.path
        self._episodes = episodes
        self._done = self._running = self._scored = self._tokens = self._failed = 0
        self._rewards = 0.0
        for result in directory.results.values():
            self._count(result)
        self._display.begin(escape_control_characters(agent), self._done, episodes)

    def episode_begins(self, assignment: Assignment) -> None:
        self._running += 1
        self._show()

    def episode_ends(self, trajectory: Trajectory, result: EpisodeResult) -> None:
        self._running -= 1
        self._count(result)
        self._show()

    def request_retried(self, event: RequestRetried) -> None:
        status = f"status {event.status}" if event.status is not None else "no response"
        self._display.retry(
            f"retrying: {status}, attempt {event.attempt}",
            escape_control_characters(" ".join(event.error.split())[:_CAUSE_SHOWN]),
        )

    def resume_hint(self) -> str:
        """Returns what is recorded of a run that did not finish, and the command that resumes it."""
        if self.path is None:
            return "Nothing was recorded."
        return (
            f"{self._done} of {self._episodes} episodes are recorded in {self._current}.\n"
            f"Resume with: codegym-mcp eval --resume {shlex.quote(str(self.path))}{self._resume_options}"
        )

    def _count(self, result: EpisodeResult) -> None:
        self._done += 1
        self._failed += result.outcome is Outcome.FAILED
        if result.reward is not None:
            self._rewards += result.reward
            self._scored += 1
        if result.usage is not None:
            self._tokens += result.usage.tokens

    def _show(self) -> None:
        parts = [f"{self._running} running"]
        if self._failed:
            parts.append(f"{self._failed} failed")
        if self._scored:
            parts.append(f"reward {self._rewards / self._scored:.3f}")
        if self._tokens:
            parts.append(f"{short_number(self._tokens)} tokens")
        self._display.show(self._done, ", ".join(parts))


class _Display:
    """Where the progress is shown."""

    def begin(self, title: str, done: int, episodes: int) -> None: ...

    def show(self, done: int, status: str) -> None: ...

    def retry(self, status: str, cause: str) -> None: ...

    def stop(self) -> None: ...


class _Bar(_Display):
    """A progress bar."""

    def __init__(self, console: Console) -> None:
        # Narrow enough for 80 columns.
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            TextColumn("{task.fields[status]}", markup=False),
            TimeRemainingColumn(),
            TextColumn("left"),
        )
        self._progress = Progress(*columns, console=console)
        self._task: TaskID | None = None

    def begin(self, title: str, done: int, episodes: int) -> None:
        # Not before: an error that occurs first should be the only output.
        self._progress.start()
        self._task = self._progress.add_task(title, total=episodes, completed=done, status="")

    def show(self, done: int, status: str) -> None:
        if self._task is not None:
            self._progress.update(self._task, completed=done, status=status)

    def retry(self, status: str, cause: str) -> None:
        if self._task is not None:
            self._progress.update(self._task, status=status)

    def stop(self) -> None:
        self._progress.stop()


class _Lines(_Display):
    """A line on stderr for every tenth of the episodes, and if the last line is half a minute old."""

    def __init__(self) -> None:
        self._title = ""
        self._started = 0.0
        self._last = 0.0
        self._done_at_start = 0
        self._shown = 0
        self._episodes = 0
        self._retries = 0
        self._last_retry = 0.0

    def begin(self, title: str, done: int, episodes: int) -> None:
        self._title = title
        self._started = self._last = time.monotonic()
        self._done_at_start = self._shown = done
        self._episodes = episodes
        self._retries = 0
        resumed = f", {done} of them recorded before" if done else ""
        echo(f"{title}: {episodes} episodes{resumed}", err=True)

    def show(self, done: int, status: str) -> None:
        now = time.monotonic()
        tenth = done * _LINES // self._episodes > self._shown * _LINES // self._episodes
        if done > self._shown and (tenth or now - self._last >= _LINE_SECONDS):
            self._last, self._shown = now, done
            left = (now - self._started) / (done - self._done_at_start) * (self._episodes - done)
            remaining = f", {timedelta(seconds=round(left))} left" if done < self._episodes else ""
            echo(f"{self._title}: {done}/{self._episodes}, {status}{remaining}", err=True)

    def retry(self, status: str, cause: str) -> None:
        now = time.monotonic()
        self._retries += 1
        if self._retries > 1 and now - self._last_retry < _LINE_SECONDS:
            return
        self._last_retry = now
        total = f" ({self._retries} retries so far)" if self._retries > 1 else ""
        echo(f"{self._title}: {status}{total}: {cause}", err=True)


def short_number(value: float) -> str:
    """Returns a large number in three digits: 950, 12.3k, 1.24M."""
    for limit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g}{suffix}"
    return f"{value:.0f}"
