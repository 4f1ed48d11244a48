"""Equal environments have equal digests, and others have other ones."""

import math

import pytest

from codegym_mcp.environment_definition.environment import Task
from codegym_mcp.environment_definition.environment_digests import environment_digest
from codegym_mcp.sandbox.process.process_role_code import EnvironmentProgram

PROGRAM = EnvironmentProgram("counter", "x = 1")


def digest(*values: object) -> str:
    return environment_digest(PROGRAM, [Task(id="near", config={"start": value}) for value in values])


def test_equal_tasks_have_equal_digests() -> None:
    assert digest(1, [2.5, None]) == digest(1, [2.5, None])
    assert digest((1, 2)) == digest([1, 2])


@pytest.mark.parametrize("other", [math.inf, -math.inf, None, 1.0, "1"])
def test_another_value_in_a_task_is_another_digest(other: object) -> None:
    assert digest(1) != digest(other)
    assert digest(math.nan) != digest(other)
