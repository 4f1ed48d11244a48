"""What figures mean: which weakness, and which grade."""

from typing import Any

import pytest

from codegym_mcp.verification.audit.audit_measurements import (
    Agreement,
    Answers,
    Figures,
    LeakageFigures,
    Spread,
)
from codegym_mcp.verification.audit.grading_rules import Finding, Grade, Weakness, find_weaknesses, grade_of

GOOD: dict[str, Any] = {
    "oracle": 1.0,
    "oracle_calls": Spread(least=12, median=20, most=60),
    "answers": Answers(tasks=8, distinct=8, best_constant=0.125, commonest="1"),
    "generated_answers": Answers(tasks=15, distinct=15, best_constant=0.0667, commonest="1"),
    "possible_answers": None,
    "constant": 0.0,
    "observe": 0.0,
    "random": 0.0,
    "input_in_one_call": LeakageFigures(),
    "answer_in_one_call": LeakageFigures(),
    "on_generated": Agreement(tried=15, compared=15, agreed=15),
    "on_perturbed": Agreement(tried=24, compared=20, agreed=17),
    "by_task": [],
}


def found(**figures: Any) -> list[tuple[Weakness, Grade]]:
    return [(finding.weakness, finding.grade) for finding in find_weaknesses(Figures(**GOOD | figures))]


def test_good_figures_have_no_weakness() -> None:
    assert found() == []
    assert grade_of([]) is Grade.A


def answers(best: float, *, distinct: int = 4) -> Answers:
    return Answers(tasks=8, distinct=distinct, best_constant=best, commonest="1")


@pytest.mark.parametrize(
    ("figures", "weakness", "grade"),
    [
        ({"oracle": 0.875}, Weakness.UNSOLVED, Grade.D),
        ({"oracle_calls": Spread(least=1, median=9, most=60)}, Weakness.SHORT, Grade.B),
        ({"answers": Answers(tasks=4, distinct=4, best_constant=0.25)}, Weakness.FEW_TASKS, Grade.B),
        ({"possible_answers": 2}, Weakness.GUESSABLE, Grade.D),
        ({"possible_answers": 4}, Weakness.GUESSABLE, Grade.C),
        ({"answers": answers(0.25)}, Weakness.CONSTANT, Grade.C),
        ({"answers": answers(0.5)}, Weakness.CONSTANT, Grade.D),
        ({"generated_answers": answers(0.5)}, Weakness.CONSTANT, Grade.D),
        ({"answer_in_one_call": LeakageFigures(rate=0.5, call="look()")}, Weakness.ANSWER_SHOWN, Grade.D),
        ({"input_in_one_call": LeakageFigures(rate=0.5, call="look()")}, Weakness.INPUT_SHOWN, Grade.C),
        ({"observe": 0.375}, Weakness.OBSERVE, Grade.C),
        ({"observe": 0.5}, Weakness.OBSERVE, Grade.D),
        ({"random": 0.4}, Weakness.RANDOM, Grade.C),
        ({"on_generated": Agreement(tried=15, compared=15, agreed=14)}, Weakness.DISAGREEMENT, Grade.D),
        ({"on_generated": Agreement(tried=15, compared=14, agreed=14)}, Weakness.DISAGREEMENT, Grade.D),
        ({"on_perturbed": Agreement(tried=9, compared=9, agreed=4)}, Weakness.DISAGREEMENT, Grade.D),
        (
            {"on_generated": Agreement(tried=15, compared=15, agreed=3, ambiguous=True)},
            Weakness.AMBIGUOUS,
            Grade.D,
        ),
        (
            {"on_perturbed": Agreement(tried=9, compared=9, agreed=9, ambiguous=True)},
            Weakness.AMBIGUOUS,
            Grade.D,
        ),
    ],
)
def test_a_bad_figure_is_one_weakness(figures: dict[str, Any], weakness: Weakness, grade: Grade) -> None:
    assert found(**figures) == [(weakness, grade)]


@pytest.mark.parametrize(
    "figures",
    [
        {"possible_answers": 5},
        # All answers of few tasks differ: that each is right for a quarter of them says nothing.
        {"answers": Answers(tasks=5, distinct=5, best_constant=0.2)},
        {"observe": 0.25},
        {"on_perturbed": Agreement(tried=9, compared=9, agreed=5)},
        {"on_perturbed": Agreement(tried=9)},
        {"on_generated": Agreement(), "on_perturbed": Agreement(tried=9, compared=9, agreed=9)},
    ],
)
def test_what_is_within_bounds_is_no_weakness(figures: dict[str, Any]) -> None:
    assert found(**figures) == []


def test_without_a_generator_perturbed_inputs_weigh_more() -> None:
    perturbed = Agreement(tried=9, compared=8, agreed=7)
    assert found(on_generated=Agreement(), on_perturbed=perturbed) == [(Weakness.DISAGREEMENT, Grade.C)]


def test_what_follows_from_another_weakness_is_not_found_again() -> None:
    coin = {"possible_answers": 2, "answers": answers(0.6, distinct=2), "random": 0.55, "observe": 0.6}
    assert found(**coin) == [(Weakness.GUESSABLE, Grade.D)]
    assert found(answers=answers(1, distinct=1), random=0.4) == [(Weakness.CONSTANT, Grade.D)]
    told = LeakageFigures(rate=1, call="look()")
    assert found(answer_in_one_call=told, observe=1, random=0.4) == [(Weakness.ANSWER_SHOWN, Grade.D)]
    unsolved = {"oracle": 0.0, "oracle_calls": Spread(least=0, median=0, most=0)}
    assert found(**unsolved, on_generated=Agreement(tried=15)) == [(Weakness.UNSOLVED, Grade.D)]


def test_a_coin_that_always_falls_on_one_side_is_constant_too() -> None:
    weaknesses = [weakness for weakness, _ in found(possible_answers=2, answers=answers(1, distinct=1))]
    assert weaknesses == [Weakness.GUESSABLE, Weakness.CONSTANT]


def test_the_worst_finding_is_the_grade() -> None:
    findings = [
        Finding(weakness=Weakness.SHORT, grade=Grade.B, message="…"),
        Finding(weakness=Weakness.INPUT_SHOWN, grade=Grade.C, message="…"),
    ]
    assert grade_of(findings) is Grade.C
