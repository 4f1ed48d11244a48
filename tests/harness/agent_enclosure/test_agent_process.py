"""Programs that are run and leave no process behind, in every enclosure."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import anyio
import pytest

from codegym_harness.agent_enclosure.agent_process import AgentProcess
from codegym_harness.agent_enclosure.enclosure_options import Enclosure, Network
from codegym_harness.agent_enclosure.output_excerpt import OUTPUT_KEPT
from codegym_harness.agent_enclosure.program_dependencies import program_files, system_files
from codegym_harness.agent_enclosure.readable_paths import readable_paths
from codegym_harness.agent_enclosure.workspace import Workspace
from codegym_mcp.errors import CodegymError, RunHaltedError
from tests.harness.agent_enclosure.enclosures import allows
from tests.harness.leftovers import alive, running
from tests.waiting import until

AGENTS = Path(__file__).parents[2] / "fixtures" / "agents"
RunWith = Callable[..., AgentProcess]


@cache
def readable() -> list[Path]:
    """What the programs of these tests need."""
    words = [sys.executable, str(AGENTS / "daemons.py")]
    return readable_paths(system_files() | program_files(words, os.environ["PATH"]), ())


@pytest.fixture(params=list(Enclosure))
def enclosure(request: pytest.FixtureRequest) -> Enclosure:
    found: Enclosure = request.param
    if not allows(found):
        pytest.skip(f"this system has no {found}")
    return found


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    folders = [tmp_path / "workspaces" / name for name in ("own", "home", "tmp", "root")]
    for folder in folders:
        folder.mkdir(parents=True)
    return Workspace(*folders)


@pytest.fixture
def program(workspace: Workspace, enclosure: Enclosure) -> RunWith:
    """Creates a program from a command, in a folder of its own."""

    def create(*command: str | Path, **environ: str) -> AgentProcess:
        return AgentProcess(
            [str(word) for word in command],
            workspace=workspace,
            environ={"PATH": os.environ["PATH"], **environ},
            readable=readable(),
            enclosures=[enclosure],
        )

    return create


def shell(program: RunWith, script: str) -> AgentProcess:
    return program("/bin/sh", "-c", script)


async def test_what_a_program_writes_and_how_it_ends_is_known(program: RunWith, enclosure: Enclosure) -> None:
    run = shell(program, "pwd; echo wrong >&2; exit 3")
    await run.run()
    assert (run.exit_code, run.stderr) == (3, "wrong\n")
    assert run.stdout.endswith("/workspaces/own\n")
    assert run.enclosure is enclosure


async def test_a_program_that_a_signal_ends_has_its_number(program: RunWith) -> None:
    run = shell(program, "kill -TERM $$")
    await run.run()
    assert run.exit_code == -signal.SIGTERM


async def test_a_program_has_the_environment_that_it_is_given_and_no_input(program: RunWith) -> None:
    run = program("/usr/bin/env", KEY="mine")
    await run.run()
    assert sorted(run.stdout.split()) == ["KEY=mine", f"PATH={os.environ['PATH']}"]
    run = program("/bin/cat")
    with anyio.fail_after(60):
        await run.run()
    assert (run.exit_code, run.stdout) == (0, "")


async def test_a_program_ends_at_a_broken_pipe_as_it_would_in_a_shell(program: RunWith) -> None:
    run = shell(program, "yes | head -n 1")
    await run.run()
    assert (run.stdout, run.stderr) == ("y\n", "")


async def test_a_program_inherits_nothing_but_its_outputs(program: RunWith) -> None:
    run = shell(program, "ls /proc/$$/fd")
    await run.run()
    assert set(run.stdout.split()) <= {"0", "1", "2"}


async def test_of_a_long_output_the_beginning_and_the_end_are_kept(program: RunWith) -> None:
    run = program(sys.executable, "-c", "print('a' * 70_000 + 'ü' * 70_000 + 'end')")
    await run.run()
    assert len(run.stdout.encode()) < OUTPUT_KEPT + 100
    assert run.stdout.startswith("a" * (OUTPUT_KEPT // 2))
    assert run.stdout.endswith("üüend\n")
    assert "[… 144468 bytes left out …]" in run.stdout


async def test_outputs_that_are_no_text_are_shown_as_far_as_they_are(program: RunWith) -> None:
    run = shell(program, r"printf 'a\377b'")
    await run.run()
    assert run.stdout == "a\N{REPLACEMENT CHARACTER}b"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("/no/such/program",), "No such file"),
        ((AGENTS / "daemons.py",), "Permission denied"),
        (("/bin/echo", "a" * 200_000), "Argument list too long"),
    ],
)
async def test_a_program_that_cannot_be_started_halts_the_run(
    program: RunWith, command: tuple[str | Path, ...], words: str
) -> None:
    with pytest.raises(RunHaltedError, match=words):
        await program(*command).run()


async def test_a_supervisor_that_fails_is_not_the_programs_fault(
    program: RunWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/ls")
    with pytest.raises(CodegymError, match=r"The supervisor of the program failed\. .*ls:"):
        await program("/bin/true").run()


async def test_output_just_before_a_cancellation_is_read(program: RunWith, workspace: Workspace) -> None:
    ready, go, done = [workspace.directory / name for name in ("ready", "go", "done")]
    os.mkfifo(workspace.directory / "never")
    script = "touch ready; until [ -e go ]; do :; done; echo last words; touch done; read never <never"
    run = shell(program, script)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run.run)
        await until(ready.exists)
        # From here on until it is cancelled, nothing can be read.
        go.touch()
        while not done.exists():
            pass
        tasks.cancel_scope.cancel()
    assert run.stdout == "last words\n"


# --- nothing is left


async def up(run: AgentProcess) -> None:
    """Returns when the daemons have said that they live."""
    await until(lambda: "daemons are up" in run.stdout)


def daemons(program: RunWith, directory: Path, how: str) -> AgentProcess:
    return program(sys.executable, AGENTS / "daemons.py", "-", directory, how)


async def test_daemons_end_with_the_program_that_started_them(program: RunWith, workspace: Workspace) -> None:
    run = daemons(program, workspace.directory, "leave")
    await run.run()
    assert run.exit_code == 0
    assert len(list(workspace.directory.glob("*.lock"))) == 3
    assert alive(workspace.directory) == []
    assert running(str(workspace.directory)) == []


@pytest.mark.parametrize("how", ["stay", "fork"])
async def test_nothing_is_left_of_a_program_that_is_cancelled(
    program: RunWith, workspace: Workspace, how: str
) -> None:
    run = daemons(program, workspace.directory, how)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run.run)
        await up(run)
        assert len(alive(workspace.directory)) == 3
        tasks.cancel_scope.cancel()
    assert run.exit_code is None
    assert "daemons are up" in run.stdout
    assert alive(workspace.directory) == []
    assert running(str(workspace.directory)) == []


async def test_nothing_is_left_when_the_harness_is_killed(enclosure: Enclosure, workspace: Workspace) -> None:
    directory = workspace.directory
    command = [sys.executable, str(AGENTS / "daemons.py"), "-", str(directory), "stay"]
    script = f"""
