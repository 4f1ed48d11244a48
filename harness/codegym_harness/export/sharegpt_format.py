"""Rows for LLaMA-Factory's ShareGPT: https://github.com/hiyouga/LlamaFactory, data/README.md.

Turns alternate: what the agent is told (human, observation), what it says (gpt, function_call). A row ends
with the agent; one that does not LLaMA-Factory passes over without an error.
"""

from pydantic_core import to_json

from codegym_harness.export.export_format import Format, Row
from codegym_harness.export.loss_counts import LossCounts, UnfitError
from codegym_harness.export.training_conversation import AgentTurn, TrainingCall, Turn, converse
from codegym_harness.records.trajectory import Trajectory

CALL_MARKS = ("<tool_call>", "</tool_call>")
"""Between these LLaMA-Factory looks for the calls of a turn that says something, too."""
THOUGHT_MARKS = ("<think>\n", "\n</think>\n\n")
RESULT_SEPARATOR = "\n</tool_response>\n<tool_response>\n"
"""Between the results of parallel calls, as LLaMA-Factory joins them when it reads chat messages."""

_TOLD = ("human", "observation")


def row(trajectory: Trajectory, tally: LossCounts) -> Row:
    """The row of a trajectory.

    Raises:
        UnfitError: the agent speaks first, or says something beside a call that looks like the mark of one.
    """
    conversation = converse(trajectory, tally)
    written: list[dict[str, str]] = []
    for turn in _alternating(conversation.turns, tally):
        if isinstance(turn, AgentTurn):
            written.append(_said(turn, tally))
            if turn.results:
                written.append({"from": "observation", "value": _results(turn.results, tally)})
        elif written and written[-1]["from"] in _TOLD:
            tally.changed["turns joined with the one before"] += 1
            written[-1]["value"] += f"\n\n{turn.text}"
        else:
            written.append({"from": "human", "value": turn.text})
    if written[0]["from"] not in _TOLD:
        raise UnfitError("the agent speaks first")
    if written[-1]["from"] in _TOLD:
        tally.changed["rows that end with a message of ours"] += 1
        written.append({"from": "gpt", "value": conversation.closing_words})
    return {
        "conversations": written,
        "system": conversation.system or "",
        "tools": to_json(conversation.tools).decode(),
    }


def _alternating(turns: list[Turn], tally: LossCounts) -> list[Turn]:
    """The turns, where the agent spoke twice without being told anything between made one."""
    joined: list[Turn] = []
    for turn in turns:
        last = joined[-1] if joined else None
        if isinstance(turn, AgentTurn) and isinstance(last, AgentTurn) and not last.results:
            tally.changed["turns joined with the one before"] += 1
            joined[-1] = AgentTurn(
                text="\n\n".join(filter(None, (last.text, turn.text))),
                reasoning="\n\n".join(filter(None, (last.reasoning, turn.reasoning))) or None,
                calls=turn.calls,
            )
        else:
            joined.append(turn)
    return joined


def _said(turn: AgentTurn, tally: LossCounts) -> dict[str, str]:
    thought = f"{THOUGHT_MARKS[0]}{turn.reasoning}{THOUGHT_MARKS[1]}" if turn.reasoning is not None else ""
    if not turn.calls:
        return {"from": "gpt", "value": thought + turn.text}
    # On a line of its own, as chat templates write a call.
    beside = thought + (f"{turn.text}\n" if turn.text else "")
    if CALL_MARKS[0] in beside:
        raise UnfitError(f"{CALL_MARKS[0]} in what is said beside a call")
    tally.lost["steps.tool_calls.tool_call_id"] += len(turn.calls)
    tally.lost["steps.tool_calls.extra.raw_arguments"] += sum(call.raw is not None for call in turn.calls)
    calls = _calls(turn.calls)
    value = f"{beside}{CALL_MARKS[0]}{calls}{CALL_MARKS[1]}" if beside else calls
    return {"from": "function_call", "value": value}


def _calls(calls: list[TrainingCall]) -> str:
    """One call as an object, several as a list. Nothing within can be taken for a mark."""
    data = [{"name": call.name, "arguments": call.arguments} for call in calls]
    return to_json(data if len(data) > 1 else data[0]).decode().replace("<", "\\u003c")


def _results(results: list[str], tally: LossCounts) -> str:
    if len(results) > 1 and any(RESULT_SEPARATOR in result for result in results):
        tally.lost["steps.observation.results (where one ends and the next begins)"] += 1
    return RESULT_SEPARATOR.join(results)


FORMAT = Format(row, {"conversations": "list of turns", "system": "text", "tools": "text"})
