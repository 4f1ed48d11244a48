"""Episodes in a process beside this one."""

import os
import resource
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import anyio
import pytest

from codegym_harness.agents import policy_agents
from codegym_harness.episode_sources.episode_source import Assignment
from codegym_harness.episode_sources.episode_worker_client import WorkerEpisodes
from codegym_harness.episode_sources.episode_worker_service import EpisodeWorkerOptions
from codegym_harness.processes import worker_process
from codegym_harness.rollouts.rollout import roll_out
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.errors import CodegymError, ConnectionFailedError, RemoteError, RunHaltedError

BELL = Assignment(environment="counter", task="bell-2")
_HARNESS = """
import sys, anyio
from codegym_harness.episode_sources.episode_worker_service import EpisodeWorkerOptions
from codegym_harness.episode_sources.episode_worker_client import WorkerEpisodes

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


async def test_a_worker_reports_its_environments_and_their_problems(
    options, bells_file: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("class Environment: pass")
    options = options.model_copy(update={"paths": (bells_file, broken)})
    async with WorkerEpisodes.start(options) as episodes:
        assert [each.name for each in episodes.ready.environments] == ["counter"]
        assert [str(broken) in problem for problem in episodes.ready.problems] == [True]


async def test_an_episode_is_closed_when_its_block_is_left(episodes: EpisodeManager) -> None:
    # No second one may be open.
    for _ in range(2):
        async with episodes.open(BELL) as episode:
            await episode.episode.call("listen", {})
    with pytest.raises(CodegymError, match="no episode"):
        await episode.read_status()


async def test_a_refused_request_keeps_its_message(episodes: EpisodeManager) -> None:
    async with episodes.open(BELL):
        with pytest.raises(CodegymError, match="1 episodes are open"):
            async with episodes.open(BELL):
                pass


async def test_a_call_that_was_sent_is_executed_even_if_its_caller_is_cancelled(
    episodes: EpisodeManager,
) -> None:
    async with episodes.open(BELL) as episode:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await episode.episode.call("move", {"floors": 1})
        assert (await episode.read_status()).calls == 1


async def test_leaving_the_block_does_not_wait_for_a_worker_that_hangs(
    episodes: EpisodeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codegym_harness.episode_sources.episode_worker_client._CLOSE_SECONDS", 0.05)
    async with episodes.open(BELL) as episode:
        os.kill(episodes.process.pid, signal.SIGSTOP)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await episode.episode.call("listen", {})
        assert scope.cancelled_caught
    os.kill(episodes.process.pid, signal.SIGCONT)


async def test_an_episode_whose_opening_was_cancelled_is_closed(episodes: EpisodeManager) -> None:
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


async def test_a_refused_opening_is_recorded_with_its_kind_of_error(episodes: EpisodeManager) -> None:
    async with episodes.open(BELL):
        record = (await roll_out(policy_agents.observe(), episodes, BELL)).extra
    assert (record.outcome, record.error.fault, record.error.kind) == ("failed", "harness", "LimitError")


async def test_a_worker_raises_its_limit_of_open_files(options) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, hard - 1), hard))
    try:
        async with WorkerEpisodes.start(options) as episodes:
            assert resource.prlimit(episodes.process.pid, resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_calls_of_several_episodes_do_not_wait_for_each_other(options) -> None:
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


async def test_without_its_worker_episodes_fail_and_none_can_be_opened(episodes: EpisodeManager) -> None:
    async with episodes.open(BELL) as episode:
        os.kill(episodes.process.pid, signal.SIGKILL)
        with pytest.raises((ConnectionFailedError, RunHaltedError), match="has ended"):
            await episode.episode.call("listen", {})
    with pytest.raises(RunHaltedError, match="--resume"):
        async with episodes.open(BELL):
            pass


async def test_a_worker_that_cannot_serve_episodes_reports_the_error(options, tmp_path: Path) -> None:
    options = options.model_copy(update={"paths": (tmp_path / "nowhere.py",)})
    with pytest.raises(CodegymError, match="does not exist"):
        async with WorkerEpisodes.start(options):
            pass


async def test_a_worker_that_does_not_start_is_an_error(options, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ConnectionFailedError, match="did not start"):
        async with WorkerEpisodes.start(options):
            pass


async def test_a_worker_ends_with_its_block(options) -> None:
    async with WorkerEpisodes.start(options) as episodes, episodes.open(BELL):
        pid = episodes.process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_worker_ends_when_the_process_that_started_it_ends(options) -> None:
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


async def test_a_worker_is_started_where_descriptors_cannot_be_passed_on(
    options: EpisodeWorkerOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process, "PASSES_DESCRIPTORS", False)
    async with WorkerEpisodes.start(options) as episodes, episodes.open(BELL) as opened:
        pid = episodes.process.pid
        assert (await opened.episode.call("listen", {})).text
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
