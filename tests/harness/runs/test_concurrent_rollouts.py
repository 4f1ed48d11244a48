import json
from pathlib import Path

import anyio
import pytest
from pydantic import BaseModel

from codegym_harness.agents import policy_agents
from codegym_harness.agents.function_agent import FunctionAgent
from codegym_harness.clients.control_client import ControlClient
from codegym_harness.episode_sources.episode_source import Assignment
from codegym_harness.episode_sources.in_process_episodes import InProcessEpisodes
from codegym_harness.episode_sources.mcp_episodes import ServedEpisodes
from codegym_harness.processes.server_process import ServerProcess
from codegym_harness.records.trajectory import Trajectory
from codegym_harness.rollouts.agent_rollouts import AgentRollouts
from codegym_harness.runs.concurrent_rollouts import play_assignments
from codegym_harness.runs.run_directory_reader import read_trajectories
from codegym_harness.runs.run_directory_writer import RunDirectory
from codegym_harness.runs.run_index import read_summary
from codegym_harness.runs.run_observer import Observer
from codegym_harness.runs.task_selection import Selection
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.errors import ConnectionFailedError, RunHaltedError
from codegym_mcp.sandbox.process.pool import SandboxPool


class Configuration(BaseModel):
    agent: str = "someone"


BELLS = [Assignment(environment="counter", task=f"bell-{bell}") for bell in (1, 2, 4)]


