"""The funnel."""

from codegym_mcp.synthesis.funnel import Candidate, Costs, Funnel, ProblemOutcome, RejectedProblem, Stage


def lost(stage, reason="", **costs):
    return Candidate(sample=0, lost=stage, reason=reason, costs=Costs(**costs))


def test_a_problem_is_lost_where_the_best_of_its_candidates_was():
    outcomes = [
        ProblemOutcome(
            problem="a", candidates=[lost(Stage.ENVIRONMENT, "prose"), lost(Stage.AUDIT, "a coin")]
        ),
        ProblemOutcome(problem="b", candidates=[lost(Stage.AUDIT), Candidate(sample=1)], kept=["b_is_kept"]),
        ProblemOutcome.rejected_unasked("c", Stage.PROBLEM, "no solution"),
    ]
    funnel = Funnel.of(outcomes, [RejectedProblem(problem="d", reason="no answer")])
    assert (funnel.problems, funnel.kept, funnel.environments) == (4, 1, ["b_is_kept"])
    assert funnel.lost[Stage.AUDIT] == [RejectedProblem(problem="a", reason="a coin")]
    assert funnel.lost[Stage.PROBLEM] == [RejectedProblem(problem="c", reason="no solution")]
    assert sum(map(len, funnel.lost.values())) + funnel.kept + len(funnel.unfinished) == funnel.problems


def test_costs_are_those_of_all_candidates():
    costs = {"requests": 2, "tokens": 100, "cost": 0.5}
    outcomes = [
        ProblemOutcome(problem="a", candidates=[lost(Stage.AUDIT, **costs), lost(Stage.AUDIT, **costs)])
    ]
    assert Funnel.of(outcomes).costs == Costs(requests=4, tokens=200, cost=1.0)
