"""Whatever a server sends in a successful response, it is a reply that can be sent back, or an error."""

import json
from typing import Any

from hypothesis import given

from codegym_mcp.models.chat_response import UnusableResponseError, read_response
from codegym_mcp.models.chat_stream import join_stream
from codegym_mcp.models.error_diagnosis import diagnose_error
from tests.damaged_data import damaged

CALL = {"id": "a", "type": "function", "function": {"name": "move", "arguments": '{"floors": 1}'}}
RESPONSE = {
    "id": "x",
    "created": 1,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "finish_reason": "tool_calls",
            "logprobs": {"content": [{"token": "a", "logprob": -0.1}]},
            "message": {"role": "assistant", "content": "hi", "reasoning_content": "r", "tool_calls": [CALL]},
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 1}},
}
CHUNKS = [
    {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "a"}}]},
    {"choices": [{"delta": {"tool_calls": [{"index": 0, **CALL}]}}]},
    {"choices": [{"delta": {"tool_calls": [{"function": {"arguments": "}"}}]}, "finish_reason": "stop"}]},
    {"choices": [], "usage": {"prompt_tokens": 1}},
]


def check(body: Any) -> None:
    try:
        response = read_response(body)
    except UnusableResponseError as unusable:
        # The error is described, whatever the server wrote there.
        diagnose_error(status=None, body=unusable.error, model="m", has_replied=False)
        return
    json.dumps(response.message.original, ensure_ascii=False, allow_nan=False).encode()
    json.dumps([call.arguments for call in response.reply.calls], allow_nan=False)
    json.dumps(response.reply.logprobs, allow_nan=False)


@given(damaged(RESPONSE))
def test_a_damaged_response_is_a_reply_or_an_error(body: Any) -> None:
    check(body)


@given(damaged(CHUNKS))
def test_a_damaged_stream_is_a_reply_or_an_error(chunks: list[Any]) -> None:
    check(join_stream("\n".join(f"data: {json.dumps(chunk)}" for chunk in chunks)))
