"""What a server writes to its standard error is logged, not written to the terminal."""

import logging
import os
import sys
from pathlib import Path

import pytest
from mcp import StdioServerParameters

from codegym_harness.clients.mcp_client import connect
from codegym_harness.clients.server_output import logged_output

ESCAPES = "\x1b]0;title\x07\x1b[2J\u202e"


def test_lines_are_logged_until_the_block_is_left(caplog: pytest.LogCaptureFixture) -> None:
    with logged_output() as file:
        file.write(f"one {ESCAPES}\ntwo\nlast, without an end")
    assert caplog.messages == [f"one {ESCAPES}", "two", "last, without an end"]


def test_bytes_that_are_no_text_and_endless_lines_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with logged_output() as file:
        file.buffer.write(b"\xff" + b"x" * 25_000)
    assert [len(message) for message in caplog.messages] == [10_000, 10_000, 5_001]


def test_a_process_that_keeps_the_pipe_open_is_not_awaited() -> None:
    with logged_output() as file:
        kept = os.dup(file.fileno())
    os.close(kept)


async def test_the_errors_of_a_server_are_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    source = f"""
import runpy, sys
sys.stderr.write({ESCAPES!r} + "\\n")
print("no message", flush=True)
sys.argv = ["codegym-mcp", "serve", "night_courier", "--difficulty", "1"]
runpy.run_module("codegym_mcp.cli", run_name="__main__")
"""
    server = tmp_path / "server.py"
    server.write_text(source)
    with caplog.at_level(logging.WARNING):
        async with connect(StdioServerParameters(command=sys.executable, args=[str(server)])) as connection:
            assert connection.scored
    assert ESCAPES in caplog.messages
    assert any("writes lines that are not messages" in message for message in caplog.messages)
    assert "\x1b" not in capfd.readouterr().err
