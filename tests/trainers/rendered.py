"""Reads what a chat template of Qwen's kind wrote, which is the text that a model is trained on."""

import json
import re

from tests.conversations import Exchange

_TURN = re.compile(r"<\|im_start\|>(\w+)\n(.*?)<\|im_end\|>\n(?=<\|im_start\|>|$)", re.DOTALL)
_SAID = re.compile(r"<think>\n(.*?)\n</think>\n\n(.*)", re.DOTALL)
_CALL = re.compile(r"<tool_call>\n(.*?)\n</tool_call>(?=\n<tool_call>|$)", re.DOTALL)
_RESULT = re.compile(r"<tool_response>\n(.*?)\n</tool_response>(?=\n<tool_response>|$)", re.DOTALL)


def read_rendered(text: str) -> list[Exchange]:
    """The exchanges that a text holds; the system's are with the tools, and left out."""
    turns = _TURN.findall(text)
    assert "".join(f"<|im_start|>{role}\n{content}<|im_end|>\n" for role, content in turns) == text
    found: list[Exchange] = []
    for role, content in turns:
        match role:
            case "assistant":
                found.append(("agent", *read_said(content)))
            case "user" if content.startswith("<tool_response>\n"):
                found += [("result", result) for result in _RESULT.findall(content)]
            case "user":
                found.append(("user", content))
    return found


def of_the_agent(text: str) -> list[Exchange]:
    """The exchanges that a text of the agent's turns alone holds, without what stands before each."""
    turns = re.split(r"(?<=<\|im_end\|>\n)(?=<think>\n)", text)
    return read_rendered("".join(f"<|im_start|>assistant\n{turn}" for turn in turns))


def read_said(content: str) -> Exchange:
    """What a turn of the agent holds: text, reasoning, calls."""
    match = _SAID.fullmatch(content)
    assert match is not None
    reasoning, rest = match.groups()
    text, mark, calls = rest.partition("<tool_call>")
    made = [json.loads(call) for call in _CALL.findall(mark + calls)]
    calls_made = [(call["name"], call["arguments"]) for call in made]
    return text.removesuffix("\n") if mark else text, reasoning, calls_made


def as_rendered(exchanges: list[Exchange]) -> list[Exchange]:
    """Exchanges as such a text can hold them: with a thought in every turn, and no system prompt."""
    return [
        (kind, rest[0], rest[1] or "", rest[2]) if kind == "agent" else (kind, *rest)
        for kind, *rest in exchanges
        if kind != "system"
    ]
