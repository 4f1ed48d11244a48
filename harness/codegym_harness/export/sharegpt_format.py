"""Rows for LLaMA-Factory's ShareGPT: https://github.com/hiyouga/LlamaFactory, data/README.md.

Turns alternate between messages to the agent (human, observation) and messages of the agent (gpt,
function_call). A row ends with the agent; LLaMA-Factory ignores other rows without an error.
"""

from pydantic_core import to_json

from codegym_harness.export.conversion_counts import LossCounts, UnfitError
from codegym_harness.export.export_format import Format, Row
from codegym_harness.export.training_conversation import AgentTurn, TrainingCall, Turn, converse
from codegym_harness.records.trajectory import Trajectory

CALL_MARKS = ("<tool_call>", "</tool_call>")
"""LLaMA-Factory searches between these marks for the calls of a turn that also has text."""
THOUGHT_MARKS = ("<think>\n", "\n</think>\n\n")
RESULT_SEPARATOR = "\n</tool_response>\n<tool_response>\n"
"""Separates the results of parallel calls, as LLaMA-Factory does when it reads chat messages."""

LOSS_MASK = "loss masks of turns with invalid calls"
"""The format has none: every turn of the agent is trained on."""

_TO_AGENT = ("human", "observation")


def row(trajectory: Trajectory, counts: LossCounts) -> Row:
    """Returns the row of a trajectory.

    Raises:
        UnfitError: the agent has the first turn or none, or its text beside a call contains a mark.
    """
    conversation = converse(trajectory, counts)
    written: list[dict[str, str]] = []
    for turn in _alternating(conversation.turns, counts):
        if isinstance(turn, AgentTurn):
            written.append(_agent_message(turn, counts))
            if turn.results:
                written.append({"from": "observation", "value": _results(turn.results, counts)})
        elif written and written[-1]["from"] in _TO_AGENT:
            counts.changed["turns joined with the one before"] += 1
            written[-1]["value"] += f"\n\n{turn.text}"
        else:
            written.append({"from": "human", "value": turn.text})
    if written[0]["from"] not in _TO_AGENT:
        raise UnfitError("the agent has the first turn")
    if written[-1]["from"] in _TO_AGENT:
        counts.changed["rows that end with an added message"] += 1
        written.append({"from": "gpt", "value": conversation.closing_message})
    return {
        "conversations": written,
        "system": conversation.system or "",
        "tools": to_json(conversation.tools).decode(),
    }


def _alternating(turns: list[Turn], counts: LossCounts) -> list[Turn]:
    """Returns the turns; consecutive turns of the agent without a result between them are joined."""
    joined: list[Turn] = []
    for turn in turns:
        last = joined[-1] if joined else None
        if isinstance(turn, AgentTurn) and isinstance(last, AgentTurn) and not last.results:
            counts.changed["turns joined with the one before"] += 1
            joined[-1] = AgentTurn(
                text="\n\n".join(filter(None, (last.text, turn.text))),
                reasoning="\n\n".join(filter(None, (last.reasoning, turn.reasoning))) or None,
                calls=turn.calls,
                trained=last.trained and turn.trained,
            )
        else:
            joined.append(turn)
    return joined


def _agent_message(turn: AgentTurn, counts: LossCounts) -> dict[str, str]:
    counts.lost[LOSS_MASK] += not turn.trained
    thought = f"{THOUGHT_MARKS[0]}{turn.reasoning}{THOUGHT_MARKS[1]}" if turn.reasoning is not None else ""
    if not turn.calls:
        return {"from": "gpt", "value": thought + turn.text}
    # On a separate line, as chat templates write a call.
    beside = thought + (f"{turn.text}\n" if turn.text else "")
    if CALL_MARKS[0] in beside:
        raise UnfitError(f"{CALL_MARKS[0]} in the text beside a call")
    counts.lost["steps.tool_calls.tool_call_id"] += len(turn.calls)
    counts.lost["steps.tool_calls.extra.raw_arguments"] += sum(call.raw is not None for call in turn.calls)
    calls = _calls(turn.calls)
    value = f"{beside}{CALL_MARKS[0]}{calls}{CALL_MARKS[1]}" if beside else calls
    return {"from": "function_call", "value": value}


def _calls(calls: list[TrainingCall]) -> str:
    """Returns one call as an object, several as a list. Nothing inside can be read as a mark."""
    data = [{"name": call.name, "arguments": call.arguments} for call in calls]
    return to_json(data if len(data) > 1 else data[0]).decode().replace("<", "\\u003c")


def _results(results: list[str], counts: LossCounts) -> str:
    if len(results) > 1 and any(RESULT_SEPARATOR in result for result in results):
        counts.lost["steps.observation.results (where one ends and the next begins)"] += 1
    return RESULT_SEPARATOR.join(results)


FORMAT = Format(
    row, {"conversations": "list of turns", "system": "text", "tools": "text"}, takes_metadata=True
)
