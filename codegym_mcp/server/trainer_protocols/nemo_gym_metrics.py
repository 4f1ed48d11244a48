"""Metrics of many rollouts, under the names of NeMo Gym 0.7.0 (`nemo_gym/reward_profile.py`)."""

import math
import statistics
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from codegym_mcp.server.trainer_protocols.nemo_gym_models import (
    ROLLOUT_INDEX,
    TASK_INDEX,
    AggregateMetrics,
)

_Rollout = Mapping[str, Any]
_LARGEST = 1e100
"""Larger numbers are part of no metric: their sums and squares might not be finite."""
_NOT_MEASURED = frozenset({TASK_INDEX, ROLLOUT_INDEX, "mask_sample"})


def aggregate(rollouts: list[dict[str, Any]]) -> AggregateMetrics:
    """Computes mean, maximum, minimum, median and standard deviation of all numbers of the rollouts.

    Rollouts that are masked are counted, and are part of no other metric. Rollouts without an index belong
    to the same task.
    """
    if not rollouts:
        return AggregateMetrics()
    measured = [each for each in rollouts if not each.get("mask_sample")]
    coverage = _coverage(rollouts, measured)
    if not measured:
        return AggregateMetrics(agent_metrics=coverage, key_metrics=coverage)
    tasks: dict[Any, list[_Rollout]] = {}
    for each in measured:
        tasks.setdefault(_task(each), []).append(each)
    overall = {
        **_describe(measured),
        **coverage,
        "num_repeats": len({_index(each.get(ROLLOUT_INDEX, 0)) for each in rollouts}),
    }
    return AggregateMetrics(
        group_level_metrics=[
            {TASK_INDEX: task, **_describe(tasks[task])} for task in sorted(tasks, key=_order)
        ],
        agent_metrics=overall,
        key_metrics={**{name: overall[name] for name in overall if name.startswith("mean/")}, **coverage},
    )


def _coverage(rollouts: list[dict[str, Any]], measured: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts what was measured, if not everything was."""
    if len(rollouts) == len(measured):
        return {}
    measured_tasks = {_task(each) for each in measured}
    return {
        "coverage/measured_rollouts": len(measured),
        "coverage/masked_rollouts": len(rollouts) - len(measured),
        "coverage/measured_tasks": len(measured_tasks),
        "coverage/fully_masked_tasks": len({_task(each) for each in rollouts} - measured_tasks),
    }


def _describe(rollouts: Iterable[_Rollout]) -> dict[str, float]:
    values: dict[str, list[float]] = {}
    for rollout in rollouts:
        for name, value in rollout.items():
            if name not in _NOT_MEASURED and isinstance(value, int | float) and _is_usable(value):
                values.setdefault(name, []).append(float(value))
    return {
        f"{statistic}/{name}": compute(numbers)
        for name, numbers in values.items()
        for statistic, compute in _STATISTICS.items()
    }


def _is_usable(number: float) -> bool:
    """Checks whether the statistics of a number are finite."""
    return not math.isnan(number) and abs(number) < _LARGEST


def _deviation(numbers: list[float]) -> float:
    return statistics.stdev(numbers) if len(numbers) > 1 else 0.0


_STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "mean": statistics.fmean,
    "max": max,
    "min": min,
    "median": statistics.median,
    "std": _deviation,
}


def _task(rollout: _Rollout) -> Any:
    return _index(rollout.get(TASK_INDEX, 0))


def _index(value: Any) -> Any:
    """Returns an index, which is a number or a text; anything else as text."""
    return value if isinstance(value, int | str) else repr(value)


def _order(index: Any) -> tuple[bool, int, str]:
    """Orders numbers before texts."""
    number = index if isinstance(index, int) else 0
    return isinstance(index, str), number, str(index)
