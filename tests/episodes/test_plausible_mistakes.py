import pytest

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.plausible_mistakes import Mistake, compute_mistakes
from codegym_mcp.errors import BrokenContractError, EnvironmentFaultError
from codegym_mcp.sandbox.process.pool import SandboxPool
from tests.conftest import Declare
from tests.episodes.stateful_environments import BOTH, CONFIG, ONE_CONFIG, STATE_ALONE

TASK = Task(id="task", config=CONFIG)
BODY = BOTH[BOTH.index("    return {", BOTH.index("def mistakes")) : BOTH.index("def solve")]


@pytest.mark.parametrize(
    ("source", "answer", "state"),
    [(BOTH, 3, {"lit": [1, 3]}), (STATE_ALONE, None, {"lit": [1, 3]}), (ONE_CONFIG, 3, None)],
)
async def test_a_mistake_is_what_would_be_submitted(
    pool: SandboxPool, declare: Declare, source: str, answer: object, state: object
) -> None:
    found = await compute_mistakes(pool, declare(source), TASK, Limits())
    assert found == [Mistake("counts the whole lamps", answer, state)]


async def test_without_the_function_there_are_no_mistakes(pool: SandboxPool, counter: Environment) -> None:
    assert await compute_mistakes(pool, counter, TASK, Limits()) == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("return [1]", "no dict"),
        ("return {'a': 3}", "not a dict with the keys answer and state"),
        ("return {'a': {'answer': 3}}", "not a dict with the keys answer and state"),
        ("return {'a': {'answer': 'x', 'state': {'lit': []}}}", "cannot be submitted"),
        ("return {'a': {'answer': 3, 'state': {}}}", "cannot be submitted"),
        ("return {'a': {'answer': 3, 'state': {'lit': [1] * 200_000}}}", "cannot be submitted"),
    ],
)
async def test_mistakes_that_break_the_contract_are_named(
    pool: SandboxPool, declare: Declare, body: str, problem: str
) -> None:
    with pytest.raises(BrokenContractError, match=problem) as caught:
        await compute_mistakes(pool, declare(BOTH.replace(BODY, f"    {body}\n")), TASK, Limits())
    assert caught.value.role == "mistakes"


async def test_an_exception_is_a_fault_of_the_environment(pool: SandboxPool, declare: Declare) -> None:
    with pytest.raises(EnvironmentFaultError, match="KeyError"):
        await compute_mistakes(pool, declare(BOTH.replace(BODY, "    return {}['x']\n")), TASK, Limits())
