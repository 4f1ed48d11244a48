import json

import pytest
from hypothesis import given

from codegym_harness.export import sharegpt_format
from codegym_harness.export.conversion_counts import LossCounts, UnfitError
from codegym_harness.export.sharegpt_format import CALL_MARKS, LOSS_MASK, RESULT_SEPARATOR, THOUGHT_MARKS
from tests.conversations import agent, asked, example, exchanges, refused, trajectories, trajectory, user
from tests.made_runs import TOOLS


def read_said(value, *, calls):
    """Reasoning, text and calls of a turn."""
    reasoning = None
    if value.startswith(THOUGHT_MARKS[0]):
        reasoning, value = value.removeprefix(THOUGHT_MARKS[0]).split(THOUGHT_MARKS[1], 1)
    if not calls:
        return value, reasoning, []
    text, mark, rest = value.partition(CALL_MARKS[0])
    data = json.loads(rest.removesuffix(CALL_MARKS[1]) if mark else value)
    data = data if isinstance(data, list) else [data]
    return (
        text.removesuffix("\n") if mark else "",
        reasoning,
        [(call["name"], call["arguments"]) for call in data],
    )


def read(row):
    """The exchanges that a row holds."""
    found = [("system", row["system"])] if row["system"] else []
    for turn in row["conversations"]:
        match turn["from"]:
            case "human":
                found.append(("user", turn["value"]))
            case "observation":
                found += [("result", result) for result in turn["value"].split(RESULT_SEPARATOR)]
            case tag:
                found.append(("agent", *read_said(turn["value"], calls=tag == "function_call")))
    return found


def alternates(row):
    """As LLaMA-Factory checks it."""
    tags = [turn["from"] for turn in row["conversations"]]
    return (
        len(tags) % 2 == 0
        and set(tags[0::2]) <= {"human", "observation"}
        and set(tags[1::2]) <= {"gpt", "function_call"}
    )


def ends_with_a_result(record):
    return record.steps[-1].observation is not None


@given(trajectories)
def test_every_message_call_and_result_is_in_the_row(record) -> None:
    closed = record.steps[-1].source == "user" or ends_with_a_result(record)
    # A system prompt without words is none.
    expected = [exchange for exchange in exchanges(record) if exchange != ("system", "")]
    row = json.loads(json.dumps(sharegpt_format.row(record, LossCounts())))
    assert alternates(row)
    found = read(row)
    assert (found[:-1] if closed else found) == expected


def test_a_row_has_the_format_that_llama_factory_documents() -> None:
    row = sharegpt_format.row(example(), LossCounts())
    assert row["system"] == "You play."
    assert json.loads(row["tools"]) == TOOLS
    assert " ".join(turn["from"] for turn in row["conversations"]) == (
        "human function_call observation function_call observation gpt human function_call observation gpt"
    )
    assert row["conversations"][3]["value"] == '{"name":"move","arguments":{"floors":-1}}'
    assert row["conversations"][2]["value"] == f"{RESULT_SEPARATOR}went\n2 ↑"


def test_text_beside_calls_precedes_their_marks() -> None:
    row = sharegpt_format.row(example(), LossCounts())
    said, calls = row["conversations"][1]["value"].split("<tool_call>", 1)
    assert said == "<think>\nTwo at once.\n</think>\n\nI look, and move.\n"
    assert calls.startswith('[{"name":"look","arguments":{}},{"name":"move",')


def test_a_row_ends_with_a_turn_of_the_agent() -> None:
    tally = LossCounts()
    row = sharegpt_format.row(example(), tally)
    assert row["conversations"][-1] == {"from": "gpt", "value": "My answer is submitted."}
    assert tally.changed == {"rows that end with an added message": 1}
    tally = LossCounts()
    row = sharegpt_format.row(
        trajectory(user("Go."), agent("", asked("look", {})), outcome="no_submission"), tally
    )
    assert row["conversations"][-1] == {"from": "gpt", "value": "I stop here."}


