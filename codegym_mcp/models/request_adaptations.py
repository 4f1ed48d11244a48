"""Changes requests that a server rejects although others accept them, and remembers which changes help."""

import re
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy

from codegym_mcp.models.chat_request import Body
from codegym_mcp.models.error_diagnosis import ErrorDiagnosis, ErrorMeaning
from codegym_mcp.models.known_adaptations import (
    HISTORY_ADAPTATIONS,
    SWAP_MAX_TOKENS,
    TOOL_NAMES,
    Adaptation,
    replacement_names,
    written_call_adaptations,
)
from codegym_mcp.models.model_request_options import ModelOptions

_INVALID_REQUEST = re.compile(
    r"validation error|unexpected keyword argument|NoneType|\bnull\b|\broles?\b|template|tool call id",
    re.IGNORECASE,
)
"""Errors by which servers such as llama-cpp-python and mlx-lm reject a request with status 404 or 500."""


def _apply(body: Body, adaptations: Sequence[Adaptation]) -> tuple[Body, list[str]]:
    """Applies adaptations to a copy of a body.

    Returns:
        The changed body, and the descriptions of the adaptations that made a difference.
    """
    if not adaptations:
        return body, []
    changed = deepcopy(body)
    return changed, [each.description for each in adaptations if each.apply(changed)]


class RequestAdaptation:
    """The adaptations of one request, while it is sent in one form after another.

    Attributes:
        conversation: identifies the conversation.
        active: the adaptations of the next form.
    """

    def __init__(self, server: "ServerAdaptations", conversation: int, body: Body) -> None:
        self._server = server
        self.conversation = conversation
        self._state = (conversation, len(body["messages"]))
        self._body = body
        self.active = list(server.kept)
        if self._state in server.failed:
            # The failure may have another cause, so that repeated requests alternate between both forms.
            self.active += [
                adaptation
                for adaptation in HISTORY_ADAPTATIONS
                if adaptation.cures_server_error
                and adaptation not in server.kept
                and _apply(body, [adaptation])[1]
            ]

    @property
    def tool_names(self) -> dict[str, str]:
        """The names of tools by the names that stand for them in the next form."""
        replaced = replacement_names(self._body) if TOOL_NAMES in self.active else {}
        return {sent: name for name, sent in replaced.items()}

    def apply(self) -> tuple[Body, list[str]]:
        """Returns the request in its next form, and the descriptions of what was changed."""
        return _apply(self._body, self.active)

    def reject(self, sent: Body, diagnosis: ErrorDiagnosis) -> bool:
        """Records that a form failed; returns whether there is another form to send at once."""
        invalid = diagnosis.status in (404, 500) and _INVALID_REQUEST.search(diagnosis.text)
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
        self.possible = list(HISTORY_ADAPTATIONS)
        if options.max_tokens_field is None:
            self.possible.insert(0, SWAP_MAX_TOKENS)
        if options.tool_format is not None:
            self.possible[:0] = written_call_adaptations(options.tool_format)
        self.cures: Counter[Adaptation] = Counter()
        self.failed: set[tuple[int, int]] = set()
