"""`codegym-mcp serve`: its options, what it prints, and how it ends."""

import re
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from click.testing import CliRunner, Result

from codegym_harness.clients.mcp_client import ssl_context
from codegym_mcp.cli import main
from tests.server.serving import (
    ENVIRONMENTS,
    WORDS,
    ServerProcess,
    journal_events,
    serve_command,
    serving_process,
)
from tests.waiting import until


def run(*arguments: str, **variables: str) -> Result:
    return CliRunner().invoke(main, arguments, env=variables)


HTTP = ("--http", "127.0.0.1:0")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "Give an environment to serve, --http ADDRESS, or both; or --stdio-gateway alone."),
        (("safe", *HTTP, "--no-gateway"), "--no-gateway is for many episodes only."),
        (("safe", *HTTP, "--max-episodes", "3"), "--max-episodes is for many episodes only."),
        (("safe", *HTTP, "--stdio-gateway"), "or --stdio-gateway alone."),
        (("safe", "--stdio-gateway"), "or --stdio-gateway alone."),
        (("--stdio-gateway", *HTTP), "or --stdio-gateway alone."),
        (("--http", "8000"), "'8000' is not an address; use HOST:PORT"),
        (("--http", "127.0.0.1:"), "is not an address"),
        (("--http", ":8000"), "is not an address"),
        (("--http", "127.0.0.1:65536"), "is not an address"),
        (("--http", "127.0.0.1:http"), "is not an address"),
        (("--http", "unix:"), "is not the path of a Unix socket"),
        ((*HTTP, "--task", "blue"), "--task is for one episode only."),
        ((*HTTP, "--seed", "0"), "--seed is for one episode only."),
        (("--stdio-gateway", "--seed", "0"), "--seed is for one episode only."),
        (("safe", "--no-gateway"), "--no-gateway is for HTTP only."),
        (("safe", "--max-episodes", "1000"), "--max-episodes is for HTTP only."),
        (("safe", "--json"), "--json is for HTTP only."),
        (("safe", "--ray", "auto"), "--ray is for HTTP only."),
        (("safe", *HTTP, "--ray", "auto"), "--ray is for many episodes only."),
        ((*HTTP, "--ray", "auto", "--protocols", "ors"), "--protocols is for servers on one machine only."),
        ((*HTTP, "--ray", "auto", "--open-gateway"), "--open-gateway is for servers on one machine only."),
        (("safe", "--protocols", "ors"), "--protocols is for HTTP only."),
        ((*HTTP, "--protocols", "ors,verl"), "'verl' is not a protocol of trainers; known: nemo-gym, ors."),
        ((*HTTP, "--protocols", ","), "',' is not a protocol of trainers"),
        (("safe", "--public-url", "http://a.example"), "--public-url is for HTTP only."),
        (("safe", "--allow-host", "a.example"), "--allow-host is for HTTP only."),
        ((*HTTP, "--public-url", "a.example"), "is not a web address"),
        ((*HTTP, "--public-url", "ftp://a.example"), "is not a web address"),
        ((*HTTP, "--public-url", "http://a.example/?b"), "is not a web address"),
        ((*HTTP, "--allow-origin", "a.example"), "is not an origin"),
        ((*HTTP, "--allow-origin", "https://a.example/page"), "is not an origin"),
        ((*HTTP, "--reveal", "--refuse-reveal"), "contradict each other"),
        ((*HTTP, "--no-gateway", "--open-gateway"), "contradict each other"),
        (("safe", "--difficulty", "6"), "6 is not in the range 1<=x<=5"),
        (("safe", "--calls", "0"), "0 is not in the range"),
        (("safe", "--colour"), "No such option"),
    ],
)
def test_wrong_use_is_explained_with_exit_code_2(arguments: tuple[str, ...], told: str) -> None:
    result = run("serve", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert told in result.stderr
    assert "Usage: " in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("saef",), "There is no environment named 'saef'. Did you mean safe?"),
        (("safe", "--task", "green"), "There is no task named 'green'. Known: blue, red."),
        (("safe", "--task", "red", "--difficulty", "1"), "not both"),
        (("safe", "--seed", "1"), "A seed needs a difficulty"),
        (("fragile",), "KeyError"),
        (("broken",), "broken.py:10: the tool peek has no docstring"),
        (("--http", "127.0.0.1:0", "--environments", "/no/such/place"), "/no/such/place: does not exist"),
    ],
)
def test_an_environment_that_cannot_be_served_is_an_error(arguments: tuple[str, ...], told: str) -> None:
    result = run("serve", "--environments", str(ENVIRONMENTS), *arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert told in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_in_use_is_an_error(workers: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        result = run("serve", "--http", address, "--workers", workers)
    assert result.exit_code == 1
    assert f"Error: {address} cannot be bound:" in result.stderr
    assert "Choose another port; port 0 picks a free one." in result.stderr


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"])
def test_a_server_for_other_machines_needs_a_token(address: str) -> None:
    for given in ("", " "):
        result = run("serve", "--http", address, CODEGYM_MCP_TOKEN=given)
        assert result.exit_code == 1
        assert (
            "can be reached from other machines. Set the token of the control plane in CODEGYM_MCP_TOKEN first."
            in result.stderr
        )


@pytest.mark.parametrize("token", ["two words", "schlüssel", "line\nbreak"])
def test_a_token_that_no_header_can_contain_is_refused_and_not_repeated(token: str) -> None:
    result = run("serve", "--http", "127.0.0.1:0", CODEGYM_MCP_TOKEN=token)
    assert result.exit_code == 1
    assert "CODEGYM_MCP_TOKEN cannot be sent in a header." in result.stderr
    assert token not in result.stderr


def test_a_data_folder_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_text("this is no database, and long enough to be sure of it" * 20)
    result = run("serve", "--http", "127.0.0.1:0", "--data", str(tmp_path))
    assert result.exit_code == 1
    assert "journal.sqlite cannot be opened" in result.stderr


# --- the server as a process


async def ended(server: ServerProcess) -> int:
    with anyio.fail_after(30):
        return await server.process.wait()


async def test_the_address_is_one_json_line_on_stderr() -> None:
    async with serving_process() as server:
        assert set(server.announced) == {"url", "gateway", "token"}
        assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d*", server.url)
        assert server.announced["gateway"] == f"{server.url}/mcp"
        async with server.control() as control:
            assert [listed["name"] for listed in (await control.get("/environments")).json()] == ["safe"]


async def test_a_token_that_was_given_is_used_and_never_printed() -> None:
    async with serving_process("--no-gateway", CODEGYM_MCP_TOKEN=" given-in-secret ") as server:
        assert server.announced == {"url": server.url, "gateway": None}
        headers = {"authorization": "Bearer given-in-secret"}
        async with httpx2.AsyncClient(base_url=server.url, headers=headers, verify=ssl_context()) as control:
            assert (await control.get("/environments")).status_code == 200
            assert (await control.post("/mcp", json={})).status_code == 404
        server.process.terminate()
        assert await ended(server) == 0
        assert await server.said() == ""


async def test_without_json_the_address_is_printed_as_text() -> None:
    command = serve_command("--http", "127.0.0.1:0")
    async with await anyio.open_process(command) as process:
        assert process.stderr is not None
        said = ""
        with anyio.fail_after(30):
            while "Control plane token" not in said or not said.endswith("\n"):
                said += (await process.stderr.receive()).decode()
        process.terminate()
        assert await process.wait() == 0
    assert re.fullmatch(
        r"Serving on (http://127\.0\.0\.1:\d+)\n"
        r"Agents connect to \1/mcp\n"
        r"Episodes are shown at \1/view, with the control plane's token\n"
        r"Control plane token \(shown once\): \S{32}\n",
        said,
    )


async def test_a_broken_environment_is_left_out_and_told(tmp_path: Path) -> None:
    command = serve_command("--http", "127.0.0.1:0", "--environments", str(ENVIRONMENTS / "broken.py"))
    async with await anyio.open_process(command) as process:
        assert process.stderr is not None
        said = ""
        with anyio.fail_after(30):
            while "Serving on" not in said:
                said += (await process.stderr.receive()).decode()
        process.terminate()
        assert await process.wait() == 0
    assert re.match(r"Broken, not served: .*broken\.py:10: the tool peek has no docstring", said)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_a_server_that_is_told_to_stop_finishes_open_calls_and_leaves_no_process(
    how: signal.Signals,
) -> None:
    async with serving_process("--json-responses") as server, server.control() as control:
        opened = (await control.post("/episodes", json={"environment": "safe"})).json()
        assert len(server.processes()) >= 3, "the server, the zygote and the environment's process"
        responses: list[httpx2.Response] = []

        async def polish() -> None:
            responses.append(await call(control, opened["mcp_url"], "polish", strokes=4_000_000))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(polish)
            await wait_for_call(control, opened["id"])
            server.process.send_signal(how)
        assert responses[0].json()["result"]["structuredContent"] == {"result": 1}
        assert await ended(server) == 0
        assert await server.said() == ""
        assert server.processes() == set()


async def test_a_second_signal_undoes_open_calls(tmp_path: Path) -> None:
    async with serving_process("--data", str(tmp_path)) as server, server.control() as control:
        asked = {"environment": "safe", "limits": {"call_seconds": 600}}
        opened = (await control.post("/episodes", json=asked)).json()

        async def polish_forever() -> None:
            response = await call(control, opened["mcp_url"], "polish", strokes=10**12)
            assert "Connection closed" in response.text

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(polish_forever)
            await wait_for_call(control, opened["id"])
            server.process.terminate()
            await refusing_connections(server)
            server.process.terminate()
            assert await ended(server) == 0
        assert server.processes() == set()
        assert await server.said() == ""
    # The call was not made, and the episode can be continued.
    assert [event.kind for event in journal_events(tmp_path / "journal.sqlite")] == ["opened"]


async def test_no_secret_is_ever_logged() -> None:
    async with serving_process() as server, server.control() as control:
        opened = (await control.post("/episodes", json={"environment": "safe"})).json()
        url = opened["mcp_url"]
        token = url.split("/")[-2]
        for headers in (
            {"host": "evil.example"},
            {"origin": "http://evil.example"},
            {"content-type": "text/plain"},
        ):
            await control.post(url, headers=headers, content=b"{")
        await control.get(url)
        await control.post(url, content=b"{" * 100_000)
        await control.get(f"/episodes/{token}", headers={"authorization": "Bearer wrong"})
        await control.post("/episodes", content=b"{")
        for tool, arguments in (("kick", {}), ("force", {}), ("submit_answer", {"answer": WORDS["blue"]})):
            await call(control, url, tool, **arguments)
        server.process.terminate()
        assert await ended(server) == 0
        said = await server.said()
    for secret in (token, server.announced["token"], *WORDS.values()):
        assert secret not in said


async def test_an_episode_continues_after_the_process_was_killed(tmp_path: Path) -> None:
    async with serving_process("--data", str(tmp_path), CODEGYM_MCP_TOKEN="given") as server:
        headers = {"authorization": "Bearer given"}
        async with httpx2.AsyncClient(base_url=server.url, headers=headers, verify=ssl_context()) as control:
            opened = (await control.post("/episodes", json={"environment": "safe"})).json()
            await call(control, opened["mcp_url"], "turn", clicks=5)
        server.process.kill()
        await until(lambda: not server.processes())
    async with (
        serving_process("--data", str(tmp_path), CODEGYM_MCP_TOKEN="given") as server,
        httpx2.AsyncClient(base_url=server.url, headers=headers, verify=ssl_context()) as control,
    ):
        path = httpx2.URL(opened["mcp_url"]).path
        response = await call(control, f"{server.url}{path}", "turn", clicks=1)
        assert '"structuredContent":{"result":6}' in response.text
        assert (await control.get(f"/episodes/{opened['id']}")).json()["calls"] == 2


async def test_one_episode_is_served_at_a_fixed_address_and_continues_after_a_restart(tmp_path: Path) -> None:
    options = ("safe", "--task", "blue", "--calls", "3", "--data", str(tmp_path))
    ids = set()
    for total in (4, 8):
        async with serving_process(*options, CODEGYM_MCP_TOKEN="given") as server:
            assert server.announced["mcp_url"] == f"{server.url}/mcp"
            assert server.announced["gateway"] is None
            ids.add(server.announced["episode"])
            headers = {"authorization": "Bearer given"}
            async with httpx2.AsyncClient(
                base_url=server.url, headers=headers, verify=ssl_context()
            ) as control:
                response = await call(control, server.announced["mcp_url"], "turn", clicks=4)
                assert f'"structuredContent":{{"result":{total}}}' in response.text
                (listed,) = (await control.get("/episodes")).json()["episodes"]
                assert (listed["id"], listed["task"]) == (server.announced["episode"], "blue")
    assert len(ids) == 1


@pytest.mark.parametrize("open_gateway", [False, True])
async def test_beyond_loopback_one_episode_needs_a_token_unless_it_is_open(open_gateway: bool) -> None:
    options = ["--open-gateway"] if open_gateway else []
    arguments = ("safe", "--public-url", "https://gym.example", "--allow-host", "127.0.0.1", *options)
    async with serving_process(*arguments, CODEGYM_MCP_TOKEN="control") as server:
        assert ("gateway_token" in server.announced) is not open_gateway
        assert await gateway_status(server.announced["bound"]) == (200 if open_gateway else 401)


# --- who may use it


@pytest.mark.parametrize("open_gateway", [False, True])
async def test_beyond_loopback_the_gateway_needs_a_token_unless_it_is_open(open_gateway: bool) -> None:
    options = ["--open-gateway"] if open_gateway else []
    arguments = ("--public-url", "https://gym.example", "--allow-host", "127.0.0.1", *options)
    async with serving_process(*arguments, CODEGYM_MCP_TOKEN="control") as server:
        assert ("gateway_token" in server.announced) is not open_gateway
        url = server.announced["bound"]
        assert await gateway_status(url) == (200 if open_gateway else 401)
        if not open_gateway:
            assert await gateway_status(url, server.announced["gateway_token"]) == 200
            assert await gateway_status(url, "control") == 401


async def test_behind_a_proxy_the_gateway_needs_a_token_and_the_public_address_is_announced() -> None:
    public = "https://gym.example/codegym"
    async with serving_process(
        "--public-url", f"{public}/", CODEGYM_MCP_GATEWAY_TOKEN="for-agents", CODEGYM_MCP_TOKEN="control"
    ) as server:
        bound = server.announced.pop("bound")
        assert server.announced == {"url": public, "gateway": f"{public}/mcp"}
        assert await gateway_status(bound, "for-agents") == 200


def test_the_gateways_token_is_not_the_control_planes() -> None:
    result = run("serve", *HTTP, CODEGYM_MCP_TOKEN="same", CODEGYM_MCP_GATEWAY_TOKEN="same")
    assert result.exit_code == 1
    assert "with which agents could read their verdicts" in result.stderr


def test_an_open_gateway_has_no_token() -> None:
    result = run("serve", *HTTP, "--open-gateway", CODEGYM_MCP_GATEWAY_TOKEN="for-agents")
    assert result.exit_code == 1
    assert "Leave one of them out." in result.stderr


async def test_a_server_can_refuse_to_reveal_verdicts() -> None:
    async with serving_process("--refuse-reveal") as server, server.control() as control:
        refused = await control.post("/episodes", json={"environment": "safe", "reveal": True})
        assert refused.status_code == 403
        assert "does not tell agents the verdict" in refused.json()["error"]["message"]
        assert (await control.post("/episodes", json={"environment": "safe"})).status_code == 201


async def test_a_unix_socket_is_announced_and_removed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "gym.sock"
    async with serving_process("--http", f"unix:{path}", CODEGYM_MCP_TOKEN="given") as server:
        gateway = "http://localhost/mcp"
        assert server.announced == {"url": "http://localhost", "gateway": gateway, "socket": str(path)}
        transport = httpx2.AsyncHTTPTransport(uds=str(path), verify=ssl_context())
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            headers = {"authorization": "Bearer given"}
            opened = await client.post("/episodes", json={"environment": "safe"}, headers=headers)
            assert opened.status_code == 201
        server.process.terminate()
        assert await ended(server) == 0
    assert not path.exists()


async def test_with_few_descriptors_the_server_still_answers() -> None:
    limited = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)); "
    limited += "os.execv(sys.argv[1], sys.argv[1:])"
    program = [sys.executable, "-c", limited]
    async with serving_process(program=program) as server:
        url = httpx2.URL(server.url)
        streams = []
        try:
            for _ in range(400):
                streams.append(await anyio.connect_tcp(url.host, url.port or 0))
            async with server.control() as control:
                assert (await control.get("/health")).status_code == 200
                assert (await control.post("/episodes", json={"environment": "safe"})).status_code == 201
        finally:
            for stream in streams:
                await anyio.aclose_forcefully(stream)
        server.process.terminate()
        assert await ended(server) == 0
        assert "Traceback" not in await server.said()


async def gateway_status(url: str, token: str = "none") -> int:
    """Returns the status with which the gateway answers a request for its tools."""
    headers = {"accept": "application/json, text/event-stream", "authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(base_url=url, headers=headers, verify=ssl_context()) as client:
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        return (await client.post("/mcp", json=body)).status_code


async def call(client: httpx2.AsyncClient, url: str, tool: str, **arguments: Any) -> httpx2.Response:
    """Calls a tool as a client of the handshake era would."""
    return await client.post(
        url,
        headers={"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25"},
        json={
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": tool, "arguments": arguments},
        },
    )


async def wait_for_call(control: httpx2.AsyncClient, episode: str) -> None:
    """Waits until a call of the episode is in progress."""
    with anyio.fail_after(30):
        while not (await control.get(f"/episodes/{episode}")).json()["calls"]:
            pass


async def refusing_connections(server: ServerProcess) -> None:
    """Waits until the server accepts no more connections."""
    url = httpx2.URL(server.url)
    with anyio.fail_after(30):
        while True:
            try:
                stream = await anyio.connect_tcp(url.host, url.port or 0)
            except OSError:
                return
            await stream.aclose()
