"""Estimators for rewards: pass@k, pass^k, means with intervals, paired differences.

Pure functions of numbers; `run_metrics` chooses the numbers.
"""

import math
from collections import defaultdict
from collections.abc import Hashable, Sequence

from pydantic import BaseModel, ConfigDict

CONFIDENCE = 0.95


class Estimate(BaseModel):
    """A mean with its uncertainty."""

    model_config = ConfigDict(frozen=True)

    mean: float
    stderr: float | None
    """Standard error of the mean; None if there are fewer than two clusters."""
    low: float | None
    """Lower end of the 95 % interval."""
    high: float | None
    """Upper end of the 95 % interval."""
    count: int
    """The number of values."""
    clusters: int
    """The number of clusters of values."""

    def within(self, least: float, most: float) -> "Estimate":
        """Returns the estimate with its interval cut to the range of possible values."""
        if self.low is None or self.high is None:
            return self
        return self.model_copy(update={"low": max(self.low, least), "high": min(self.high, most)})


def pass_at_k(attempts: int, correct: int, k: int) -> float:
    """Returns the probability that at least one of `k` attempts is correct, written pass@k.

    The unbiased estimator of Chen et al., 2021 (arXiv 2107.03374): one minus the share of draws of `k`
    without replacement that contain no correct attempt.

    Raises:
        ValueError: `k` is not between 1 and `attempts`, or `correct` not between 0 and `attempts`.
    """
    _check(attempts, correct, k)
    return 1.0 - math.comb(attempts - correct, k) / math.comb(attempts, k)


def pass_hat_k(attempts: int, correct: int, k: int) -> float:
    """Returns the probability that all of `k` attempts are correct, written pass^k.

    The unbiased estimator of Yao et al., 2024 (arXiv 2406.12045): the share of draws of `k` without
    replacement that contain only correct attempts.

    Raises:
        ValueError: as `pass_at_k`.
    """
    _check(attempts, correct, k)
    return math.comb(correct, k) / math.comb(attempts, k)


def _check(attempts: int, correct: int, k: int) -> None:
    if not 1 <= k <= attempts:
        raise ValueError(f"k is {k}, but must be from 1 to the number of attempts, {attempts}")
    if not 0 <= correct <= attempts:
        raise ValueError(f"{correct} of {attempts} attempts cannot be correct")


def clustered_mean(values: Sequence[float], clusters: Sequence[Hashable]) -> Estimate:
    """Returns the mean of values that are correlated within clusters, with a 95 % interval.

    The clustered standard error of Miller, 2024 (arXiv 2411.00640, appendix A) with the correction
    C / (C - 1) for a finite number C of clusters; the interval takes Student's t with C - 1 degrees of
    freedom. If every value is a cluster of its own, it is the ordinary standard error.

    Args:
        values: at least one number.
        clusters: the cluster of each value.

    Raises:
        ValueError: there are no values, or not as many clusters as values.
    """
    if not values:
        raise ValueError("there are no values to estimate from")
    count = len(values)
    mean = math.fsum(values) / count
    deviations: dict[Hashable, list[float]] = defaultdict(list)
    for value, cluster in zip(values, clusters, strict=True):
        deviations[cluster].append(value - mean)
    number = len(deviations)
    if number < 2:
        return Estimate(mean=mean, stderr=None, low=None, high=None, count=count, clusters=number)
    total = math.fsum(math.fsum(group) ** 2 for group in deviations.values())
    stderr = math.sqrt(total * number / (number - 1)) / count
    reach = t_quantile((1 + CONFIDENCE) / 2, number - 1) * stderr
    return Estimate(
        mean=mean, stderr=stderr, low=mean - reach, high=mean + reach, count=count, clusters=number
    )


def paired_difference(
    first: Sequence[float], second: Sequence[float], clusters: Sequence[Hashable]
) -> Estimate:
    """Returns the mean of `second - first` over pairs, with a 95 % interval; see `clustered_mean`.

    Raises:
        ValueError: there are no pairs, or the lengths differ.
    """
    return clustered_mean([b - a for a, b in zip(first, second, strict=True)], clusters)


def t_quantile(probability: float, freedom: int) -> float:
    """Returns the quantile of Student's t distribution, to ten digits.

    Found by bisection on the distribution function, which for an integer number of degrees of freedom has
    a closed form (Abramowitz and Stegun, 26.7.3 and 26.7.4).

    Args:
        probability: above 0.5 and below 1.
        freedom: degrees of freedom, at least 1.
    """
    if not 0.5 < probability < 1 or freedom < 1:
        raise ValueError("the quantile is for probabilities above 0.5 and at least one degree of freedom")
    low, high = 0.0, 1.0
    while t_probability(high, freedom) < probability:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if t_probability(middle, freedom) < probability:
            low = middle
        else:
            high = middle
        if high - low <= 1e-12 * high:
            break
    return (low + high) / 2


def t_probability(value: float, freedom: int) -> float:
    """Returns the distribution function of Student's t at `value` >= 0, for integer degrees of freedom."""
    angle = math.atan2(value, math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    term, total = 1.0, 1.0
    if freedom % 2:
        if freedom == 1:
            within = 2 * angle / math.pi
        else:
            for step in range(2, freedom - 1, 2):
                term *= cosine * cosine * step / (step + 1)
                total += term
            within = 2 / math.pi * (angle + sine * cosine * total)
    else:
        for step in range(1, freedom - 2, 2):
            term *= cosine * cosine * step / (step + 1)
            total += term
        within = sine * total
    return 0.5 + within / 2
