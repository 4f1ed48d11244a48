"""Event streams of the Open Reward Standard."""

import json

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from codegym_mcp.server.trainer_protocols import ors_streams
from codegym_mcp.server.trainer_protocols.ors_streams import _result_events, stream_result

from .test_ors import read_events

SPACED = st.text(st.sampled_from(' \u00a0\u2003\u2028\u0085\x1caé"\\\n\t'), max_size=40) | st.text()


@given(SPACED, st.integers(1, 7))
def test_a_client_that_removes_spaces_reads_the_same_result(text: str, size: int) -> None:
    content = to_json({"text": text}).decode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ors_streams, "_CHUNK", size)
        events = _result_events(content)
    assert read_events("".join(events))[1] == {"text": text}


def test_a_long_result_is_sent_in_lines_that_clients_accept() -> None:
    content = json.dumps({"text": "\u00e9 " * 100_000}, ensure_ascii=False, separators=(",", ":"))
    events = _result_events(content)
    assert max(len(event.encode()) for event in events) < 128 * 1024
    assert json.loads(content) == read_events("".join(events))[1]


async def test_signs_of_life_are_sent_while_a_result_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ors_streams, "PING_SECONDS", 0.001)
    done = anyio.Event()

    async def compute() -> str:
        await done.wait()
        return "{}"

    sent = []
    async for part in stream_result("t", compute).body_iterator:
        sent.append(part)
        if part.startswith(":"):
            done.set()
    assert sent[0] == "event: task_id\ndata: t\n\n"
    assert sent[1].startswith(":")
    assert sent[-1] == "event: end\ndata: {}\n\n"
