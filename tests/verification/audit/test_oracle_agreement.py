from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.verification.audit.audit_measurements import Agreement
from codegym_mcp.verification.audit.oracle_agreement import (
    compare_oracle,
    find_look_alikes,
    measure_agreement,
    reorderings,
)
from codegym_mcp.verification.verification_context import VerificationContext


async def test_an_oracle_that_is_right_agrees(context: VerificationContext, counter: Environment) -> None:
    comparison = await compare_oracle(context, counter, Task(id="one", config={"start": 0, "bell": 7}))
    assert comparison.compared
    assert comparison.reference == 7
    assert await measure_agreement(context, counter, [comparison]) == Agreement(tried=1, compared=1, agreed=1)


async def test_an_input_that_the_environment_refuses_is_tried_and_not_compared(
    context: VerificationContext, planted
) -> None:
    environment = planted("sound")
    task = Task(id="odd", config={"boxes": 5, "contents": [1, 2, 3]})
    comparison = await compare_oracle(context, environment, task)
    assert not comparison.compared
    measured = await measure_agreement(context, environment, [comparison])
    assert (measured.tried, measured.compared, measured.agreed) == (1, 0, 0)
    assert "box must be between 0 and 2" in measured.example


async def test_a_reference_that_fails_leaves_nothing_to_compare(
    context: VerificationContext, declare
) -> None:
    environment = declare(
        '''
        """Look."""

        META = {"title": "Broken reference"}


        class Environment:
            def __init__(self, number: int):
                self.number = number

            def look(self) -> int:
                """Look."""
                return self.number


        def reference(number: int) -> int:
            return 1 // number


        def solve(tools):
            return tools.look()
        '''
    )
    comparison = await compare_oracle(context, environment, Task(id="zero", config={"number": 0}))
    assert not comparison.compared
    assert "ZeroDivisionError" in str(comparison.error)
    assert "ZeroDivisionError" in comparison.example


def test_reorderings_say_the_same_in_another_order(planted) -> None:
    environment = planted("unseen_order")
    task = environment.tasks[0]
    found = list(reorderings(environment, task))
    assert len(found) > 1
    for each in found:
        assert each.config == task.config
    assert len({str(each.config) for each in found}) > 1


async def test_an_order_that_no_tool_shows_makes_look_alikes(context: VerificationContext, planted) -> None:
    environment = planted("unseen_order")
    comparisons = [await compare_oracle(context, environment, task) for task in environment.tasks[:2]]
    alike = await find_look_alikes(context, environment, comparisons)
    assert alike
    assert all(each.play.answer != each.reference for each in alike)


async def test_an_environment_without_fault_has_no_look_alikes(
    context: VerificationContext, counter: Environment
) -> None:
    comparison = await compare_oracle(context, counter, Task(id="one", config={"start": 0, "bell": 3}))
    assert not await find_look_alikes(context, counter, [comparison])
