"""Whatever a server sends as a result, the agent receives text, and a record can hold it."""

from typing import Any

import mcp_types as types
import pytest

from codegym_harness.clients.mcp_results import MAX_TEXT, NO_CONTENT, call_result
from codegym_mcp.episode_protocol import CallStatus


def converted(content: list[Any], **fields: Any) -> str:
    return call_result(types.CallToolResult(content=content, **fields)).text


def text(value: str) -> types.TextContent:
    return types.TextContent(type="text", text=value)


def test_structured_content_alone_is_the_text_and_the_data() -> None:
    result = call_result(types.CallToolResult(content=[], structured_content={"floor": 3, "name": "é"}))
    assert result.text == '{"floor": 3, "name": "é"}'
    assert result.structured == {"floor": 3, "name": "é"}


def test_a_text_beside_structured_content_is_kept_as_it_is() -> None:
    assert converted([text("third floor")], structured_content={"floor": 3}) == "third floor"


def test_an_empty_result_is_said_to_be_empty() -> None:
    assert converted([]) == NO_CONTENT
    assert converted([text("")]) == ""


def test_content_that_is_not_text_is_described() -> None:
    link = types.ResourceLink(type="resource_link", name="log", uri="file:///log.txt", description="today")
    embedded = types.EmbeddedResource(
        type="resource", resource=types.TextResourceContents(uri="file:///a.txt", text="hello")
    )
    blob = types.EmbeddedResource(
        type="resource",
        resource=types.BlobResourceContents(uri="file:///a.bin", blob="AAAA", mime_type="application/x"),
    )
    image = types.ImageContent(type="image", data="AAAAAAA=", mime_type="image/png")
    audio = types.AudioContent(type="audio", data="AAAA", mime_type="audio/wav")
    assert converted([link, embedded, blob, image, audio]).split("\n") == [
        "[log: file:///log.txt (today)]",
        "hello",
        "[resource file:///a.bin, application/x, 3 bytes]",
        "[image, image/png, 5 bytes]",
        "[audio, audio/wav, 3 bytes]",
    ]


def test_an_error_has_a_status_and_no_data() -> None:
    result = call_result(
        types.CallToolResult(content=[text("no")], structured_content={"a": 1}, is_error=True)
    )
    assert (result.status, result.structured, result.text) == (CallStatus.REFUSED, None, "no")


def test_lone_surrogates_are_replaced_so_that_a_record_can_hold_the_result() -> None:
    result = call_result(
        types.CallToolResult(content=[text("a\ud800b")], structured_content={"k\udfff": ["\ud800"]})
    )
    result.model_dump_json()
    assert result.text == "a\ufffdb"


def test_a_huge_text_is_cut_with_the_number_of_characters() -> None:
    result = converted([text("x" * (MAX_TEXT + 7))])
    assert result.endswith("… (7 more characters)")
    assert len(result) < MAX_TEXT + 100


@pytest.mark.parametrize("structured", [[1, 2], 3, "x"])
def test_structured_content_that_is_not_an_object_is_wrapped(structured: Any) -> None:
    result = types.CallToolResult.model_construct(content=[], structured_content=structured, is_error=False)
    assert call_result(result).value == structured
