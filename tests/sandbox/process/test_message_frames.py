"""Frames, and the server's end of a channel, with arbitrary bytes of a hostile process."""

import json
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.errors import CodegymError, WorkerLostError
from codegym_mcp.sandbox.process.confined_process import ConfinedProcess
from codegym_mcp.sandbox.process.forked_process import ForkedProcess
from codegym_mcp.sandbox.process.message_frames import (
    MAX_FRAME,
    FrameChannel,
    FrameReader,
    FrameTooLargeError,
    pack,
)

chunk_sizes = st.lists(st.integers(1, 50), min_size=1)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
messages = st.tuples(
    json_values | st.integers(0, 2),
    json_values | st.sampled_from(["ok", "refused", "fault", "memory", "too_large", "not_json", "call"]),
    json_values,
).map(list)
bodies = (
    st.binary(max_size=60)
    | (messages | json_values).map(lambda value: json.dumps(value).encode())
    | st.from_regex(rb"\A\[1,\"ok\",-?[0-9]{1,400}(\.[0-9]{1,9})?(e[+-]?[0-9]{1,5})?\]\Z")
)
streams = st.lists(
    st.binary(max_size=40)
    | bodies.map(pack)
    | st.integers(0, 2**32 - 1).map(lambda length: struct.pack("<I", length)),
    max_size=6,
).map(b"".join)


def cut(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The same bytes as they might arrive."""
    start = turn = 0
    while start < len(data):
        end = start + sizes[turn % len(sizes)]
        yield data[start:end]
        start, turn = end, turn + 1


@given(st.lists(st.binary(max_size=100), max_size=10), chunk_sizes)
def test_bodies_arrive_complete_in_any_chunks(sent: list[bytes], sizes: list[int]) -> None:
    reader = FrameReader()
    arrived = [body for chunk in cut(b"".join(map(pack, sent)), sizes) for body in reader.feed(chunk)]
    assert arrived == sent


def reference(stream: bytes) -> tuple[list[bytes], int | None]:
    """The bodies of a stream, and the length that is too large, if one is announced."""
    bodies = []
    while len(stream) >= 4:
        length = int.from_bytes(stream[:4], "little")
        if length > MAX_FRAME:
            return bodies, length
        if len(stream) < 4 + length:
            break
        bodies.append(stream[4 : 4 + length])
        stream = stream[4 + length :]
    return bodies, None


@given(streams, chunk_sizes)
def test_any_stream_is_split_into_bodies_or_refused(stream: bytes, sizes: list[int]) -> None:
    reader = FrameReader()
    expected, announced = reference(stream)
    bodies: list[bytes] = []
    refused = None
    try:
        for chunk in cut(stream, sizes):
            bodies += reader.feed(chunk)
    except FrameTooLargeError as error:
        refused = error.length
    assert refused == announced
    # What came in the same piece as a refused length is lost with it.
    assert bodies == (expected if refused is None else expected[: len(bodies)])


def test_the_largest_body_is_accepted_and_a_larger_one_refused() -> None:
    largest = bytes(MAX_FRAME)
    assert FrameReader().feed(pack(largest)) == [largest]
    with pytest.raises(FrameTooLargeError):
        pack(bytes(MAX_FRAME + 1))
    with pytest.raises(FrameTooLargeError):
        FrameReader().feed(struct.pack("<I", MAX_FRAME + 1))


@given(
    json_values.filter(lambda value: "NaN" not in json.dumps(value) and "Infinity" not in json.dumps(value))
)
def test_a_message_arrives_as_it_was_sent(message: Any) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        FrameChannel(ours).send_message(message)
        assert FrameChannel(theirs).receive_message() == json.loads(json.dumps(message))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1: {2: object()}}, "a" * MAX_FRAME])
def test_a_message_that_is_not_json_is_refused_and_nothing_is_sent(value: Any) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with pytest.raises((TypeError, ValueError, FrameTooLargeError)):
            FrameChannel(ours).send_message(value)
        ours.close()
        assert theirs.recv(1) == b""


def test_receiving_from_a_closed_channel_raises() -> None:
    ours, theirs = socket.socketpair()
    ours.close()
    with theirs, pytest.raises(EOFError):
        FrameChannel(theirs).receive()


def plain(value: Any) -> bool:
    """Whether a value is JSON data."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def disconnected(on_kill: Callable[[], object]) -> ForkedProcess:
    """A process whose channel is closed, so that only `data_received` delivers bytes."""
    connection = socket.socket()
    connection.close()
    return ForkedProcess(connection, lambda _pidfd: on_kill())


async def take_all(worker: ConfinedProcess) -> None:
    while True:
        assert plain(await worker.result(1, seconds=1))


@given(streams, chunk_sizes)
async def test_any_bytes_of_a_process_are_replies_or_end_it(stream: bytes, sizes: list[int]) -> None:
    killed: list[bool] = []
    worker = ConfinedProcess("tools", disconnected(lambda: killed.append(True)))
    for chunk in cut(stream, sizes):
        worker.data_received(chunk)
    worker.connection_lost(None)
    await worker.ended()
    assert not worker.alive
    assert killed == [True]
    with pytest.raises(CodegymError):
        await take_all(worker)


async def test_a_lost_process_ignores_further_bytes() -> None:
    worker = ConfinedProcess("tools", disconnected(lambda: None))
    worker.kill()
    worker.data_received(pack(b'[1,"ok",1]'))
    with pytest.raises(WorkerLostError):
        await worker.receive(1)
