"""Computes the statistics of a run from its results."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from functools import reduce
from operator import add
from statistics import median
from typing import TypeVar

from pydantic import BaseModel

from codegym_harness.agent_enclosure.enclosure_options import Enclosure
from codegym_harness.records.episode_result import EpisodeResult, EpisodeUsage, Submission
from codegym_harness.records.trajectory import Fault, Outcome, StopReason
from codegym_harness.statistics.estimators import Estimate, clustered_mean, pass_at_k, pass_hat_k

Group = TypeVar("Group", str, int)
Task = tuple[str, str]
"""The name of an environment and the id of a task."""


class GroupFigures(BaseModel):
    """The statistics of a part of a run."""

    episodes: int
    reward: float | None
    """Mean reward of the scored episodes."""
    low: float | None
    """Lower end of the 95 % interval of the reward; None if there are too few clusters."""
    high: float | None
    """Upper end of the 95 % interval of the reward."""
    calls_median: float | None
    """Median number of tool calls of the episodes that did not fail."""
    calls_over_oracle: float | None
    """Median of calls / oracle's calls over correct episodes of tasks whose oracle calls are known."""


class CallFigures(BaseModel):
    """The tool calls of the episodes of a run that did not fail."""

    total: int
    """Calls that used up the calls of their episodes, also malformed ones; no valid submissions."""
    invalid: int
    """Those of an unknown tool, or with arguments that are not JSON or do not fit the tool's schema."""
    refused: int | None = None
    """Calls that fit the tool's schema and were answered with an error; None in statistics of earlier
    versions."""
    repeated: int
    """Calls whose tool, arguments and result equal those of an earlier call of the episode."""
    over_oracle: float | None
    """See `GroupFigures.calls_over_oracle`."""
    without_calls: int = 0
    """Episodes in which the agent called no tool and submitted nothing."""


class FailureCause(BaseModel):
    """An error that occurred in one or more episodes."""

    fault: Fault
    error: str
    """The name of the error's type and its message."""
    episodes: int


class Summary(BaseModel):
    """The statistics of a run. Failed episodes are counted and not scored."""

    run: str
    """The run directory."""
    agent: str
    episodes: int
    missing: int
    """Episodes that are still to be played; 0 unless the run was interrupted."""
    reward: float | None
    """Mean reward of the scored episodes."""
    reward_estimate: Estimate | None
    """The same with its interval, clustered by environment, or by task if there is only one environment."""
    overlap: float | None = None
    """Mean overlap of the answers that are collections, 0 to 1; None if there are none."""
    verdicts: dict[Outcome, int]
    submissions: dict[Submission, int]
    pass_at: dict[int, Estimate]
    """By k: the probability that at least one of k attempts at a task is correct (pass@k), over the tasks
    with at least k scored attempts; clustered like the reward."""
    pass_hat: dict[int, Estimate]
    """By k: the probability that all of k attempts are correct (pass^k)."""
    calls: CallFigures
    limits_met: dict[str, int]
    """By limit: the number of episodes that it ended."""
    stops: dict[StopReason, int] = {}
    """By reason: the number of episodes in which the loop of a model agent ended before the episode."""
    enclosures: dict[Enclosure, int] = {}
    """By what separated an agent program from the machine: the number of episodes."""
    failures: list[FailureCause] = []
    """Errors of episodes, the most frequent first."""
    usage: EpisodeUsage | None
    """Sums over all episodes, including failed ones; None if no model reported its usage."""
    environments: dict[str, GroupFigures]
    tags: dict[str, GroupFigures]
    difficulties: dict[int, GroupFigures]
    """By difficulty, for tasks whose difficulty is known."""