async def test_an_evaluation_over_http_leaves_every_trajectory_and_a_summary(
    server: ServerProcess, pool: SandboxPool, catalog: Catalog, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    async with ControlClient.connect(server.url, server.token) as control:
        assignments = Selection(epochs=2).assignments(await control.environments())
        with RunDirectory.create(path, Configuration()) as directory:
            oracle = policy_agents.oracle(pool, catalog)
            summary = await play_assignments(
                AgentRollouts(oracle, ServedEpisodes(control)), assignments, directory, concurrency=3
            )
    assert summary.episodes == 6
    assert summary.reward == 1.0
    assert summary.verdicts == {"correct": 6, "incorrect": 0, "no_submission": 0, "failed": 0}
    assert summary.environments["counter"].calls_median == 5.0
    assert summary.calls.over_oracle == 1.0
    assert {level: part.episodes for level, part in summary.difficulties.items()} == {1: 2, 2: 2, 4: 2}
    assert list(summary.tags) == ["search"]
    trajectories = list(read_trajectories(path))
    assert {each.extra.key for each in trajectories} == {each.key for each in assignments}
    assert json.loads((path / "summary.json").read_text()) == summary.model_dump(mode="json")


async def test_epochs_of_a_random_agent_differ_and_runs_of_it_do_not(
    episodes: EpisodeManager, tmp_path: Path
) -> None:
    assignments = [Assignment(environment="counter", task="bell-1", epoch=epoch) for epoch in (1, 2)]
    played = []
    for name in ("one", "two"):
        with RunDirectory.create(tmp_path / name, Configuration()) as directory:
            await play_assignments(
                AgentRollouts(policy_agents.random(5), InProcessEpisodes(episodes)),
                assignments,
                directory,
                concurrency=1,
            )
        calls = [[step.tool_calls for step in each.steps] for each in read_trajectories(tmp_path / name)]
        played.append(calls)
    assert played[0] == played[1]
    assert played[0][0] != played[0][1]


async def test_open_episodes_never_exceed_the_concurrency(episodes: EpisodeManager, tmp_path: Path) -> None:
    most = 0

    async def count(game):
        nonlocal most
        most = max(most, episodes.open_count)
        await game.call("listen", {})
        return 1

    assignments = [Assignment(environment="counter", task="bell-1", epoch=epoch) for epoch in range(1, 9)]
    with RunDirectory.create(tmp_path / "run", Configuration()) as directory:
        summary = await play_assignments(
            AgentRollouts(FunctionAgent(count), InProcessEpisodes(episodes)),
            assignments,
            directory,
            concurrency=3,
        )
    assert summary.episodes == 8
    assert most == 3


async def test_a_failed_rollout_does_not_stop_the_others(episodes: EpisodeManager, tmp_path: Path) -> None:
    async def stumble(game):
        if game.task.id == "bell-1":
            raise RuntimeError("stumbled")
        return 2

    assignments = [Assignment(environment="counter", task=task) for task in ("bell-1", "bell-2", "bell-9")]
    with RunDirectory.create(tmp_path / "run", Configuration()) as directory:
        summary = await play_assignments(
            AgentRollouts(FunctionAgent(stumble), InProcessEpisodes(episodes)), assignments, directory
        )
    assert summary.verdicts == {"correct": 1, "incorrect": 0, "no_submission": 1, "failed": 1}
    assert summary.reward == 0.5


async def test_each_trajectory_is_on_disk_before_the_observer_receives_it(
    episodes: EpisodeManager, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    seen = []

    class Check(Observer):
        def episode_ends(self, trajectory, result):
            seen.append(result.key)
            assert [each.extra.key for each in read_trajectories(path)] == seen

    assignments = [Assignment(environment="counter", task=task) for task in ("bell-1", "bell-2")]
    with RunDirectory.create(path, Configuration()) as directory:
        await play_assignments(
            AgentRollouts(policy_agents.observe(), InProcessEpisodes(episodes)),
            assignments,
            directory,
            observer=Check(),
        )
    assert len(seen) == 2


async def test_recorded_episodes_stay_when_an_evaluation_is_cancelled(
    episodes: EpisodeManager, tmp_path: Path
) -> None:
    path = tmp_path / "run"

    async def linger(game):
        if game.task.id == "bell-2":
            scope.cancel()
            await anyio.sleep_forever()
        return 1

    assignments = [Assignment(environment="counter", task=task) for task in ("bell-1", "bell-2", "bell-4")]
    with RunDirectory.create(path, Configuration()) as directory, anyio.CancelScope() as scope:
        await play_assignments(
            AgentRollouts(FunctionAgent(linger), InProcessEpisodes(episodes)),
            assignments,
            directory,
            concurrency=1,
        )
    assert [each.extra.key for each in read_trajectories(path)] == ["counter/bell-1/1"]
    summary = read_summary(path)
    assert (summary.episodes, summary.missing, summary.reward) == (1, 2, 1.0)
    assert episodes.open_count == 0


async def test_a_halted_evaluation_writes_a_summary(episodes: EpisodeManager, tmp_path: Path) -> None:
    async def give_up(game):
        if game.task.id == "bell-2":
            raise RunHaltedError("Nothing more will come of it.")
        return 1

    with (
        RunDirectory.create(tmp_path, Configuration()) as directory,
        pytest.raises(RunHaltedError, match="Nothing more"),
    ):
        await play_assignments(
            AgentRollouts(FunctionAgent(give_up), InProcessEpisodes(episodes)),
            BELLS,
            directory,
            concurrency=1,
        )
    assert (directory.results.keys(), read_summary(tmp_path).missing) == ({"counter/bell-1/1"}, 2)


async def test_resuming_plays_missing_and_failed_episodes_only(
    episodes: EpisodeManager, tmp_path: Path
) -> None:
    played = []
    failing = True

    async def play(game):
        played.append(game.task.id)
        if failing and game.task.id == "bell-2":
            raise ConnectionFailedError("The line is dead.")
        return 1

    agent = FunctionAgent(play)
    with RunDirectory.create(tmp_path, Configuration()) as directory:
        first = await play_assignments(
            AgentRollouts(agent, InProcessEpisodes(episodes)), BELLS[:2], directory
        )
    assert first.verdicts["failed"] == 1
    assert first.reward == 1.0
    played.clear()
    failing = False
    with RunDirectory.resume(tmp_path) as directory:
        second = await play_assignments(AgentRollouts(agent, InProcessEpisodes(episodes)), BELLS, directory)
    assert sorted(played) == ["bell-2", "bell-4"]
    assert second.verdicts == {"correct": 1, "incorrect": 2, "no_submission": 0, "failed": 0}
    assert sorted(each.extra.task for each in read_trajectories(tmp_path)) == ["bell-1", "bell-2", "bell-4"]
    (aside,) = (tmp_path / "failed.jsonl").read_text().splitlines()
    assert Trajectory.model_validate_json(aside).extra.key == "counter/bell-2/1"


async def test_an_observer_receives_earlier_results_and_each_begin_and_end(
    episodes: EpisodeManager, tmp_path: Path
) -> None:
    received = []

    class Note(Observer):
        def run_begins(self, agent, directory, episodes):
            received.append((agent, sorted(directory.results), episodes))

        def episode_begins(self, assignment):
            received.append(f"begins {assignment.task}")

        def episode_ends(self, trajectory, result):
            assert trajectory.extra.key == result.key
            received.append(f"ends {result.task}")

    source = InProcessEpisodes(episodes)
    with RunDirectory.create(tmp_path, Configuration()) as directory:
        await play_assignments(AgentRollouts(policy_agents.observe(), source), BELLS[:1], directory)
    with RunDirectory.resume(tmp_path) as directory:
        await play_assignments(
            AgentRollouts(policy_agents.observe(), source), BELLS, directory, concurrency=1, observer=Note()
        )
    assert received == [
        ("observe", ["counter/bell-1/1"], 3),
        *("begins bell-2", "ends bell-2", "begins bell-4", "ends bell-4"),
    ]


async def test_a_resumed_run_has_no_summary_until_it_ends(episodes: EpisodeManager, tmp_path: Path) -> None:
    class Look(Observer):
        def episode_begins(self, assignment):
            assert not (tmp_path / "summary.json").exists()

    source = InProcessEpisodes(episodes)
    with RunDirectory.create(tmp_path, Configuration()) as directory:
        await play_assignments(AgentRollouts(policy_agents.observe(), source), BELLS[:1], directory)
    assert (tmp_path / "summary.json").exists()
    with RunDirectory.resume(tmp_path) as directory:
        await play_assignments(
            AgentRollouts(policy_agents.observe(), source), BELLS[:2], directory, observer=Look()
        )
    assert read_summary(tmp_path).episodes == 2
