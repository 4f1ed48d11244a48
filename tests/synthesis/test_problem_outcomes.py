"""The funnel."""

from codegym_mcp.synthesis.problem_outcomes import (
    Candidate,
    Costs,
    Funnel,
    ProblemOutcome,
    RejectedProblem,
    Stage,
)


def rejected(stage, reason="", **costs):
    return Candidate(sample=0, rejected_at=stage, reason=reason, costs=Costs(**costs))


def test_a_problem_counts_at_the_latest_stage_of_its_candidates() -> None:
    outcomes = [
        ProblemOutcome(
            problem="a", candidates=[rejected(Stage.ENVIRONMENT, "prose"), rejected(Stage.AUDIT, "a coin")]
        ),
        ProblemOutcome(
            problem="b", candidates=[rejected(Stage.AUDIT), Candidate(sample=1)], kept=["b_is_kept"]
        ),
        ProblemOutcome.rejected_unasked("c", Stage.PROBLEM, "no solution"),
    ]
    funnel = Funnel.of(outcomes, [RejectedProblem(problem="d", reason="no answer")])
    assert (funnel.problems, funnel.kept, funnel.environments) == (4, 1, ["b_is_kept"])
    assert funnel.rejected[Stage.AUDIT] == [RejectedProblem(problem="a", reason="a coin")]
    assert funnel.rejected[Stage.PROBLEM] == [RejectedProblem(problem="c", reason="no solution")]
    assert sum(map(len, funnel.rejected.values())) + funnel.kept + len(funnel.unfinished) == funnel.problems


def test_costs_are_those_of_all_candidates() -> None:
    costs = {"requests": 2, "tokens": 100, "cost": 0.5}
    outcomes = [
        ProblemOutcome(
            problem="a", candidates=[rejected(Stage.AUDIT, **costs), rejected(Stage.AUDIT, **costs)]
        )
    ]
    assert Funnel.of(outcomes).costs == Costs(requests=4, tokens=200, cost=1.0)
