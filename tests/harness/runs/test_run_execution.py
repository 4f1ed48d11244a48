import json
import os
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from codegym_harness.agents.model_agent import ModelAgentOptions
from codegym_harness.episode_sources.episode_worker_client import WorkerEpisodes
from codegym_harness.processes.server_process import start_server
from codegym_harness.rollouts.policy_rollouts import PolicyRollouts
from codegym_harness.runs.run_config import RunConfig
from codegym_harness.runs.run_directory_reader import read_configuration, read_trajectories
from codegym_harness.runs.run_execution import run_evaluation
from codegym_harness.runs.run_observer import Observer
from codegym_harness.runs.task_selection import Selection
from codegym_mcp.environment_definition.environment_reader import read_environment
from codegym_mcp.episode_limits import Limits
from codegym_mcp.errors import CodegymError, RunHaltedError
from codegym_mcp.sandbox.process.pool import SandboxPool
from tests.conftest import ModelServer

ENVIRONMENTS = Path(__file__).parents[3] / "environments"


async def test_a_run_serves_plays_and_records(fixtures: Path, tmp_path: Path) -> None:
    received = []

    class Note(Observer):
        def run_begins(self, agent, directory, episodes):
            received.append((agent, episodes))

        def episode_ends(self, trajectory, result):
            received.append(result.key)

    config = RunConfig(
        agent="oracle",
        paths=(fixtures / "counter.py",),
        selection=Selection(difficulties=(1,), tasks=2),
        limits=Limits(calls=50),
        concurrency=2,
    )
    summary = await run_evaluation(config, out=tmp_path / "run", observer=Note())
    keys = {"counter/d1-s0/1", "counter/d1-s1/1"}
    assert received[0] == ("oracle", 2)
    assert set(received[1:]) == keys
    assert summary.reward == 1.0
    assert summary.run == str(tmp_path / "run")
    configuration, begun = read_configuration(tmp_path / "run")
    assert configuration == config.model_dump(mode="json")
    assert begun.episodes == 2
    assert begun.tasks == {"counter": ["d1-s0", "d1-s1"]}
    assert begun.environments == {"counter": read_environment(fixtures / "counter.py").digest}
    assert {each.extra.key for each in read_trajectories(tmp_path / "run")} == keys


def climbing(server, *paths, **more):
    """A job in which a model plays."""
    model = ModelAgentOptions(name="openai:climber", base_url=f"{server.url}/v1", **more)
    return RunConfig(model=model, paths=paths, selection=Selection(difficulties=(2,)))


