import os
from pathlib import Path

import pytest

from codegym_harness.clients.control_client import ControlClient
from codegym_harness.processes.server_process import start_server
from codegym_mcp.errors import ConnectionFailedError


async def test_a_server_of_ones_own_serves_until_the_block_is_left(fixtures):
    async with (
        start_server([fixtures / "counter.py"]) as server,
        ControlClient.connect(server.url, server.token) as control,
    ):
        assert [each.name for each in await control.environments()] == ["counter"]
    async with ControlClient.connect(server.url, server.token) as control:
        with pytest.raises(ConnectionFailedError):
            await control.environments()


async def test_a_server_that_does_not_start_says_why(tmp_path):
    with pytest.raises(ConnectionFailedError, match=r"missing\.py.*does not exist"):
        async with start_server([tmp_path / "missing.py"]):
            pytest.fail("served nothing")


@pytest.mark.parametrize("allowed", [False, True])
async def test_the_server_goes_without_confinement_only_when_it_is_told_to(fixtures, allowed):
    before = children()
    async with start_server([fixtures / "counter.py"], allow_unconfined=allowed):
        (server,) = children() - before
        arguments = Path(f"/proc/{server}/cmdline").read_bytes().split(b"\0")
        assert (b"--allow-unconfined" in arguments) == allowed


async def test_the_server_is_given_no_secrets(fixtures, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-private")
    monkeypatch.setenv("HF_TOKEN", "hf-private")
    monkeypatch.setenv("HARMLESS", "public")
    before = children()
    async with start_server([fixtures / "counter.py"]):
        for process in descendants(children() - before):
            environment = Path(f"/proc/{process}/environ").read_text()
            assert "private" not in environment
        (server,) = children() - before
        assert "HARMLESS=public" in Path(f"/proc/{server}/environ").read_text()


async def test_the_server_ends_with_the_block_that_fails(fixtures):
    before = children()

    async def use() -> None:
        async with start_server([fixtures / "counter.py"]):
            assert children() != before
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
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
