"""No message contains a character at which a client may split it into lines."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.json_line_escapes import escape_line_separators

from .serving import Server
from .test_http_application import Wire
from .test_stdio_server import serving

SEPARATORS = "\u2028 \u2029 \u0085 \x0b \x0c \x1c \x1d \x1e \n \r\n \r"


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_the_value_stays_the_same_and_is_one_line(value: object) -> None:
    escaped = escape_line_separators(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    assert len(escaped.decode().splitlines()) == 1
    assert json.loads(escaped) == json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def test_characters_with_a_part_of_a_separators_bytes_are_kept() -> None:
    text = '"\u20a8\u0405\u2027\u202a\u0084\u0086Â…"'
    assert escape_line_separators(text.encode()) == text.encode()


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_every_message_over_http_is_one_line(http: Server, era: str) -> None:
    wire = Wire(era, http, http.url_of(await http.open()))
    body = wire.body(name="write", arguments={"text": SEPARATORS})
    response = await wire.post(wire.headers(name="write"), json=body)
    lines = [line.removeprefix("data: ") for line in response.text.splitlines()]
    (data,) = [line for line in lines if line.startswith("{")]
    assert json.loads(data)["result"]["structuredContent"] == {"result": SEPARATORS}


async def test_every_message_over_stdio_is_one_line() -> None:
    async with serving() as pipes:
        number = await pipes.send("tools/call", name="write", arguments={"text": SEPARATORS})
        line = await pipes.receive_line()
        assert len(line.decode().splitlines()) == 1
        answer = json.loads(line)
        assert answer["id"] == number
        assert answer["result"]["structuredContent"] == {"result": SEPARATORS}
