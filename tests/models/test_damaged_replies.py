"""Whatever a server sends in a successful response, it is a reply that can be sent back, or an error."""

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.models.chat_response import UnusableResponseError, read_response
from codegym_mcp.models.chat_stream import join_stream
from codegym_mcp.models.error_diagnosis import diagnose_error

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
DAMAGE = st.sampled_from(
    [
        None,
        "",
        0,
        -1,
        1.5,
        True,
        [],
        {},
        [None],
        [[]],
        {"a": None},
        "x",
        [1, "a"],
        10**400,
        "\ud800",
        {"\ud800": 1},
        float("nan"),
        float("inf"),
        {"n": float("nan")},
        [{"type": "text", "text": None}],
        [{"type": "text"}],
    ]
)


def paths(data: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    parts = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in parts:
        yield (*above, key)
        yield from paths(value, (*above, key))


def damaged(data: Any) -> st.SearchStrategy[Any]:
    """Returns copies of data in which up to three members have another value."""

    def damage(changes: list[tuple[tuple[Any, ...], Any]]) -> Any:
        copy = json.loads(json.dumps(data))
        for path, value in changes:
            place = copy
            try:
                for key in path[:-1]:
                    place = place[key]
                place[path[-1]] = value
            except (TypeError, KeyError, IndexError):
                continue
        return copy

    change = st.tuples(st.sampled_from(list(paths(data))), DAMAGE)
    return st.lists(change, min_size=1, max_size=3).map(damage)


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
