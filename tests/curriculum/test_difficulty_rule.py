"""The rule of the curriculum: which difficulty follows from which successes."""

from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from codegym_mcp.curriculum.difficulty_rule import (
    HIGHEST,
    LOWEST,
    Curriculum,
    CurriculumRule,
    EnvironmentProgress,
)

RULE = CurriculumRule(groups=3)
rewards = st.lists(st.sampled_from([0.0, 1.0]) | st.floats(0, 1), min_size=1, max_size=4)
rules = st.builds(
    lambda groups, bounds, first: CurriculumRule(
        groups=groups, lower_at=min(bounds), raise_at=max(bounds), first=first
    ),
    st.integers(1, 4),
    st.sets(st.integers(0, 20).map(lambda part: part / 20), min_size=2, max_size=2),
    st.integers(LOWEST, HIGHEST),
)


def play(
    progress: EnvironmentProgress, seed: int, results: list[float | None], rule: CurriculumRule = RULE
) -> int:
    """Plays a group, one episode after another, and returns its difficulty."""
    difficulty = LOWEST
    for number, reward in enumerate(results):
        difficulty = progress.choose(seed, rule)
        progress.begin(seed, difficulty, f"{seed}-{number}")
        progress.settle(seed, f"{seed}-{number}", reward)
    return difficulty


def after(successes: list[float], *, difficulty: int = 3, rule: CurriculumRule = RULE) -> int:
    """Returns the difficulty of the group after groups of these mean rewards."""
    progress = EnvironmentProgress(difficulty=difficulty)
    for seed, success in enumerate(successes):
        play(progress, seed, [success], rule)
    return progress.choose(len(successes), rule)


@pytest.mark.parametrize(
    ("successes", "difficulty"),
    [
        ([1.0, 1.0], 3),
        ([1.0, 1.0, 1.0], 4),
        ([1.0, 1.0, 0.4], 4),
        ([1.0, 1.0, 0.39], 3),
        ([0.0, 0.0, 0.6], 2),
        ([0.0, 0.0, 0.61], 3),
        ([0.0, 0.0, 0.0], 2),
        ([1.0, 1.0, 1.0, 0.0], 4),
        ([1.0, 1.0, 1.0, 0.0, 0.0, 0.0], 3),
        ([0.5, 0.5, 0.5, 1.0, 1.0], 3),
        ([0.5, 0.5, 0.5, 1.0, 1.0, 1.0], 4),
    ],
)
def test_the_mean_success_of_as_many_groups_as_the_rule_says_decides(
    successes: list[float], difficulty: int
) -> None:
    assert after(successes) == difficulty


@given(st.lists(st.lists(rewards, max_size=12), max_size=4), rules)
def test_the_difficulty_stays_in_its_range_and_moves_by_one_at_a_time(
    phases: list[list[list[float]]], rule: CurriculumRule
) -> None:
    progress = EnvironmentProgress(difficulty=rule.first)
    seeds = count()
    before = rule.first
    for group in (group for groups in phases for group in groups):
        difficulty = play(progress, next(seeds), [*group], rule)
        assert LOWEST <= difficulty <= HIGHEST
        assert abs(difficulty - before) <= 1
        before = difficulty


@given(st.lists(rewards, min_size=1, max_size=30), rules)
def test_fewer_groups_than_the_rule_says_never_change_the_difficulty(
    groups: list[list[float]], rule: CurriculumRule
) -> None:
    progress = EnvironmentProgress(difficulty=rule.first)
    changes = [play(progress, seed, [*group], rule) for seed, group in enumerate(groups)]
    lasting = 1
    for earlier, later in pairwise(changes):
        if earlier != later:
            assert lasting >= rule.groups
            lasting = 0
        lasting += 1


@given(st.lists(rewards, min_size=1, max_size=20), rules, st.data())
def test_unscored_episodes_change_nothing(
    groups: list[list[float]], rule: CurriculumRule, data: st.DataObject
) -> None:
    plain, mixed = (EnvironmentProgress(difficulty=rule.first) for _ in range(2))
    for seed, group in enumerate(groups):
        unscored: list[float | None] = [None] * data.draw(st.integers(0, 2))
        assert play(plain, seed, [*group], rule) == play(mixed, seed, [*unscored, *group, *unscored], rule)


