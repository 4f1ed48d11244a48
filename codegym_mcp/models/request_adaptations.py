"""Changes requests that a server rejects although others accept them, and remembers which changes help."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass

from codegym_mcp.models.chat_request import REASONING_FIELDS, Body
from codegym_mcp.models.error_diagnosis import ErrorDiagnosis, ErrorMeaning
from codegym_mcp.models.model_request_options import ModelOptions

_INVALID_REQUEST = re.compile(r"validation error|NoneType|\bnull\b", re.IGNORECASE)
"""Errors by which servers reject a request with status 500, for example llama-cpp-python."""
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


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


def _apply(body: Body, adaptations: Sequence[Adaptation]) -> tuple[Body, list[str]]:
    """Applies adaptations to a copy of a body.

    Returns:
        The changed body, and the descriptions of the adaptations that made a difference.
    """
    if not adaptations:
        return body, []
    changed = deepcopy(body)
    return changed, [each.description for each in adaptations if each.apply(changed)]


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


def _replace_tool_names(body: Body) -> bool:
    changed = False
    for message in body["messages"]:
        for call in message.get("tool_calls") or ():
            name = call["function"]["name"]
            if not _NAME.fullmatch(name):
                call["function"]["name"] = re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64] or "_"
                changed = True
    return changed


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


_SWAP_MAX_TOKENS = Adaptation(
    "The limit of tokens was sent under its other name (max_tokens or max_completion_tokens).",
    _swap_max_tokens,
    re.compile(r"max_tokens|max_completion_tokens", re.IGNORECASE),
)
_UNPARSED_TOOLS = Adaptation(
    "The tools were sent with the tool choice none, since the server does not parse calls.",
    _choose_no_tools,
    re.compile(r"tool[ _-]choice|tool-call-parser", re.IGNORECASE),
)
_ANY = re.compile("")
_HISTORY_ADAPTATIONS = (
    Adaptation(
        "Reasoning was left out of earlier messages.",
        _drop_reasoning,
        re.compile(
            r"reasoning|thinking|extra inputs|unrecognized|unexpected|additional propert", re.IGNORECASE
        ),
    ),
    Adaptation(
        "Names of tools in earlier calls were changed to letters, digits, '_' and '-'.",
        _replace_tool_names,
        re.compile(r"name|pattern|tool|function", re.IGNORECASE),
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


class RequestAdaptation:
    """The adaptations of one request, while it is sent in one form after another.

    Attributes:
        active: the adaptations of the next form.
    """

    def __init__(self, server: "ServerAdaptations", conversation: int, body: Body) -> None:
        self._server = server
        self._state = (conversation, len(body["messages"]))
        self._body = body
        self.active = list(server.kept)
        if self._state in server.failed:
            # The failure may have another cause, so that repeated requests alternate between both forms.
            self.active += [
                adaptation
                for adaptation in _HISTORY_ADAPTATIONS
                if adaptation.cures_server_error
                and adaptation not in server.kept
                and _apply(body, [adaptation])[1]
            ]

    def apply(self) -> tuple[Body, list[str]]:
        """Returns the request in its next form, and the descriptions of what was changed."""
        return _apply(self._body, self.active)

    def reject(self, sent: Body, diagnosis: ErrorDiagnosis) -> bool:
        """Records that a form failed; returns whether there is another form to send at once."""
        invalid = diagnosis.status == 500 and _INVALID_REQUEST.search(diagnosis.text)
        if diagnosis.status == 500 and not invalid:
            self._server.failed ^= {self._state}
        if diagnosis.meaning is not ErrorMeaning.REJECTED and not invalid:
            return False
        for adaptation in self._server.possible:
            untried = adaptation not in self.active and adaptation.wording.search(diagnosis.text)
            if untried and _apply(sent, [adaptation])[1]:
                self.active.append(adaptation)
                return True
        return False

    def accept(self) -> None:
        """Records that the last form succeeded.

        After a status 500 the server may merely have recovered, so that an adaptation is kept only when it
        has helped twice.
        """
        server = self._server
        new = [adaptation for adaptation in self.active if adaptation not in server.kept]
        server.cures.update(new)
        certain = self._state not in server.failed
        server.kept += [each for each in new if certain or server.cures[each] > 1]
        server.failed.discard(self._state)


class ServerAdaptations:
    """The adaptations that a server needs, as far as they are known.

    Attributes:
        kept: the adaptations of every request.
        possible: the adaptations that may be tried.
        cures: how often each adaptation helped.
        failed: the conversations, by identity and length, whose last request failed with status 500.
    """

    def __init__(self, options: ModelOptions) -> None:
        self.kept: list[Adaptation] = []
        self.possible = list(_HISTORY_ADAPTATIONS)
        if options.max_tokens_field is None:
            self.possible.insert(0, _SWAP_MAX_TOKENS)
        if options.tool_format is not None:
            self.possible.insert(0, _UNPARSED_TOOLS)
        self.cures: Counter[Adaptation] = Counter()
        self.failed: set[tuple[int, int]] = set()
