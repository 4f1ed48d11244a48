from typing import Any

import pytest

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode_outcome import Verdict
from codegym_mcp.episodes.scoring import generate_task, judge, reference_answer
from codegym_mcp.errors import (
    BrokenContractError,
    EnvironmentFaultError,
    LimitError,
    SourceError,
    TaskError,
    WorkerLostError,
)
from codegym_mcp.sandbox.process.pool import SandboxPool
from tests.conftest import Declare

RIGHT = Verdict(correct=True, reward=1.0)
WRONG = Verdict(correct=False, reward=0.0)
QUICK = Limits(start_seconds=0.3)


def source(returns: str = "int", body: str = "return x", more: str = "", meta: str = "") -> str:
    return f'''
"""Find it."""
from collections import Counter, deque
META = {{"title": "Made"{meta}}}
class Environment:
    def __init__(self, x: int):
        self.x = x
    def look(self) -> int:
        """Look."""
        return 1
def reference(x: int) -> {returns}:
    {body}
def solve(tools):
    return 1
{more}
'''


def task(x: Any = 3) -> Task:
    return Task(id="task", config={"x": x})


async def test_an_answer_is_compared_with_the_reference(pool: SandboxPool, declare: Declare) -> None:
    made = declare(source())
    assert await judge(pool, made, task(), 3, Limits()) == RIGHT
    assert await judge(pool, made, task(), 4, Limits()) == WRONG
    assert await judge(pool, made, task(1), True, Limits()) == WRONG


@pytest.mark.parametrize(
    ("returns", "body", "right", "wrong"),
    [
        ("set[int]", "return {x, 1, 2}", [2, 3, 1], [1, 2]),
        ("set[str]", "return {'b', 'a'}", ["a", "b "], ["a", "c"]),
        ("set[tuple[int, int]]", "return {(x, 1), (1, x)}", [[1, 3], [3, 1]], [[1, 3], [1, 1]]),
        ("list[int]", "return (x, 1)", [3, 1], [1, 3]),
        ("tuple[int, str]", "return (x, 'a')", [3, "a"], [3, "b"]),
        ("list[int]", "return list(deque([x]))", [3], []),
        ("dict[str, int]", "return Counter('aab')", {"b": 1, "a": 2}, {"a": 2}),
        ("frozenset", "return frozenset([x, 'a'])", ["a", 3], ["a", "3"]),
        ("float", "return x", 3.0000001, 3.1),
        ("int | None", "return None", None, 0),
        ("bool", "return x > 2", True, False),
    ],
)
async def test_a_reference_of_pythons_own_types_is_compared_as_plain_data(
    pool: SandboxPool, declare: Declare, returns: str, body: str, right: Any, wrong: Any
) -> None:
    made = declare(source(returns, body))
    assert await judge(pool, made, task(), right, Limits()) == RIGHT
    assert await judge(pool, made, task(), wrong, Limits()) == WRONG


async def test_order_and_tolerance_are_read_from_meta(pool: SandboxPool, declare: Declare) -> None:
    made = declare(
        source("list[float]", "return [x, 0.5]", meta=', "answer": {"order": "any", "tolerance": 0.1}')
    )
    assert await judge(pool, made, task(), [0.55, 3], Limits()) == RIGHT
    assert await judge(pool, made, task(), [0.65, 3], Limits()) == WRONG


