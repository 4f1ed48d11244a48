"""Programs that are run and leave nothing, with namespaces and without."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from codegym_harness.processes.agent_process import OUTPUT_KEPT, AgentProcess
from codegym_mcp.errors import CodegymError, RunHaltedError
from tests.harness.leftovers import alive, running

AGENTS = Path(__file__).parents[2] / "fixtures" / "agents"
RunWith = Callable[..., AgentProcess]


def namespaces_work() -> bool:
    probe = ["unshare", "--pid", "--mount", "--fork", "--mount-proc", "true"]
    if os.geteuid() != 0:
        probe[1:1] = ["--user", "--map-current-user"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


NAMESPACES = namespaces_work()


@pytest.fixture(
    params=[
        pytest.param(True, marks=pytest.mark.skipif(not NAMESPACES, reason="this system has no namespaces")),
        False,
    ],
    ids=["enclosed", "plain"],
)
def namespaces(request) -> bool:
    return bool(request.param)


@pytest.fixture
def program(tmp_path, namespaces):
    """Makes a program of a command, in a directory of its own."""
    directory = tmp_path / "workspaces" / "own"
    directory.mkdir(parents=True)

    def made(*command, hidden=(), **environ) -> AgentProcess:
        variables = {"PATH": os.environ["PATH"], **environ}
        words = [str(word) for word in command]
        return AgentProcess(
            words, directory=directory, environ=variables, hidden=hidden, namespaces=namespaces
        )

    return made


def shell(program: RunWith, script: str, **options) -> AgentProcess:
    return program("/bin/sh", "-c", script, **options)


async def test_what_a_program_writes_and_how_it_ends_is_known(program, namespaces):
    run = shell(program, "pwd; echo wrong >&2; exit 3")
    await run.run()
    assert (run.exit_code, run.stderr) == (3, "wrong\n")
    assert run.stdout.endswith("/workspaces/own\n")
    assert run.enclosed is namespaces


async def test_a_program_that_a_signal_ends_has_its_number(program):
    run = shell(program, "kill -TERM $$")
    await run.run()
    assert run.exit_code == -signal.SIGTERM


async def test_a_program_has_the_environment_that_it_is_given_and_no_input(program):
    run = program("/usr/bin/env", KEY="mine")
    await run.run()
    assert sorted(run.stdout.split()) == ["KEY=mine", f"PATH={os.environ['PATH']}"]
    run = program("/bin/cat")
    with anyio.fail_after(60):
        await run.run()
    assert (run.exit_code, run.stdout) == (0, "")


async def test_a_program_ends_at_a_broken_pipe_as_it_would_in_a_shell(program):
    run = shell(program, "yes | head -n 1")
    await run.run()
    assert (run.stdout, run.stderr) == ("y\n", "")


async def test_a_program_inherits_nothing_but_its_outputs(program):
    run = shell(program, "ls /proc/$$/fd")
    await run.run()
    assert set(run.stdout.split()) <= {"0", "1", "2"}


async def test_of_a_long_output_the_beginning_and_the_end_are_kept(program):
    run = program(sys.executable, "-c", "print('a' * 70_000 + 'ü' * 70_000 + 'end')")
    await run.run()
    assert len(run.stdout.encode()) < OUTPUT_KEPT + 100
    assert run.stdout.startswith("a" * (OUTPUT_KEPT // 2))
    assert run.stdout.endswith("üüend\n")
    assert "[… 144468 bytes left out …]" in run.stdout


async def test_outputs_that_are_no_text_are_shown_as_far_as_they_are(program):
    run = shell(program, r"printf 'a\377b'")
    await run.run()
    assert run.stdout == "a\N{REPLACEMENT CHARACTER}b"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("/no/such/program",), "No such file"),
        ((Path(__file__),), "Permission denied"),
        (("/bin/echo", "a" * 200_000), "Argument list too long"),
    ],
)
async def test_a_program_that_cannot_be_started_halts_the_run(program, command, words):
    with pytest.raises(RunHaltedError, match=words):
        await program(*command).run()


async def test_a_directory_that_is_not_there_halts_the_run(tmp_path):
    run = AgentProcess(["/bin/true"], directory=tmp_path / "none", environ={}, namespaces=False)
    with pytest.raises(RunHaltedError, match="No such file"):
        await run.run()


async def test_a_warden_that_fails_is_not_the_programs_fault(program, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/ls")
    with pytest.raises(CodegymError, match=r"The warden of the program failed\. .*ls:"):
        await program("/bin/true").run()


async def test_the_last_words_of_a_program_that_is_cancelled_are_read(program, tmp_path):
    files = ready, go, done = [tmp_path / name for name in ("ready", "go", "done")]
    script = "touch {}; until [ -e {} ]; do :; done; echo last words; touch {}; read never <{}"
    os.mkfifo(tmp_path / "never")
    run = shell(program, script.format(*files, tmp_path / "never"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run.run)
        with anyio.fail_after(60):
            while not ready.exists():
                await anyio.lowlevel.checkpoint()
        # From here on until it is cancelled, nothing can be read.
        go.touch()
        while not done.exists():
            pass
        tasks.cancel_scope.cancel()
    assert run.stdout == "last words\n"


# --- nothing is left


async def up(run: AgentProcess) -> None:
    """Returns when the daemons have said that they live."""
    with anyio.fail_after(60):
        while "daemons are up" not in run.stdout:
            await anyio.lowlevel.checkpoint()


def daemons(program: RunWith, directory: Path, how: str) -> AgentProcess:
    return program(sys.executable, AGENTS / "daemons.py", "-", directory, how)


async def test_daemons_end_with_the_program_that_started_them(program, tmp_path):
    run = daemons(program, tmp_path, "leave")
    await run.run()
    assert run.exit_code == 0
    assert len(list(tmp_path.glob("*.lock"))) == 3
    assert alive(tmp_path) == []
    assert running(str(tmp_path)) == []


@pytest.mark.parametrize("how", ["stay", "fork"])
async def test_nothing_is_left_of_a_program_that_is_cancelled(program, tmp_path, how):
    run = daemons(program, tmp_path, how)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run.run)
        await up(run)
        assert len(alive(tmp_path)) == 3
        tasks.cancel_scope.cancel()
    assert run.exit_code is None
    assert "daemons are up" in run.stdout
    assert alive(tmp_path) == []
    assert running(str(tmp_path)) == []


async def test_nothing_is_left_when_the_harness_is_killed(namespaces, tmp_path):
    directory = tmp_path / "own"
    directory.mkdir()
    command = [sys.executable, str(AGENTS / "daemons.py"), "-", str(tmp_path), "stay"]
    script = (
        "import anyio, pathlib; from codegym_harness.processes.agent_process import AgentProcess\n"
        f"run = AgentProcess({command!r}, directory=pathlib.Path({str(directory)!r}), environ={{}}, "
        f"namespaces={namespaces})\n"
        "anyio.run(run.run)\n"
    )
    async with await anyio.open_process([sys.executable, "-c", script]) as harness:
        with anyio.fail_after(60):
            while len(alive(tmp_path)) < 3:
                await anyio.lowlevel.checkpoint()
        harness.kill()
        await harness.wait()
        with anyio.fail_after(60):
            while alive(tmp_path) or running(str(tmp_path)):
                await anyio.lowlevel.checkpoint()


async def test_programs_of_others_stay(program, tmp_path):
    async with await anyio.open_process(["sleep", "1000"]) as bystander:
        await daemons(program, tmp_path, "leave").run()
        assert bystander.returncode is None
        os.kill(bystander.pid, 0)
        bystander.kill()


async def test_an_orphan_of_the_program_is_reaped_while_it_runs(program):
    script = "sh -c 'sleep 0 & echo $! >pid'; until ! kill -0 $(cat pid) 2>/dev/null; do :; done; echo reaped"
    run = shell(program, script)
    with anyio.fail_after(60):
        await run.run()
    assert run.stdout == "reaped\n"


# --- what a program sees


async def test_a_program_sees_no_other_processes(program, namespaces):
    run = shell(program, f"ls -d /proc/{os.getpid()}; ls -d /proc/1/exe >/dev/null; kill -0 {os.getpid()}")
    await run.run()
    assert (run.exit_code != 0) is namespaces
    assert (str(os.getpid()) in run.stdout) is not namespaces


async def test_hidden_files_and_directories_are_empty(program, namespaces, tmp_path):
    secret = tmp_path / "answers"
    secret.mkdir()
    (secret / "answer").write_text("42")
    (tmp_path / "answer").write_text("42")
    run = shell(program, f"cat {secret}/answer {tmp_path}/answer", hidden=[secret, tmp_path / "answer"])
    await run.run()
    assert run.stdout == ("" if namespaces else "4242")
    assert (secret / "answer").read_text() == "42"


async def test_a_directory_within_a_hidden_one_is_the_only_thing_there(program, namespaces, tmp_path):
    if not namespaces:
        pytest.skip("hides nothing")
    workspaces = tmp_path / "workspaces"
    (workspaces / "another").mkdir()
    run = shell(program, f"echo here >file; ls {workspaces}", hidden=[workspaces])
    await run.run()
    assert run.stdout == "own\n"
    assert (workspaces / "own" / "file").read_text() == "here\n"


async def test_what_is_hidden_cannot_be_uncovered(program, namespaces, tmp_path):
    if not namespaces:
        pytest.skip("hides nothing")
    secret = tmp_path / "answers"
    secret.mkdir()
    (secret / "answer").write_text("42")
    look = f"umount {secret}; ls {secret}; cat /proc/1/root{secret}/answer"
    script = f"{look}; unshare --user --map-root-user --mount sh -c '{look}'; nsenter -t 1 -m sh -c '{look}'"
    run = shell(program, script, hidden=[secret])
    await run.run()
    assert run.stdout == ""


async def test_the_harness_cannot_be_read_by_the_program(program):
    run = shell(
        program, f"for file in environ mem maps; do head -c 1 /proc/{os.getpid()}/$file && echo read; done"
    )
    await run.run()
    assert run.stdout == ""
