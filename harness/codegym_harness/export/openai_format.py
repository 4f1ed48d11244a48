"""Rows for OpenAI's fine-tuning, a shape that other services read too.

https://platform.openai.com/docs/api-reference/fine-tuning/chat-input. Arguments are JSON strings, `tools` is
a list. A row ends with the assistant: where an episode ends with a result, a message follows that weighs
nothing in training.
"""

from pydantic_core import to_json

from codegym_harness.export.chat_messages import chat_messages
from codegym_harness.export.export_format import Format, Row
from codegym_harness.export.loss_counts import LossCounts
from codegym_harness.export.training_conversation import TrainingCall, converse
from codegym_harness.records.trajectory import Trajectory

_UNKNOWN = ("reasoning_content", "name")
"""Keys of messages that other readers know and OpenAI refuses."""


def row(trajectory: Trajectory, tally: LossCounts) -> Row:
    """The row of a trajectory."""
    conversation = converse(trajectory, tally)
    messages = chat_messages(conversation, _arguments)
    for message in messages:
        tally.lost["steps.reasoning_content"] += "reasoning_content" in message
        for key in _UNKNOWN:
            message.pop(key, None)
    if not conversation.ends_with_the_agent:
        tally.changed["rows that end with a message of ours"] += 1
        messages.append({"role": "assistant", "content": conversation.closing_words, "weight": 0})
    return {"messages": messages, "tools": conversation.tools}


def _arguments(call: TrainingCall) -> str:
    return call.raw if call.raw is not None else to_json(call.arguments).decode()


FORMAT = Format(row, {"messages": "list of JSON", "tools": "list of JSON"})
