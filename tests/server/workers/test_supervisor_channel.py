"""The channel between processes: messages, and connections of clients."""

import os
import random
import socket
from collections.abc import AsyncIterator

import pytest

from codegym_mcp.server.workers.supervisor_channel import ChannelMessage, MessageKind, WorkerChannel
from tests.waiting import until


class Ends:
    """Both ends of a channel in this process, and what the second one has received."""

    def __init__(self) -> None:
        first, second = socket.socketpair()
        self.received: list[ChannelMessage] = []
        self.ended: list[str] = []
        self.first = WorkerChannel(first, self.received.append, lambda: self.ended.append("first"))
        self.second = WorkerChannel(second, self.received.append, lambda: self.ended.append("second"))

    def close(self) -> None:
        self.first.close()
        self.second.close()
        for message in self.received:
            if message.connection is not None:
                message.connection.close()


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    opened = Ends()
    yield opened
    opened.close()


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


async def test_a_message_arrives_as_it_was_sent(ends: Ends) -> None:
    ends.first.send(MessageKind.READY)
    ends.first.send(MessageKind.FAILED, b"the reason")
    await until(lambda: len(ends.received) == 2)
    assert ends.received == [
        ChannelMessage(MessageKind.READY),
        ChannelMessage(MessageKind.FAILED, b"the reason"),
    ]


async def test_connections_arrive_with_their_requests_whatever_their_size(ends: Ends) -> None:
    sizes = [0, 1, 200_000, 7, 3_000_000, *random.Random(1).choices(range(90_000), k=60)]
    clients = []
    for number, size in enumerate(sizes):
        client, served = socket.socketpair()
        clients.append(client)
        ends.first.send_connection(served.detach(), bytes([number % 251]) * size, number)
        ends.second.send(MessageKind.FAILED, b"in the other direction")
    await until(lambda: len(ends.received) == 2 * len(sizes))
    connections = [message for message in ends.received if message.kind is MessageKind.CONNECTION]
    assert [message.target for message in connections] == list(range(len(sizes)))
    for number, (message, client) in enumerate(zip(connections, clients, strict=True)):
        assert message.content == bytes([number % 251]) * sizes[number]
        assert message.connection is not None
        message.connection.sendall(b"response %d" % number)
        assert client.recv(100) == b"response %d" % number
        client.close()


async def test_the_end_of_one_side_is_told_to_the_other_and_every_descriptor_is_closed(ends: Ends) -> None:
    before = open_files()
    clients = []
    for _ in range(5):
        client, served = socket.socketpair()
        clients.append(client)
        ends.first.send_connection(served.detach(), b"x" * 1_000_000, 0)
    ends.second.close()
    await until(lambda: ends.ended)
    assert ends.ended == ["first"]
    assert all(client.recv(10) == b"" for client in clients)
    client, served = socket.socketpair()
    ends.first.send_connection(served.detach(), b"", 0)
    assert client.recv(10) == b""
    for each in (*clients, client):
        each.close()
    # Both ends of the channel are closed.
    assert open_files() == before - 2
