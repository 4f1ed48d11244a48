import json

import pytest
from hypothesis import given

from codegym_harness.export import trl_format
from codegym_harness.export.conversion_counts import LossCounts, UnfitError
from tests.conversations import agent, asked, example, exchanges, refused, trajectories, trajectory, user
from tests.made_runs import TOOLS


def read(row):
    """The exchanges that a row holds."""
    found = []
    for message in row["messages"]:
        match message["role"]:
            case "assistant":
                calls = [
                    (call["function"]["name"], call["function"]["arguments"])
                    for call in message.get("tool_calls", [])
                ]
                found.append(("agent", message["content"], message.get("reasoning_content"), calls))
            case "tool":
                found.append(("result", message["content"]))
            case role:
                found.append((role, message["content"]))
    return found


@given(trajectories)
def test_every_message_call_and_result_is_in_the_row(record) -> None:
    row = json.loads(json.dumps(trl_format.row(record, LossCounts())))
    assert read(row) == exchanges(record)


def test_a_row_has_the_format_that_trl_documents() -> None:
    row = trl_format.row(example(), LossCounts())
    assert row.keys() == {"messages", "tools"}
    assert json.loads(row["tools"]) == TOOLS
    assert [message["role"] for message in row["messages"]] == (
        "system user assistant tool tool assistant tool assistant user assistant tool".split()
    )
    assert row["messages"][5:7] == [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {
                    "id": "call_4_0",
                    "type": "function",
                    "function": {"name": "move", "arguments": {"floors": -1}},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_4_0", "name": "move", "content": "There is no floor there."},
    ]


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1])
def test_an_integer_that_datasets_cannot_read_is_refused(number) -> None:
    record = trajectory(user("Go."), agent("", asked("move", {"floors": [{"n": number}]})))
    with pytest.raises(UnfitError, match="beyond 64 bits"):
        trl_format.row(record, LossCounts())


def test_decimals_that_datasets_rounds_are_counted() -> None:
    record = trajectory(
        user("Go."),
        agent("", asked("move", {"a": 0.1 + 0.2, "b": [0.25, 1e-11], "c": [1e300, 1e-20, 0.0], "d": True})),
    )
    tally = LossCounts()
    trl_format.row(record, tally)
    assert tally.lost[trl_format.DECIMALS] == 2


def test_arguments_in_another_notation_are_counted() -> None:
    record = trajectory(user("Go."), agent("", asked("move", {"floors": 1}, raw_arguments='{"floors": 1}')))
    tally = LossCounts()
    row = trl_format.row(record, tally)
    assert row["messages"][1]["tool_calls"][0]["function"]["arguments"] == {"floors": 1}
    assert tally.lost["steps.tool_calls.extra.raw_arguments"] == 1


def test_a_turn_with_an_invalid_call_says_that_it_is_not_to_be_trained_on() -> None:
    wrong = refused(agent("", asked("move", {"floors": "two"}, "floors: not an integer")))
    right = agent("", asked("move", {"floors": 2}))
    messages = trl_format.row(trajectory(user("Go."), wrong, right), LossCounts())["messages"]
    assert [message.get("train") for message in messages] == [None, False, None, None, None]