async def test_processes_that_run_environments_receive_no_secrets(
    openai_server: ModelServer, fixtures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-private")
    monkeypatch.setenv("MINE", "sk-private")
    before = children()
    seen = set()

    class Look(Observer):
        def episode_ends(self, trajectory, result):
            for process in descendants(children() - before):
                with suppress(OSError):
                    seen.add(Path(f"/proc/{process}/environ").read_text())

    config = climbing(openai_server, fixtures / "counter.py", api_key_variable="MINE")
    summary = await run_evaluation(config, out=tmp_path / "run", observer=Look())
    assert summary.reward == 1.0
    assert seen
    assert not any("private" in environment for environment in seen)


async def test_broken_environments_are_reported_and_the_others_are_played(
    openai_server: ModelServer, fixtures: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("class Environment: pass")
    received = []

    class Note(Observer):
        def notice(self, message):
            received.append(message)

    config = climbing(openai_server, fixtures / "counter.py", broken)
    summary = await run_evaluation(config, out=tmp_path / "run", observer=Note())
    assert (summary.episodes, summary.reward) == (1, 1.0)
    assert [str(broken) in message for message in received] == [True]


async def test_a_run_whose_worker_dies_is_halted_and_can_be_resumed(
    openai_server: ModelServer, fixtures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers = []
    start = WorkerEpisodes.start

    @asynccontextmanager
    async def started(*arguments):
        async with start(*arguments) as episodes:
            workers.append(episodes.process)
            yield episodes

    class Kill(Observer):
        def episode_ends(self, trajectory, result):
            with suppress(ProcessLookupError):
                workers[-1].kill()

    monkeypatch.setattr("codegym_harness.runs.source_opening.WorkerEpisodes.start", started)
    config = climbing(openai_server, fixtures / "counter.py")
    config = config.model_copy(update={"selection": Selection(difficulties=(2,), tasks=3), "concurrency": 1})
    with pytest.raises(RunHaltedError, match="--resume"):
        await run_evaluation(config, out=tmp_path / "run", observer=Kill())
    summary = await run_evaluation(config, resume=tmp_path / "run")
    assert (summary.episodes, summary.missing, summary.reward) == (3, 0, 1.0)
    assert len({each.extra.key for each in read_trajectories(tmp_path / "run")}) == 3


@pytest.mark.parametrize("allowed", [False, True])
async def test_allow_unconfined_reaches_the_worker_of_a_model(
    openai_server: ModelServer, fixtures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allowed
) -> None:
    received = []
    start = WorkerEpisodes.start

    def noted(options, limits):
        received.append(options.allow_unconfined)
        return start(options, limits)

    monkeypatch.setattr("codegym_harness.runs.source_opening.WorkerEpisodes.start", noted)
    config = climbing(openai_server, fixtures / "counter.py").model_copy(update={"allow_unconfined": allowed})
    assert (await run_evaluation(config, out=tmp_path / "run")).reward == 1.0
    assert received == [allowed]


@pytest.mark.parametrize("allowed", [False, True])
async def test_allow_unconfined_reaches_the_workers_of_the_oracle(
    fixtures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allowed
) -> None:
    received = []
    start = PolicyRollouts.start

    def noted(options):
        received.append(options.allow_unconfined)
        return start(options)

    monkeypatch.setattr("codegym_harness.runs.run_opening.PolicyRollouts.start", noted)
    config = RunConfig(
        agent="oracle",
        paths=(fixtures / "counter.py",),
        selection=Selection(difficulties=(1,), tasks=1),
        allow_unconfined=allowed,
    )
    assert (await run_evaluation(config, out=tmp_path / "run")).reward == 1.0
    assert received == [allowed]


@pytest.mark.parametrize("allowed", [False, True])
async def test_allow_unconfined_reaches_the_server_and_the_pool_of_an_oracle_over_mcp(
    fixtures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allowed
) -> None:
    received = []

    def note(what):
        def open_it(*arguments, allow_unconfined, **options):
            received.append(allow_unconfined)
            return what(*arguments, allow_unconfined=allow_unconfined, **options)

        return open_it

    monkeypatch.setattr("codegym_harness.runs.source_opening.start_server", note(start_server))
    monkeypatch.setattr("codegym_harness.runs.run_opening.SandboxPool.open", note(SandboxPool.open))
    config = RunConfig(
        agent="oracle",
        paths=(fixtures / "counter.py",),
        selection=Selection(difficulties=(1,), tasks=1),
        allow_unconfined=allowed,
        over_mcp=True,
    )
    assert (await run_evaluation(config, out=tmp_path / "run")).reward == 1.0
    assert received == [allowed, allowed]


async def test_what_is_recorded_does_not_depend_on_the_transport(fixtures: Path, tmp_path: Path) -> None:
    for agent in ("oracle", "random"):
        config = RunConfig(
            agent=agent,
            paths=(fixtures / "counter.py", ENVIRONMENTS / "leak_survey.py", ENVIRONMENTS / "refund_desk.py"),
            selection=Selection(difficulties=(1, 2), tasks=1, epochs=2),
        )
        over_mcp = config.model_copy(update={"over_mcp": True})
        summaries = [
            await run_evaluation(config, out=tmp_path / f"{agent}-direct"),
            await run_evaluation(over_mcp, out=tmp_path / f"{agent}-mcp"),
        ]
        direct, mcp = (recorded(tmp_path / f"{agent}-{transport}") for transport in ("direct", "mcp"))
        assert {each["extra"].pop("transport") for each in direct} == {"direct"}
        assert {each["extra"].pop("transport") for each in mcp} == {"mcp"}
        assert len(direct) == 12
        assert direct == mcp
        figures = [summary.model_dump(exclude={"run", "seconds"}) for summary in summaries]
        assert figures[0] == figures[1]
        assert all(each["extra"]["oracle_calls"] for each in direct)


def recorded(run: Path) -> list[dict[str, Any]]:
    """The trajectories of a run by key, without ids and times."""

    def plain(value: Any) -> Any:
        match value:
            case dict():
                return {
                    name: plain(member)
                    for name, member in value.items()
                    if name not in ("timestamp", "seconds", "session_id")
                }
            case list():
                return [plain(item) for item in value]
        return value

    lines = (run / "trajectories.jsonl").read_text(encoding="utf-8").splitlines()
    return sorted((plain(json.loads(line)) for line in lines), key=lambda each: each["extra"]["key"])


async def test_the_tools_of_another_server_are_played_and_recorded(fixtures: Path, tmp_path: Path) -> None:
    command = f"{sys.executable} -m codegym_mcp.cli serve {fixtures / 'counter.py'} --difficulty 1"
    config = RunConfig(agent="random", mcp_command=command, selection=Selection(epochs=2), concurrency=2)
    summary = await run_evaluation(config, out=tmp_path / "run")
    assert summary.verdicts["unscored"] == 2
    assert summary.reward is None
    (first, second) = read_trajectories(tmp_path / "run")
    assert first.extra.calls == second.extra.calls == 20


async def test_a_run_that_cannot_start_writes_nothing(
    openai_server: ModelServer, fixtures: Path, tmp_path: Path
) -> None:
    counter = (fixtures / "counter.py",)
    for config, words in (
        (RunConfig(agent="orcale", paths=counter), "Did you mean oracle"),
        (RunConfig(agent="observe", paths=counter, selection=Selection(environments=("x",))), "named 'x'"),
        (RunConfig(agent="observe", paths=counter), "no fixed tasks"),
        (RunConfig(agent="observe", paths=(tmp_path / "nowhere.py",)), "does not exist"),
        (climbing(openai_server, tmp_path / "nowhere.py"), "does not exist"),
        (RunConfig(agent="oracle", mcp_url="http://127.0.0.1:9/mcp"), "needs the source"),
        (RunConfig(agent="random", mcp_url="http://127.0.0.1:9/mcp", mcp_command="x"), "not both"),
    ):
        with pytest.raises(CodegymError, match=words):
            await run_evaluation(config, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def descendants(processes):
    """Processes and all that they have started; those that end meanwhile are left out."""
    found = set()
    for process in processes:
        try:
            below = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        except OSError:
            continue
        found |= {process, *descendants(set(below))}
    return found


def children():
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
