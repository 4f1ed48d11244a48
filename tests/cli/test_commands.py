"""The commands `list`, `show` and `serve`: what they print, and how they end."""

import json
import re
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import anyio
import click
import httpx2
import pytest
from click.testing import CliRunner, Result

from codegym_mcp import __version__
from codegym_mcp.bundled_environments import bundled_path
from codegym_mcp.cli import main
from tests.server.serving import (
    ENVIRONMENTS,
    SAFE,
    WORDS,
    ServerProcess,
    journal_events,
    serve_command,
    serving_process,
)

BUNDLED = 12


def run(*arguments: str, **variables: str) -> Result:
    return CliRunner().invoke(main, arguments, env=variables)


def commands(group: click.Group = main, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command there is, by the words that call it."""
    found = []
    for name, command in group.commands.items():
        found.append((*path, name))
        if isinstance(command, click.Group):
            found += commands(command, (*path, name))
    return found


# --- help


@pytest.mark.parametrize("command", [(), *commands()], ids=" ".join)
def test_the_help_of_every_command_has_an_example(command: tuple[str, ...]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    name = " ".join(("codegym-mcp", *command))
    assert re.search(rf"Examples?:\n +{name}", result.stdout), result.stdout
    assert run(*command, "-h").stdout == result.stdout


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_option_of_every_command_is_explained(command: tuple[str, ...]) -> None:
    found: Any = main
    for name in command:
        found = found.commands[name]
    options = [parameter for parameter in found.params if isinstance(parameter, click.Option)]
    assert [option.name for option in options if not option.help] == []


def test_the_version_is_told() -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert __version__ in result.stdout


# --- list


def test_list_shows_the_bundled_environments() -> None:
    result = run("list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["name", "title", "tags", "tools", "tasks", "grade"]
    assert len(lines) == BUNDLED + 1
    assert all(re.search(r"8 \+ generated  A *$", line) for line in lines[1:])


def test_list_as_json_is_one_document() -> None:
    result = run("list", "--json", "--environments", str(SAFE))
    assert result.exit_code == 0
    (safe,) = json.loads(result.stdout)
    assert (safe["name"], safe["tasks"], safe["generates"]) == ("safe", ["blue", "red"], True)
    assert safe["grade"] is None
    assert "turn" in safe["tools"]


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_list_tells_what_is_broken_and_lists_the_rest(form: tuple[str, ...]) -> None:
    result = run("list", "--environments", str(ENVIRONMENTS), *form)
    assert result.exit_code == 1
    assert "safe" in result.stdout
    assert "broken" not in result.stdout
    assert re.search(r"Broken: .*broken\.py:10: the tool peek has no docstring\. Tell", result.stderr)
    if form:
        assert [environment["name"] for environment in json.loads(result.stdout)] == ["fragile", "safe"]


def test_list_of_nothing_is_an_error(tmp_path: Path) -> None:
    for path, told in ((tmp_path, "holds no environment"), (tmp_path / "absent", "does not exist")):
        result = run("list", "--environments", str(path))
        assert result.exit_code == 1
        assert result.stdout == ""
        assert result.stderr.startswith("Error: ")
        assert told in result.stderr


# --- show


def test_show_prints_the_task_the_tools_and_their_schemas() -> None:
    result = run("show", "safe", "--environments", str(SAFE))
    assert result.exit_code == 0
    assert "Safe  (safe; fixture)" in result.stdout
    assert "its dial at {start}" in result.stdout
    assert "turn(clicks)\n    Turn the dial and return where it stands." in result.stdout
    assert '"additionalProperties": false' in result.stdout
    assert "submit_answer(answer)" in result.stdout
    assert re.search(r"^blue +- +-", result.stdout, re.MULTILINE)


def test_show_takes_the_path_of_a_file() -> None:
    result = run("show", str(SAFE), "--json")
    assert result.exit_code == 0
    shown = json.loads(result.stdout)
    assert shown["name"] == "safe"
    assert [tool["name"] for tool in shown["tools"]][-1] == "submit_answer"
    assert shown["tools"][1]["output_schema"]["properties"].keys() == {"dial", "turns"}
    assert [task["id"] for task in shown["tasks"]] == ["blue", "red"]
    assert shown["task"].startswith("A safe stands before you")


def test_show_tells_what_the_audit_found_and_nothing_that_it_saw() -> None:
    kept = json.loads((bundled_path() / "parcel_hunt.audit.json").read_bytes())
    shown = json.loads(run("show", "parcel_hunt", "--json").stdout)
    assert shown["grade"] == shown["audit"]["grade"] == "A"
    assert shown["audit"]["figures"]["oracle_calls"] == kept["figures"]["oracle_calls"]
    for form in ((), ("--json",)):
        assert kept["figures"]["answers"]["commonest"] not in run("show", "parcel_hunt", *form).stdout
    assert "Grade A\n    23.5 calls of the oracle for the median task" in run("show", "parcel_hunt").stdout
    assert "No current audit" in run("show", str(SAFE)).stdout


def test_the_grade_of_what_has_changed_since_its_audit_is_not_told(tmp_path: Path) -> None:
    for suffix in (".py", ".jsonl", ".audit.json"):
        name = f"parcel_hunt{suffix}"
        (tmp_path / name).write_bytes((bundled_path() / name).read_bytes())
    assert re.search(r" A *$", run("list", "--environments", str(tmp_path)).stdout)
    with (tmp_path / "parcel_hunt.py").open("a") as source:
        source.write("\n# changed\n")
    assert re.search(r" - *$", run("list", "--environments", str(tmp_path)).stdout)
    assert "No current audit" in run("show", str(tmp_path / "parcel_hunt.py")).stdout


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_show_tells_nothing_that_is_hidden(form: tuple[str, ...]) -> None:
    result = run("show", str(SAFE), *form)
    assert not [word for word in WORDS.values() if word in result.output]


def test_show_of_an_unknown_environment_suggests_another() -> None:
    result = run("show", "night_curier")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == (
        "Error: There is no environment named 'night_curier'. Did you mean night_courier?\n"
    )


def test_show_of_a_broken_environment_says_where_and_how_to_mend_it() -> None:
    result = run("show", str(ENVIRONMENTS / "broken.py"))
    assert result.exit_code == 1
    assert "broken.py:10: the tool peek has no docstring. Tell the agent what it does." in result.stderr


# --- wrong use


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("serve",), "Name an environment to serve over stdio, or --http HOST:PORT."),
        (("serve", "safe", "--http", "127.0.0.1:0"), "Name an environment"),
        (("serve", "--http", "8000"), "'8000' is no address; use HOST:PORT"),
        (("serve", "--http", "127.0.0.1:"), "is no address"),
        (("serve", "--http", ":8000"), "is no address"),
        (("serve", "--http", "127.0.0.1:65536"), "is no address"),
        (("serve", "--http", "127.0.0.1:http"), "is no address"),
        (("serve", "--http", "127.0.0.1:0", "--task", "blue"), "--task is for stdio only."),
        (("serve", "--http", "127.0.0.1:0", "--seed", "0"), "--seed is for stdio only."),
        (("serve", "safe", "--no-gateway"), "--no-gateway is for HTTP only."),
        (("serve", "safe", "--max-episodes", "1000"), "--max-episodes is for HTTP only."),
        (("serve", "safe", "--json"), "--json is for HTTP only."),
        (("serve", "safe", "--difficulty", "6"), "6 is not in the range 1<=x<=5"),
        (("serve", "safe", "--calls", "0"), "0 is not in the range"),
        (("serve", "safe", "--colour"), "No such option"),
        (("show",), "Missing argument 'ENVIRONMENT|RUN'"),
        (("lst",), "No such command 'lst'"),
    ],
)
def test_wrong_use_is_told_with_exit_code_2(arguments: tuple[str, ...], told: str) -> None:
    result = run(*arguments)
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
def test_what_cannot_be_served_is_told_with_exit_code_1(arguments: tuple[str, ...], told: str) -> None:
    result = run("serve", "--environments", str(ENVIRONMENTS), *arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_a_port_in_use_is_told_with_exit_code_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        result = run("serve", "--http", address)
    assert result.exit_code == 1
    assert f"Error: {address} cannot be bound:" in result.stderr
    assert "Choose another port; port 0 picks a free one." in result.stderr


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"])
def test_others_may_reach_the_server_only_if_a_token_was_given(address: str) -> None:
    for given in ("", " "):
        result = run("serve", "--http", address, CODEGYM_MCP_TOKEN=given)
        assert result.exit_code == 1
        assert "lets others reach the server. Set a token in CODEGYM_MCP_TOKEN first." in result.stderr


@pytest.mark.parametrize("token", ["two words", "schlüssel", "line\nbreak"])
def test_a_token_that_no_header_can_carry_is_refused_and_not_repeated(token: str) -> None:
    result = run("serve", "--http", "127.0.0.1:0", CODEGYM_MCP_TOKEN=token)
    assert result.exit_code == 1
    assert "CODEGYM_MCP_TOKEN cannot be sent in a header." in result.stderr
    assert token not in result.stderr


def test_a_data_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
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
        async with httpx2.AsyncClient(base_url=server.url, headers=headers) as control:
            assert (await control.get("/environments")).status_code == 200
            assert (await control.post("/mcp", json={})).status_code == 404
        server.process.terminate()
        assert await ended(server) == 0
        assert await server.said() == ""


async def test_without_json_the_address_is_told_in_words() -> None:
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
            await under_way(control, opened["id"])
            server.process.send_signal(how)
        assert responses[0].json()["result"]["structuredContent"] == {"result": 1}
        assert await ended(server) == 0
        assert await server.said() == ""
        assert server.processes() == set()


async def test_a_second_signal_undoes_open_calls(tmp_path: Path) -> None:
    async with serving_process("--data", str(tmp_path)) as server, server.control() as control:
        asked = {"environment": "safe", "limits": {"call_seconds": 600}}
        opened = (await control.post("/episodes", json=asked)).json()

        async def polish_for_ever() -> None:
            response = await call(control, opened["mcp_url"], "polish", strokes=10**12)
            assert "Connection closed" in response.text

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(polish_for_ever)
            await under_way(control, opened["id"])
            server.process.terminate()
            await refusing_connections(server)
            server.process.terminate()
            assert await ended(server) == 0
        assert server.processes() == set()
        assert await server.said() == ""
    # The call was never made, and the episode can go on.
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


async def test_an_episode_goes_on_when_the_process_was_killed(tmp_path: Path) -> None:
    async with serving_process("--data", str(tmp_path), CODEGYM_MCP_TOKEN="given") as server:
        headers = {"authorization": "Bearer given"}
        async with httpx2.AsyncClient(base_url=server.url, headers=headers) as control:
            opened = (await control.post("/episodes", json={"environment": "safe"})).json()
            await call(control, opened["mcp_url"], "turn", clicks=5)
        server.process.kill()
        with anyio.fail_after(30):
            while server.processes():
                await anyio.lowlevel.checkpoint()
    async with (
        serving_process("--data", str(tmp_path), CODEGYM_MCP_TOKEN="given") as server,
        httpx2.AsyncClient(base_url=server.url, headers=headers) as control,
    ):
        path = httpx2.URL(opened["mcp_url"]).path
        response = await call(control, f"{server.url}{path}", "turn", clicks=1)
        assert '"structuredContent":{"result":6}' in response.text
        assert (await control.get(f"/episodes/{opened['id']}")).json()["calls"] == 2


def test_python_m_is_the_command() -> None:
    command = [*serve_command()[:3], "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert __version__ in done.stdout


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


async def under_way(control: httpx2.AsyncClient, episode: str) -> None:
    """Returns when the episode has taken a call up."""
    with anyio.fail_after(30):
        while not (await control.get(f"/episodes/{episode}")).json()["calls"]:
            pass


async def refusing_connections(server: ServerProcess) -> None:
    """Returns when the server takes no more connections."""
    url = httpx2.URL(server.url)
    with anyio.fail_after(30):
        while True:
            try:
                stream = await anyio.connect_tcp(url.host, url.port or 0)
            except OSError:
                return
            await stream.aclose()
