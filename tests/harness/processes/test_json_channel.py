"""JSON values between two processes."""

import json
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_harness.processes.json_channel import JsonChannel

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(plain, max_size=5), st.lists(st.integers(min_value=1, max_value=40)))
def test_values_arrive_as_they_were_sent_however_they_are_cut(values, cuts):
    arrived = []
    channel = JsonChannel(arrived.append, lambda: None)
    data = b"".join(json.dumps(value).encode() + b"\n" for value in values)
    for cut in cuts:
        channel.data_received(data[:cut])
        data = data[cut:]
    channel.data_received(data)
    assert arrived == values


@pytest.fixture
async def ends():
    """Both ends of a channel, and what each received; None is the end."""
    one, other = socket.socketpair()
    here, there = [], []
    ends = (
        await JsonChannel.open(one, here.append, lambda: here.append(None)),
        await JsonChannel.open(other, there.append, lambda: there.append(None)),
    )
    yield *ends, here, there
    for end in ends:
        end.close()
        await end.ended.wait()


@pytest.mark.parametrize("value", [["1\n2", {"ü": "\ud800"}, 1e300], "x" * 1_000_000, None, []])
async def test_a_value_arrives_at_the_other_end(ends, value):
    one, other, here, there = ends
    one.send([value])
    one.close()
    await other.ended.wait()
    assert there == [[value], None]
    assert here == [None]


async def test_a_value_for_a_closed_end_is_discarded(ends):
    one, other, here, there = ends
    other.close()
    await one.ended.wait()
    one.send("too late")
    assert (here, there) == ([None], [None])
