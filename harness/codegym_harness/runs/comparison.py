"""Compares two runs on the tasks that both scored, as pairs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from pydantic import BaseModel

from codegym_harness.records.episode_result import EpisodeResult
from codegym_harness.runs.run_directory_reader import read_configuration, read_results
from codegym_harness.statistics.estimators import Estimate
from codegym_harness.statistics.run_metrics import Task, estimate_over_tasks
from codegym_mcp.errors import CodegymError

Rewards = Mapping[Task, float]
"""The mean reward of each task over its scored attempts."""


class PairedFigures(BaseModel):
    """Statistics of two runs on the same tasks. A task's reward is the mean over its scored attempts."""

    tasks: int
    first: float
    """Mean reward of the first run."""
    second: float
    """Mean reward of the second run."""
    difference: Estimate
    """Second minus first over the tasks; clustered by environment, or by task if there is only one."""
    better: int
    """Tasks in which the second run has the higher reward."""
    worse: int
    same: int


class Comparison(PairedFigures):
    """The comparison of two runs on the tasks that both scored."""

    first_run: str
    second_run: str
    only_first: int
    """Tasks that only the first run scored."""
    only_second: int
    changed: list[str]
    """Environments that differ between the runs: tasks of the same name may differ."""
    environments: dict[str, PairedFigures]


@dataclass(frozen=True)
class ScoredRun:
    """What a comparison needs to know of a run.

    Attributes:
        name: how the comparison names the run.
        rewards: the mean reward of each task.
        digests: the digest of each environment, by name.
    """

    name: str
    rewards: Rewards
    digests: Mapping[str, str]

    @classmethod
    def of(cls, name: str, results: Iterable[EpisodeResult], digests: Mapping[str, str]) -> "ScoredRun":
        """Returns the run with these results."""
        attempts: dict[Task, list[float]] = defaultdict(list)
        for result in results:
            if result.reward is not None:
                attempts[result.environment, result.task].append(result.reward)
        return cls(name, {task: fmean(rewards) for task, rewards in attempts.items()}, digests)


def compare(first: Path, second: Path) -> Comparison:
    """Compares the runs in two directories, task by task.

    Raises:
        RunError: a run cannot be read.
        CodegymError: the runs have no scored task in common.
    """
    return compare_scored(_read(first), _read(second))


def compare_scored(first: ScoredRun, second: ScoredRun) -> Comparison:
    """Compares two runs, task by task.

    Raises:
        CodegymError: the runs have no scored task in common.
    """
    common = sorted(first.rewards.keys() & second.rewards.keys())
    if not common:
        raise CodegymError(
            f"{first.name} and {second.name} have no scored task in common.",
            hint="Compare runs of the same environments and tasks.",
        )
    environments: dict[str, list[Task]] = defaultdict(list)
    for task in common:
        environments[task[0]].append(task)
    return Comparison(
        first_run=first.name,
        second_run=second.name,
        only_first=len(first.rewards) - len(common),
        only_second=len(second.rewards) - len(common),
        changed=[name for name in environments if first.digests.get(name) != second.digests.get(name)],
        environments={
            name: _paired(tasks, first.rewards, second.rewards) for name, tasks in environments.items()
        },
        **_paired(common, first.rewards, second.rewards).model_dump(),
    )


def _read(path: Path) -> ScoredRun:
    _, start = read_configuration(path)
    return ScoredRun.of(str(path), read_results(path), start.environments)


def _paired(tasks: Sequence[Task], first: Rewards, second: Rewards) -> PairedFigures:
    differences = [second[task] - first[task] for task in tasks]
    return PairedFigures(
        tasks=len(tasks),
        first=fmean(first[task] for task in tasks),
        second=fmean(second[task] for task in tasks),
        difference=estimate_over_tasks(tasks, differences, least=-1.0),
        better=sum(difference > 0 for difference in differences),
        worse=sum(difference < 0 for difference in differences),
        same=sum(difference == 0 for difference in differences),
    )
