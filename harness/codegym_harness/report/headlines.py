"""Puts the most important figures of a report into sentences."""

from collections.abc import Iterator

from codegym_harness.records.trajectory import Outcome
from codegym_harness.report.report_contents import Report, ReportedRun
from codegym_harness.runs.comparison import Comparison


def headlines(report: Report) -> list[str]:
    """Returns a few sentences about each run, and one about each pair of runs."""
    sentences = [" ".join(_about_run(run)) for run in report.runs]
    sentences += [_about_pair(comparison) for comparison in report.comparisons]
    sentences += [f"{pair} have no scored task in common." for pair in report.not_compared]
    return sentences


def _about_run(run: ReportedRun) -> Iterator[str]:
    summary = run.summary
    scored = summary.reward_estimate.count if summary.reward_estimate is not None else 0
    name = f"{run.label} ({run.agent})"
    if not scored:
        yield f"{name} has no scored episode."
        return
    correct = summary.verdicts.get(Outcome.CORRECT, 0)
    estimate = summary.reward_estimate
    interval = ""
    if estimate is not None and estimate.low is not None and estimate.high is not None:
        interval = f" (95 % interval {estimate.low:.3f} to {estimate.high:.3f})"
        if estimate.low == estimate.high:
            interval = " (all the same, so without an interval)"
    yield f"{name} solved {correct} of {scored} scored episodes: mean reward {summary.reward:.3f}{interval}."
    unsolved = [each for each in run.endings if each.outcome is not Outcome.CORRECT]
    if unsolved:
        most = max(unsolved, key=lambda each: each.episodes)
        yield f"{run.label} most often failed by: {most.reason} ({_episodes(most.episodes)})."
    if correct and summary.calls.over_oracle is not None:
        yield (
            f"{run.label} made {summary.calls.over_oracle:.2f} times the oracle's calls in the median solved "
            "episode."
        )
    last = max(summary.pass_at, default=1)
    if last > 1:
        yield (
            f"Of the tasks with {last} attempts, {run.label} solved {summary.pass_at[last].mean:.0%} at "
            f"least once and {summary.pass_hat[last].mean:.0%} every time."
        )
    rewards = {name: each.reward for name, each in summary.environments.items() if each.reward is not None}
    if rewards and min(rewards.values()) < max(rewards.values()):
        worst = min(rewards, key=lambda name: rewards[name])
        best = max(rewards, key=lambda name: rewards[name])
        yield (
            f"{run.label} earned least in {worst} ({rewards[worst]:.2f}) and most in {best} "
            f"({rewards[best]:.2f})."
        )


def _about_pair(comparison: Comparison) -> str:
    first, second, difference = comparison.first_run, comparison.second_run, comparison.difference
    if difference.mean == 0:
        relation = f"{second} earned as much as {first}"
    else:
        more = "more" if difference.mean > 0 else "less"
        relation = f"{second} earned {abs(difference.mean):.3f} {more} than {first}"
    sentence = (
        f"{relation} over {comparison.tasks} common tasks; {second} was better in {comparison.better}, "
        f"worse in {comparison.worse} and equal in {comparison.same}"
    )
    if difference.low is None or difference.high is None:
        return f"{sentence}."
    if difference.low == difference.high:
        return f"{sentence}."
    interval = f"95 % interval of the difference {difference.low:+.3f} to {difference.high:+.3f}"
    if difference.mean and difference.low <= 0 <= difference.high:
        return f"{sentence}; {interval}, so it may be chance."
    return f"{sentence}; {interval}."


def _episodes(count: int) -> str:
    return "1 episode" if count == 1 else f"{count} episodes"
