"""Each planted fault is found by its gate or its figure, and by no other one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.errors import SourceError
from codegym_mcp.verification.audit.audit import audit
from codegym_mcp.verification.audit.grading_rules import Grade, Weakness
from codegym_mcp.verification.gate_results import Gate, GateState, Verification
from codegym_mcp.verification.gates.all_gates import verification_of_unreadable, verify
from codegym_mcp.verification.verification_context import VerificationContext
from tests.verification.planting import PLANTED, planted_entry

GATES = {
    # The oracle prints a reward, sets a field, calls the reference, submits twice.
    "oracle_prints_reward": Gate.SOLVED,
    "oracle_sets_field": Gate.SOLVED,
    "oracle_calls_reference": Gate.SOLVED,
    "oracle_submits_twice": Gate.SOLVED,
    "DoneTwiceEnv": Gate.SOLVED,
    "hash_order": Gate.DETERMINISTIC,
    "shared_state": Gate.DETERMINISTIC,
    # What depends on the clock does not get as far as to differ.
    "clock": Gate.LOADS,
    "clock_in_a_class": Gate.RESULTS,
    "unused_tool": Gate.TOOLS_USED,
    "NoDescriptionEnv": Gate.DESCRIBED,
    "open_schema": Gate.DESCRIBED,
    "no_docstring": Gate.LOADS,
    "hang": Gate.LIMITS,
    "eats_memory": Gate.LIMITS,
    "not_json": Gate.RESULTS,
    "wrong_type": Gate.RESULTS,
    "exception": Gate.RESULTS,
    "fails_on_third_call": Gate.RESULTS,
    "judge_raises": Gate.JUDGED,
    "broken_constructor": Gate.LOADS,
    "broken_generator": Gate.LOADS,
    "endless_constructor": Gate.LOADS,
    "endless_generator": Gate.LOADS,
    "endless_reference": Gate.LOADS,
    "state_of_wrong_type": Gate.LOADS,
    "broken_mistakes": Gate.LOADS,
}
WEAKNESSES = {
    "answer_leaked": Weakness.ANSWER_SHOWN,
    "input_revealed": Weakness.INPUT_SHOWN,
    "constant_answer": Weakness.CONSTANT,
    "guessable": Weakness.GUESSABLE,
    "observe_pays": Weakness.OBSERVE,
    "wrong_reference": Weakness.DISAGREEMENT,
    "oracle_by_heart": Weakness.DISAGREEMENT,
    "several_answers": Weakness.AMBIGUOUS,
    "unseen_order": Weakness.AMBIGUOUS,
    "state_ignored": Weakness.STATE_IGNORED,
    "answer_ignored": Weakness.ANSWER_IGNORED,
    "state_shown": Weakness.STATE_SHOWN,
    "idle_rule": Weakness.IDLE_RULE,
}
GRADES = {Weakness.INPUT_SHOWN: Grade.C, Weakness.IDLE_RULE: Grade.C}
"""The grades of weaknesses that do not make the reward meaningless."""
SOUND = ("sound", "sound_text", "sound_state")
SOLVED_ALL_THE_SAME = ("hash_order", "unused_tool", "exception")

Planted = Callable[[str], Environment]


_verified: dict[str, Verification] = {}


async def verify_planted(context: VerificationContext, name: str) -> Verification:
    """Verifies an environment with a planted fault, once for all tests."""
    if name not in _verified:
        try:
            _verified[name] = await verify(context, planted_entry(name).read())
        except SourceError as error:
            _verified[name] = verification_of_unreadable(name, error)
    return _verified[name]


def test_every_planted_environment_has_its_test() -> None:
    assert {path.stem for path in PLANTED.glob("*.py")} == {*SOUND, *GATES, *WEAKNESSES}


@pytest.mark.parametrize("name", SOUND)
async def test_an_environment_without_fault_passes_every_gate_and_has_no_weakness(
    context: VerificationContext, planted: Planted, name: str
) -> None:
    sound = planted(name)
    verification = await verify(context, sound)
    assert verification.verified
    assert not verification.problems
    assert set(verification.gates.values()) == {GateState.PASSED}
    audited = await audit(context, sound)
    assert audited.grade is Grade.A
    assert not audited.findings


@pytest.mark.parametrize(("name", "gate"), GATES.items())
async def test_a_planted_fault_is_caught_at_its_gate_and_no_other(
    context: VerificationContext, name: str, gate: Gate
) -> None:
    verification = await verify_planted(context, name)
    failed = [gate for gate, state in verification.gates.items() if state is GateState.FAILED]
    assert failed == [gate]
    assert not verification.verified
    assert {problem.gate for problem in verification.problems} == {gate}


@pytest.mark.parametrize(("name", "weakness"), WEAKNESSES.items())
async def test_a_planted_weakness_is_found_by_its_figure_and_no_other(
    context: VerificationContext, planted: Planted, name: str, weakness: Weakness
) -> None:
    environment = planted(name)
    assert (await verify(context, environment)).verified
    audited = await audit(context, environment)
    assert [finding.weakness for finding in audited.findings] == [weakness]
    assert audited.grade is GRADES.get(weakness, Grade.D)


@pytest.mark.parametrize("name", SOLVED_ALL_THE_SAME)
async def test_a_fault_at_a_gate_is_no_weakness(
    context: VerificationContext, planted: Planted, name: str
) -> None:
    assert not (await audit(context, planted(name))).findings


async def test_an_oracle_that_cheats_earns_nothing(context: VerificationContext, planted: Planted) -> None:
    audited = await audit(context, planted("DoneTwiceEnv"))
    assert audited.figures.oracle == 0
    assert Weakness.UNSOLVED in [finding.weakness for finding in audited.findings]


EVIDENCE = {
    "hash_order": ("d1-s0", "open_any()", "first 39, then 40", "hash seed"),
    "shared_state": ("d2-s0", "knock()", "first 1, then 2", "after other episodes"),
    "hang": ("d5-s0", "step_along(boxes=2147483648)", "It took longer than 0.3 seconds.", "limit"),
    "not_json": (
        "d1-s0",
        "look(box=0)",
        "TypeError: Fraction is not JSON data",
        "not JSON data of the declared type",
    ),
    "exception": ("d5-s0", "look(box=2147483648)", "IndexError: list index out of range", "exception"),
    "oracle_calls_reference": ("d1-s0", "look(box=11)", "name 'reference' is not defined", "failed"),
    "oracle_prints_reward": ("d1-s0", "submit_answer(answer=0)", "the reference is 533", "wrong"),
    "judge_raises": ("d1-s0", "submit_answer(answer=[])", "IndexError", "cannot be judged"),
    "fails_on_third_call": ("d1-s0", "light_lamp()", "KeyError", "exception"),
    "broken_generator": ("", "generate(difficulty=3, seed=0)", "contents should be a valid array", "no task"),
}


@pytest.mark.parametrize("name", EVIDENCE)
async def test_a_problem_has_its_task_call_and_difference(context: VerificationContext, name: str) -> None:
    task, call, difference, message = EVIDENCE[name]
    problem = (await verify_planted(context, name)).problems[0]
    assert problem.task == task
    assert problem.call == call
    assert difference in problem.difference
    assert message in problem.message
    assert all(part in str(problem) for part in (task, call, difference, message, problem.gate))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("endless_constructor", "A task cannot be opened."),
        ("endless_generator", "The generator makes no task."),
        ("endless_reference", "An answer cannot be judged."),
    ],
)
async def test_endless_code_is_one_problem_and_tried_a_few_times(
    context: VerificationContext, planted: Planted, name: str, message: str
) -> None:
    endless = planted(name)
    config = {"boxes": 12, "contents": [1] * 12}
    if name != "endless_generator":
        tasks = tuple(Task(id=str(number), config=config) for number in range(64))
        endless = endless.with_tasks(tasks)
    opened = 0
    start = context.pool.start

    async def count(*arguments: Any, **options: Any) -> Any:
        nonlocal opened
        opened += 1
        return await start(*arguments, **options)

    context.pool.start = count  # type: ignore[method-assign]
    try:
        verification = await verify(context, replace(endless, generates=name == "endless_generator"))
    finally:
        context.pool.start = start  # type: ignore[method-assign]
    (problem,) = verification.problems
    assert (problem.gate, problem.message) == (Gate.LOADS, message)
    assert "longer than" in problem.difference
    # Not once for each of the 64 tasks.
    assert opened < 40


async def test_an_audit_names_an_environment_whose_judge_fails(
    context: VerificationContext, planted: Planted
) -> None:
    audited = await audit(context, planted("judge_raises"))
    finding = next(each for each in audited.findings if each.weakness is Weakness.UNJUDGED)
    assert audited.grade is Grade.D
    assert "IndexError" in finding.evidence


async def test_without_tasks_and_generator_only_descriptions_are_checked(
    context: VerificationContext, planted: Planted
) -> None:
    verification = await verify(context, replace(planted("sound"), generates=False))
    assert verification.gates[Gate.LOADS] is GateState.FAILED
    assert verification.gates[Gate.DESCRIBED] is GateState.PASSED
    assert verification.gates[Gate.SOLVED] is GateState.UNDECIDED
    assert not verification.verified
