"""What is particular to stdio: the process is the episode, and its client at the other end of two pipes."""

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

    async def receive(self) -> dict[str, Any]:
        with anyio.fail_after(30):
            return dict(from_json(await self._stdout.receive_until(b"\n", 1 << 21)))

    async def answer(self, number: int) -> dict[str, Any]:
        """The message that answers a request; none before it may answer anything else."""
        while (message := await self.receive()).get("id") != number:
            assert message.get("id") is None, message
        return message

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
    """A server over stdio, after the handshake."""
    command = serve_command("safe", *arguments)
    async with await anyio.open_process(command, stderr=None, start_new_session=True) as process:
        pipes = Pipes(process)
        try:
            await pipes.answer(
                await pipes.send(
                    "initialize",
                    protocolVersion="2025-11-25",
                    capabilities={},
                    clientInfo={"name": "test", "version": "1"},
                )
            )
            yield pipes
        finally:
            if process.returncode is None:
                process.kill()


async def test_what_is_no_message_of_the_protocol_harms_nothing() -> None:
    async with serving() as pipes:
        for line in (b"garbage", b"", b"   ", b"\xff\xfe\x00", b"[" * 100_000, b"3", b"[]", b"{}"):
            await pipes.stdin.send(line + b"\n")
        call = {
            "jsonrpc": "2.0",
            "id": 99,
            "method": "tools/call",
            "params": {"name": "look", "arguments": {}},
        }
        await pipes.stdin.send(to_json([call, call]) + b"\n")
        answer = await pipes.call("look", {})
        assert answer["result"]["structuredContent"] == {"dial": 0, "turns": 0}


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
