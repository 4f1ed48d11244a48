"""The figures of a run."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from functools import reduce
from operator import add
from statistics import median
from typing import TypeVar

from pydantic import BaseModel

from codegym_harness.records.episode_result import EpisodeResult, EpisodeUsage, Submission
from codegym_harness.records.trajectory import Outcome
from codegym_harness.statistics.estimators import Estimate, clustered_mean, pass_at_k, pass_hat_k

Group = TypeVar("Group", str, int)
Task = tuple[str, str]
"""Environment and task."""


class GroupFigures(BaseModel):
    """The figures of a part of a run."""

    episodes: int
    reward: float | None
    """The mean, over the episodes that were scored."""
    low: float | None
    """Lower end of the reward's 95 % interval; None where there is too little to tell."""
    high: float | None
    """Upper end of it."""
    calls_median: float | None
    """The median number of tool calls, over the episodes that did not fail."""
    calls_over_oracle: float | None
    """The median of calls by the oracle's calls, over the correct episodes of tasks where these are known."""


class CallFigures(BaseModel):
    """The tool calls of a run, over the episodes that did not fail."""

    total: int
    invalid: int
    """Calls of no tool there is, or with arguments that are no JSON or do not fit the tool's schema."""
    repeated: int
    """Calls that an earlier one of the episode equals in tool, arguments and result."""
    over_oracle: float | None
    """As `GroupFigures.calls_over_oracle`."""


class Summary(BaseModel):
    """The figures of a run. Failures of ours are counted, and say nothing of the agent."""

    run: str
    """The run directory."""
    agent: str
    episodes: int
    missing: int
    """Episodes that are still to be played; 0 where the run was not interrupted."""
    reward: float | None
    """The mean over the scored episodes."""
    reward_estimate: Estimate | None
    """The same with its interval, clustered by environment; by task where there is only one environment."""
    verdicts: dict[Outcome, int]
    submissions: dict[Submission, int]
    pass_at: dict[int, Estimate]
    """By k, the chance that at least one of k attempts at a task is correct (pass@k), over the tasks with at
    least k scored attempts; clustered as the reward."""
    pass_hat: dict[int, Estimate]
    """The same for all of k attempts (pass^k)."""
    calls: CallFigures
    limits_met: dict[str, int]
    """By limit, the episodes that it ended."""
    usage: EpisodeUsage | None
    """Sums over all episodes, failed ones too; None where no model told any."""
    environments: dict[str, GroupFigures]
    tags: dict[str, GroupFigures]
    difficulties: dict[int, GroupFigures]
    """Of the tasks whose difficulty is known."""


def summarize(run: str, agent: str, results: Iterable[EpisodeResult], *, missing: int = 0) -> Summary:
    """The figures of a run's results.

    Args:
        missing: how many episodes are still to be played.
    """
    episodes = sorted(results, key=lambda result: result.key)
    verdicts: dict[Outcome, int] = {"correct": 0, "incorrect": 0, "no_submission": 0, "failed": 0}
    submissions: dict[Submission, int] = {"correct": 0, "incorrect": 0, "none": 0, "invalid": 0}
    for result in episodes:
        verdicts[result.outcome] = verdicts.get(result.outcome, 0) + 1
        if result.submission is not None:
            submissions[result.submission] += 1
    estimate = _reward(episodes)
    usages = [result.usage for result in episodes if result.usage is not None]
    return Summary(
        run=run,
        agent=agent,
        episodes=len(episodes),
        missing=missing,
        reward=estimate.mean if estimate is not None else None,
        reward_estimate=estimate,
        verdicts=verdicts,
        submissions=submissions,
        pass_at=_passes(episodes, pass_at_k),
        pass_hat=_passes(episodes, pass_hat_k),
        calls=_calls(episodes),
        limits_met=dict(Counter(limit for result in episodes for limit in result.limits_met)),
        usage=reduce(add, usages) if usages else None,
        environments=_by(episodes, lambda result: [result.environment]),
        tags=_by(episodes, lambda result: result.tags),
        difficulties=_by(
            episodes, lambda result: [result.difficulty] if result.difficulty is not None else []
        ),
    )


def estimate_over_tasks(tasks: Sequence[Task], values: Sequence[float], *, least: float = 0.0) -> Estimate:
    """The mean of values that belong to tasks, with its interval, which ends where rewards do.

    The tasks of an environment are alike, and so are the attempts at a task: clusters are the environments,
    or the tasks where all are of one environment.

    Args:
        values: rewards, chances, or differences of them: at most 1.
        least: what they are at least.

    Raises:
        ValueError: there are no values.
    """
    one = len({environment for environment, _ in tasks}) == 1
    clusters: Sequence[Hashable] = tasks if one else [environment for environment, _ in tasks]
    return clustered_mean(values, clusters).within(least, 1.0)


def _reward(episodes: Collection[EpisodeResult]) -> Estimate | None:
    scored = [(_task(result), result.reward) for result in episodes if result.reward is not None]
    return estimate_over_tasks(*zip(*scored, strict=True)) if scored else None


def _task(result: EpisodeResult) -> Task:
    return result.environment, result.task


def _passes(
    episodes: Iterable[EpisodeResult], estimator: Callable[[int, int, int], float]
) -> dict[int, Estimate]:
    """For every k up to the largest number of scored attempts at a task."""
    attempts: dict[Task, list[bool]] = defaultdict(list)
    for result in episodes:
        if result.reward is not None:
            attempts[_task(result)].append(result.outcome == "correct")
    most = max(map(len, attempts.values()), default=0)
    passes = {}
    for k in range(1, most + 1):
        enough = {task: outcomes for task, outcomes in attempts.items() if len(outcomes) >= k}
        values = [estimator(len(outcomes), sum(outcomes), k) for outcomes in enough.values()]
        passes[k] = estimate_over_tasks(list(enough), values)
    return passes


def _calls(episodes: Iterable[EpisodeResult]) -> CallFigures:
    played = [result for result in episodes if result.outcome != "failed"]
    return CallFigures(
        total=sum(result.calls for result in played),
        invalid=sum(result.invalid_calls for result in played),
        repeated=sum(result.repeated_calls for result in played),
        over_oracle=_calls_over_oracle(played),
    )


def _calls_over_oracle(episodes: Iterable[EpisodeResult]) -> float | None:
    # Whoever gives up early needs few calls: only what was solved can be compared.
    ratios = [
        result.calls / result.oracle_calls
        for result in episodes
        if result.outcome == "correct" and result.oracle_calls
    ]
    return median(ratios) if ratios else None


def _by(
    episodes: Iterable[EpisodeResult], groups: Callable[[EpisodeResult], Iterable[Group]]
) -> dict[Group, GroupFigures]:
    members: dict[Group, list[EpisodeResult]] = defaultdict(list)
    for result in episodes:
        for group in groups(result):
            members[group].append(result)
    return {group: _figures(members[group]) for group in sorted(members)}


def _figures(episodes: Collection[EpisodeResult]) -> GroupFigures:
    estimate = _reward(episodes)
    calls = [result.calls for result in episodes if result.outcome != "failed"]
    return GroupFigures(
        episodes=len(episodes),
        reward=estimate.mean if estimate is not None else None,
        low=estimate.low if estimate is not None else None,
        high=estimate.high if estimate is not None else None,
        calls_median=float(median(calls)) if calls else None,
        calls_over_oracle=_calls_over_oracle(episodes),
    )
