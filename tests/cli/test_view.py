"""The command `view`."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from click.testing import CliRunner

from codegym_mcp.cli import main
from tests.made_runs import made_run


def test_the_command_serves_the_page_until_it_is_stopped(tmp_path: Path) -> None:
    made_run(tmp_path / "runs" / "mine", {"lift/low/1": "correct"})
    environ = {**os.environ, "CODEGYM_MCP_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "codegym_mcp", "view", "--json"]
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = urlsplit(json.loads(process.stdout.readline())["url"])
        assert url.hostname == "127.0.0.1"
        request = urllib.request.Request(
            f"http://{url.netloc}/view/api/runs",
            headers={"authorization": f"Bearer {url.fragment.removeprefix('token=')}"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            (run,) = json.loads(response.read())
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert run["name"] == "runs/mine"


def test_a_directory_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["view", str(tmp_path / "nothing")])
    assert result.exit_code == 1
    assert "There is no directory" in result.output
