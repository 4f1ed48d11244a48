"""A client for servers that speak the Chat Completions API, which most model servers offer.

It exists beside the providers' own packages because those rebuild the history from their own types: the
arguments of calls, null and empty texts and the reasoning would not go back as the model wrote them.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2

from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.errors import ModelAccessError
from codegym_mcp.models.chat_request import Body, build_body
from codegym_mcp.models.chat_response import (
    UnusableResponseError,
    read_response,
    restore_tool_names,
    unwrap_error,
)
from codegym_mcp.models.chat_stream import join_stream
from codegym_mcp.models.connection_hints import (
    access_hint,
    describe_foreign_reply,
    diagnose_connection,
    diagnose_foreign_protocol,
    diagnose_redirect,
    rejection_hint,
)
from codegym_mcp.models.error_diagnosis import (
    ErrorDiagnosis,
    ErrorMeaning,
    diagnose_error,
    is_web_page,
)
from codegym_mcp.models.http_connections import open_connections, proxy_address
from codegym_mcp.models.model_messages import Message
from codegym_mcp.models.model_request_options import ModelOptions
from codegym_mcp.models.prices import has_price, price
from codegym_mcp.models.provider_client import (
    MAX_FOREIGN_REPLIES,
    ClientResponse,
    RequestFailedError,
)
from codegym_mcp.models.request_adaptations import RequestAdaptation, ServerAdaptations
from codegym_mcp.models.text_calls.call_parsing import parse_calls

_MAX_TOKENS = "max_tokens"
_CHECK_SECONDS = 20.0


@dataclass(frozen=True)
class ChatServer:
    """A server that speaks the Chat Completions API.

    Attributes:
        url: the address before `/chat/completions`.
        key: the key, or an empty text.
        key_note: what to say of the key when the server refuses the request for lack of one.
        headers: further headers of each request.
        max_tokens_field: the member that limits the tokens of a reply.
        provider: the provider's name, for prices.
        nested_effort: whether the reasoning effort is sent as `{"reasoning": {"effort": …}}`.
        system_role: the role of the system prompt.
    """

    url: str
    key: str = ""
    key_note: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    max_tokens_field: str = _MAX_TOKENS
    provider: str = ""
    nested_effort: bool = False
    system_role: str = "system"


class ChatClient:
    """Sends requests to one model of a server. Use `ChatClient.open`."""

    def __init__(
        self, model: str, server: ChatServer, options: ModelOptions, http: httpx2.AsyncClient
    ) -> None:
        self._model = model
        self._server = server
        self._options = options
        self._http = http
        self._url = f"{server.url.rstrip('/')}/chat/completions"
        self._adaptations = ServerAdaptations(options)
        self._has_replied = False
        self._foreign_replies: Counter[int] = Counter()

    @classmethod
    @asynccontextmanager
    async def open(cls, model: str, server: ChatServer, options: ModelOptions) -> AsyncIterator["ChatClient"]:
        """Opens a client until the block ends. Nothing is sent yet.

        Raises:
            ModelAccessError: the key cannot be sent, or the proxy of the environment not be used.
            MissingExtraError: the package for the proxy is not installed.
        """
        server = replace(server, key=_checked_key(server.key))
        headers = {**server.headers, "content-type": "application/json", "accept": "application/json"}
        if server.key:
            headers["authorization"] = f"Bearer {server.key}"
        async with httpx2.AsyncClient(
            transport=open_connections(server.url), headers=headers, timeout=options.request_seconds
        ) as http:
            yield cls(model, server, options, http)

    @property
    def secrets(self) -> frozenset[str]:
        return frozenset({self._server.key} - {""})

    @property
    def has_price(self) -> bool:
        return has_price(self._model, self._server.provider, self._server.url)

    async def check(self) -> ErrorDiagnosis | None:
        """Asks for the model at `/models/NAME`, which many servers do not have.

        Returns:
            The error if the server cannot be reached, refuses the key, or says that it has no such model.
        """
        url = f"{self._server.url.rstrip('/')}/models/{quote(self._model, safe='')}"
        try:
            response = await self._http.get(url, timeout=_CHECK_SECONDS)
        except (httpx2.ConnectError, httpx2.ProxyError) as error:
            text = _transport_text(error)
            return diagnose_connection(text, self._server.url, proxy_address(self._server.url))
        except httpx2.TransportError as error:
            # It took too long, or the server closes connections that ask for a path that it does not have.
            return diagnose_foreign_protocol(_transport_text(error), self._server.url)
        if response.status_code < 400:
            return None
        diagnosis = self._diagnose(response.status_code, _parse(response), response.headers)
        # A key may be valid for the model and not for this request.
        refused = diagnosis.meaning is ErrorMeaning.NO_ACCESS and response.status_code == 401
        if (refused and "scope" not in diagnosis.text) or diagnosis.meaning is ErrorMeaning.UNKNOWN_MODEL:
            return diagnosis
        return None

    async def request(
        self, messages: Sequence[Message], tools: Sequence[ToolView], seed: int | None
    ) -> ClientResponse:
        """Requests the next reply; see `ModelClient.request`."""
        body = build_body(
            self._model,
            messages,
            tools,
            self._options,
            seed,
            max_tokens_field=self._options.max_tokens_field or self._server.max_tokens_field,
            system_role=self._server.system_role,
        )
        if self._server.nested_effort and "reasoning_effort" in body:
            body["reasoning"] = {"effort": body.pop("reasoning_effort")}
        response = await self._send_adapted(RequestAdaptation(self._adaptations, id(messages), body))
        self._has_replied = True
        reply = response.reply
        if self._options.tool_format is not None and not reply.calls:
            reply = replace(reply, calls=parse_calls(reply.text, self._options.tool_format, tools))
        cost = price(reply.usage, reply.model or self._model, self._server.provider, self._server.url)
        return replace(response, reply=replace(reply, usage=replace(reply.usage, cost=cost)))

    async def _send_adapted(self, request: RequestAdaptation) -> ClientResponse:
        """Sends a request, and sends it in other forms if the server rejects this one."""
        first: RequestFailedError | None = None
        while True:
            body, descriptions = request.apply()
            try:
                response = await self._send(body, request.conversation)
            except RequestFailedError as failed:
                first = first or failed
                if not request.reject(body, failed.diagnosis):
                    raise first from None
                continue
            request.accept()
            response = restore_tool_names(response, request.tool_names)
            return replace(response, reply=replace(response.reply, changes=descriptions))

    async def _send(self, body: Body, conversation: int) -> ClientResponse:
        try:
            response = await self._http.post(self._url, content=json.dumps(body, ensure_ascii=False).encode())
        except httpx2.TimeoutException as error:
            text = f"no answer in {self._options.request_seconds:g} seconds"
            raise RequestFailedError(ErrorDiagnosis(ErrorMeaning.TRANSIENT, text)) from error
        except httpx2.HTTPError as error:
            text = _transport_text(error)
            foreign = None if self._has_replied else diagnose_foreign_protocol(text, self._server.url)
            raise RequestFailedError(foreign or ErrorDiagnosis(ErrorMeaning.TRANSIENT, text)) from error
        parsed = _parse(response)
        if isinstance(parsed, str):
            parsed = join_stream(parsed) or parsed
        parsed = unwrap_error(parsed)
        if 300 <= response.status_code < 400:
            target = str(response.headers.get("location", ""))
            raise RequestFailedError(diagnose_redirect(response.status_code, target, self._url))
        if response.status_code >= 400:
            raise RequestFailedError(self._diagnose(response.status_code, parsed, response.headers))
        foreign = self._diagnose_foreign_reply(parsed, response, conversation)
        if foreign is not None:
            raise RequestFailedError(foreign)
        try:
            return read_response(parsed)
        except UnusableResponseError as unusable:
            raise RequestFailedError(self._diagnose(None, unusable.error, response.headers)) from unusable

    def _diagnose(self, status: int | None, body: object, headers: Mapping[str, str]) -> ErrorDiagnosis:
        diagnosis = diagnose_error(
            status=status, body=body, model=self._model, headers=headers, has_replied=self._has_replied
        )
        match diagnosis.meaning:
            case ErrorMeaning.NO_ACCESS:
                note = "" if self._server.key else self._server.key_note
                return replace(diagnosis, hint=access_hint(diagnosis, note))
            case ErrorMeaning.WRONG_ADDRESS:
                return replace(diagnosis, text=f"{diagnosis.text} at {self._url}", hint=self._address_hint())
            case ErrorMeaning.REJECTED:
                return replace(diagnosis, hint=rejection_hint(diagnosis, self._options.tool_format))
        return diagnosis

    def _diagnose_foreign_reply(
        self, body: object, response: httpx2.Response, conversation: int
    ) -> ErrorDiagnosis | None:
        """Classifies a successful response that is no chat completion; None if it may be one.

        Several for the same conversation show that the address is wrong, unless the model has replied.
        """
        if isinstance(body, str) and not body.strip():
            return ErrorDiagnosis(ErrorMeaning.TRANSIENT, "the response is empty")
        is_page = isinstance(body, str) and (is_web_page(body) or "html" in _content_type(response))
        found = ("a web page, not JSON", "") if is_page else describe_foreign_reply(body)
        if found is None:
            if not isinstance(body, str):
                return None
            return ErrorDiagnosis(ErrorMeaning.TRANSIENT, f"the response is not JSON: {body[:80]!r}")
        kind, hint = found
        self._foreign_replies[conversation] += response.status_code == 200
        if self._has_replied or self._foreign_replies[conversation] < MAX_FOREIGN_REPLIES:
            excerpt = "" if is_page else f": {response.text[:80]!r}"
            return ErrorDiagnosis(ErrorMeaning.TRANSIENT, f"the response is {kind}{excerpt}")
        return ErrorDiagnosis(
            ErrorMeaning.WRONG_ADDRESS, f"{self._url} answers with {kind}", hint=hint or self._address_hint()
        )

    def _address_hint(self) -> str:
        path = urlsplit(self._server.url).path.rstrip("/")
        example = "" if path.endswith("/v1") else f" Try {self._server.url.rstrip('/')}/v1."
        return f"--base-url is the address before /chat/completions.{example}"


def _checked_key(key: str) -> str:
    """Returns the key without surrounding blanks, such as the line break at the end of a file."""
    key = key.strip()
    if not (key.isascii() and key.isprintable()):
        raise ModelAccessError(
            "The key contains a line break, a control character or a character that is not ASCII.",
            hint="Check the environment variable that contains it: a key is one line.",
        )
    return key


def _transport_text(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text or f"the connection broke ({type(error).__name__})"


def _content_type(response: httpx2.Response) -> str:
    return str(response.headers.get("content-type", ""))


def _parse(response: httpx2.Response) -> Any:
    """Returns the parsed body of a response, or its text if it is not JSON."""
    content = response.content
    try:
        text = content.decode(json.detect_encoding(content))
    except UnicodeDecodeError:
        text = content.decode(response.charset_encoding or "utf-8", errors="replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
