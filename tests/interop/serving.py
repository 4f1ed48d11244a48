"""The real server as a process of its own, and what is seen of an episode from outside."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tests.interop.bell import BELL_TASK

COUNTER = Path(__file__).parents[1] / "fixtures" / "counter.py"
CONFORMANCE = Path(__file__).with_name("conformance_environment.py")
SERVE = [sys.executable, "-m", "codegym_mcp.cli", "serve"]

RIGHT = {"correct": True, "reward": 1.0}
"""A verdict, apart from the overlap, which depends on the type of the answer."""


@dataclass
class RunningServer:
    """A server over HTTP, seen from its control plane."""

    url: str
    token: str
    log: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Asks the control plane; an HTTP error is raised."""
        request = Request(
            self.url + path,
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"authorization": f"Bearer {self.token}"},
        )
        with urlopen(request, timeout=30) as response:
            return json.load(response)

    def tools(self, environment: str) -> list[str]:
        """The names of an environment's tools, the submission apart."""
        [listed] = [listed for listed in self.ask("GET", "/environments") if listed["name"] == environment]
        return listed["tools"]

    def open(self, environment: str, **task: Any) -> "OpenedEpisode":
        """Opens an episode of a task: `task`, or `difficulty` and `seed`."""
        opened = self.ask("POST", "/episodes", {"environment": environment, **task})
        return OpenedEpisode(self, opened["id"], opened["mcp_url"], opened["task"]["text"])


@dataclass
class OpenedEpisode:
    """An episode over HTTP."""

    server: RunningServer
    id: str
    mcp_url: str
    task: str

    def info(self) -> dict[str, Any]:
        """What the control plane says of it."""
        return self.server.ask("GET", f"/episodes/{self.id}")

    def check_solved(self, *, calls: int) -> None:
        """Asserts that the right answer was submitted after so many tool calls."""
        info = self.info()
        assert (info["state"], info["calls"]) == ("submitted", calls), info
        assert RIGHT.items() <= info["verdict"].items()


@contextmanager
def running_server(*environments: Path) -> Iterator[RunningServer]:
    """Runs a server over HTTP until the block is left, and asserts that it logged no fault."""
    options = [option for path in environments for option in ("--environments", str(path))]
    process = subprocess.Popen(
        [*SERVE, "--http", "127.0.0.1:0", "--json", *options],
        stderr=subprocess.PIPE,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "CODEGYM_MCP_TOKEN"},
    )
    assert process.stderr is not None
    try:
        announced = process.stderr.readline()
        assert announced.startswith("{"), announced
        bound = json.loads(announced)
        server = RunningServer(bound["url"], bound["token"])
        # Read all the time, or a full pipe would stop the server.
        reader = threading.Thread(target=server.log.extend, args=(process.stderr,))
        reader.start()
        yield server
    finally:
        process.terminate()
        status = process.wait(30)
    reader.join()
    process.stderr.close()
    assert not any("Traceback" in line for line in server.log), "".join(server.log)
    assert status == 0


@dataclass
class StdioEpisode:
    """An episode that is served over stdio: the command for a client, and what came of it."""

    data: Path

    @property
    def command(self) -> list[str]:
        """The command that serves the episode."""
        task = [option for name, value in BELL_TASK.items() for option in (f"--{name}", str(value))]
        return [*SERVE, str(COUNTER), *task, "--data", str(self.data)]

    def check_solved(self, *, calls: int) -> None:
        """Asserts by the journal that the right answer was submitted after so many tool calls."""
        with closing(sqlite3.connect(self.data / "journal.sqlite")) as journal:
            rows = journal.execute("SELECT kind, data FROM events ORDER BY number").fetchall()
        assert [kind for kind, _ in rows] == ["opened", *["call"] * calls, "submitted", "ended"]
        ended = json.loads(rows[-1][1])
        assert ended["state"] == "submitted"
        assert RIGHT.items() <= ended["verdict"].items()
