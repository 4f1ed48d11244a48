"""SkyRL-gym registers and plays, in each format of tool calls."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import skyrl_gym
from skyrl_gym.envs.base_text_env import BaseTextEnv
from skyrl_gym.envs.registration import deregister, registry

from codegym_harness.trainers import skyrl_env
from codegym_mcp.errors import ClosedError, CodegymError, NotFoundError, TaskError, UnscoredError
from codegym_mcp.models.text_calls.tool_formats import ToolFormat
from codegym_mcp.models.text_calls.tool_instructions import CALL_EXAMPLES
from tests.conftest import FIXTURES
from tests.failing_environment import FAILING

pytestmark = pytest.mark.trainers

LIFT = (str(FIXTURES / "counter.py"),)
ROW = {"environment": "counter", "difficulty": 3, "seed": 4, "env_class": "codegym_mcp", "max_turns": 30}
PROMPT = [{"role": "system", "content": "Work."}, {"role": "user", "content": ""}]


@pytest.fixture
def registered() -> Iterator[None]:
    skyrl_env.register(environments=LIFT)
    yield
    deregister("codegym_mcp")


def make(**row: Any) -> Any:
    """Makes the environment of a row, as SkyRL's generator does."""
    return skyrl_gym.make("codegym_mcp", env_config={}, extras={**ROW, **row})


def hermes(tool: str, **arguments: Any) -> str:
    return f"<tool_call>{json.dumps({'name': tool, 'arguments': arguments})}</tool_call>"


def find_bell(env: Any) -> int:
    while True:
        step = env.step(hermes("listen"))
        heard = json.loads(step["observations"][0]["content"])
        if heard["sound"] == "here":
            return int(heard["floor"])
        env.step(hermes("move", floors=1 if heard["sound"] == "above" else -1))


def test_the_registered_environment_pays_the_right_answer(registered: None) -> None:
    assert registry["codegym_mcp"].entry_point == "codegym_harness.trainers.skyrl_env:EpisodeTextEnv"
    env = make()
    assert isinstance(env, BaseTextEnv)
    messages, _ = env.init(PROMPT)
    assert [message["role"] for message in messages] == ["system", "user"]
    assert messages[0]["content"].startswith('Work.\n\nTools:\n{"name": "move"')
    assert messages[1]["content"].startswith("A lift stands at floor 0.")
    step = env.step(f"I know. {hermes('submit_answer', answer=find_bell(env))}")
    assert (step["reward"], step["done"], step["observations"]) == (1.0, True, [])
    assert step["metadata"] == {"outcome": "correct"}
    assert env.get_metrics()["solved"] == 1.0
    with pytest.raises(ClosedError, match="is over"):
        env.step(hermes("listen"))
    env.close()
    env.close()


def test_several_calls_of_a_reply_are_made_in_order_and_none_after_the_end(registered: None) -> None:
    env = make()
    env.init(PROMPT)
    step = env.step(hermes("move", floors=2) + hermes("move", floors=3) + "<tool_call>{]</tool_call>")
    texts = step["observations"][0]["content"].split("\n\n")
    assert texts[:2] == ["2", "5"]
    assert "cannot be read" in texts[2]
    ended = env.step(hermes("submit_answer", answer=-1) + hermes("move", floors=1))
    assert (ended["reward"], ended["done"], env.get_metrics()["calls"]) == (0.0, True, 3)


def test_a_second_reply_in_a_row_without_a_call_ends_the_episode(registered: None) -> None:
    env = make()
    env.init(PROMPT)
    assert "You have not called a tool" in env.step("Hm.")["observations"][0]["content"]
    assert not env.step(hermes("listen"))["done"]
    assert not env.step("Hm.")["done"]
    ended = env.step("Hm.")
    assert (ended["reward"], ended["done"], ended["metadata"]["outcome"]) == (0.0, True, "no_submission")


def test_the_last_turn_ends_the_episode(registered: None) -> None:
    env = make(max_turns=2)
    env.init(PROMPT)
    assert not env.step(hermes("listen"))["done"]
    ended = env.step(hermes("listen"))
    assert (ended["done"], ended["reward"], ended["metadata"]["outcome"]) == (True, 0.0, "no_submission")


def test_the_calls_of_a_row_have_precedence(registered: None) -> None:
    env = make(calls=1)
    env.init(PROMPT)
    assert not env.step(hermes("listen"))["done"]
    assert env.step(hermes("listen"))["done"]


def test_a_prompt_with_a_text_keeps_it(registered: None) -> None:
    env = make()
    messages, _ = env.init([{"role": "user", "content": "Find it."}])
    assert messages[1] == {"role": "user", "content": "Find it."}
    assert messages[0]["role"] == "system"
    env.close()


@pytest.mark.parametrize("form", ToolFormat)
def test_the_call_that_the_prompt_shows_is_one_that_is_parsed(form: ToolFormat) -> None:
    env = skyrl_env.EpisodeTextEnv({}, ROW, tool_format=form, environments=LIFT)
    messages, _ = env.init([])
    assert CALL_EXAMPLES[form] in messages[0]["content"]
    written = CALL_EXAMPLES[form].replace("NAME", "move").replace("PARAMETER", "floors")
    assert env.step(written)["observations"][0]["content"] == "1"
    env.close()


@pytest.mark.parametrize(
    ("row", "error", "told"),
    [
        ({"environment": "nowhere"}, NotFoundError, "nowhere"),
        ({"task": "low"}, TaskError, "not both"),
        ({"environment": None}, TaskError, "Field required"),
    ],
)
def test_a_wrong_row_is_an_error(
    registered: None, row: dict[str, Any], error: type[CodegymError], told: str
) -> None:
    with pytest.raises(error, match=told):
        make(**row).init(PROMPT)
    with pytest.raises(ClosedError, match="Call init first"):
        make(**row).step(hermes("listen"))


def test_an_episode_without_a_score_is_an_error_and_never_the_reward_0(tmp_path: Any) -> None:
    (tmp_path / "door.py").write_text(FAILING)
    row = {"environment": "door", "difficulty": 1, "seed": 1}
    env = skyrl_env.EpisodeTextEnv({}, row, environments=(str(tmp_path / "door.py"),))
    env.init(PROMPT)
    with pytest.raises(UnscoredError, match="its outcome is failed"):
        env.step(hermes("submit_answer", answer=1))
