"""How a synthesis goes, and what came of it."""

from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from codegym_mcp.cli.command_output import out
from codegym_mcp.synthesis.funnel import Funnel, ProblemOutcome, RejectedProblem, Stage
from codegym_mcp.synthesis.pipeline import SynthesisObserver

_SHOWN = 3
_WIDTH = 110


class SynthesisProgress(SynthesisObserver):
    """Tells how a synthesis goes until the block is left: a bar in a terminal, lines elsewhere."""

    def __init__(self, console: Console, problems: int) -> None:
        self._console = console
        self._problems = problems
        self._done = 0
        self._kept = 0
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=console, disable=not console.is_terminal)
        self._task = self._bar.add_task("synthesize", total=problems)

    def __enter__(self) -> "SynthesisProgress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def stage_entered(self, problem: str, stage: Stage) -> None:
        self._tell(f"{problem}: {stage}")

    def problem_done(self, outcome: ProblemOutcome) -> None:
        self._kept += bool(outcome.kept)
        furthest = outcome.furthest
        told = f"kept as {', '.join(outcome.kept)}" if outcome.kept else "lost"
        if not outcome.kept and furthest is not None:
            told = f"lost at {furthest.lost}: {_short(furthest.reason)}"
        self._advance(f"{outcome.problem}: {told}")

    def problem_unfinished(self, loss: RejectedProblem) -> None:
        self._advance(f"{loss.problem}: unfinished: {_short(loss.reason)}")

    def _advance(self, line: str) -> None:
        self._done += 1
        self._bar.update(self._task, completed=self._done, description=f"synthesize, {self._kept} kept")
        self._tell(f"[{self._done}/{self._problems}] {line}")

    def _tell(self, line: str) -> None:
        if not self._console.is_terminal:
            click.echo(line, err=True)


def print_funnel(funnel: Funnel, directory: Path) -> None:
    """Prints what came of a synthesis."""
    table = Table("stage", "lost", "left", "reasons", box=None, pad_edge=False)
    table.columns[1].justify = table.columns[2].justify = "right"
    left = funnel.problems - len(funnel.unfinished)
    table.add_row("problems", "", str(left), "")
    for stage, lost in funnel.lost.items():
        left -= len(lost)
        reasons = [f"{loss.problem}: {_short(loss.reason)}" for loss in lost[:_SHOWN]]
        if len(lost) > _SHOWN:
            reasons.append(f"… and {len(lost) - _SHOWN} more")
        table.add_row(stage, str(len(lost) or "-"), str(left), "\n".join(reasons))
    out.print(table, highlight=False, soft_wrap=True)
    costs = funnel.costs
    spent = f"{costs.requests} answers, {costs.tokens:,} tokens" + (
        f", ${costs.cost:.2f}" if costs.cost else ""
    )
    out.print(
        f"\nEnvironments kept: {len(funnel.environments)}, in {directory}. {spent}.",
        highlight=False,
        soft_wrap=True,
    )
    if funnel.unfinished:
        first = funnel.unfinished[0]
        out.print(
            f"{len(funnel.unfinished)} problems are unfinished; the same command goes on. "
            f"{first.problem}: {_short(first.reason)}",
            highlight=False,
            soft_wrap=True,
        )


def _short(reason: str) -> str:
    line = " ".join(reason.split())
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…"
