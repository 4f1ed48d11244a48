"""How an evaluation goes: a bar in a terminal, now and then a line elsewhere."""

import shlex
import time
from datetime import timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from codegym_harness.episode_sources.sources import Assignment
from codegym_harness.records.episode_result import EpisodeResult
from codegym_harness.records.trajectory import Trajectory
from codegym_harness.runs.evaluation import Observer
from codegym_harness.runs.run_directory import RunDirectory

_LINE_SECONDS = 30.0
_LINES = 10


class EvaluationProgress(Observer):
    """Tells how evaluations go, one after the other, until the block is left.

    Args:
        console: where it is told.
        resume_options: what is needed besides --resume to go on with all of them.

    Attributes:
        path: the run directory of the first, once it has begun; the others' stand within.
    """

    def __init__(self, console: Console, *, resume_options: str = "") -> None:
        self.path: Path | None = None
        self._present: Path | None = None
        self._resume_options = resume_options
        self._done = 0
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
        click.echo(message, err=True)

    def run_begins(self, agent: str, directory: RunDirectory, episodes: int) -> None:
        self.path = self.path or directory.path
        self._present = directory.path
        self._episodes = episodes
        self._done = self._running = self._scored = self._tokens = 0
        self._rewards = 0.0
        for result in directory.results.values():
            self._count(result)
        self._display.begin(agent, self._done, episodes)

    def episode_begins(self, assignment: Assignment) -> None:
        self._running += 1
        self._show()

    def episode_ends(self, trajectory: Trajectory, result: EpisodeResult) -> None:
        self._running -= 1
        self._count(result)
        self._show()

    def left_behind(self) -> str:
        """What is there of a run that ended early, and how to go on with it."""
        if self.path is None:
            return "Nothing was recorded."
        return (
            f"{self._done} of {self._episodes} episodes are recorded in {self._present}.\n"
            f"Go on with: codegym-mcp eval --resume {shlex.quote(str(self.path))}{self._resume_options}"
        )

    def _count(self, result: EpisodeResult) -> None:
        self._done += 1
        if result.reward is not None:
            self._rewards += result.reward
            self._scored += 1
        if result.usage is not None:
            self._tokens += result.usage.tokens

    def _show(self) -> None:
        told = [f"{self._running} running"]
        if self._scored:
            told.append(f"reward {self._rewards / self._scored:.3f}")
        if self._tokens:
            told.append(f"{short_number(self._tokens)} tokens")
        self._display.show(self._done, ", ".join(told))


class _Display:
    """Where progress is told."""

    def begin(self, title: str, done: int, episodes: int) -> None: ...

    def show(self, done: int, told: str) -> None: ...

    def stop(self) -> None: ...


class _Bar(_Display):
    """A bar that is drawn anew."""

    def __init__(self, console: Console) -> None:
        # Narrow enough for 80 columns, whatever is told.
        columns = (TextColumn("{task.description}"), BarColumn(bar_width=16), MofNCompleteColumn())
        told = (TextColumn("{task.fields[told]}"), TimeRemainingColumn(), TextColumn("left"))
        self._progress = Progress(*columns, *told, console=console)
        self._task: TaskID | None = None

    def begin(self, title: str, done: int, episodes: int) -> None:
        # Not before: an error that comes first should stand alone.
        self._progress.start()
        self._task = self._progress.add_task(title, total=episodes, completed=done, told="")

    def show(self, done: int, told: str) -> None:
        if self._task is not None:
            self._progress.update(self._task, completed=done, told=told)

    def stop(self) -> None:
        self._progress.stop()


class _Lines(_Display):
    """A line on stderr for every tenth of the episodes, and where half a minute has passed since the last."""

    def __init__(self) -> None:
        self._title = ""
        self._started = 0.0
        self._last = 0.0
        self._had = 0
        self._told = 0
        self._episodes = 0

    def begin(self, title: str, done: int, episodes: int) -> None:
        self._title = title
        self._started = self._last = time.monotonic()
        self._had = self._told = done
        self._episodes = episodes
        resumed = f", {done} of them recorded before" if done else ""
        click.echo(f"{title}: {episodes} episodes{resumed}", err=True)

    def show(self, done: int, told: str) -> None:
        now = time.monotonic()
        tenth = done * _LINES // self._episodes > self._told * _LINES // self._episodes
        if done > self._told and (tenth or now - self._last >= _LINE_SECONDS):
            self._last, self._told = now, done
            left = (now - self._started) / (done - self._had) * (self._episodes - done)
            remaining = f", {timedelta(seconds=round(left))} left" if done < self._episodes else ""
            click.echo(f"{self._title}: {done}/{self._episodes}, {told}{remaining}", err=True)


def short_number(value: float) -> str:
    """A large number in three digits: 950, 12.3k, 1.24M."""
    for limit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g}{suffix}"
    return f"{value:.0f}"