@pytest.mark.parametrize(
    ("last", "tag"), [(agent("That is all."), "gpt"), (agent("", asked("look", {}, None)), "function_call")]
)
def test_a_row_that_ends_with_the_agent_gets_no_added_message(last, tag) -> None:
    tally = LossCounts()
    row = sharegpt_format.row(trajectory(user("Go."), last), tally)
    assert row["conversations"][-1]["from"] == tag
    assert alternates(row)
    assert not tally.changed


def test_consecutive_turns_of_one_side_are_joined_and_counted() -> None:
    tally = LossCounts()
    row = sharegpt_format.row(
        trajectory(
            user("Go."),
            user("Now."),
            agent("Hm."),
            agent("I look.", asked("look", {}, "seen"), reasoning="Why not?"),
            user("On."),
            agent("Done."),
        ),
        tally,
    )
    assert alternates(row)
    call = '<tool_call>{"name":"look","arguments":{}}</tool_call>'
    assert [turn["value"] for turn in row["conversations"]] == [
        "Go.\n\nNow.",
        f"<think>\nWhy not?\n</think>\n\nHm.\n\nI look.\n{call}",
        "seen\n\nOn.",
        "Done.",
    ]
    assert tally.changed == {"turns joined with the one before": 3}


def test_marks_inside_arguments_are_escaped() -> None:
    arguments = {"text": "<tool_call>{}</tool_call><think>\nno\n</think>\n\n"}
    row = sharegpt_format.row(trajectory(user("Go."), agent("", asked("look", arguments))), LossCounts())
    value = row["conversations"][1]["value"]
    assert "<" not in value
    assert json.loads(value)["arguments"] == arguments


def test_a_mark_in_the_text_beside_a_call_is_refused() -> None:
    said = agent("I write <tool_call> now.", asked("look", {}))
    with pytest.raises(UnfitError, match="<tool_call> in the text beside a call"):
        sharegpt_format.row(trajectory(user("Go."), said), LossCounts())
    talk = trajectory(user("Go."), agent("I write <tool_call> now."))
    assert sharegpt_format.row(talk, LossCounts())["conversations"][1]["value"] == "I write <tool_call> now."


def test_a_row_in_which_the_agent_has_the_first_turn_is_refused() -> None:
    with pytest.raises(UnfitError, match="has the first turn"):
        sharegpt_format.row(trajectory(agent("Hello."), user("Go."), agent("Well.")), LossCounts())


def test_results_that_contain_the_separator_are_counted() -> None:
    results = asked("look", {}, f"a{RESULT_SEPARATOR}b"), asked("look", {}, "c")
    tally = LossCounts()
    sharegpt_format.row(trajectory(user("Go."), agent("", *results)), tally)
    assert tally.lost["steps.observation.results (where one ends and the next begins)"] == 1
    tally = LossCounts()
    sharegpt_format.row(trajectory(user("Go."), agent("", results[0])), tally)
    assert "steps.observation.results (where one ends and the next begins)" not in tally.lost


def test_ids_and_the_notation_of_arguments_are_counted_as_lost() -> None:
    tally = LossCounts()
    calls = asked("look", {}, raw_arguments="{ }"), asked("look", {})
    sharegpt_format.row(trajectory(user("Go."), agent("", *calls)), tally)
    assert tally.lost["steps.tool_calls.tool_call_id"] == 2
    assert tally.lost["steps.tool_calls.extra.raw_arguments"] == 1


def test_a_turn_that_should_not_be_trained_on_is_counted_as_lost() -> None:
    wrong = refused(agent("", asked("move", {"floors": "two"}, "floors: not an integer")))
    counts = LossCounts()
    sharegpt_format.row(trajectory(user("Go."), wrong, agent("", asked("look", {}))), counts)
    assert counts.lost[LOSS_MASK] == 1
