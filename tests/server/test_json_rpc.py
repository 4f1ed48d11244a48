"""JSON-RPC messages that the protocol forbids are refused with the error that it prescribes."""

from typing import Any

import pytest
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic_core import to_json

from codegym_mcp.server.json_rpc import MAX_ID, MAX_VALUES, CheckedMessage, Rejection, check_message

PARSE_ERROR, INVALID_REQUEST, INVALID_PARAMS, UNSUPPORTED_VERSION = -32700, -32600, -32602, -32022
CALL = {"jsonrpc": "2.0", "id": 7, "method": "tools/list"}
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"


def rejected(message: Any) -> tuple[int, Any]:
    """Returns the code of the error and the id to which it responds."""
    rejection = check_message(message if isinstance(message, bytes) else to_json(message))
    assert isinstance(rejection, Rejection), rejection
    return rejection.error.code, rejection.request_id


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"junk",
        b"{",
        b"\xff\xfe",
        b'{"jsonrpc": "2.0"',
        b"[" * 100_000,
        b'{"id": NaN}',
        b'"\xff"',
        b"1 2",
    ],
)
def test_a_message_that_is_not_json_is_a_parse_error(line: bytes) -> None:
    assert rejected(line) == (PARSE_ERROR, None)


@pytest.mark.parametrize("value", [b"0,", b"[],", b"{},", b'"",'])
def test_a_message_of_very_many_values_is_not_parsed(value: bytes) -> None:
    values = value * (MAX_VALUES + 1)
    message = b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"arguments":{"x":[%b0]}}}' % values
    assert rejected(message) == (PARSE_ERROR, None)


@pytest.mark.parametrize("message", [3, None, True, "tools/list", [], [CALL], [CALL, CALL]])
def test_a_message_that_is_not_one_object_is_an_invalid_request(message: Any) -> None:
    assert rejected(message) == (INVALID_REQUEST, None)


@pytest.mark.parametrize("id", [None, True, 1.5, 1.0, [], {}, [7], "x" * (MAX_ID + 1), 10 ** (MAX_ID + 1)])
def test_an_id_that_cannot_be_one_is_an_invalid_request_without_an_id(id: Any) -> None:
    assert rejected({**CALL, "id": id}) == (INVALID_REQUEST, None)


@pytest.mark.parametrize("id", [0, -1, 7, 2**63, 10**100, "", "7", "a" * MAX_ID, "é"])
def test_integers_and_texts_are_ids(id: Any) -> None:
    checked = check_message(to_json({**CALL, "id": id}))
    assert isinstance(checked, CheckedMessage)
    assert checked.data["id"] == id


@pytest.mark.parametrize("version", [None, 2, 2.0, "1.0", "2", "", []])
def test_another_version_of_json_rpc_is_an_invalid_request(version: Any) -> None:
    assert rejected({**CALL, "jsonrpc": version}) == (INVALID_REQUEST, 7)


@pytest.mark.parametrize("message", [{}, {"method": None}, {"method": 3}, {"params": {}}])
def test_a_message_without_a_method_is_an_invalid_request(message: dict[str, Any]) -> None:
    assert rejected({"jsonrpc": "2.0", "id": "a", **message}) == (INVALID_REQUEST, "a")


@pytest.mark.parametrize("params", [{"params": None}, {"params": {"_meta": None}}, {}])
def test_members_that_are_null_are_as_if_left_out(params: dict[str, Any]) -> None:
    checked = check_message(to_json({**CALL, **params}))
    assert isinstance(checked, CheckedMessage)
    assert not checked.data.get("params")


@pytest.mark.parametrize("params", [3, "x", [], [1], True])
def test_params_that_are_not_an_object_are_invalid(params: Any) -> None:
    assert rejected({**CALL, "params": params}) == (INVALID_PARAMS, 7)
    assert rejected({**CALL, "params": {"_meta": params}}) == (INVALID_PARAMS, 7)


@pytest.mark.parametrize("version", ["2027-01-01", "1999-01-01", "", "2026-07-28 ", 20260728, [], {}])
def test_an_unknown_protocol_version_is_named_with_the_supported_ones(version: Any) -> None:
    rejection = check_message(to_json({**CALL, "params": {"_meta": {VERSION_KEY: version}}}))
    assert isinstance(rejection, Rejection)
    assert (rejection.error.code, rejection.request_id) == (UNSUPPORTED_VERSION, 7)
    assert rejection.error.data["supported"] == list(MODERN_PROTOCOL_VERSIONS)
    assert rejection.error.data["requested"] == (version if isinstance(version, str) else repr(version))


@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 1, "result": {}},
        {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "Parse error"}},
        {**CALL, "params": {"_meta": {VERSION_KEY: "2026-07-28"}}},
        {**CALL, "params": {}, "extra": "members are ignored"},
    ],
)
def test_notifications_responses_and_requests_pass(message: dict[str, Any]) -> None:
    checked = check_message(to_json(message))
    assert isinstance(checked, CheckedMessage)
    assert checked.method == message.get("method")


@pytest.mark.parametrize("arguments", ['{"floors": 1}', "", [1], 1, True])
def test_arguments_that_are_no_object_are_invalid_parameters(arguments: Any) -> None:
    message = {**CALL, "method": "tools/call", "params": {"name": "move", "arguments": arguments}}
    assert rejected(message) == (INVALID_PARAMS, 7)


def test_arguments_may_be_null() -> None:
    message = {**CALL, "method": "tools/call", "params": {"name": "listen", "arguments": None}}
    assert isinstance(check_message(to_json(message)), CheckedMessage)
