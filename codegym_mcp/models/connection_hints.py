"""What to tell a user whose address, proxy, certificate or key does not lead to a model server."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from codegym_mcp.models.error_diagnosis import ErrorDiagnosis, ErrorMeaning, lacks_tools
from codegym_mcp.models.text_calls.tool_formats import ToolFormat

_NO_HTTP = re.compile(r"illegal (?:request|status|header) line", re.IGNORECASE)
_WRONG_SCHEME = re.compile(r"wrong[ _]version[ _]number|record layer failure|http request", re.IGNORECASE)
_CERTIFICATE = re.compile(r"certificate[ _]verify[ _]failed", re.IGNORECASE)
_PLAIN_TO_TLS = re.compile(
    r"plain HTTP request was sent to HTTPS|HTTP request to an HTTPS server", re.IGNORECASE
)
_PROXY_KEY = (
    "The proxy wants a user and a password. Put them into its address: http://USER:PASSWORD@HOST:PORT."
)
_TOKEN_LIMIT = re.compile(r"max_(?:completion_|output_|new_)?tokens")
_CHAT_PATH = "/chat/completions"
_WEB_PAGE = "a web page"
_BEGUN = ("[", "data:", "event:", ":")
"""Beginnings of replies and of streams that may have been cut off."""


def diagnose_connection(text: str, url: str, proxy: str = "") -> ErrorDiagnosis:
    """Returns the diagnosis for a connection that failed before a request was sent.

    Args:
        text: the error of the HTTP client.
        url: the address of the server.
        proxy: the proxy through which it is reached, without its password; empty if there is none.
    """
    through = f" through the proxy {proxy}" if proxy else ""
    hint = "Is it running, and is the address right?"
    if _CERTIFICATE.search(text):
        hint = "If the certificate is your own, name the file that contains it in SSL_CERT_FILE."
    elif _WRONG_SCHEME.search(text):
        hint = "The server does not speak TLS. Write http:// in --base-url."
    elif proxy and text.startswith("407"):
        hint = _PROXY_KEY
    elif proxy:
        hint = "Is the proxy right? NO_PROXY names hosts that are reached without it."
    return ErrorDiagnosis(
        ErrorMeaning.WRONG_ADDRESS, f"the server cannot be reached at {url}{through} ({text})", hint=hint
    )


def diagnose_foreign_protocol(text: str, url: str) -> ErrorDiagnosis | None:
    """Returns the diagnosis for a server that does not speak HTTP/1.1, or None for any other error."""
    if _NO_HTTP.search(text) is None:
        return None
    hint = "Is it the port of another protocol, such as gRPC, or one that expects https?"
    return ErrorDiagnosis(
        ErrorMeaning.WRONG_ADDRESS, f"the server at {url} does not speak HTTP/1.1", hint=hint
    )


def root_cause(error: BaseException) -> str:
    """Returns the text of the exception that caused another one: packages wrap the HTTP client's."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split()) or f"the connection broke ({type(error).__name__})"


def access_hint(diagnosis: ErrorDiagnosis, key_note: str) -> str:
    """Returns what to do about a refused request; empty for the general advice.

    Args:
        key_note: what to say if no key was sent; empty if one was.
    """
    if diagnosis.status == 407:
        return _PROXY_KEY
    if diagnosis.status == 402:
        return ""
    if _WEB_PAGE in diagnosis.text:
        return f"A proxy or a firewall may have answered. {key_note}".strip()
    return key_note


def rejection_hint(diagnosis: ErrorDiagnosis, tool_format: ToolFormat | None = None) -> str:
    """Returns what to do about a rejected request; empty if nothing is known.

    Args:
        tool_format: the form in which calls are read from the text, if there is one.
    """
    text = diagnosis.text
    if _PLAIN_TO_TLS.search(text):
        return "The server expects https. Write https:// in --base-url."
    if _TOKEN_LIMIT.search(text):
        return "Choose another --max-tokens, or the member that contains it: --max-tokens-field."
    if lacks_tools(text) and tool_format is None:
        return "If the model can write calls as text, choose their form: --tool-format."
    if "tool-call-parser" in text:
        return "Start the server with a parser for tool calls, or use --tool-format."
    return ""


def diagnose_redirect(status: int, target: str, url: str) -> ErrorDiagnosis:
    """Returns the diagnosis for a response with a status of redirection. Redirects are not followed.

    Args:
        target: the address to which it redirects, perhaps relative; empty if it names none.
        url: the address of the request.
    """
    text = f"{url} redirects to {target}" if target else f"{url} answers with status {status}"
    path = urlsplit(urljoin(url, target))
    base = f"{path.scheme}://{path.netloc}{path.path}".rstrip("/").removesuffix(_CHAT_PATH)
    is_other = path.path.rstrip("/").endswith(_CHAT_PATH) and base != url.removesuffix(_CHAT_PATH)
    hint = (
        f"Try --base-url {base}." if target and is_other else "Give the server's own address as --base-url."
    )
    return ErrorDiagnosis(ErrorMeaning.WRONG_ADDRESS, text, status, hint=hint)


def describe_foreign_reply(body: object) -> tuple[str, str] | None:
    """Recognizes a successful response of another API.

    Args:
        body: the parsed body, or its text if it is not JSON.

    Returns:
        What the response is, and the hint; None if it may be a reply of the Chat Completions API.
    """
    match body:
        case {"jsonrpc": _}:
            return "a JSON-RPC message", "It may be an MCP server, which --mcp-url names."
        case {"error": error} if error:
            return None
        case {"choices": [{"text": _}, *_]}:
            return "a reply of the older Completions API", "Name the address of a chat model."
        case {"choices": _}:
            return None
        case {"object": "response"}:
            return "a reply of the Responses API", "Write the model as openai-responses:NAME."
        case {"type": "message", "content": _}:
            return "a reply of Anthropic's Messages API", "Write the model as anthropic:NAME."
        case {"candidates": _}:
            return "a reply of Google's API", "Write the model as google:NAME."
        case {"done": _}:
            return "a reply of Ollama's own API", "The address of its Chat Completions API ends in /v1."
        case {"message": _} | {"detail": _} | {"msg": _} | {"code": _}:
            return None
        case Mapping():
            return "JSON with no choices, which is no reply of a model", ""
        case list():
            return "a JSON list, not a JSON object", ""
        case str() if body.lstrip().startswith("{"):
            # Cut off, or objects one behind the other, as Ollama streams them.
            first = _first_line(body)
            return describe_foreign_reply(first) if "done" in first else None
        case str() if not body.lstrip().startswith(_BEGUN):
            return "a text that is no reply of a model", ""
    return None


def _first_line(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text.lstrip().partition("\n")[0])
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
