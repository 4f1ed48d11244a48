"""How the tiny model reads and writes a conversation: one chat template for SFT, GRPO and the endpoint.

A call is `<|call|>NAME ARGUMENTS`. The schemas of the tools are not rendered: the tiny model learns the tools
of its environments from the episodes.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

PAD, END, CALL = "<|pad|>", "<|end|>", "<|call|>"
SPECIAL_TOKENS = (PAD, END, "<|system|>", "<|user|>", "<|assistant|>", "<|tool|>", CALL)

# Arguments that are text are rendered as they are: what the model wrote returns to it unchanged.
CHAT_TEMPLATE = """
{%- for message in messages -%}
  {{- '<|' + message.role + '|>' -}}
  {%- if message.role == 'assistant' -%}
    {%- generation -%}
      {{- message.content or '' -}}
      {%- for call in message.tool_calls or [] -%}
        {{- '<|call|>' + call.function.name + ' ' -}}
        {%- if call.function.arguments is string -%}
          {{- call.function.arguments -}}
        {%- else -%}
          {{- call.function.arguments | tojson -}}
        {%- endif -%}
      {%- endfor -%}
      {{- '<|end|>' -}}
    {%- endgeneration -%}
  {%- else -%}
    {{- (message.content or '') + '<|end|>' -}}
  {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
  {{- '<|assistant|>' -}}
{%- endif -%}
"""

# How transformers reads the calls of a turn: https://huggingface.co/docs/transformers/chat_response_parsing
RESPONSE_TEMPLATE: dict[str, Any] = {
    "defaults": {"role": "assistant"},
    "start_anchor": "<|assistant|>",
    "fields": {
        "tool_calls": {
            "open_pattern": r"<\|call\|>(?P<name>\S+) ",
            "close_pattern": r"(?=<\|call\|>)|<\|end\|>",
            "repeats": True,
            "content": "json",
            "transform": {
                "type": "function",
                "function": {"name": "{name}", "arguments": "{content}"},
            },
        },
        "content": {"close_pattern": r"<\|end\|>|(?=<\|call\|>)", "content": "text"},
    },
}


class Call(NamedTuple):
    """A call as the model wrote it."""

    name: str
    arguments: str


def parse_turn(text: str) -> tuple[str, list[Call]]:
    """Returns the text and the calls of a turn that the model wrote.

    Args:
        text: the decoded tokens, with special tokens, without the end of the turn.
    """
    content, *calls = text.split(CALL)
    return content, [Call(*(call.split(" ", 1) if " " in call else (call, ""))) for call in calls]


def texts(messages: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yields the texts of a conversation as the template renders them, without special tokens."""
    for message in messages:
        yield message["content"] or ""
        for call in message.get("tool_calls") or []:
            arguments = json.dumps(call["function"]["arguments"], ensure_ascii=False)
            yield f"{call['function']['name']} {arguments}"