@pytest.mark.parametrize(
    ("returns", "body", "words"),
    [
        ("int", "return str(x)", 'answer should be a valid integer, not "3"'),
        ("int", "return x / 1", "answer should be a valid integer, not 3.0"),
        ("int", "return None", "answer should be a valid integer, not null"),
        ("bool", "return x", "answer should be a valid boolean, not 3"),
        ("int", "return float('nan')", "not JSON data"),
        ("object", "return float('inf')", "not JSON data"),
        ("object", "return reference", "not JSON data"),
        ("str", "return chr(55296)", "not JSON data"),
        ("set[int]", "return [x, x]", "distinct members"),
    ],
)
async def test_a_reference_that_breaks_its_type_gives_no_verdict(
    pool: SandboxPool, declare: Declare, returns: str, body: str, words: str
) -> None:
    made = declare(source(returns, body))
    with pytest.raises(BrokenContractError) as caught:
        await judge(pool, made, task(), 3, Limits())
    assert caught.value.role == "reference"
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("return 1 // 0", EnvironmentFaultError),
        ("raise ValueError('no')", EnvironmentFaultError),
        ("raise KeyError(x)", EnvironmentFaultError),
        ("return missing", EnvironmentFaultError),
        ("return reference(x)", EnvironmentFaultError),
        ("while True: pass", LimitError),
        ("return len([0] * 10 ** 10)", LimitError),
        ("return [0] * 10 ** 6", LimitError),
    ],
)
async def test_a_reference_that_fails_gives_no_verdict(
    pool: SandboxPool, declare: Declare, body: str, error: type[Exception]
) -> None:
    made = declare(source(body=body))
    with pytest.raises(error):
        await judge(pool, made, task(), 3, QUICK)


def accepting(body: str, meta: str = "") -> str:
    return source(more=f"def accepts(answer, x):\n    {body}\n", meta=meta)


async def test_accepts_judges_the_answer_if_it_is_defined(pool: SandboxPool, declare: Declare) -> None:
    made = declare(accepting("return answer % x == 0"))
    assert await judge(pool, made, task(), 6, Limits()) == RIGHT
    assert await judge(pool, made, task(), 7, Limits()) == WRONG


@pytest.mark.parametrize("body", ["return 1", "return 'yes'", "return None", "pass", "return [answer]"])
async def test_a_judge_that_returns_no_bool_gives_no_verdict(
    pool: SandboxPool, declare: Declare, body: str
) -> None:
    with pytest.raises(BrokenContractError, match="neither True nor False"):
        await judge(pool, declare(accepting(body)), task(), 3, Limits())


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("return 1 // 0", EnvironmentFaultError),
        ("raise ValueError", EnvironmentFaultError),
        ("return accepts(answer, x)", EnvironmentFaultError),
        ("while True: pass", LimitError),
    ],
)
async def test_a_judge_that_fails_gives_no_verdict(
    pool: SandboxPool, declare: Declare, body: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await judge(pool, declare(accepting(body)), task(), 3, QUICK)


WRONG_ON_ERROR = ', "judge_errors": "incorrect"'


@pytest.mark.parametrize(
    "body", ["return 1 // 0", "raise ValueError('odd')", "return {}[x]", "return accepts(answer, x)"]
)
async def test_an_answer_on_which_the_judge_raises_is_incorrect_if_the_environment_says_so(
    pool: SandboxPool, declare: Declare, body: str
) -> None:
    made = declare(accepting(body, WRONG_ON_ERROR))
    assert await judge(pool, made, task(), 3, Limits()) == WRONG


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("return 1", BrokenContractError),
        ("return float('nan')", BrokenContractError),
        ("while True: pass", LimitError),
    ],
)
async def test_other_failures_of_the_judge_are_faults_of_the_environment(
    pool: SandboxPool, declare: Declare, body: str, error: type[Exception]
) -> None:
    made = declare(accepting(body, WRONG_ON_ERROR))
    with pytest.raises(error):
        await judge(pool, made, task(), 3, QUICK)


def test_judge_errors_needs_a_judge(declare: Declare) -> None:
    with pytest.raises(SourceError, match="META has judge_errors, but accepts is missing"):
        declare(source(meta=WRONG_ON_ERROR))
    with pytest.raises(SourceError, match="judge_errors should be 'fault' or 'incorrect'"):
        declare(source(meta=', "judge_errors": "ignored"'))


