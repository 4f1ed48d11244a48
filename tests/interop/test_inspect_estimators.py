"""pass@k, pass^k and intervals are what Inspect AI computes from the same scores."""

import random
from collections.abc import Iterable
from typing import Any, cast

import pytest
from inspect_ai.scorer import SampleScore, Score, ci, mean, pass_at, pass_k, stderr

from codegym_harness.records.episode_result import EpisodeResult
from codegym_harness.statistics.estimators import clustered_mean, paired_difference, pass_at_k, pass_hat_k
from codegym_harness.statistics.run_metrics import summarize

pytestmark = pytest.mark.interop

ENVIRONMENTS, TASKS, EPOCHS = 5, 4, 6


def scores(values: Iterable[float], clusters: Iterable[object]) -> list[SampleScore]:
    """What Inspect's metrics take."""
    return [
        SampleScore(score=Score(value=value), sample_metadata={"cluster": cluster})
        for value, cluster in zip(values, clusters, strict=True)
    ]


def asked(metric: Any, given: list[SampleScore]) -> Any:
    return metric(given)


@pytest.mark.parametrize("attempts", range(1, 9))
def test_both_passes_are_the_same_for_every_k(attempts: int) -> None:
    for correct in range(attempts + 1):
        outcomes = [Score(value=float(number < correct)) for number in range(attempts)]
        for k in range(1, attempts + 1):
            assert pass_at_k(attempts, correct, k) == pytest.approx(pass_at(k)(outcomes).as_float())
            assert pass_hat_k(attempts, correct, k) == pytest.approx(pass_k(k)(outcomes).as_float())


@pytest.mark.parametrize("seed", range(20))
def test_clustered_means_and_intervals_are_the_same(seed: int) -> None:
    chance = random.Random(seed)
    sizes = [chance.randint(1, 9) for _ in range(chance.randint(2, 30))]
    clusters = [number for number, size in enumerate(sizes) for _ in range(size)]
    values = [chance.choice([0.0, 1.0, chance.random()]) for _ in clusters]
    estimate, given = clustered_mean(values, clusters), scores(values, clusters)
    assert estimate.mean == pytest.approx(asked(mean(), given))
    assert estimate.stderr == pytest.approx(asked(stderr(cluster="cluster"), given))
    interval = asked(ci(cluster="cluster"), given)
    assert (estimate.low, estimate.high) == pytest.approx((interval["lower"], interval["upper"]))


def test_values_on_their_own_have_the_ordinary_interval() -> None:
    values = [random.Random(7).random() for _ in range(2)] + [0.25, 1.0, 0.5]
    estimate, given = clustered_mean(values, range(5)), scores(values, range(5))
    assert estimate.stderr == pytest.approx(asked(stderr(), given))
    interval = asked(ci(), given)
    assert (estimate.low, estimate.high) == pytest.approx((interval["lower"], interval["upper"]))


def test_a_paired_difference_has_the_interval_of_the_differences() -> None:
    chance = random.Random(3)
    clusters = [number // 3 for number in range(24)]
    first, second = ([float(chance.random() < rate) for _ in clusters] for rate in (0.4, 0.7))
    estimate = paired_difference(first, second, clusters)
    interval = asked(
        ci(cluster="cluster"), scores([b - a for a, b in zip(first, second, strict=True)], clusters)
    )
    assert (estimate.low, estimate.high) == pytest.approx((interval["lower"], interval["upper"]))


def test_the_figures_of_a_run_are_the_same() -> None:
    chance = random.Random(11)
    results = [
        EpisodeResult(
            key=f"e{environment}/t{task}/{epoch}",
            environment=f"e{environment}",
            task=f"t{task}",
            epoch=epoch,
            outcome="correct" if chance.random() < environment / ENVIRONMENTS else "incorrect",
            reward=None,
            calls=1,
        )
        for environment in range(ENVIRONMENTS)
        for task in range(TASKS)
        for epoch in range(1, EPOCHS + 1)
    ]
    results = [each.model_copy(update={"reward": float(each.outcome == "correct")}) for each in results]
    summary = summarize("run", "someone", results)
    rewards = [cast(float, each.reward) for each in results]
    interval = asked(ci(cluster="cluster"), scores(rewards, [each.environment for each in results]))
    assert summary.reward_estimate is not None
    assert (summary.reward_estimate.low, summary.reward_estimate.high) == pytest.approx(
        (interval["lower"], interval["upper"])
    )
    for figures, reducer in ((summary.pass_at, pass_at), (summary.pass_hat, pass_k)):
        assert list(figures) == list(range(1, EPOCHS + 1))
        for k, estimate in figures.items():
            reduced, clusters = [], []
            for start in range(0, len(results), EPOCHS):
                outcomes = [Score(value=reward) for reward in rewards[start : start + EPOCHS]]
                reduced.append(reducer(k)(outcomes).as_float())
                clusters.append(results[start].environment)
            given = scores(reduced, clusters)
            assert estimate.mean == pytest.approx(asked(mean(), given))
            assert estimate.stderr == pytest.approx(asked(stderr(cluster="cluster"), given))