def summarize(run: str, agent: str, results: Iterable[EpisodeResult], *, missing: int = 0) -> Summary:
    """Returns the statistics of results.

    Args:
        run: the run directory.
        missing: the number of episodes that are still to be played.
    """
    episodes = sorted(results, key=lambda result: result.key)
    verdicts: dict[Outcome, int] = {outcome: 0 for outcome in Outcome if outcome is not Outcome.UNSCORED}
    submissions = dict.fromkeys(Submission, 0)
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
        overlap=_mean([result.overlap for result in episodes if result.overlap is not None]),
        verdicts=verdicts,
        submissions=submissions,
        pass_at=_passes(episodes, pass_at_k),
        pass_hat=_passes(episodes, pass_hat_k),
        calls=_calls(episodes),
        limits_met=dict(Counter(limit for result in episodes for limit in result.limits_met)),
        stops=dict(Counter(result.stop for result in episodes if result.stop is not None).most_common()),
        enclosures=dict(
            Counter(result.enclosure for result in episodes if result.enclosure is not None).most_common()
        ),
        failures=_failures(episodes),
        usage=reduce(add, usages) if usages else None,
        environments=_by(episodes, lambda result: [result.environment]),
        tags=_by(episodes, lambda result: result.tags),
        difficulties=_by(
            episodes, lambda result: [result.difficulty] if result.difficulty is not None else []
        ),
    )


def estimate_over_tasks(tasks: Sequence[Task], values: Sequence[float], *, least: float = 0.0) -> Estimate:
    """Returns the mean of values that belong to tasks, with its interval cut to the possible range.

    Tasks of an environment are correlated, and so are attempts at a task: the clusters are the environments,
    or the tasks if there is only one environment.

    Args:
        values: rewards, probabilities, or differences of them: at most 1.
        least: the smallest possible value.

    Raises:
        ValueError: there are no values.
    """
    one = len({environment for environment, _ in tasks}) == 1
    clusters: Sequence[Hashable] = tasks if one else [environment for environment, _ in tasks]
    return clustered_mean(values, clusters).within(least, 1.0)


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None


def _reward(episodes: Collection[EpisodeResult]) -> Estimate | None:
    scored = [(_task(result), result.reward) for result in episodes if result.reward is not None]
    return estimate_over_tasks(*zip(*scored, strict=True)) if scored else None


def _task(result: EpisodeResult) -> Task:
    return result.environment, result.task


def _passes(
    episodes: Iterable[EpisodeResult], estimator: Callable[[int, int, int], float]
) -> dict[int, Estimate]:
    """Returns an estimate for every k up to the largest number of scored attempts at a task."""
    attempts: dict[Task, list[bool]] = defaultdict(list)
    for result in episodes:
        if result.reward is not None:
            attempts[_task(result)].append(result.outcome is Outcome.CORRECT)
    most = max(map(len, attempts.values()), default=0)
    passes = {}
    for k in range(1, most + 1):
        enough = {task: outcomes for task, outcomes in attempts.items() if len(outcomes) >= k}
        values = [estimator(len(outcomes), sum(outcomes), k) for outcomes in enough.values()]
        passes[k] = estimate_over_tasks(list(enough), values)
    return passes


def _calls(episodes: Iterable[EpisodeResult]) -> CallFigures:
    played = [result for result in episodes if result.outcome is not Outcome.FAILED]
    return CallFigures(
        total=sum(result.calls + result.malformed_calls for result in played),
        invalid=sum(result.invalid_calls - result.invalid_submissions for result in played),
        refused=sum(result.refused_calls for result in played),
        repeated=sum(result.repeated_calls for result in played),
        over_oracle=_calls_over_oracle(played),
        without_calls=sum(
            not (result.calls or result.malformed_calls) and result.submission in (Submission.NONE, None)
            for result in played
        ),
    )


def _calls_over_oracle(episodes: Iterable[EpisodeResult]) -> float | None:
    # An agent that gives up early makes few calls, so only correct episodes are compared.
    ratios = [
        result.calls / result.oracle_calls
        for result in episodes
        if result.outcome is Outcome.CORRECT and result.oracle_calls
    ]
    return median(ratios) if ratios else None


def _failures(episodes: Iterable[EpisodeResult]) -> list[FailureCause]:
    causes = Counter((result.fault, result.error) for result in episodes if result.fault is not None)
    return [
        FailureCause(fault=fault, error=error, episodes=count)
        for (fault, error), count in causes.most_common()
    ]


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
    calls = [result.calls for result in episodes if result.outcome is not Outcome.FAILED]
    return GroupFigures(
        episodes=len(episodes),
        reward=estimate.mean if estimate is not None else None,
        low=estimate.low if estimate is not None else None,
        high=estimate.high if estimate is not None else None,
        calls_median=float(median(calls)) if calls else None,
        calls_over_oracle=_calls_over_oracle(episodes),
    )
