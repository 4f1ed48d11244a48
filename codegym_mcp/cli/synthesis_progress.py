"""Shows the progress of a synthesis and prints its funnel."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from codegym_mcp.cli.command_output import echo, out
from codegym_mcp.synthesis.pipeline import SynthesisObserver
from codegym_mcp.synthesis.problem_outcomes import Funnel, ProblemOutcome, RejectedProblem, Stage

_MAX_REASONS = 3
_MAX_CHARACTERS = 110


class SynthesisProgress(SynthesisObserver):
    """Shows the progress until the block is left: a bar in a terminal, lines elsewhere."""

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
        self._print(f"{problem}: {stage}")

    def problem_done(self, outcome: ProblemOutcome) -> None:
        self._kept += bool(outcome.kept)
        furthest = outcome.furthest_rejected
        result = f"kept as {', '.join(outcome.kept)}" if outcome.kept else "rejected"
        if not outcome.kept and furthest is not None:
            result = f"rejected at {furthest.rejected_at}: {_shorten(furthest.reason)}"
        self._advance(f"{outcome.problem}: {result}")

    def problem_unfinished(self, problem: RejectedProblem) -> None:
        self._advance(f"{problem.problem}: unfinished: {_shorten(problem.reason)}")

    def _advance(self, line: str) -> None:
        self._done += 1
        self._bar.update(self._task, completed=self._done, description=f"synthesize, {self._kept} kept")
        self._print(f"[{self._done}/{self._problems}] {line}")

    def _print(self, line: str) -> None:
        if not self._console.is_terminal:
            echo(line, err=True)


def print_funnel(funnel: Funnel, directory: Path) -> None:
    """Prints how many problems were rejected at each stage, with reasons, and what was kept."""
    table = Table("stage", "rejected", "left", "reasons", box=None, pad_edge=False)
    table.columns[1].justify = table.columns[2].justify = "right"
    left = funnel.problems - len(funnel.unfinished)
    table.add_row("problems", "", str(left), "")
    for stage, rejected in funnel.rejected.items():
        left -= len(rejected)
        reasons = [f"{each.problem}: {_shorten(each.reason)}" for each in rejected[:_MAX_REASONS]]
        if len(rejected) > _MAX_REASONS:
            reasons.append(f"… and {len(rejected) - _MAX_REASONS} more")
        table.add_row(stage, str(len(rejected) or "-"), str(left), "\n".join(reasons))
    out.print(table, highlight=False, soft_wrap=True)
    costs = funnel.costs
    spent = f"{costs.requests} responses, {costs.tokens:,} tokens" + (
        f", ${costs.cost:.2f}" if costs.cost else ""
    )
    if funnel.tiers:
        spent = ", ".join(f"{count} {tier}" for tier, count in funnel.tiers.items())
    out.print(
        f"\nEnvironments kept: {len(funnel.environments)}, in {directory}. {spent}.",
        highlight=False,
        soft_wrap=True,
    )
    if funnel.unfinished:
        first = funnel.unfinished[0]
        out.print(
            f"{len(funnel.unfinished)} problems are unfinished; run the same command again to continue. "
            f"{first.problem}: {_shorten(first.reason)}",
            highlight=False,
            soft_wrap=True,
        )


def _shorten(reason: str) -> str:
    line = " ".join(reason.split())
    return line if len(line) <= _MAX_CHARACTERS else f"{line[: _MAX_CHARACTERS - 1]}…"
