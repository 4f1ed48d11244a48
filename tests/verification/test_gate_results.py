import pytest

from codegym_mcp.verification.gate_results import Gate, GateProblem, GateState, Verification


def test_without_problems_every_gate_is_passed() -> None:
    verification = Verification.of("made", [])
    assert verification.verified
    assert list(verification.gates) == list(Gate)
    assert set(verification.gates.values()) == {GateState.PASSED}


@pytest.mark.parametrize("gate", Gate)
def test_one_problem_fails_its_gate_and_the_environment(gate: Gate) -> None:
    verification = Verification.of("made", [GateProblem(gate=gate, message="No.")])
    assert not verification.verified
    assert [each for each, state in verification.gates.items() if state is GateState.FAILED] == [gate]


def test_an_undecided_gate_prevents_verification() -> None:
    verification = Verification.of("made", [], undecided=[Gate.SOLVED])
    assert not verification.verified
    assert verification.gates[Gate.SOLVED] is GateState.UNDECIDED


def test_a_problem_decides_an_undecided_gate() -> None:
    problem = GateProblem(gate=Gate.SOLVED, message="No.")
    assert Verification.of("made", [problem], undecided=Gate).gates[Gate.SOLVED] is GateState.FAILED


def test_problems_come_in_the_order_of_the_gates() -> None:
    problems = [GateProblem(gate=gate, message="No.") for gate in reversed(Gate)]
    assert [problem.gate for problem in Verification.of("made", problems).problems] == list(Gate)


def test_a_problem_is_one_line_with_its_evidence() -> None:
    problem = GateProblem(
        gate=Gate.RESULTS, message="Wrong.", task="t1", call="look(box=1)", difference="3, not 4"
    )
    assert str(problem) == "results: Wrong. (t1, look(box=1): 3, not 4)"
    assert str(GateProblem(gate=Gate.LOADS, message="Broken.")) == "loads: Broken."


def test_a_verification_as_json_has_the_documented_fields() -> None:
    told = Verification.of("made", [GateProblem(gate=Gate.LIMITS, message="Slow.")]).model_dump(mode="json")
    assert told.keys() == {"environment", "verified", "gates", "problems"}
    assert told["gates"]["limits"] == "failed"
    assert told["problems"][0]["gate"] == "limits"
