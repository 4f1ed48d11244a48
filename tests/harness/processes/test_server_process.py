"""Servers as child processes: how they start, what they receive, and how they end."""

import logging
import os
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from codegym_harness.clients.control_client import ControlClient
from codegym_harness.processes.server_process import ServerProcess, start_server
from codegym_mcp.control_plane_messages import OpenRequest
from codegym_mcp.errors import ConnectionFailedError


@asynccontextmanager
async def connected(server: ServerProcess) -> AsyncIterator[ControlClient]:
    async with ControlClient.connect(server.url, server.token, socket_path=server.socket_path) as control:
        yield control


async def test_a_server_serves_until_the_block_is_left(fixtures: Path) -> None:
    async with start_server([fixtures / "counter.py"]) as server, connected(server) as control:
        assert [each.name for each in await control.environments()] == ["counter"]
    assert server.socket_path is not None
    assert not server.socket_path.parent.exists()
    async with connected(server) as control:
        with pytest.raises(ConnectionFailedError):
            await control.environments()


async def test_only_its_user_can_reach_a_server(fixtures: Path) -> None:
    before = children()
    async with start_server([fixtures / "counter.py"]) as server:
        assert server.socket_path is not None
        assert stat.S_IMODE(server.socket_path.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(server.socket_path.stat().st_mode) == 0o600
        (process,) = children() - before
        assert listening_tcp_sockets(process) == set()


async def test_a_server_of_the_harness_refuses_to_tell_agents_their_verdicts(fixtures: Path) -> None:
    async with start_server([fixtures / "counter.py"]) as server, connected(server) as control:
        with pytest.raises(ConnectionFailedError, match="verdict"):
            await control.open_episode(OpenRequest(environment="counter", difficulty=1, reveal=True))
        assert (await control.open_episode(OpenRequest(environment="counter", difficulty=1))).id


async def test_a_server_of_the_harness_has_no_gateway(fixtures: Path) -> None:
    async with start_server([fixtures / "counter.py"]) as server:
        transport = httpx2.AsyncHTTPTransport(uds=str(server.socket_path))
        async with httpx2.AsyncClient(transport=transport, base_url=server.url) as http:
            assert (await http.post("/mcp", json={})).status_code == 404
            assert (await http.get("/environments")).status_code == 401


async def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(ConnectionFailedError, match=r"missing\.py.*does not exist"):
        async with start_server([tmp_path / "missing.py"]):
            pytest.fail("served nothing")


@pytest.mark.parametrize("allowed", [False, True])
async def test_a_server_runs_environments_unconfined_only_if_that_is_allowed(
    fixtures: Path, allowed: bool
) -> None:
    before = children()
    async with start_server([fixtures / "counter.py"], allow_unconfined=allowed):
        (server,) = children() - before
        arguments = Path(f"/proc/{server}/cmdline").read_bytes().split(b"\0")
        assert (b"--allow-unconfined" in arguments) == allowed


async def test_a_server_receives_only_listed_variables(
    fixtures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "HF_TOKEN", "DATABASE_URL", "MY_PAT", "HARMLESS"):
        monkeypatch.setenv(name, "private")
    monkeypatch.setenv("LC_TIME", "public")
    before = children()
    async with start_server([fixtures / "counter.py"]):
        for process in descendants(children() - before):
            assert "private" not in Path(f"/proc/{process}/environ").read_text()
        (server,) = children() - before
        assert "LC_TIME=public" in Path(f"/proc/{server}/environ").read_text()


async def test_files_in_the_working_directory_replace_nothing_of_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The bundled environments are served, and no folder of the user in their place."""
    for name in ("environments", "harness", "codegym_mcp", "codegym_harness"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('replaced')")
    for name in ("codegym", "json", "secrets", "sitecustomize", "usercustomize"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('replaced')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), *sys.path])
    async with start_server() as server, connected(server) as control:
        assert "night_courier" in {each.name for each in await control.environments()}


async def test_what_a_server_writes_is_logged_and_not_printed(
    fixtures: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "counter.py").write_bytes((fixtures / "counter.py").read_bytes())
    (tmp_path / "damaged.py").write_text("class {")
    with caplog.at_level(logging.WARNING, "codegym_harness.processes.server_process"):
        async with start_server([tmp_path]) as server, connected(server) as control:
            assert [each.name for each in await control.environments()] == ["counter"]
    assert "damaged" in caplog.text
    assert capfd.readouterr() == ("", "")


async def test_a_server_ends_with_the_block_that_fails(fixtures: Path) -> None:
    before = children()

    async def use() -> None:
        async with start_server([fixtures / "counter.py"]):
            assert len(children() - before) == 1
            raise KeyError

    with pytest.raises(KeyError):
        await use()
    assert children() == before


def descendants(processes: set[str]) -> set[str]:
    """Processes and all that they have started."""
    found = set(processes)
    for process in processes:
        below = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        found |= descendants(set(below))
    return found


def children() -> set[str]:
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    return set(path.read_text().split())


def listening_tcp_sockets(process: str) -> set[str]:
    """The inodes of the TCP sockets on which a process listens."""
    rows = [
        line.split() for name in ("tcp", "tcp6") for line in Path("/proc/net", name).read_text().splitlines()
    ]
    listening = {row[9] for row in rows if row[3] == "0A"}
    held = set()
    for handle in Path(f"/proc/{process}/fd").iterdir():
        target = os.readlink(handle)
        if target.startswith("socket:["):
            held.add(target.removeprefix("socket:[").rstrip("]"))
    return held & listening
