"""Changes to requests, for servers that reject what other servers accept."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

from codegym_mcp.models.chat_request import REASONING_FIELDS, Body
from codegym_mcp.models.text_calls.tool_formats import ToolFormat
from codegym_mcp.models.text_calls.tool_instructions import describe_tools

_FOREIGN = re.compile(r"[^a-zA-Z0-9_-]")
_MAX_NAME = 64
_ANY = re.compile("")


@dataclass(frozen=True)
class Adaptation:
    """A change to requests for servers that do not accept what others do.

    It is applied when a server rejects a request for which it makes a difference, and kept if the changed
    request succeeds.

    Attributes:
        description: the change, in one sentence, for the record.
        apply: changes a body in place, and returns whether it changed.
        wording: the rejections that it may cure.
        cures_server_error: whether it may also cure a status 500.
    """

    description: str
    apply: Callable[[Body], bool]
    wording: re.Pattern[str]
    cures_server_error: bool = False


def _replace_null_content(body: Body) -> bool:
    changed = False
    for message in body["messages"]:
        if message["role"] == "assistant" and message.get("content", "") is None:
            message["content"] = ""
            changed = True
    return changed


def _add_missing_content(body: Body) -> bool:
    changed = False
    for message in body["messages"]:
        if message["role"] == "assistant" and "content" not in message:
            message["content"] = ""
            changed = True
    return changed


def _drop_empty_content(body: Body) -> bool:
    changed = False
    for message in body["messages"]:
        if message["role"] == "assistant" and message.get("content") == "" and message.get("tool_calls"):
            message["content"] = None
            changed = True
    return changed


def _drop_reasoning(body: Body) -> bool:
    changed = False
    for message in body["messages"]:
        for field in REASONING_FIELDS:
            changed = message.pop(field, None) is not None or changed
    return changed


def replacement_names(body: Body) -> dict[str, str]:
    """Returns other names for tools whose names are not letters, digits, '_' and '-', by their names."""
    offered = [tool["function"]["name"] for tool in body.get("tools", ())]
    names = dict.fromkeys([*offered, *(call["function"]["name"] for call in _calls(body))])
    taken = {name for name in names if not _FOREIGN.search(name)}
    replacements: dict[str, str] = {}
    for name in names:
        plain = _FOREIGN.sub("_", name)[:_MAX_NAME] or "_"
        if plain != name:
            numbered = (f"{plain[: _MAX_NAME - 4]}_{number}" for number in count(2))
            replacements[name] = next(each for each in chain([plain], numbered) if each not in taken)
            taken.add(replacements[name])
    return replacements


def _calls(body: Body) -> list[Body]:
    return [call for message in body["messages"] for call in message.get("tool_calls") or ()]


def _replace_tool_names(body: Body) -> bool:
    replacements = replacement_names(body)
    for named in (*body.get("tools", ()), *_calls(body)):
        function = named["function"]
        function["name"] = replacements.get(function["name"], function["name"])
    return bool(replacements)


def _replace_call_ids(body: Body) -> bool:
    """Numbers the calls by their places, in nine letters and digits, as Mistral's templates require."""
    ids: dict[str, str] = {}
    for number, message in enumerate(body["messages"]):
        for place, call in enumerate(message.get("tool_calls") or ()):
            ids[call["id"]] = f"c{number:05x}{place:03x}"[-9:]
            call["id"] = ids[call["id"]]
        if message["role"] == "tool":
            # Of calls with the same id, the results follow the last.
            message["tool_call_id"] = ids.get(message["tool_call_id"], message["tool_call_id"])
    return bool(ids)


def _move_system_prompt(body: Body) -> bool:
    messages = body["messages"]
    if len(messages) < 2 or messages[0]["role"] in ("user", "assistant") or messages[1]["role"] != "user":
        return False
    system = messages.pop(0)["content"]
    messages[0] = {**messages[0], "content": f"{system}\n\n{messages[0]['content']}"}
    return True


def _swap_max_tokens(body: Body) -> bool:
    for old, new in (("max_tokens", "max_completion_tokens"), ("max_completion_tokens", "max_tokens")):
        if old in body:
            body[new] = body.pop(old)
            return True
    return False


