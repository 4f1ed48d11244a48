"""The figures of a run. Where numbers are given, they were computed by hand or as the comment says."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_harness.records.episode_result import EpisodeResult, EpisodeUsage
from codegym_harness.statistics.run_metrics import estimate_over_tasks, summarize

REWARDS = {"correct": 1.0, "incorrect": 0.0, "no_submission": 0.0}
SUBMISSIONS = {"correct": "correct", "incorrect": "incorrect", "no_submission": "none"}


def result(key: str, outcome: str = "correct", calls: int = 1, **more) -> EpisodeResult:
    environment, task, epoch = key.split("/")
    return EpisodeResult(
        key=key,
        environment=environment,
        task=task,
        epoch=int(epoch),
        outcome=outcome,
        **{"reward": REWARDS.get(outcome), "submission": SUBMISSIONS.get(outcome), "calls": calls, **more},
    )


def attempts(task: str, correct: int, of: int) -> list[EpisodeResult]:
    return [
        result(f"{task}/{epoch}", "correct" if epoch <= correct else "incorrect")
        for epoch in range(1, of + 1)
    ]


def summary_of(*results: EpisodeResult):
    return summarize("runs/one", "someone", results)


def test_a_refused_file_stays_unchanged() -> None:
    summary = summary_of(
        result("b/t/1", "correct", 4),
        result("b/t/2", "incorrect", 6),
        result("a/t/1", "no_submission", 9),
        result("a/t/2", "failed", 100),
        result("a/t/3", "correct", 11),
    ).model_dump(mode="json")
    assert {name: summary[name] for name in ("run", "agent", "episodes", "reward", "verdicts")} == {
        "run": "runs/one",
        "agent": "someone",
        "episodes": 5,
        "reward": 0.5,
        "verdicts": {"correct": 2, "incorrect": 1, "no_submission": 1, "failed": 1},
    }
    kept = ("episodes", "reward", "calls_median")
    assert {name: {key: part[key] for key in kept} for name, part in summary["environments"].items()} == {
        "a": {"episodes": 3, "reward": 0.5, "calls_median": 10.0},
        "b": {"episodes": 2, "reward": 0.5, "calls_median": 5.0},
    }


def test_the_interval_is_clustered_by_environment() -> None:
    # As in test_estimators: residuals sum to +1.5 and -1.5 in the two clusters, so 0.5.
    good, bad = [result(f"a/{n}/1") for n in range(3)], [result(f"b/{n}/1", "incorrect") for n in range(3)]
    estimate = summary_of(*good, *bad).reward_estimate
    assert (estimate.mean, estimate.count, estimate.clusters) == (0.5, 6, 2)
    assert estimate.stderr == pytest.approx(0.5)


def test_an_interval_is_cut_to_the_range_of_rewards() -> None:
    # Of one task in each of three environments; t(2) = 4.303, and 2/3 - 4.303 / 3 is below 0.
    two = summary_of(result("a/1/1"), result("b/1/1"), result("c/1/1", "incorrect")).reward_estimate
    assert two.stderr == pytest.approx(1 / 3)
    assert (two.low, two.high) == (0.0, 1.0)
    # Of 20, 19 were solved: 0.95 - 2.093 * 0.05 is within, 0.95 + 2.093 * 0.05 is not.
    many = [result(f"{n}/1/1") for n in range(19)]
    most = summary_of(*many, result("x/1/1", "incorrect")).reward_estimate
    assert most.low == pytest.approx(0.95 - 2.0930 * 0.05, abs=1e-4)
    assert most.high == 1.0


def test_with_one_environment_the_interval_is_clustered_by_task() -> None:
    # Two tasks, one always solved and one never: the same residuals as above, though there are 3 epochs.
    summary = summary_of(*attempts("a/easy", 3, 3), *attempts("a/hard", 0, 3))
    assert summary.reward_estimate.clusters == 2
    assert summary.reward_estimate.stderr == pytest.approx(0.5)
    part = summary.environments["a"]
    assert (part.low, part.high) == (summary.reward_estimate.low, summary.reward_estimate.high)


def test_a_single_task_has_no_interval() -> None:
    summary = summary_of(*attempts("a/t", 1, 3))
    assert (summary.environments["a"].low, summary.reward_estimate.stderr) == (None, None)


def test_pass_at_k_and_pass_hat_k_are_means_over_tasks() -> None:
    # 2 of 4 correct: pass@2 = 1 - C(2,2)/C(4,2) = 5/6, pass^2 = C(2,2)/C(4,2) = 1/6. 4 of 4: both 1.
    summary = summary_of(*attempts("a/t", 2, 4), *attempts("b/t", 4, 4))
    assert list(summary.pass_at) == list(summary.pass_hat) == [1, 2, 3, 4]
    assert summary.pass_at[1].mean == summary.pass_hat[1].mean == pytest.approx(0.75)
    assert summary.pass_at[2].mean == pytest.approx((5 / 6 + 1) / 2)
    assert summary.pass_hat[2].mean == pytest.approx((1 / 6 + 1) / 2)
    assert summary.pass_at[4].mean == 1.0
    assert summary.pass_hat[4].mean == 0.5
    assert (summary.pass_at[2].count, summary.pass_at[2].clusters) == (2, 2)


def test_failed_attempts_do_not_count_and_tasks_with_too_few_attempts_are_left_out() -> None:
    played = [*attempts("a/t", 1, 2), result("a/t/3", "failed"), *attempts("b/t", 3, 3)]
    summary = summary_of(*played)
    assert summary.pass_at[2].count == 2
    assert summary.pass_at[2].mean == 1.0
    assert summary.pass_at[3].count == 1
    assert 4 not in summary.pass_at


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6))
def test_for_k_of_one_both_estimators_are_the_mean_reward(corrects) -> None:
    played = [each for task, correct in enumerate(corrects) for each in attempts(f"a/{task}", correct, 3)]
    summary = summary_of(*played)
    assert summary.pass_at[1].mean == pytest.approx(summary.reward)
    assert summary.pass_hat[1].mean == pytest.approx(summary.reward)
    for k in (2, 3):
        assert summary.pass_hat[k].mean <= summary.pass_at[k].mean + 1e-12


def test_statistics_are_grouped_by_tag_and_by_difficulty() -> None:
    summary = summary_of(
        result("a/t/1", tags=("graphs", "search"), difficulty=3),
        result("b/t/1", "incorrect", tags=("search",), difficulty=1),
        result("c/t/1"),
    )
    assert {tag: (part.episodes, part.reward) for tag, part in summary.tags.items()} == {
        "graphs": (1, 1.0),
        "search": (2, 0.5),
    }
    assert {level: part.reward for level, part in summary.difficulties.items()} == {1: 0.0, 3: 1.0}


def test_calls_over_oracle_uses_correct_episodes_with_known_oracle_calls() -> None:
    summary = summary_of(
        result("a/1/1", calls=12, oracle_calls=4),
        result("a/2/1", calls=5, oracle_calls=5),
        result("a/3/1", calls=8, oracle_calls=4),
        result("a/4/1", "incorrect", calls=1, oracle_calls=4),
        result("a/5/1", calls=7),
        result("a/6/1", calls=7, oracle_calls=0),
    )
    assert summary.calls.over_oracle == summary.environments["a"].calls_over_oracle == 2.0
    assert summary_of(result("a/1/1", calls=7)).calls.over_oracle is None


def test_calls_submissions_and_limits_are_counted() -> None:
    summary = summary_of(
        result("a/1/1", calls=5, invalid_calls=2, repeated_calls=1),
        result("a/2/1", "no_submission", 256, submission="invalid", repeated_calls=4, limits_met=("calls",)),
        result("a/3/1", "no_submission", 3, limits_met=("deadline_seconds", "calls")),
        result("a/4/1", "failed", 50, invalid_calls=9, repeated_calls=9),
    )
    assert (summary.calls.total, summary.calls.invalid, summary.calls.repeated) == (264, 2, 5)
    assert summary.submissions == {"correct": 1, "incorrect": 0, "none": 1, "invalid": 1}
    assert summary.limits_met == {"calls": 2, "deadline_seconds": 1}


def test_the_calls_are_those_that_were_used_up_and_malformed_ones_are_among_them() -> None:
    summary = summary_of(
        result("a/1/1", "no_submission", 0, invalid_calls=3, malformed_calls=3),
        result("a/2/1", "no_submission", 2, invalid_calls=2, invalid_submissions=1),
    )
    assert (summary.calls.total, summary.calls.invalid, summary.calls.without_calls) == (5, 4, 0)


def test_usage_includes_failed_episodes() -> None:
    paid = EpisodeUsage(prompt_tokens=100, completion_tokens=10, cost_usd=0.25)
    summary = summary_of(
        result("a/1/1", usage=paid), result("a/2/1", "failed", usage=paid), result("a/3/1", "failed")
    )
    assert summary.usage == EpisodeUsage(prompt_tokens=200, completion_tokens=20, cost_usd=0.5)
    assert summary_of(result("a/1/1")).usage is None


def test_a_run_of_failures_alone_has_no_reward() -> None:
    summary = summary_of(result("a/t/1", "failed"))
    assert (summary.reward, summary.reward_estimate, summary.pass_at) == (None, None, {})
    assert summary.environments["a"].reward is None
    assert summary.environments["a"].calls_median is None


def test_unscored_rollouts_are_counted_separately() -> None:
    summary = summary_of(result("mcp/-/1", "unscored", 3))
    assert (summary.verdicts["unscored"], summary.reward) == (1, None)
    assert summary.environments["mcp"].calls_median == 3.0


def test_an_empty_run_has_an_empty_summary() -> None:
    summary = summarize("runs/one", "someone", [], missing=7)
    assert (summary.episodes, summary.missing, summary.reward, summary.environments) == (0, 7, None, {})


def test_the_order_of_the_results_changes_nothing() -> None:
    played = [*attempts("a/t", 2, 4), *attempts("b/t", 1, 3), result("b/u/1", "failed")]
    assert summary_of(*played) == summary_of(*reversed(played))


def test_tasks_of_the_same_name_in_two_environments_are_two() -> None:
    tasks = list(product(("a", "b"), ("x", "y")))
    assert estimate_over_tasks(tasks, [1, 1, 0, 0]).clusters == 2
    assert estimate_over_tasks(tasks[:2], [1, 0]).clusters == 2
