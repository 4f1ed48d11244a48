"""Starts the scripted model server of `author_server.py` as a process."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.loopback_http import loopback_client

HERE = Path(__file__).parent


class AuthorProcess:
    """The running model server."""

    def __init__(self, url: str, http: httpx2.Client) -> None:
        self.url = url
        self._http = http

    def log(self) -> list[dict[str, str]]:
        """Returns the requests that were answered."""
        answered: list[dict[str, str]] = self._http.get(f"{self.url}/log").json()
        return answered

    def files(self) -> list[str]:
        """Returns the names of the files that answered, in order."""
        return [each["file"] for each in self.log()]

    def hold(self, after: int | None) -> None:
        """Makes requests wait after so many answers, or lets all continue."""
        self._http.put(f"{self.url}/hold", content=json.dumps({"after": after})).raise_for_status()

    def state(self) -> dict[str, Any]:
        """Returns how many requests were answered and how many wait."""
        state: dict[str, Any] = self._http.get(f"{self.url}/state").json()
        return state


@contextmanager
def author_process(scripts: Path, problems: Path) -> Iterator[AuthorProcess]:
    """Runs the server until the block is left."""
    environment = {
        **os.environ,
        "AUTHOR_SCRIPTS": str(scripts),
        "AUTHOR_PROBLEMS": str(problems),
        "PYTHONPATH": os.pathsep.join(
            [str(HERE.parent / "harness" / "model_servers"), os.environ.get("PYTHONPATH", "")]
        ),
    }
    command = [sys.executable, str(HERE / "author_server.py")]
    with (
        loopback_client() as http,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        ) as server,
    ):
        try:
            assert server.stdout is not None
            yield AuthorProcess(server.stdout.readline().strip(), http)
        finally:
            server.kill()
