"""Draws the charts of a report."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from markupsafe import Markup

from codegym_harness.records.trajectory import Outcome
from codegym_harness.report.report_contents import Report, ReportedRun
from codegym_harness.report.svg_drawing import (
    Interval,
    IntervalGroup,
    Line,
    Point,
    Share,
    interval_chart,
    line_chart,
    scatter_chart,
    share_chart,
)
from codegym_harness.statistics.estimators import Estimate
from codegym_harness.statistics.run_metrics import GroupFigures, Summary

MOST_GROUPS = 30
"""The maximum number of groups in a chart. The table behind it has all of them."""
MOST_MARKS = 2000
"""The maximum number of marks in a chart of calls: the pairs of numbers with most episodes."""
OUTCOMES = {
    Outcome.CORRECT: "correct",
    Outcome.INCORRECT: "incorrect",
    Outcome.NO_SUBMISSION: "no submission",
    Outcome.FAILED: "failed",
    Outcome.UNSCORED: "not scored",
}

_Group = TypeVar("_Group", str, int)


def reward_chart(report: Report) -> Markup:
    """Returns the chart of the reward of each run."""
    intervals = []
    for series, run in enumerate(report.runs):
        estimate = run.summary.reward_estimate
        if estimate is not None:
            intervals.append(Interval(series, run.label, estimate.mean, estimate.low, estimate.high))
    return interval_chart("Mean reward of each run", [IntervalGroup("", intervals)])


def difference_chart(report: Report) -> Markup:
    """Returns the chart of the paired differences of runs."""
    groups = [
        IntervalGroup(
            f"{each.second_run} minus {each.first_run}, {each.tasks} tasks",
            [
                Interval(
                    None,
                    "",
                    each.difference.mean,
                    each.difference.low,
                    each.difference.high,
                )
            ],
            reference=0.0,
        )
        for each in report.comparisons
    ]
    ends = ("← second higher", "first higher →")
    return interval_chart("Paired differences of the reward", groups, least=-1.0, form="+.2f", ends=ends)


def environment_chart(report: Report) -> Markup:
    """Returns the chart of the reward by environment, with the best baseline of the audit behind it."""
    baselines = {each.name: each.best_baseline for each in report.environments}
    return _group_chart("Reward by environment", report, lambda summary: summary.environments, baselines)


def tag_chart(report: Report) -> Markup:
    """Returns the chart of the reward by tag."""
    return _group_chart("Reward by tag", report, lambda summary: summary.tags)


def difficulty_chart(report: Report) -> Markup:
    """Returns the chart of the reward by difficulty."""
    return _group_chart("Reward by difficulty", report, lambda summary: summary.difficulties)


def groups_of(
    report: Report, figures: Callable[[Summary], Mapping[_Group, GroupFigures]]
) -> list[tuple[_Group, list[GroupFigures | None]]]:
    """Returns the groups of all runs, each with its figures in every run."""
    names = sorted({name for run in report.runs for name in figures(run.summary)})
    return [(name, [figures(run.summary).get(name) for run in report.runs]) for name in names]


def alike(report: Report, groups: Sequence[tuple[_Group, list[GroupFigures | None]]]) -> str:
    """Returns the rewards of runs as a sentence if they are the same in all of several groups."""
    rewards = {tuple(each.reward if each is not None else None for each in figures) for _, figures in groups}
    if len(groups) <= 1 or len(rewards) != 1:
        return ""
    of_runs = zip(report.runs, rewards.pop(), strict=True)
    figures = ", ".join(
        f"{run.label} {run.agent} {reward:.2f}" for run, reward in of_runs if reward is not None
    )
    return f"The same in all {len(groups)}: {figures}." if figures else ""


def no_interval(estimate: Estimate | None) -> str:
    """Returns why a mean has no interval, as one sentence, or the empty string if it has one."""
    if estimate is None or (
        estimate.low is not None and estimate.high is not None and estimate.low < estimate.high
    ):
        return ""
    if estimate.low is None:
        return "There are too few tasks for an interval."
    equal = f"All {estimate.count} are equal" if estimate.count != 1 else "There is only one"
    if -1 < estimate.mean < 1 and estimate.mean != 0:
        equal = "The mean is the same in every environment"
    return f"{equal}, so no interval can be computed; this is not certainty."


def _group_chart(
    name: str,
    report: Report,
    figures: Callable[[Summary], Mapping[_Group, GroupFigures]],
    references: Mapping[str, float | None] | None = None,
) -> Markup:
    groups = []
    for group, each in groups_of(report, figures)[:MOST_GROUPS]:
        intervals = [
            Interval(series, run.label, found.reward, found.low, found.high)
            for series, (run, found) in enumerate(zip(report.runs, each, strict=True))
            if found is not None and found.reward is not None
        ]
        groups.append(IntervalGroup(str(group), intervals, (references or {}).get(str(group))))
    return interval_chart(name, groups)


def pass_chart(report: Report) -> Markup:
    """Returns the chart of pass@k and pass^k."""
    lines = []
    for series, run in enumerate(report.runs):
        for passes, dashed in ((run.summary.pass_at, False), (run.summary.pass_hat, True)):
            points = [(k, each.mean, each.low, each.high) for k, each in passes.items()]
            if points:
                lines.append(Line(series, points, dashed))
    return line_chart("pass@k and pass^k", lines, x_name="k, number of attempts")


def calls_chart(run: ReportedRun, most: int) -> Markup:
    """Returns the chart of the calls of a run's episodes against the oracle's.

    Args:
        most: the largest number of calls of all runs, so that their charts have the same axes.
    """
    return scatter_chart(
        f"Calls of {run.label} against the oracle's calls",
        [
            Point(each.oracle_calls, each.calls, _kind(each.outcome), each.episodes)
            for each in sorted(run.call_counts, key=lambda each: -each.episodes)[:MOST_MARKS]
        ],
        most=most,
        x_name="calls of the oracle, without the submission",
        y_name=f"calls of {run.label}",
    )


def most_calls(runs: Sequence[ReportedRun]) -> int:
    """Returns the largest number of calls in the charts of runs, or 0 if they have none."""
    return max((max(each.calls, each.oracle_calls) for run in runs for each in run.call_counts), default=0)


def outcome_chart(report: Report) -> Markup:
    """Returns the chart of the outcomes of each run's episodes."""
    bars = [
        (
            f"{run.label} {run.agent}: {run.summary.episodes} episodes",
            [
                Share(str(outcome), name, run.summary.verdicts[outcome])
                for outcome, name in OUTCOMES.items()
                if run.summary.verdicts.get(outcome)
            ],
        )
        for run in report.runs
    ]
    return share_chart("Outcomes of episodes", bars)


def _kind(outcome: Outcome) -> str:
    return str(outcome) if outcome in (Outcome.CORRECT, Outcome.INCORRECT) else "other"
