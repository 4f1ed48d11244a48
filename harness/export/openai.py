"""Rows for OpenAI's fine-tuning, a shape that other services read too.

https://platform.openai.com/docs/api-reference/fine-tuning/chat-input. Arguments are JSON strings, `tools` is
a list. A row ends with the assistant: where an episode ends with a result, a message follows that weighs
nothing in training.
"""

from pydantic_core import to_json

from harness.export.chat import chat_messages
from harness.export.conversation import Call, converse
from harness.export.format import Format, Row
from harness.export.tally import Tally
from harness.trajectory import Trajectory

_UNKNOWN = ("reasoning_content", "name")
"""Keys of messages that other readers know and OpenAI refuses."""


def row(trajectory: Trajectory, tally: Tally) -> Row:
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


def _arguments(call: Call) -> str:
    return call.raw if call.raw is not None else to_json(call.arguments).decode()


FORMAT = Format(row, {"messages": "list of JSON", "tools": "list of JSON"})
