"""Prints the statistics of runs as tables."""

from collections.abc import Iterable, Mapping, Sequence

from rich.table import Table

from codegym_harness.records.episode_result import Submission
from codegym_harness.records.trajectory import Fault, Outcome
from codegym_harness.runs.comparison import Comparison, PairedFigures
from codegym_harness.statistics.estimators import Estimate
from codegym_harness.statistics.run_metrics import GroupFigures, Summary
from codegym_mcp.cli.command_output import out
from codegym_mcp.cli.evaluate_progress import short_number

_PASSES_SHOWN = 6
_CAUSES_SHOWN = 5
_CAUSE_LENGTH = 300


def print_summary(summary: Summary, baselines: Sequence[Summary] = ()) -> None:
    """Prints the statistics of a run, with the rewards of its baselines beside it."""
    headings = ["environment", "episodes", "reward", "95 %", "median calls", "calls / oracle's"]
    table = _table(*headings, *(baseline.agent for baseline in baselines))
    for name, figures in summary.environments.items():
        beside = [baseline.environments.get(name) for baseline in baselines]
        table.add_row(name, *_group(figures), *(_number(each.reward if each else None, 3) for each in beside))
    overall = summary.reward_estimate
    table.add_row(
        "all",
        str(summary.episodes),
        _number(summary.reward, 3),
        _interval(overall.low, overall.high) if overall is not None else "-",
        "",
        _number(summary.calls.over_oracle, 2),
        *(_number(baseline.reward, 3) for baseline in baselines),
        style="bold",
    )
    out.print(table)
    _print_groups("tag", summary.tags)
    _print_groups("difficulty", {str(level): figures for level, figures in summary.difficulties.items()})
    _print_passes(summary)
    out.print()
    for line in _lines(summary):
        out.print(line, highlight=False, markup=False, soft_wrap=True)


def print_comparison(comparison: Comparison) -> None:
    """Prints the comparison of two runs."""
    table = _table("environment", "tasks", "first", "second", "difference", "95 %", "better", "worse", "same")
    for name, figures in comparison.environments.items():
        table.add_row(name, *_pair(figures))
    table.add_row("all", *_pair(comparison), style="bold")
    out.print(table)
    lines = ["", f"first: {comparison.first_run}", f"second: {comparison.second_run}"]
    if comparison.only_first or comparison.only_second:
        lines.append(
            f"Left out, since only one run scored them: {comparison.only_first} tasks of the first run, "
            f"{comparison.only_second} of the second run."
        )
    if comparison.changed:
        lines.append(f"Environments that differ between the runs: {', '.join(comparison.changed)}.")
    for line in lines:
        out.print(line, highlight=False, markup=False, soft_wrap=True)


def _print_groups(heading: str, groups: Mapping[str, GroupFigures]) -> None:
    if len(groups) < 2:
        return
    table = _table(heading, "episodes", "reward", "95 %", "median calls", "calls / oracle's")
    for name, figures in groups.items():
        table.add_row(name, *_group(figures))
    out.print()
    out.print(table)


def _print_passes(summary: Summary) -> None:
    shown = _some_of(list(summary.pass_at))
    if len(shown) < 2:
        return
    table = _table("k", "pass@k", "95 %", "pass^k", "95 %", "tasks")
    for k in shown:
        at, hat = summary.pass_at[k], summary.pass_hat[k]
        table.add_row(str(k), *_estimate(at), *_estimate(hat), str(at.count))
    out.print()
    out.print(table)


def _some_of(ks: list[int]) -> list[int]:
    """Returns all of a few values; of many, the powers of two and the last."""
    if len(ks) <= _PASSES_SHOWN:
        return ks
    return [k for k in ks if k & (k - 1) == 0 or k == ks[-1]]