def _choose_no_tools(body: Body) -> bool:
    if body.get("tool_choice") == "auto":
        body["tool_choice"] = "none"
        return True
    return False


SWAP_MAX_TOKENS = Adaptation(
    "The limit of tokens was sent under its other name (max_tokens or max_completion_tokens).",
    _swap_max_tokens,
    re.compile(r"max[_ ]?(?:completion[_ ]?|output[_ ]?|new[_ ]?)?tokens", re.IGNORECASE),
)
UNPARSED_TOOLS = Adaptation(
    "The tools were sent with the tool choice none, since the server does not parse calls.",
    _choose_no_tools,
    re.compile(r"tool[ _-]choice|tool-call-parser", re.IGNORECASE),
)
TOOL_NAMES = Adaptation(
    "Names of tools were changed to letters, digits, '_' and '-'.",
    _replace_tool_names,
    re.compile(r"name|pattern|tool|function", re.IGNORECASE),
)
HISTORY_ADAPTATIONS = (
    Adaptation(
        "The system prompt was put before the first message of the user.",
        _move_system_prompt,
        re.compile(r"system (?:role|message|prompt)|role[^.]{0,20}system|only user", re.IGNORECASE),
    ),
    Adaptation(
        "Reasoning was left out of earlier messages.",
        _drop_reasoning,
        re.compile(
            r"reasoning|thinking|extra inputs|unrecognized|unexpected|additional propert", re.IGNORECASE
        ),
    ),
    TOOL_NAMES,
    Adaptation(
        "The ids of calls were replaced by nine letters and digits.",
        _replace_call_ids,
        re.compile(
            r"tool[ _-]?(?:call|use)[ _-]?ids?\b|\bids? must be unique|duplicate[^.]{0,40}\bids?\b",
            re.IGNORECASE,
        ),
    ),
    Adaptation(
        "The content null of earlier messages was sent as an empty text.",
        _replace_null_content,
        _ANY,
        cures_server_error=True,
    ),
    Adaptation(
        "Earlier messages without content were sent with an empty text.",
        _add_missing_content,
        _ANY,
        cures_server_error=True,
    ),
    Adaptation(
        "The empty text of earlier messages with calls was sent as null.",
        _drop_empty_content,
        re.compile(r"content|empty|blank|text", re.IGNORECASE),
    ),
)
"""Changes to the history, tried in this order."""


def written_call_adaptations(form: ToolFormat) -> list[Adaptation]:
    """Returns the changes for servers that do not handle tools, and models that write their calls as text.

    Args:
        form: the form in which the model is told to write calls.
    """

    def describe(body: Body) -> bool:
        tools = body.pop("tools", None)
        body.pop("tool_choice", None)
        if tools:
            _add_to_system_prompt(body, describe_tools([tool["function"] for tool in tools], form))
        return bool(tools) | _send_results_as_user(body)

    return [
        UNPARSED_TOOLS,
        Adaptation(
            "Results of tools were sent as messages of the user.",
            _send_results_as_user,
            re.compile(r"\brole|tool_calls|tool messages?|\btool\b|alternat", re.IGNORECASE),
        ),
        Adaptation(
            "The tools were described in the system prompt, and results sent as messages of the user.",
            describe,
            re.compile(r"tool|function", re.IGNORECASE),
        ),
    ]


def _add_to_system_prompt(body: Body, text: str) -> None:
    messages = body["messages"]
    if messages and messages[0]["role"] not in ("user", "assistant"):
        messages[0]["content"] = f"{messages[0]['content']}\n\n{text}"
    else:
        messages.insert(0, {"role": "system", "content": text})


def _send_results_as_user(body: Body) -> bool:
    """Joins results that follow each other: many chat templates require that roles alternate."""
    messages: list[dict[str, Any]] = []
    joined = False
    for message in body["messages"]:
        if message["role"] != "tool":
            messages.append(message)
            joined = False
            continue
        text = f"<tool_response>\n{message['content']}\n</tool_response>"
        if joined:
            messages[-1]["content"] += f"\n{text}"
        else:
            messages.append({"role": "user", "content": text})
        joined = True
    changed = len(messages) < len(body["messages"]) or messages != body["messages"]
    body["messages"] = messages
    return changed
