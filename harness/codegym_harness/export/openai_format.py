"""Rows for OpenAI's fine-tuning, a format that other services read too.

https://platform.openai.com/docs/api-reference/fine-tuning/chat-input. Arguments are JSON strings, `tools` is
a list. A row ends with the assistant: if an episode ends with a result, a message with the training weight 0
is added. Turns with invalid calls have the weight 0, too.
"""

from pydantic_core import to_json

from codegym_harness.export.chat_messages import chat_messages
from codegym_harness.export.conversion_counts import LossCounts
from codegym_harness.export.export_format import Format, Row
from codegym_harness.export.training_conversation import TrainingCall, converse
from codegym_harness.records.trajectory import Trajectory

_UNKNOWN = ("reasoning_content", "name")
"""Members of messages that OpenAI refuses."""


def row(trajectory: Trajectory, counts: LossCounts) -> Row:
    """Returns the row of a trajectory.

    Raises:
        UnfitError: the trajectory holds no turn of the agent.
    """
    conversation = converse(trajectory, counts)
    messages = chat_messages(conversation, _arguments, mask={"weight": 0})
    for message in messages:
        counts.lost["steps.reasoning_content"] += "reasoning_content" in message
        for key in _UNKNOWN:
            message.pop(key, None)
    if not conversation.ends_with_the_agent:
        counts.changed["rows that end with an added message"] += 1
        messages.append({"role": "assistant", "content": conversation.closing_message, "weight": 0})
    return {"messages": messages, "tools": conversation.tools}


def _arguments(call: TrainingCall) -> str:
    return call.raw if call.raw is not None else to_json(call.arguments).decode()


FORMAT = Format(row, {"messages": "list of JSON", "tools": "list of JSON"})
