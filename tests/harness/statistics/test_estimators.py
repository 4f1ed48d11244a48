"""pass@k, pass^k and intervals agree with values that were computed elsewhere."""

import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_harness.statistics.estimators import (
    clustered_mean,
    paired_difference,
    pass_at_k,
    pass_hat_k,
    t_quantile,
)

# Two-sided 95 % and 99 % points of Student's t, from the NIST/SEMATECH e-Handbook of Statistical Methods,
# section 1.3.6.7.2.
T_TABLE = [
    (0.975, 1, 12.706),
    (0.975, 2, 4.303),
    (0.975, 3, 3.182),
    (0.975, 4, 2.776),
    (0.975, 9, 2.262),
    (0.975, 10, 2.228),
    (0.975, 30, 2.042),
    (0.975, 100, 1.984),
    (0.995, 1, 63.657),
    (0.995, 5, 4.032),
    (0.995, 12, 3.055),
    (0.995, 60, 2.660),
]


@pytest.mark.parametrize(("probability", "freedom", "expected"), T_TABLE)
def test_quantiles_of_t_equal_the_published_table(probability, freedom, expected) -> None:
    assert t_quantile(probability, freedom) == pytest.approx(expected, abs=6e-4)


@given(st.integers(1, 8), st.data())
def test_both_estimators_equal_the_share_of_enumerated_draws(attempts, data) -> None:
    correct = data.draw(st.integers(0, attempts))
    k = data.draw(st.integers(1, attempts))
    outcomes = [True] * correct + [False] * (attempts - correct)
    draws = list(combinations(outcomes, k))
    assert pass_at_k(attempts, correct, k) == pytest.approx(sum(map(any, draws)) / len(draws))
    assert pass_hat_k(attempts, correct, k) == pytest.approx(sum(map(all, draws)) / len(draws))


def test_known_values_of_the_estimators() -> None:
    assert pass_at_k(200, 20, 1) == pytest.approx(0.1)
    assert pass_at_k(5, 2, 3) == pytest.approx(0.9)
    assert pass_hat_k(5, 4, 2) == pytest.approx(0.6)
    assert pass_hat_k(4, 1, 2) == 0.0


@pytest.mark.parametrize(("attempts", "correct", "k"), [(3, 1, 4), (3, 1, 0), (3, 4, 1), (0, 0, 1)])
def test_impossible_counts_are_refused(attempts, correct, k) -> None:
    with pytest.raises(ValueError, match=r"k is|cannot be correct"):
        pass_at_k(attempts, correct, k)


def test_singleton_clusters_give_the_ordinary_standard_error() -> None:
    # Mean 2.5, sample standard deviation sqrt(5/3), n = 4, t(3) = 3.1824463.
    estimate = clustered_mean([1.0, 2.0, 3.0, 4.0], range(4))
    assert estimate.mean == 2.5
    assert estimate.stderr == pytest.approx(math.sqrt(5 / 3) / 2)
    assert estimate.high == pytest.approx(2.5 + 3.1824463 * math.sqrt(5 / 3) / 2)


def test_correlated_clusters_widen_the_interval() -> None:
    # Residuals sum to +1.5, -1.5 in the two clusters: sqrt((2.25 + 2.25) * 2) / 6 = 0.5.
    estimate = clustered_mean([1, 1, 1, 0, 0, 0], ["a"] * 3 + ["b"] * 3)
    assert estimate.stderr == pytest.approx(0.5)
    assert estimate.clusters == 2


def test_one_cluster_has_no_interval() -> None:
    estimate = clustered_mean([1, 0, 1], ["a"] * 3)
    assert (estimate.stderr, estimate.low, estimate.high) == (None, None, None)


def test_a_paired_difference_is_the_mean_of_the_differences() -> None:
    estimate = paired_difference([0, 1, 0, 1], [1, 1, 1, 0], range(4))
    assert estimate.mean == pytest.approx(0.25)


def test_pairs_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        paired_difference([0, 1], [1], range(2))
