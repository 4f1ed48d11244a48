"""Episodes in a process beside this one."""

import os
import resource
import select
import signal
import subprocess
import sys
from contextlib import suppress

import anyio
import pytest

from codegym_harness.agents import policy_agents
from codegym_harness.episode_sources.episode_worker import EpisodeWorkerOptions
from codegym_harness.episode_sources.sources import Assignment
from codegym_harness.episode_sources.worker_episodes import WorkerEpisodes
from codegym_harness.runs.rollout import roll_out
from codegym_mcp.errors import CodegymError, ConnectionFailedError, RemoteError, RunHaltedError

BELL = Assignment(environment="counter", task="bell-2")
_HARNESS = """
import sys, anyio
from codegym_harness.episode_sources.episode_worker import EpisodeWorkerOptions
from codegym_harness.episode_sources.worker_episodes import WorkerEpisodes

async def main():
    async with WorkerEpisodes.start(EpisodeWorkerOptions.model_validate_json(sys.argv[1])) as episodes:
        print(episodes.process.pid, flush=True)
        await anyio.sleep_forever()

anyio.run(main)
"""


@pytest.fixture
def options(bells_file):
    return EpisodeWorkerOptions(paths=(bells_file,), open_limit=1, allow_unconfined=False)


@pytest.fixture
async def episodes(options):
    async with WorkerEpisodes.start(options) as started:
        yield started


async def test_what_can_be_played_is_told_and_what_cannot(options, bells_file, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("class Environment: pass")
    options = options.model_copy(update={"paths": (bells_file, broken)})
    async with WorkerEpisodes.start(options) as episodes:
        assert [each.name for each in episodes.ready.environments] == ["counter"]
        assert [str(broken) in problem for problem in episodes.ready.problems] == [True]


async def test_an_episode_that_is_left_is_closed(episodes):
    # No second one may be open.
    for _ in range(2):
        async with episodes.open(BELL) as episode:
            await episode.episode.call("listen", {})
    with pytest.raises(CodegymError, match="no episode"):
        await episode.read_status()


async def test_a_refusal_comes_with_its_words(episodes):
    async with episodes.open(BELL):
        with pytest.raises(CodegymError, match="1 episodes are open"):
            async with episodes.open(BELL):
                pass


async def test_a_call_is_made_to_its_end_also_when_its_caller_is_cancelled(episodes):
    async with episodes.open(BELL) as episode:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await episode.episode.call("move", {"floors": 1})
        assert (await episode.read_status()).calls == 1


async def test_a_host_that_hangs_keeps_nobody_who_wants_to_leave(episodes, monkeypatch):
    monkeypatch.setattr("codegym_harness.episode_sources.worker_episodes._CLOSE_SECONDS", 0.05)
    async with episodes.open(BELL) as episode:
        os.kill(episodes.process.pid, signal.SIGSTOP)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await episode.episode.call("listen", {})
        assert scope.cancelled_caught
    os.kill(episodes.process.pid, signal.SIGCONT)


async def test_an_episode_that_is_opened_for_nobody_is_closed(episodes):
    with anyio.CancelScope() as scope:
        scope.cancel()
        async with episodes.open(BELL):
            pass
    # No second one may be open: this one is opened once the first is closed.
    with anyio.fail_after(30):
        while True:
            with suppress(RemoteError):
                async with episodes.open(BELL):
                    return


async def test_a_refusal_is_recorded_as_what_it_is(episodes):
    async with episodes.open(BELL):
        record = (await roll_out(policy_agents.observe(), episodes, BELL)).extra
    assert (record.outcome, record.error.fault, record.error.kind) == ("failed", "harness", "LimitError")


async def test_a_host_may_open_as_many_files_as_the_system_allows(options):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, hard - 1), hard))
    try:
        async with WorkerEpisodes.start(options) as episodes:
            assert resource.prlimit(episodes.process.pid, resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_calls_of_several_episodes_do_not_wait_for_each_other(options):
    options = options.model_copy(update={"open_limit": 20})
    async with WorkerEpisodes.start(options) as episodes:

        async def climb(floors):
            async with episodes.open(BELL) as episode:
                for floor in range(1, floors + 1):
                    moved = await episode.episode.call("move", {"floors": 1})
                    assert moved.structured == {"result": floor}
                await episode.episode.submit(2)
                assert (await episode.read_status()).calls == floors

        async with anyio.create_task_group() as tasks:
            for floors in range(1, 11):
                tasks.start_soon(climb, floors)


async def test_without_its_host_no_episode_goes_on_and_none_begins(episodes):
    async with episodes.open(BELL) as episode:
        os.kill(episodes.process.pid, signal.SIGKILL)
        with pytest.raises((ConnectionFailedError, RunHaltedError), match="has ended"):
            await episode.episode.call("listen", {})
    with pytest.raises(RunHaltedError, match="--resume"):
        async with episodes.open(BELL):
            pass


async def test_a_host_that_cannot_hold_anything_says_why(options, tmp_path):
    options = options.model_copy(update={"paths": (tmp_path / "nowhere.py",)})
    with pytest.raises(CodegymError, match="does not exist"):
        async with WorkerEpisodes.start(options):
            pass


async def test_a_host_that_does_not_start_is_told(options, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ConnectionFailedError, match="did not start"):
        async with WorkerEpisodes.start(options):
            pass


async def test_a_host_ends_with_its_block(options):
    async with WorkerEpisodes.start(options) as episodes, episodes.open(BELL):
        pid = episodes.process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_host_ends_with_whoever_started_it(options):
    command = [sys.executable, "-c", _HARNESS, options.model_dump_json()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as harness:
        assert harness.stdout is not None
        host = os.pidfd_open(int(harness.stdout.readline()))
        harness.kill()
    try:
        assert select.select([host], [], [], 30)[0]
    finally:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(host, signal.SIGKILL)
        os.close(host)
