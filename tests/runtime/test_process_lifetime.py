"""What is left of episodes when their process ends, is interrupted, or forks."""

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COUNTER = ROOT / "tests" / "fixtures" / "counter.py"

BEGIN = f"""
import json, os, signal, sys, threading
from pathlib import Path
import codegym_mcp as gym

def descendants():
    parents = {{}}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, rest = stat.read_text().split(" (", 1)
        except OSError:
            continue
        fields = rest.rsplit(") ", 1)[1].split()
        parents[int(pid)] = int(fields[1]), fields[19]
    found, fresh = {{}}, {{os.getpid()}}
    while fresh:
        fresh = {{pid for pid, (parent, _) in parents.items() if parent in fresh}}
        found.update((pid, parents[pid][1]) for pid in fresh)
    return found

episodes = [gym.open_episode({str(COUNTER)!r}, difficulty=1, seed=seed) for seed in range(3)]
for episode in episodes:
    episode.call("listen")
print(json.dumps(descendants()), flush=True)
"""

ENDS = {
    "the end of the script": "",
    "SystemExit": "sys.exit(0)",
    "an uncaught error": "raise RuntimeError('on purpose')",
    "Ctrl-C": "os.kill(os.getpid(), signal.SIGINT); threading.Event().wait()",
    "Ctrl-C in a call": (
        "threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()\n"
        "while True: episodes[0].call('listen')"
    ),
    "SIGKILL": "os.kill(os.getpid(), signal.SIGKILL)",
    "os._exit": "os._exit(0)",
}


def still_running(processes: dict[str, str]) -> list[str]:
    """Returns those of the processes that exist, by their ids and start times."""
    found = []
    for pid, started in processes.items():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
        except OSError:
            continue
        if fields[19] == started and fields[0] != "Z":
            found.append(pid)
    return found


def wait_until_ended(processes: dict[str, str]) -> None:
    for pid, started in processes.items():
        try:
            descriptor = os.pidfd_open(int(pid))
        except ProcessLookupError:
            continue
        try:
            assert still_running({pid: started}) == [] or select.select([descriptor], [], [], 30)[0]
        finally:
            os.close(descriptor)


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_no_process_is_left_however_the_interpreter_ends(end: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + end], capture_output=True, text=True, check=False, timeout=120
    )
    processes: dict[str, str] = json.loads(done.stdout.splitlines()[0])
    assert len(processes) >= 4  # The zygote and a process for each episode.
    if end in (ENDS["SIGKILL"], ENDS["os._exit"]):
        wait_until_ended(processes)
    assert still_running(processes) == []
    if not end or "sys.exit" in end:
        assert done.stderr == ""
        assert done.returncode == 0


def test_looking_at_environments_starts_no_process() -> None:
    script = BEGIN.split("episodes = ", maxsplit=1)[0] + (
        "before = descendants()\n"
        "catalog = gym.load()\n"
        "tasks = [environment.tasks for environment in catalog.environments()]\n"
        "assert descendants() == before and threading.active_count() == 1\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


FORK = (
    BEGIN
    + f"""
from codegym_mcp.errors import ForkedError

def connections():
    links = (os.path.join("/proc/self/fd", fd) for fd in os.listdir("/proc/self/fd"))
    targets = (os.readlink(link) for link in links if os.path.lexists(link))
    return {{target for target in targets if target.startswith(("socket:", "anon_inode:[pidfd"))}}

held = connections()
pid = os.fork()
if pid == 0:
    try:
        try:
            episodes[0].call("listen")
        except ForkedError as error:
            refused = str(os.getppid()) in str(error) and str(os.getpid()) in str(error)
        for episode in episodes:
            episode.close()
        del episodes, episode
        left = sorted(held & connections())
        with gym.open_episode({str(COUNTER)!r}, difficulty=1, seed=9) as mine:
            answered = mine.call("listen").status == "ok"
        print(json.dumps(dict(refused=refused, left=left, answered=answered)), flush=True)
    finally:
        os._exit(0)
os.waitpid(pid, 0)
print(json.dumps([episode.call("listen").status for episode in episodes]), flush=True)
"""
)


def test_a_forked_child_goes_on_with_a_runtime_of_its_own_and_the_parent_never_notices() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    processes, child, parent = lines
    assert child == {"refused": True, "left": [], "answered": True}
    assert parent == ["ok", "ok", "ok"]
    assert still_running(processes) == []


def test_a_child_that_forks_at_once_and_ends_normally_leaves_the_parents_episodes_alone() -> None:
    script = BEGIN + (
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    sys.exit(0)\n"
        "os.waitpid(pid, 0)\n"
        "assert all(episode.call('listen').status == 'ok' for episode in episodes)\n"
    )
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script]
    subprocess.run(command, check=True, timeout=120, capture_output=True)


def test_sigterm_while_nothing_is_open_ends_the_process() -> None:
    script = (
        "import codegym_mcp as gym; gym.load(); print('ready', flush=True); import signal; signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == -signal.SIGTERM