def test_groups_without_a_scored_episode_do_not_count() -> None:
    progress = EnvironmentProgress(difficulty=1)
    for seed in range(20):
        assert play(progress, seed, [None, None]) == 1
    for seed in range(20, 23):
        play(progress, seed, [1.0])
    assert progress.choose(99, RULE) == 2


def test_a_group_keeps_its_difficulty_while_others_decide() -> None:
    progress = EnvironmentProgress(difficulty=1)
    first = progress.choose(0, RULE)
    progress.begin(0, first, "begun early")
    for seed in (1, 2, 3):
        play(progress, seed, [1.0])
    assert progress.choose(4, RULE) == 2
    assert progress.choose(0, RULE) == first == 1
    progress.begin(0, 1, "begun late")
    progress.settle(0, "begun early", 1.0)
    assert progress.groups[0].open == ["begun late"]


def test_groups_of_an_earlier_difficulty_do_not_decide_about_a_later_one() -> None:
    progress = EnvironmentProgress(difficulty=1)
    for seed in (10, 11, 12):
        progress.begin(seed, progress.choose(seed, RULE), f"slow {seed}")
    for seed in (1, 2, 3):
        play(progress, seed, [1.0])
    assert progress.choose(4, RULE) == 2
    for seed in (10, 11, 12):
        progress.settle(seed, f"slow {seed}", 0.0)
    assert progress.choose(5, RULE) == 2


def test_a_seed_that_is_played_again_after_a_decision_is_a_new_group() -> None:
    progress = EnvironmentProgress(difficulty=1)
    for seed in (1, 2, 3):
        play(progress, seed, [1.0])
    assert progress.choose(1, RULE) == 1
    assert progress.choose(4, RULE) == 2
    assert progress.choose(1, RULE) == 2
    assert progress.groups.keys() == {4, 1}


@given(st.integers(LOWEST - 1, HIGHEST), rules)
def test_an_agent_is_kept_at_the_border_of_what_it_can_do(ability: int, rule: CurriculumRule) -> None:
    progress = EnvironmentProgress(difficulty=rule.first)
    played = []
    for seed in range(12 * rule.groups):
        difficulty = progress.choose(seed, rule)
        play(progress, seed, [float(difficulty <= ability)], rule)
        played.append(difficulty)
    border = {max(LOWEST, ability), min(HIGHEST, ability + 1)}
    assert set(played[6 * rule.groups :]) <= border


@given(st.integers(1, 200), rules)
def test_lost_episodes_do_not_collect(number: int, rule: CurriculumRule) -> None:
    progress = EnvironmentProgress(difficulty=rule.first)
    for seed in range(number):
        # Every second group has an episode that never ends.
        difficulty = progress.choose(seed, rule)
        if seed % 2:
            progress.begin(seed, difficulty, f"lost {seed}")
        else:
            play(progress, seed, [0.5], rule)
    assert len(progress.groups) <= 6 * rule.groups + 2


def test_what_ended_twice_or_belongs_to_no_group_is_ignored() -> None:
    progress = EnvironmentProgress(difficulty=1)
    progress.begin(0, progress.choose(0, RULE), "a")
    for _ in range(2):
        progress.settle(0, "a", 1.0)
    progress.settle(7, "b", 1.0)
    assert progress.groups[0].rewards == [1.0]
    assert progress.groups.keys() == {0}


def test_episodes_that_are_not_settled_are_listed() -> None:
    progress = EnvironmentProgress(difficulty=1)
    for seed, name in ((0, "a"), (0, "b"), (1, "c")):
        progress.begin(seed, progress.choose(seed, RULE), name)
    progress.settle(0, "a", 1.0)
    assert [*progress.unsettled()] == [(0, "b"), (1, "c")]


def test_environments_progress_separately_and_survive_serialization() -> None:
    curriculum = Curriculum()
    for seed in (1, 2, 3):
        play(curriculum.progress("easy", RULE), seed, [1.0])
    curriculum = Curriculum.model_validate_json(curriculum.model_dump_json())
    assert curriculum.progress("easy", RULE).choose(4, RULE) == 2
    assert curriculum.progress("new", RULE).choose(4, RULE) == 1


@pytest.mark.parametrize(
    "wrong", [{"groups": 0}, {"raise_at": 1.1}, {"lower_at": 0.8}, {"first": 0}, {"first": 6}]
)
def test_a_rule_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        CurriculumRule.model_validate(wrong)
