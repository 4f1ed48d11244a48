"""The command without a subcommand, and with other encodings."""

import json
import os
import pty
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-m", "codegym_mcp"]


def test_on_a_pipe_it_serves_the_gateway() -> None:
    initialize = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    requests = [
        initialize,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    ]
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for request in requests:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.stdin.close()
        assert process.wait(timeout=60) == 0
    names = {tool["name"] for tool in answers[1]["result"]["tools"]}
    assert {"list_environments", "start_episode", "submit_answer"} <= names


def test_in_a_terminal_it_prints_help() -> None:
    controller, terminal = pty.openpty()
    try:
        done = subprocess.run(COMMAND, stdin=terminal, capture_output=True, text=True, check=False)
    finally:
        os.close(controller)
        os.close(terminal)
    assert done.returncode == 0
    assert "codegym-mcp eval --agent oracle" in done.stdout


@pytest.mark.parametrize("variables", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}])
@pytest.mark.parametrize("arguments", [["show", "night_courier"], ["list"], ["show", "a\u2028b\u00e9"]])
def test_no_encoding_ends_in_a_traceback(variables: dict[str, str], arguments: list[str]) -> None:
    done = subprocess.run(
        [*COMMAND, *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in done.stderr
    assert done.returncode == (0 if arguments[-1] in ("night_courier", "list") else 1)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_standard_stream_is_no_fault(closed: str) -> None:
    script = f'"$@" list {closed}'
    done = subprocess.run(["sh", "-c", script, "sh", *COMMAND], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert ("night_courier" in done.stdout) is (">&-" not in closed.replace("2>&-", ""))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_output_that_cannot_be_written_is_reported() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, "list", "--json"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode != 0
    assert "The output cannot be written: No space left on device." in done.stderr
    assert "Traceback" not in done.stderr