async def test_accepts_may_call_the_reference_and_tools_may_not(pool: SandboxPool, declare: Declare) -> None:
    made = declare(accepting("return answer == reference(x)"))
    assert await judge(pool, made, task(), 3, Limits()) == RIGHT


async def test_the_reference_is_plain_data(pool: SandboxPool, declare: Declare) -> None:
    assert await reference_answer(pool, declare(source("set[int]", "return {3, 1}")), task(), Limits()) == [
        1,
        3,
    ]


async def test_a_killed_process_gives_no_verdict(pool: SandboxPool, declare: Declare) -> None:
    # Deep recursion within C code ends the process itself.
    made = declare(
        source(
            body="y = []\n    for _ in range(10 ** 6):\n        y = [y]\n    return len(str(y))",
        )
    )
    with pytest.raises((WorkerLostError, EnvironmentFaultError, LimitError)):
        await judge(pool, made, task(), 3, Limits())


async def test_a_generated_task_is_the_same_every_time(pool: SandboxPool, counter: Environment) -> None:
    first = await generate_task(pool, counter, 3, 7)
    assert first.id == "d3-s7"
    assert first.difficulty == 3
    assert await generate_task(pool, counter, 3, 7) == first
    configs = [(await generate_task(pool, counter, 3, seed)).config for seed in range(8)]
    assert any(config != first.config for config in configs)


def generating(body: str) -> str:
    return source(more=f"def generate(random, difficulty):\n    {body}\n")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return 3", "returned no configuration"),
        ("return None", "returned no configuration"),
        ("return {}", "x is required"),
        ("return {'x': 'a'}", 'x should be a valid integer, not "a"'),
        ("return {'x': 1, 'y': 2}", "y is not a parameter"),
    ],
)
async def test_a_generator_that_returns_no_configuration_is_an_error(
    pool: SandboxPool, declare: Declare, body: str, words: str
) -> None:
    with pytest.raises(TaskError) as caught:
        await generate_task(pool, declare(generating(body)), 1, 0)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("return {'x': 1 // 0}", EnvironmentFaultError),
        ("raise ValueError", EnvironmentFaultError),
        ("return {'x': float('nan')}", BrokenContractError),
        ("while True: pass", LimitError),
    ],
)
async def test_a_generator_that_fails_is_a_fault_of_the_environment(
    pool: SandboxPool, declare: Declare, body: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await generate_task(pool, declare(generating(body)), 1, 0, QUICK)


async def test_an_environment_without_a_generator_generates_no_task(
    pool: SandboxPool, declare: Declare
) -> None:
    with pytest.raises(TaskError, match="has no generator"):
        await generate_task(pool, declare(source()), 1, 0)


@pytest.mark.parametrize("difficulty", [0, 6, -1])
async def test_a_difficulty_out_of_range_is_refused(
    pool: SandboxPool, counter: Environment, difficulty: int
) -> None:
    with pytest.raises(TaskError, match="Choose one from 1 to 5"):
        await generate_task(pool, counter, difficulty, 0)


async def test_the_overlap_is_measured_beside_the_reward(pool: SandboxPool, declare: Declare) -> None:
    compared = declare(source("set[int]", "return {x, 1, 2, 4}"))
    judged = declare(
        source("list[int]", "return [x, 1]", more="def accepts(answer, x):\n    return answer == [x, 1]")
    )
    failing = declare(
        source("list[int]", "return [][1]", more="def accepts(answer, x):\n    return answer == [x, 1]")
    )
    for environment, answer, reward, overlap in (
        (compared, [3, 1], 0.0, 0.5),
        (compared, [4, 3, 2, 1], 1.0, 1.0),
        (judged, [3, 2], 0.0, 0.5),
        (judged, [3, 1], 1.0, 1.0),
        (failing, [3, 2], 0.0, None),
        (declare(source()), 4, 0.0, None),
    ):
        verdict = await judge(pool, environment, task(), answer, Limits(), with_overlap=True)
        assert (verdict.reward, verdict.overlap) == (reward, overlap)