import anyio
from pathlib import PosixPath
from codegym_harness.agent_enclosure.agent_process import AgentProcess
from codegym_harness.agent_enclosure.enclosure_options import Enclosure, Network
from codegym_harness.agent_enclosure.workspace import Workspace
run = AgentProcess({command!r}, workspace={workspace!r}, environ={{}}, readable={readable()!r},
                   enclosures=[Enclosure({enclosure.value!r})])
anyio.run(run.run)
"""
    async with await anyio.open_process(
        [sys.executable, "-c", script], env={"PYTHONPATH": os.pathsep.join(sys.path)}
    ) as harness:
        await until(lambda: len(alive(directory)) == 3)
        harness.kill()
        await harness.wait()
        await until(lambda: not alive(directory) and not running(str(directory)))


async def test_programs_of_others_stay(program: RunWith, workspace: Workspace) -> None:
    async with await anyio.open_process(["sleep", "1000"]) as bystander:
        await daemons(program, workspace.directory, "leave").run()
        assert bystander.returncode is None
        os.kill(bystander.pid, 0)
        bystander.kill()


async def test_an_orphan_of_the_program_is_reaped_while_it_runs(program: RunWith) -> None:
    script = "sh -c 'sleep 0 & echo $! >pid'; until ! kill -0 $(cat pid) 2>/dev/null; do :; done; echo reaped"
    run = shell(program, script)
    with anyio.fail_after(60):
        await run.run()
    assert run.stdout == "reaped\n"


async def test_a_system_without_any_of_the_enclosures_halts_the_run(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = AgentProcess(["/bin/true"], workspace=workspace, environ={}, readable=[Path("/etc")])
    workspace.scratch.rmdir()
    with pytest.raises(
        RunHaltedError, match=r"refuses to enclose .* \(namespaces: .*No such file.*allow-unenclosed"
    ):
        await run.run()
    assert run.enclosure is None


async def test_the_next_enclosure_is_used_if_the_first_is_refused(workspace: Workspace) -> None:
    workspace.scratch.rmdir()
    run = AgentProcess(
        ["/bin/true"], workspace=workspace, environ={}, readable=readable(), enclosures=list(Enclosure)
    )
    await run.run()
    assert run.exit_code == 0
    assert run.enclosure is (Enclosure.LANDLOCK if allows(Enclosure.LANDLOCK) else Enclosure.NONE)


# --- the network

CONNECT = "import socket, sys; print(socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20).recv(9).decode())"


@pytest.mark.parametrize(
    ("network", "reached"), [(Network.NONE, False), (Network.LOOPBACK, True), (Network.HOST, True)]
)
async def test_a_service_of_the_machine_is_reached_only_if_that_is_allowed(
    workspace: Workspace, enclosure: Enclosure, network: Network, reached: bool
) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"reached\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as service:
        port = service.sockets[0].getsockname()[1]
        run = AgentProcess(
            [sys.executable, "-c", CONNECT, str(port)],
            workspace=workspace,
            environ={},
            readable=readable(),
            network=network,
            enclosures=[enclosure],
        )
        await run.run()
    expected = reached or enclosure is Enclosure.NONE
    assert (run.stdout == "reached\n\n") is expected, run.stderr
    assert (run.exit_code == 0) is expected


DATAGRAM = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9)); print('sent')"


async def test_without_a_network_no_datagram_leaves(workspace: Workspace) -> None:
    """Landlock has no rules for datagrams, so that the filter for system calls refuses their sockets."""
    if not allows(Enclosure.LANDLOCK):
        pytest.skip("this system has no landlock")
    for network, sent in ((Network.HOST, "sent\n"), (Network.NONE, "")):
        run = AgentProcess(
            [sys.executable, "-c", DATAGRAM],
            workspace=workspace,
            environ={},
            readable=readable(),
            network=network,
            enclosures=[Enclosure.LANDLOCK],
        )
        await run.run()
        assert run.stdout == sent, run.stderr
