import json

import pytest
from hypothesis import given
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import TypeAdapter

from codegym_harness.export import openai_format
from codegym_harness.export.conversion_counts import LossCounts
from codegym_harness.export.training_conversation import NOT_TRAINED
from tests.conversations import agent, asked, example, exchanges, refused, trajectories, trajectory, user
from tests.made_runs import TOOLS

CLOSING = ("My answer is submitted.", "I stop here.")
MESSAGES = TypeAdapter(list[ChatCompletionMessageParam])
TOOL_LIST = TypeAdapter(list[ChatCompletionToolParam])


def read(row):
    """The exchanges that a row holds, but for the message that is not the agent's."""
    found = []
    for message in row["messages"]:
        match message["role"]:
            case "assistant" if message["content"] not in CLOSING or "weight" not in message:
                calls = [
                    (call["function"]["name"], json.loads(call["function"]["arguments"]))
                    for call in message.get("tool_calls", [])
                ]
                found.append(("agent", message["content"], None, calls))
            case "tool":
                found.append(("result", message["content"]))
            case "system" | "user" as role:
                found.append((role, message["content"]))
    return found


def without_reasoning(record):
    for step in record.steps:
        step.reasoning_content = None
    return record


@given(trajectories)
def test_everything_except_reasoning_is_in_the_row(record) -> None:
    row = json.loads(json.dumps(openai_format.row(record, LossCounts())))
    assert read(row) == exchanges(without_reasoning(record))
    assert row["tools"] == TOOLS


def test_reasoning_is_counted_as_lost() -> None:
    tally = LossCounts()
    openai_format.row(example(), tally)
    assert tally.lost["steps.reasoning_content"] == 2


def test_rows_are_of_the_types_that_openai_publishes_and_have_no_other_keys() -> None:
    row = openai_format.row(example(), LossCounts())
    *messages, last = row["messages"]
    assert json.loads(MESSAGES.dump_json(MESSAGES.validate_python(messages))) == messages
    assert json.loads(TOOL_LIST.dump_json(TOOL_LIST.validate_python(row["tools"]))) == row["tools"]
    assert last.keys() == {"role", "content", "weight"}


def test_a_message_without_training_weight_follows_a_last_result() -> None:
    tally = LossCounts()
    row = openai_format.row(example(), tally)
    assert row["messages"][-1] == {"role": "assistant", "content": "My answer is submitted.", "weight": 0}
    assert tally.changed == {"rows that end with an added message": 1}


@pytest.mark.parametrize("last", [agent("That is all."), agent("", asked("look", {}, None))])
def test_a_row_that_ends_with_the_agent_stays_as_it_is(last) -> None:
    tally = LossCounts()
    row = openai_format.row(trajectory(user("Go."), last, outcome="no_submission"), tally)
    assert row["messages"][-1]["role"] == "assistant"
    assert "weight" not in row["messages"][-1]
    assert not tally.changed


def test_arguments_are_written_as_the_model_wrote_them() -> None:
    written = '{"floors" :  1}'
    record = trajectory(user("Go."), agent("", asked("move", {"floors": 1}, raw_arguments=written)))
    tally = LossCounts()
    row = openai_format.row(record, tally)
    assert row["messages"][1]["tool_calls"][0]["function"]["arguments"] == written
    assert "steps.tool_calls.extra.raw_arguments" not in tally.lost


def test_a_turn_with_an_invalid_call_is_context_that_is_not_trained_on() -> None:
    record = trajectory(
        user("Go."),
        agent("", asked("fly", {}, "There is no tool fly.", invalid="unknown_tool")),
        refused(agent("", asked("move", {"floors": "two"}, "floors: not an integer"))),
        refused(agent("", asked("move", {"floors": 9}, "There is no floor there."))),
        agent("", asked("submit_answer", {"answer": 3}, "received")),
    )
    counts = LossCounts()
    messages = openai_format.row(record, counts)["messages"]
    weights = [message.get("weight") for message in messages if message["role"] == "assistant"]
    assert weights == [0, 0, None, None, 0]
    results = [message["content"] for message in messages if message["role"] == "tool"]
    assert results[:2] == ["There is no tool fly.", "floors: not an integer"]
    assert counts.changed[NOT_TRAINED] == 2
