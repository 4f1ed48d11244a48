"""Messages of the chat completions interface, as several trainers read them."""

from collections.abc import Callable
from typing import Any

from codegym_harness.export.training_conversation import AgentTurn, TrainingCall, TrainingConversation

Message = dict[str, Any]


def chat_messages(
    conversation: TrainingConversation, arguments: Callable[[TrainingCall], Any], *, mask: Message
) -> list[Message]:
    """Returns the messages of a conversation. Results follow their turn, in the order of its calls.

    Args:
        arguments: converts the arguments of a call.
        mask: the members of a turn of the agent that is not to be trained on.
    """
    messages: list[Message] = []
    if conversation.system is not None:
        messages.append({"role": "system", "content": conversation.system})
    for turn in conversation.turns:
        if not isinstance(turn, AgentTurn):
            messages.append({"role": "user", "content": turn.text})
            continue
        message: Message = {"role": "assistant", "content": turn.text}
        if turn.reasoning is not None:
            message["reasoning_content"] = turn.reasoning
        if turn.calls:
            message["tool_calls"] = [_tool_call(call, arguments(call)) for call in turn.calls]
        if not turn.trained:
            message |= mask
        messages.append(message)
        messages += [_tool_message(call) for call in turn.calls if call.result is not None]
    return messages


def _tool_call(call: TrainingCall, arguments: Any) -> Message:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _tool_message(call: TrainingCall) -> Message:
    return {"role": "tool", "tool_call_id": call.id, "name": call.name, "content": call.result}
