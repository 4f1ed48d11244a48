from collections import Counter
from typing import Any

from codegym_harness.records.episode_result import EpisodeResult
from codegym_harness.report.notable_episodes import MOST_EPISODES, choose_episodes
from codegym_harness.report.report_contents import EpisodeChoice

REWARDS = {"correct": 1.0, "incorrect": 0.0, "no_submission": 0.0}


def result(key: str, outcome: str, calls: int = 10, **fields: Any) -> EpisodeResult:
    environment, task, epoch = key.split("/")
    return EpisodeResult(
        key=key,
        environment=environment,
        task=task,
        epoch=int(epoch),
        outcome=outcome,
        reward=REWARDS.get(outcome),
        calls=calls,
        **{"oracle_calls": 10, **fields},
    )


def chosen(**runs: list[EpisodeResult]) -> dict[str, tuple[EpisodeChoice, str]]:
    return {each.result.key: (each.choice, each.run) for each in choose_episodes(runs)}


def test_a_failure_whose_task_another_run_solved_names_that_run() -> None:
    (first,) = choose_episodes({"A": [result("a/x/1", "correct")], "B": [result("a/x/1", "incorrect")]})
    assert (first.choice, first.run, first.solved_by) == (
        EpisodeChoice.SOLVED_ELSEWHERE,
        "B",
        ("A", "a/x/1"),
    )


def test_the_nearest_failure_comes_first() -> None:
    episodes = [
        result("a/far/1", "incorrect", calls=200),
        result("a/near/1", "incorrect", calls=11),
        result("a/silent/1", "no_submission", calls=10),
    ]
    (first, *_) = choose_episodes({"A": episodes}, most=1)
    assert first.result.key == "a/near/1"


def test_each_error_gives_one_episode_and_is_counted() -> None:
    failed = [result(f"a/t{n}/1", "failed", error=f"E{n % 2}: lost", fault="harness") for n in range(9)]
    found = choose_episodes({"A": failed})
    assert [each.choice for each in found] == [EpisodeChoice.NOT_SCORED] * 2
    assert "4 other episodes" in found[0].reason


def test_solving_with_fewer_calls_than_the_oracle_is_told() -> None:
    found = chosen(A=[result("a/quick/1", "correct", calls=1), result("a/same/1", "correct")])
    assert found["a/quick/1"] == (EpisodeChoice.FEWER_CALLS_THAN_ORACLE, "A")


def test_a_run_that_solves_everything_like_the_oracle_shows_one_typical_success() -> None:
    found = chosen(A=[result(f"a/t{n}/1", "correct", n, oracle_calls=n) for n in range(21)])
    assert found == {"a/t10/1": (EpisodeChoice.TYPICAL_SUCCESS, "A")}


def test_nothing_is_near_to_success_without_a_reward_or_agreement() -> None:
    found = chosen(
        A=[result("a/x/1", "incorrect", calls=11), result("a/y/1", "incorrect", calls=90, overlap=0.5)]
    )
    assert found == {
        "a/x/1": (EpisodeChoice.CLOSEST_CALLS, "A"),
        "a/y/1": (EpisodeChoice.NEAREST_TO_SUCCESS, "A"),
    }


def test_episodes_are_spread_over_environments() -> None:
    failures = [result(f"{name}/t{n}/1", "incorrect", calls=11 + n) for name in "abcde" for n in range(9)]
    found = choose_episodes({"A": failures, "B": failures})
    assert Counter(each.result.environment for each in found) == dict.fromkeys("abcde", 2)


def test_every_failure_whose_task_was_solved_names_the_solving_episode() -> None:
    solved = [result(f"a/t{n}/1", "correct") for n in range(9)]
    failed = [result(f"a/t{n}/1", "incorrect", calls=30, refused_calls=n) for n in range(9)]
    found = choose_episodes({"A": solved, "B": failed})
    assert len({each.choice for each in found if each.run == "B"}) > 1
    assert all(each.solved_by == ("A", each.result.key) for each in found if each.run == "B")


def test_runs_take_turns_and_no_task_comes_twice() -> None:
    failures = [result(f"a/t{n}/{epoch}", "incorrect", calls=12) for n in range(20) for epoch in (1, 2)]
    found = choose_episodes({"A": failures, "B": failures})
    assert len(found) == MOST_EPISODES
    assert len({each.result.task for each in found}) == MOST_EPISODES
    assert {each.run for each in found} == {"A", "B"}
    assert abs(sum(each.run == "A" for each in found) - MOST_EPISODES // 2) <= 1


def test_a_task_that_is_solved_in_one_attempt_of_a_run_is_unstable() -> None:
    found = chosen(A=[result("a/x/1", "correct"), result("a/x/2", "incorrect")])
    assert found == {"a/x/2": (EpisodeChoice.UNSTABLE, "A")}


def test_episodes_that_a_limit_or_the_model_ended_are_chosen() -> None:
    found = chosen(
        A=[
            result("a/x/1", "no_submission", calls=0, stop="refusal"),
            result("a/y/1", "no_submission", calls=0, limits_met=("calls",)),
        ]
    )
    assert {choice for choice, _ in found.values()} == {EpisodeChoice.STOPPED}
