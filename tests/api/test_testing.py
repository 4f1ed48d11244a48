"""The checks for authors of environments."""

from pathlib import Path

import pytest

import codegym_mcp as gym
from codegym_mcp import testing
from codegym_mcp.errors import NotFoundError, TaskError

FIXTURES = Path(__file__).parents[1] / "fixtures"
COUNTER = FIXTURES / "counter.py"
TASK = gym.Task(id="mine", config={"start": 1, "bell": 4})


def test_a_sound_environment_passes() -> None:
    testing.check_environment(FIXTURES / "planted" / "sound.py")


def test_a_faulty_environment_fails_with_gate_and_evidence() -> None:
    with pytest.raises(AssertionError, match=r"unused_tool is not fit to be served:\n  tools_used: "):
        testing.check_environment(FIXTURES / "planted" / "unused_tool.py")


def test_the_oracle_plays_a_task() -> None:
    assert testing.play_oracle(COUNTER, TASK).reward == 1.0
    assert testing.play_oracle(COUNTER, difficulty=2, seed=4).outcome == "correct"


def test_the_reference_answers_a_task() -> None:
    assert testing.reference_answer(COUNTER, TASK) == 4
    with pytest.raises(TaskError):
        testing.reference_answer(COUNTER, gym.Task(id="odd", config={}))
    with pytest.raises(NotFoundError):
        testing.reference_answer(COUNTER, "nothing")
