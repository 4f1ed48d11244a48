"""Puts the most important figures of a report into sentences."""

from collections.abc import Iterator, Sequence

from codegym_harness.records.trajectory import Outcome
from codegym_harness.report.report_charts import no_interval
from codegym_harness.report.report_contents import EpisodeEnding, Report, ReportedRun
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
    without = no_interval(estimate)
    if without:
        interval = ""
    yield f"{name} solved {correct} of {scored} scored episodes: mean reward {summary.reward:.3f}{interval}."
    if without:
        yield without.replace(" are equal", " rewards are equal")
    unsolved = [each for each in run.endings if each.outcome in (Outcome.INCORRECT, Outcome.NO_SUBMISSION)]
    if unsolved:
        yield _about_failures(unsolved)
    if correct and summary.calls.over_oracle is not None and not run.plays_oracle:
        yield (
            f"In its median solved episode, {run.label} made {summary.calls.over_oracle:.2f} times the "
            "oracle's calls."
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


def _about_failures(endings: Sequence[EpisodeEnding]) -> str:
    """Returns a sentence about the most frequent reason of failures."""
    total = sum(each.episodes for each in endings)
    most = max(endings, key=lambda each: each.episodes)
    if total == 1:
        return f"Its one failure: {most.reason}."
    if most.episodes == total:
        return f"All {total} failures had one reason: {most.reason}."
    return f"Of its {total} failures, {most.episodes} had the most frequent reason: {most.reason}."


def _about_pair(comparison: Comparison) -> str:
    first, second, difference = comparison.first_run, comparison.second_run, comparison.difference
    if comparison.same == comparison.tasks:
        return f"{first} and {second} scored the same on {_all_tasks(comparison.tasks)}."
    if comparison.worse == comparison.tasks:
        relation = f"{second} scored less than {first} on {_all_tasks(comparison.tasks)}"
    elif comparison.better == comparison.tasks:
        relation = f"{second} scored more than {first} on {_all_tasks(comparison.tasks)}"
    else:
        relation = (
            f"Of {comparison.tasks} common tasks, {second} scored more than {first} on {comparison.better}, "
            f"less on {comparison.worse} and the same on {comparison.same}"
        )
    sentence = f"{relation}: mean difference {difference.mean:+.3f}"
    if no_interval(difference) or difference.low is None or difference.high is None:
        return f"{sentence}."
    interval = f"95 % interval {difference.low:+.3f} to {difference.high:+.3f}"
    chance = "; it may be chance" if difference.mean and difference.low <= 0 <= difference.high else ""
    return f"{sentence} ({interval}{chance})."


def _all_tasks(count: int) -> str:
    return "the one common task" if count == 1 else f"all {count} common tasks"
