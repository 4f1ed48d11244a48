from codegym_harness.export.conversion_counts import LossCounts
from codegym_harness.export.training_conversation import AgentTurn, TrainingCall, UserTurn, converse
from tests.conversations import agent, asked, example, metrics, system, trajectory, user


def test_a_conversation_is_what_the_agent_saw() -> None:
    conversation = converse(example(), LossCounts())
    assert conversation.system == "You play."
    assert [tool["function"]["name"] for tool in conversation.tools] == ["look", "move", "submit_answer"]
    assert conversation.turns[0] == UserTurn("Find the floor of the bell. Ünïcödé 🔔")
    assert conversation.turns[2] == AgentTurn(
        calls=[TrainingCall("call_4_0", "move", {"floors": -1}, result="There is no floor there.")]
    )
    assert conversation.submitted


def test_fields_that_a_conversation_cannot_hold_are_counted() -> None:
    record = example()
    assert record.steps[2].observation is not None
    record.steps[2].observation.results[0].extra.structured = {"result": 1}
    record.steps[3].observation.results[0].extra.is_error = True
    record.steps[2].metrics = metrics(logprobs=[-0.5])
    record.steps[2].model_name = "m"
    tally = LossCounts()
    converse(record, tally)
    assert tally.lost == {
        "session_id": 1,
        "extra": 1,
        "final_metrics": 1,
        "steps.timestamp": 7,
        "steps.metrics": 1,
        "steps.model_name": 1,
        "steps.observation.results.extra.seconds": 4,
        "steps.observation.results.extra.structured": 1,
        "steps.observation.results.extra.is_error": 1,
    }
    assert not tally.changed


def test_a_conversation_may_end_with_calls_that_were_never_answered() -> None:
    record = trajectory(
        user("Go."), agent("", asked("look", {}, None), asked("look", {}, None)), outcome="no_submission"
    )
    tally = LossCounts()
    conversation = converse(record, tally)
    assert conversation.turns[-1] == AgentTurn(
        calls=[TrainingCall("call_2_0", "look", {}), TrainingCall("call_2_1", "look", {})]
    )
    assert conversation.ends_with_the_agent
    assert not conversation.submitted
    assert "steps.tool_calls (without a result)" not in tally.lost


def test_calls_without_a_result_before_the_end_are_left_out_and_counted() -> None:
    cut = agent("", asked("look", {}, "seen"), asked("move", {"floors": 1}, None))
    within = agent("Hm.", asked("look", {}, None))
    tally = LossCounts()
    conversation = converse(trajectory(user("Go."), within, user("On."), cut), tally)
    calls = [turn.calls for turn in conversation.turns if isinstance(turn, AgentTurn)]
    assert calls == [[], [TrainingCall("call_4_0", "look", {}, result="seen")]]
    assert tally.lost["steps.tool_calls (without a result)"] == 2


def test_only_leading_system_messages_are_the_system_prompt() -> None:
    tally = LossCounts()
    steps = system("A."), system("B."), user("Go."), agent("Yes."), system("C."), agent("Well.")
    conversation = converse(trajectory(*steps), tally)
    assert conversation.system == "A.\n\nB."
    assert conversation.turns[2] == UserTurn("C.")
    assert tally.changed == {"system messages converted to user messages": 1}


def test_arguments_are_kept_as_the_model_wrote_them() -> None:
    call = asked("move", {"floors": 1}, "up", raw_arguments='{"floors": 1}', invalid="unknown_tool")
    counts = LossCounts()
    conversation = converse(trajectory(user("Go."), agent("", call)), counts)
    turn = conversation.turns[1]
    assert isinstance(turn, AgentTurn)
    assert turn.calls[0].raw == '{"floors": 1}'
    assert counts.lost["steps.tool_calls.extra.invalid"] == 1
    assert "steps.tool_calls.extra.raw_arguments" not in counts.lost


def test_calls_that_the_model_wrote_as_text_are_not_said_twice() -> None:
    call = '<tool_call>{"name": "look", "arguments": {}}</tool_call>'
    record = trajectory(
        user("Go."), agent(f"I look.\n{call}", asked("look", {}, "seen")), agent("I know `<tool_call>`.")
    )
    record.agent.extra = {"options": {"tool_format": "hermes"}}
    turns = converse(record, LossCounts()).turns
    assert [turn.text for turn in turns] == ["Go.", "I look.", "I know `<tool_call>`."]
    record.agent.extra = None
    assert converse(record, LossCounts()).turns[1].text == f"I look.\n{call}"
