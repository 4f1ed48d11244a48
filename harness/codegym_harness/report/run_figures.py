"""Lists the figures of each run in words, one row a figure and one column a run."""

from collections.abc import Iterator

from codegym_harness.records.trajectory import Outcome
from codegym_harness.report.report_contents import Report, ReportedRun
from codegym_harness.statistics.run_metrics import Summary

NONE = "\N{EN DASH}"
"""Stands for a figure that does not exist."""


def run_figures(report: Report) -> tuple[list[str], list[list[str]]]:
    """Returns the headings and the rows of the table of figures; baselines stand beside their run."""
    headings, columns = ["figure"], []
    for run in report.runs:
        headings.append(f"{run.label} {run.agent}")
        columns.append(dict(_figures(run.summary, run)))
        for baseline in run.baselines:
            headings.append(f"baseline {baseline.agent} of {run.label}")
            columns.append(dict(_figures(baseline, None)))
    return headings, [[name, *(each[name] for each in columns)] for name in columns[0]] if columns else []


def _figures(summary: Summary, run: ReportedRun | None) -> Iterator[tuple[str, str]]:
    """Yields the figures of a run, or of a baseline beside a run if `run` is None."""
    estimate, calls, usage = summary.reward_estimate, summary.calls, summary.usage
    yield "mean reward", number(summary.reward)
    yield "its 95 % interval", between((estimate.low, estimate.high)) if estimate is not None else NONE
    yield "episodes", str(summary.episodes)
    yield "correct", _count(summary, Outcome.CORRECT)
    yield "incorrect", _count(summary, Outcome.INCORRECT)
    yield "no submission", _count(summary, Outcome.NO_SUBMISSION)
    yield "failed (an error, not scored)", _count(summary, Outcome.FAILED)
    yield "missing (not played)", str(summary.missing)
    yield "calls (without the submission)", f"{calls.total:,}"
    yield "malformed (no such tool, or arguments not of its schema)", f"{calls.invalid:,}"
    yield "refused (answered with an error)", f"{calls.refused:,}" if calls.refused is not None else NONE
    yield "repeated (same call, same result)", f"{calls.repeated:,}"
    compared = run is None or not run.plays_oracle
    yield "calls / oracle's (median, solved)", number(calls.over_oracle if compared else None, 2)
    yield "median seconds of an episode", number(run.seconds_median if run is not None else None, 1)
    yield "tokens", number(usage.tokens, 0) if usage is not None else NONE
    yield "cost, $", number(usage.cost_usd, 4) if usage is not None else NONE


def _count(summary: Summary, outcome: Outcome) -> str:
    return f"{summary.verdicts.get(outcome, 0):,}"


def number(value: float | None, digits: int = 3) -> str:
    """Returns a figure with so many decimals."""
    return NONE if value is None else f"{value:,.{digits}f}"


def between(interval: tuple[float | None, float | None], form: str = ".3f") -> str:
    """Returns the ends of an interval. One without a width was not computed: the values are all alike."""
    low, high = interval
    return NONE if low is None or high is None or low == high else f"{low:{form}} to {high:{form}}"
