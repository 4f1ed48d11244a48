"""Servers over stdio: the process is the episode, or the gateway, and its client holds two pipes."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream
from pydantic_core import from_json, to_json

from .serving import journal_events, serve_command, session_of


class Pipes:
    """The client's end of a server's stdin and stdout."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process = process
        self.stdin = process.stdin
        self._stdout = BufferedByteReceiveStream(process.stdout)
        self._number = 0

    async def send(self, method: str, **params: Any) -> int:
        self._number += 1
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        await self.stdin.send(to_json(message) + b"\n")
        return self._number

    async def receive_line(self) -> bytes:
        with anyio.fail_after(60):
            return await self._stdout.receive_until(b"\n", 1 << 21)

    async def receive(self) -> dict[str, Any]:
        return dict(from_json(await self.receive_line()))

    async def answer(self, number: int) -> dict[str, Any]:
        """The message that answers a request; none before it may answer anything else."""
        while (message := await self.receive()).get("id") != number:
            assert message.get("id") is None, message
        return message

    async def shake_hands(self) -> None:
        client = {"name": "test", "version": "1"}
        await self.answer(
            await self.send("initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo=client)
        )

    async def call(self, name: str, arguments: Any) -> dict[str, Any]:
        return await self.answer(await self.send("tools/call", name=name, arguments=arguments))

    async def begin_polishing(self, strokes: int) -> int:
        """Begins a call that takes a while, and returns its number when the server has taken it up."""
        call = await self.send("tools/call", name="polish", arguments={"strokes": strokes})
        await self.answer(await self.send("ping"))
        return call

    async def end(self) -> int:
        """Waits until the process ends, and returns its exit code."""
        with anyio.fail_after(30):
            return await self.process.wait()

    def processes(self) -> set[int]:
        """The server and all that it started, as far as they still run."""
        return session_of(self.process.pid)


@asynccontextmanager
async def serving(*arguments: str) -> AsyncIterator[Pipes]:
    """Serves an episode over stdio; the handshake is done."""
    async with unshaken("safe", *arguments) as pipes:
        await pipes.shake_hands()
        yield pipes


@asynccontextmanager
async def unshaken(*arguments: str) -> AsyncIterator[Pipes]:
    """Serves over stdio, an episode unless the arguments say otherwise; the handshake is not done."""
    command = serve_command(*(arguments or ("safe",)))
    async with await anyio.open_process(command, stderr=None, start_new_session=True) as process:
        pipes = Pipes(process)
        try:
            yield pipes
        finally:
            if process.returncode is None:
                process.kill()


JUNK: list[tuple[bytes, int]] = [
    (b"garbage", -32700),
    (b"\xff\xfe\x00", -32700),
    (b"[" * 100_000, -32700),
    (b"x" * (9 << 20), -32700),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "ping\xff"}', -32700),
    (b"3", -32600),
    (b"[]", -32600),
    (b"{}", -32600),
    (b'[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]', -32600),
    (b'{"jsonrpc": "2.0", "id": null, "method": "ping"}', -32600),
    (b'{"jsonrpc": "1.0", "method": "ping"}', -32600),
]


async def test_a_line_that_is_not_a_message_is_answered_with_an_error_without_an_id() -> None:
    async with serving() as pipes:
        for line, code in JUNK:
            await pipes.stdin.send(line + b"\n")
            answer = await pipes.receive()
            assert (answer["id"], answer["error"]["code"]) == (None, code), line[:60]
        for ignored in (b"", b"   ", b"\r", b'{"jsonrpc": "2.0", "id": 5, "result": 7}'):
            await pipes.stdin.send(ignored + b"\n")
        answer = await pipes.call("look", {})
        assert answer["result"]["structuredContent"] == {"dial": 0, "turns": 0}


async def test_requests_before_the_end_of_the_input_are_answered() -> None:
    async with serving() as pipes:
        numbers = [await pipes.send("tools/list") for _ in range(3)]
        await pipes.stdin.aclose()
        assert sorted([(await pipes.receive())["id"] for _ in numbers]) == sorted(numbers)
        assert await pipes.end() == 0


async def test_requests_with_the_same_id_are_both_answered() -> None:
    async with serving() as pipes:
        call = {"jsonrpc": "2.0", "id": 99, "method": "tools/call", "params": {"name": "turn"}}
        for clicks in (1, 2):
            call["params"] = {"name": "turn", "arguments": {"clicks": clicks}}
            await pipes.stdin.send(to_json(call) + b"\n")
        results = [(await pipes.receive())["result"]["structuredContent"]["result"] for _ in range(2)]
        assert sorted(results) in ([1, 3], [2, 3])


async def test_a_handshake_with_a_future_version_is_answered_with_the_latest_version() -> None:
    async with unshaken() as pipes:
        number = await pipes.send(
            "initialize",
            protocolVersion="2031-01-01",
            capabilities={},
            clientInfo={"name": "t", "version": "1"},
        )
        assert (await pipes.answer(number))["result"]["protocolVersion"] == "2025-11-25"


async def test_a_request_of_a_future_version_is_answered_with_the_supported_versions() -> None:
    async with unshaken() as pipes:
        meta = {"io.modelcontextprotocol/protocolVersion": "2031-01-01"}
        error = (await pipes.answer(await pipes.send("server/discover", _meta=meta)))["error"]
        assert error["code"] == -32022
        assert error["data"]["requested"] == "2031-01-01"
        assert "2026-07-28" in error["data"]["supported"]


