"""Where the server can listen."""

import socket
import stat
from pathlib import Path

import httpx2
import pytest

from codegym_harness.clients.mcp_client import ssl_context
from codegym_mcp.errors import CodegymError
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.server.listeners import (
    TcpAddress,
    UnixAddress,
    bind,
    bind_unix,
    parse_address,
)

from .serving import http_server


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8000", TcpAddress("127.0.0.1", 8000)),
        ("[::1]:0", TcpAddress("::1", 0)),
        ("::1:80", TcpAddress("::1", 80)),
        ("localhost:65535", TcpAddress("localhost", 65535)),
        ("unix:/run/gym.sock", UnixAddress(Path("/run/gym.sock"))),
        ("unix:gym.sock", UnixAddress(Path.cwd() / "gym.sock")),
    ],
)
def test_an_address_is_a_host_and_a_port_or_a_path(text: str, address: TcpAddress | UnixAddress) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text", ["", "8000", ":8000", "host:", "host:x", "host:65536", "host:-1", "host:²", "unix:"]
)
def test_another_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"use (HOST:PORT|unix:PATH)"):
        parse_address(text)


def test_the_path_of_a_socket_that_the_system_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 107 bytes"):
        parse_address(f"unix:/{'x' * 107}")


def test_a_port_in_use_is_told_with_the_way_out() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            CodegymError, match=f"127.0.0.1:{port} cannot be bound: .*port 0 picks a free one"
        ):
            bind("127.0.0.1", port)


@pytest.mark.parametrize("host", ["203.0.113.1", "no.such.host.invalid", "999.1.1.1"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(CodegymError, match=r"cannot be bound: .*Choose an address of this machine"):
        bind(host, 0)


def test_a_bound_socket_listens() -> None:
    with bind("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        pass


def test_a_unix_socket_is_its_owners_alone_and_removed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "gym.sock"
    with bind_unix(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with pytest.raises(CodegymError, match="Another server listens on"), bind_unix(path):
            pass
    assert not path.exists()


def test_a_socket_that_a_dead_server_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "gym.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with bind_unix(path), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_a_file_is_never_replaced_by_a_socket(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    with pytest.raises(CodegymError, match="cannot be bound: Address already in use"), bind_unix(path):
        pass
    assert path.read_text() == "mine"


async def test_episodes_are_opened_and_played_over_a_unix_socket(pool: SandboxPool, tmp_path: Path) -> None:
    path = tmp_path / "gym.sock"
    async with http_server(pool, unix_socket=path) as server:
        transport = httpx2.AsyncHTTPTransport(uds=str(path), verify=ssl_context())
        headers = {"authorization": f"Bearer {server.token}"}
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://localhost", headers=headers
        ) as client:
            opened = (await client.post("/episodes", json={"environment": "safe"})).json()
            assert opened["mcp_url"].startswith("http://localhost/episodes/")
            call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
            response = await client.post(
                opened["mcp_url"],
                json={**call, "params": {"name": "turn", "arguments": {"clicks": 1}}},
                headers={"accept": "application/json, text/event-stream"},
            )
            assert '"structuredContent":{"result":1}' in response.text
            assert (await client.get(f"/episodes/{opened['id']}")).json()["calls"] == 1
