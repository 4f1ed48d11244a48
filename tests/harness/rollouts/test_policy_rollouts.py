"""Built-in agents play whole episodes in worker processes."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import anyio
import pytest

from codegym_harness.episode_sources.episode_source import Assignment
from codegym_harness.rollouts.policy_rollouts import PolicyRollouts, usable_processors, worker_count
from codegym_harness.rollouts.policy_worker_service import PolicyWorkerOptions
from codegym_harness.runs.run_config import RunConfig
from codegym_harness.runs.run_directory_reader import read_trajectories
from codegym_harness.runs.run_execution import run_evaluation
from codegym_harness.runs.run_index import read_summary
from codegym_harness.runs.run_observer import Observer
from codegym_harness.runs.task_selection import Selection
from codegym_mcp.episode_limits import Limits
from codegym_mcp.errors import CodegymError, RunError, RunHaltedError

BELLS = [Assignment(environment="counter", task=f"bell-{bell}") for bell in (1, 2, 4)]


@pytest.fixture
def options(bells_file: Path) -> PolicyWorkerOptions:
    return PolicyWorkerOptions(
        paths=(bells_file,),
        open_limit=20,
        allow_unconfined=False,
        agent="oracle",
        limits=Limits(calls=50),
        seconds=60,
        seed=0,
        count_oracle_calls=True,
    )


async def test_a_worker_plays_episodes_and_returns_their_trajectories(options: PolicyWorkerOptions) -> None:
    async with PolicyRollouts.start(options) as rollouts:
        assert [each.name for each in rollouts.ready.environments] == ["counter"]
        assert (rollouts.agent.name, rollouts.agent.model_name) == ("oracle", None)
        played = [await rollouts.play(bell) for bell in BELLS]
    assert [(each.extra.key, each.extra.outcome, each.extra.calls) for each in played] == [
        ("counter/bell-1/1", "correct", 3),
        ("counter/bell-2/1", "correct", 5),
        ("counter/bell-4/1", "correct", 9),
    ]
    assert {each.extra.max_calls for each in played} == {50}
    assert {each.extra.transport for each in played} == {"direct"}
    assert all(each.agent.tool_definitions for each in played)


async def test_the_calls_of_the_oracle_are_counted_for_generated_tasks_of_other_agents(
    options: PolicyWorkerOptions,
) -> None:
    made = Assignment(environment="counter", difficulty=1, seed=3)
    for counts in (True, False):
        update = {"agent": "observe", "count_oracle_calls": counts}
        async with PolicyRollouts.start(options.model_copy(update=update)) as rollouts:
            record = (await rollouts.play(made)).extra
        assert (record.oracle_calls is not None) == counts


async def test_further_workers_share_the_episodes(
    options: PolicyWorkerOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codegym_harness.rollouts.policy_rollouts.usable_processors", lambda: 3)
    # One episode may be open in each worker at a time.
    async with PolicyRollouts.start(options.model_copy(update={"open_limit": 1})) as rollouts:
        await rollouts.extend(1000, 3)
        played = []

        async def play(assignment: Assignment) -> None:
            played.append(await rollouts.play(assignment))

        async with anyio.create_task_group() as tasks:
            for bell in BELLS:
                tasks.start_soon(play, bell)
    assert [each.extra.outcome for each in played] == ["correct"] * 3


@pytest.mark.parametrize(
    ("episodes", "concurrency", "processors", "workers"),
    [(0, 8, 4, 1), (24, 8, 4, 1), (60, 8, 4, 2), (1000, 8, 4, 4), (1000, 2, 4, 2), (1000, 8, 1, 1)],
)
def test_workers_are_as_many_as_are_of_use(
    episodes: int, concurrency: int, processors: int, workers: int
) -> None:
    assert worker_count(episodes, concurrency, processors) == workers


def test_only_processors_that_may_be_used_are_counted() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert usable_processors() == 1
    finally:
        os.sched_setaffinity(0, allowed)


async def test_an_episode_that_is_lost_with_its_worker_is_not_recorded(options: PolicyWorkerOptions) -> None:
    async with PolicyRollouts.start(options) as rollouts, anyio.create_task_group() as tasks:

        async def play() -> None:
            with pytest.raises(RunHaltedError, match=r"has ended\..*--resume"):
                await rollouts.play(BELLS[0])

        (worker,) = workers()
        os.kill(worker, signal.SIGSTOP)
        tasks.start_soon(play)
        await anyio.wait_all_tasks_blocked()
        os.kill(worker, signal.SIGKILL)
        # Nothing can be played afterwards, either.
        await play()


async def test_a_worker_that_cannot_read_environments_reports_the_error(
    options: PolicyWorkerOptions, tmp_path: Path
) -> None:
    options = options.model_copy(update={"paths": (tmp_path / "nowhere.py",)})
    with pytest.raises(CodegymError, match="does not exist"):
        async with PolicyRollouts.start(options):
            pass


# --- whole runs


@pytest.fixture
def config(fixtures: Path, monkeypatch: pytest.MonkeyPatch) -> RunConfig:
    """A run of 60 episodes, which two workers play."""
    monkeypatch.setattr("codegym_harness.rollouts.policy_rollouts.usable_processors", lambda: 2)
    return RunConfig(
        agent="oracle",
        paths=(fixtures / "counter.py",),
        selection=Selection(difficulties=(1,), tasks=60),
        concurrency=4,
    )


async def test_several_workers_play_each_episode_of_a_run_once(config: RunConfig, tmp_path: Path) -> None:
    seen: set[int] = set()

    class Look(Observer):
        def episode_ends(self, trajectory, result):
            seen.update(workers())

    summary = await run_evaluation(config, out=tmp_path / "run", observer=Look())
    assert (summary.episodes, summary.reward) == (60, 1.0)
    keys = [each.extra.key for each in read_trajectories(tmp_path / "run")]
    assert sorted(keys) == sorted(f"counter/d1-s{seed}/1" for seed in range(60))
    assert len(seen) == 2
    assert workers() == set()


async def test_a_run_whose_worker_is_killed_is_halted_and_can_be_resumed(
    config: RunConfig, tmp_path: Path
) -> None:
    path = tmp_path / "run"

    class Kill(Observer):
        def episode_ends(self, trajectory, result):
            with suppress(ProcessLookupError):
                os.kill(min(workers()), signal.SIGKILL)

    with pytest.raises(RunHaltedError, match=r"has ended\..*--resume"):
        await run_evaluation(config, out=path, observer=Kill())
    halted = read_summary(path)
    assert halted.verdicts["failed"] == 0
    assert 0 < halted.episodes < 60
    assert workers() == set()
    summary = await run_evaluation(config, resume=path)
    assert (summary.episodes, summary.missing, summary.reward) == (60, 0, 1.0)
    assert len({each.extra.key for each in read_trajectories(path)}) == 60


async def test_a_run_on_a_full_disk_ends_and_can_be_resumed(config: RunConfig, tmp_path: Path) -> None:
    path = tmp_path / "run"
    with files_of_at_most(20_000), pytest.raises(RunError, match=r"cannot be written: .*too large"):
        await run_evaluation(config, out=path)
    assert workers() == set()
    recorded = [each.extra.key for each in read_trajectories(path)]
    assert 0 < len(recorded) < 60
    assert (path / "trajectories.jsonl").read_bytes().endswith(b"\n")
    summary = await run_evaluation(config, resume=path)
    assert (summary.episodes, summary.missing, summary.reward) == (60, 0, 1.0)
    assert [each.extra.key for each in read_trajectories(path)][: len(recorded)] == recorded


async def test_a_cancelled_run_ends_its_workers_and_keeps_what_is_recorded(
    config: RunConfig, tmp_path: Path
) -> None:
    class Cancel(Observer):
        def episode_ends(self, trajectory, result):
            scope.cancel()

    with anyio.CancelScope() as scope:
        await run_evaluation(config, out=tmp_path / "run", observer=Cancel())
    assert workers() == set()
    summary = read_summary(tmp_path / "run")
    assert summary.episodes + summary.missing == 60
    assert summary.episodes == len(list(read_trajectories(tmp_path / "run"))) > 0


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Lets no file grow beyond a size in bytes, as on a disk without space."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def workers() -> set[int]:
    """The workers that this process has started."""
    found = set()
    for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        with suppress(OSError):
            if b"policy_worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.add(int(pid))
    return found


def test_neither_a_worker_nor_a_run_without_mcp_imports_the_mcp_client() -> None:
    code = """
import sys
import codegym_harness.rollouts.policy_worker_service, codegym_harness.episode_sources.episode_worker_service
import codegym_harness.runs.run_execution, codegym_harness.runs.evaluate
assert "mcp" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