async def test_the_task_can_be_read_with_a_tool() -> None:
    async with serving("--calls", "1") as pipes:
        for _ in range(3):
            answer = await pipes.call("read_task", {})
            assert answer["result"]["content"][0]["text"].startswith("A safe stands before you")
        assert (await pipes.call("turn", {"clicks": 1}))["result"]["structuredContent"] == {"result": 1}


async def test_a_wrong_request_is_answered_with_an_error() -> None:
    async with serving() as pipes:
        assert (await pipes.answer(await pipes.send("no/such")))["error"]["code"] == -32601
        assert (await pipes.call("look", ["clicks"]))["error"]["code"] == -32602
        assert (await pipes.answer(await pipes.send("tools/call", arguments={})))["error"]["code"] == -32602
        answer = await pipes.call("write", {"text": "x" * (1 << 20)})
        assert answer["result"]["isError"] is True
        assert "are allowed" in answer["result"]["content"][0]["text"]
        assert (await pipes.call("turn", {"clicks": 1}))["result"]["structuredContent"] == {"result": 1}


async def test_messages_arrive_whole_however_they_are_cut() -> None:
    async with serving() as pipes:
        calls = b"".join(
            to_json(
                {
                    "jsonrpc": "2.0",
                    "id": 100 + number,
                    "method": "tools/call",
                    "params": {"name": "write", "arguments": {"text": f"snö {number}"}},
                }
            )
            + b"\n"
            for number in range(3)
        )
        for start in range(0, len(calls), 7):
            await pipes.stdin.send(calls[start : start + 7])
        answers = {message["id"]: message for message in [await pipes.receive() for _ in range(3)]}
        assert sorted(answers) == [100, 101, 102]
        assert answers[101]["result"]["structuredContent"] == {"result": "snö 1"}


@pytest.mark.parametrize("how", [None, signal.SIGTERM, signal.SIGINT])
async def test_a_server_that_is_told_to_stop_ends_well_and_leaves_no_process(
    how: signal.Signals | None,
) -> None:
    async with serving() as pipes:
        await pipes.call("look", {})
        assert len(pipes.processes()) >= 3, "the server, the zygote and the environment's process"
        if how is None:
            await pipes.stdin.aclose()
        else:
            pipes.process.send_signal(how)
        assert await pipes.end() == 0
        assert pipes.processes() == set()


@pytest.mark.parametrize("how", [None, signal.SIGTERM, signal.SIGINT])
async def test_a_call_under_way_at_the_end_is_finished_and_recorded(
    how: signal.Signals | None, tmp_path: Path
) -> None:
    async with serving("--data", str(tmp_path)) as pipes:
        await pipes.begin_polishing(4_000_000)
        if how is None:
            await pipes.stdin.aclose()
        else:
            pipes.process.send_signal(how)
        assert await pipes.end() == 0
        assert pipes.processes() == set()
    opened, call, ended = journal_events(tmp_path / "journal.sqlite")
    assert opened.kind == "opened"
    assert call.result.structured == {"result": 1}
    assert ended.state == "closed"


async def test_the_verdict_is_told_only_where_it_is_revealed() -> None:
    async with serving("--reveal") as pipes:
        answer = await pipes.call("submit_answer", {"answer": "another"})
        expected = {"received": True, "correct": False, "reward": 0.0}
        assert answer["result"]["structuredContent"] == expected


async def test_every_process_is_an_episode_of_its_own(tmp_path: Path) -> None:
    for _ in range(2):
        async with serving("--data", str(tmp_path)) as pipes:
            assert (await pipes.call("turn", {"clicks": 1}))["result"]["structuredContent"] == {"result": 1}


async def test_the_gateway_is_served_over_stdio() -> None:
    async with unshaken("--stdio-gateway") as pipes:
        await pipes.shake_hands()
        started = await pipes.call("start_episode", {"environment": "safe", "task": "red"})
        handle = started["result"]["structuredContent"]["episode"]
        turned = await pipes.call(
            "call_tool", {"episode": handle, "name": "turn", "arguments": {"clicks": 2}}
        )
        assert turned["result"]["structuredContent"] == {"result": 102}
        submitted = await pipes.call("submit_answer", {"episode": handle, "answer": "plover-9032-ochre"})
        assert submitted["result"]["structuredContent"] == {"received": True}
        await pipes.stdin.aclose()
        assert await pipes.end() == 0
        assert pipes.processes() == set()


async def test_a_person_at_a_terminal_is_told_what_the_server_waits_for() -> None:
    leader, follower = os.openpty()
    with os.fdopen(leader, "wb", buffering=0), os.fdopen(follower, "rb", buffering=0) as terminal:
        process = await anyio.open_process(serve_command("safe"), stdin=terminal, start_new_session=True)
        async with process:
            assert process.stderr is not None
            said = ""
            with anyio.fail_after(60):
                while "over stdio" not in said:
                    said += (await process.stderr.receive()).decode()
            assert "Serving one episode of safe (task blue) over stdio. An MCP client is expected" in said
            process.terminate()
