"""Fills in the prompt of a row from the episode that it opens."""

from collections.abc import Sequence

Message = dict[str, str]


def fill_prompt(prompt: Sequence[Message], task: str, tools: str = "") -> list[Message]:
    """Adds the task to the last message, and the tools to the system prompt.

    Args:
        prompt: the messages of the row. A last message with a text has the task already and is kept.
        task: the task text.
        tools: how to call which tools; empty if the trainer passes tools by itself.
    """
    messages = [dict(message) for message in prompt]
    if not messages or messages[-1]["role"] != "user":
        messages.append({"role": "user", "content": ""})
    if not messages[-1]["content"].strip():
        messages[-1]["content"] = task
    if tools:
        if messages[0]["role"] != "system":
            messages.insert(0, {"role": "system", "content": ""})
        messages[0]["content"] = f"{messages[0]['content']}\n\n{tools}".strip()
    return messages