def _lines(summary: Summary) -> Iterable[str]:
    yield _counts(summary.verdicts.items())
    if summary.submissions[Submission.NONE] or summary.submissions[Submission.INVALID]:
        yield f"Submissions: {_counts(summary.submissions.items())}"
    calls = summary.calls
    refused = f" {calls.refused} refused," if calls.refused is not None else ""
    yield f"Calls: {calls.total}, of them {calls.invalid} malformed,{refused} {calls.repeated} repeated."
    if calls.without_calls:
        yield (
            f"In {calls.without_calls} of {summary.episodes} episodes the agent called no tool and submitted "
            "nothing."
        )
        if calls.without_calls == summary.episodes and summary.usage is not None:
            yield (
                "The model never called a tool. Does its server parse tool calls? Look at a reply with: "
                f"codegym-mcp show {summary.run} EPISODE"
            )
    if summary.limits_met:
        yield f"Limits met: {_counts(summary.limits_met.items())}"
    if summary.stops:
        yield f"The model stopped early: {_counts(summary.stops.items())}"
    if summary.enclosures:
        yield f"The program was enclosed by: {_counts(summary.enclosures.items())}"
    yield from _causes(summary)
    if summary.usage is not None:
        usage = summary.usage
        cost = f", ${usage.cost_usd:.4f}" if usage.cost_usd is not None else ""
        yield (
            f"Tokens: {short_number(usage.prompt_tokens)} sent, "
            f"{short_number(usage.completion_tokens)} received{cost}."
        )
    if summary.verdicts.get(Outcome.FAILED):
        yield failed_episodes(summary)
    if summary.missing:
        yield f"Interrupted: {summary.missing} episodes are still to be played."
    yield f"Trajectories: {summary.run}"


def failed_episodes(summary: Summary) -> str:
    """Returns a sentence about the episodes that failed without the agent's fault."""
    failed = summary.verdicts.get(Outcome.FAILED, 0)
    return (
        f"{failed} of {summary.episodes} episodes failed without the agent's fault and are not scored; "
        "--resume plays them again."
    )


_FAULTS = {
    Fault.HARNESS: "this project or its environment",
    Fault.PROVIDER: "the model's provider",
    Fault.AGENT: "the agent",
}


def _causes(summary: Summary) -> Iterable[str]:
    if summary.failures:
        yield "Errors:"
    for cause in summary.failures[:_CAUSES_SHOWN]:
        error = " ".join(cause.error.split())
        error = error if len(error) <= _CAUSE_LENGTH else f"{error[:_CAUSE_LENGTH]}…"
        yield f"  {cause.episodes} x {error} (fault of {_FAULTS[cause.fault]})"
    if len(summary.failures) > _CAUSES_SHOWN:
        yield f"  and {len(summary.failures) - _CAUSES_SHOWN} other errors"


def _counts(counts: Iterable[tuple[str, int]]) -> str:
    parts = [f"{count} {name.replace('_', ' ')}" for name, count in counts if count]
    return f"{', '.join(parts) or 'nothing'}."


def _group(figures: GroupFigures) -> list[str]:
    return [
        str(figures.episodes),
        _number(figures.reward, 3),
        _interval(figures.low, figures.high),
        _number(figures.calls_median, 1),
        _number(figures.calls_over_oracle, 2),
    ]


def _pair(figures: PairedFigures) -> list[str]:
    difference = figures.difference
    return [
        str(figures.tasks),
        f"{figures.first:.3f}",
        f"{figures.second:.3f}",
        f"{difference.mean:+.3f}",
        _interval(difference.low, difference.high, "+.3f"),
        str(figures.better),
        str(figures.worse),
        str(figures.same),
    ]


def _estimate(estimate: Estimate) -> list[str]:
    return [f"{estimate.mean:.3f}", _interval(estimate.low, estimate.high)]


def _interval(low: float | None, high: float | None, form: str = ".3f") -> str:
    return "-" if low is None or high is None else f"{low:{form}} to {high:{form}}"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _table(*headings: str) -> Table:
    table = Table(*headings, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    return table
