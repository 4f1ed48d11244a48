import anyio
import pytest

from codegym_harness.agents import policy_agents
from codegym_harness.agents.agent_context import AsyncAgentContext
from codegym_harness.agents.function_agent import FunctionAgent
from codegym_harness.clients.control_client import ControlClient
from codegym_harness.episode_sources.episode_source import Assignment, EpisodeSource
from codegym_harness.episode_sources.episode_worker_client import WorkerEpisodes
from codegym_harness.episode_sources.episode_worker_service import EpisodeWorkerOptions
from codegym_harness.episode_sources.in_process_episodes import InProcessEpisodes
from codegym_harness.episode_sources.mcp_episodes import ServedEpisodes, ThirdPartyEpisodes
from codegym_harness.processes.server_process import ServerProcess
from codegym_harness.rollouts.rollout import roll_out
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.catalog.catalog_entries import Entry
from codegym_mcp.catalog.catalog_sources import EntryList
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.environment_definition.environment_reader import read_environment_source
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.errors import EnvironmentFaultError
from codegym_mcp.sandbox.process.pool import SandboxPool

BELL = Assignment(environment="counter", task="bell-2")


@pytest.fixture(params=["local", "hosted", "served"])
async def source(request, episodes, server, bells_file):
    """Where the episodes come from makes no difference."""
    limits = Limits(calls=5)
    match request.param:
        case "local":
            yield InProcessEpisodes(episodes, limits)
        case "hosted":
            options = EpisodeWorkerOptions(paths=(bells_file,), open_limit=20, allow_unconfined=False)
            async with WorkerEpisodes.start(options, limits) as hosted:
                yield hosted
        case "served":
            async with ControlClient.connect(server.url, server.token) as control:
                yield ServedEpisodes(control, limits)


async def test_a_right_answer_is_correct(source: EpisodeSource, pool: SandboxPool, catalog: Catalog) -> None:
    trajectory = await roll_out(policy_agents.oracle(pool, catalog), source, BELL)
    record = trajectory.extra
    assert record.outcome == "correct"
    assert record.verdict is not None
    assert record.verdict.reward == 1.0
    assert (record.key, record.environment, record.task) == ("counter/bell-2/1", "counter", "bell-2")
    assert (record.state, record.calls, record.limits_met, record.error) == ("submitted", 5, [], None)
    assert trajectory.agent.name == "oracle"
    assert trajectory.agent.tool_definitions is not None
    assert trajectory.final_metrics.total_steps == len(trajectory.steps) == 7


async def test_the_record_holds_tags_difficulty_and_oracle_calls(source: EpisodeSource) -> None:
    record = (await roll_out(policy_agents.observe(), source, BELL)).extra
    assert (record.tags, record.difficulty, record.oracle_calls) == (["search"], 2, 5)
    made = Assignment(environment="counter", difficulty=3, seed=1)
    record = (await roll_out(policy_agents.observe(), source, made)).extra
    assert (record.tags, record.difficulty, record.oracle_calls) == (["search"], 3, None)


async def test_a_wrong_answer_is_incorrect(source: EpisodeSource) -> None:
    async def guess(_):
        return 3

    record = (await roll_out(FunctionAgent(guess), source, BELL)).extra
    assert record.outcome == "incorrect"
    assert record.verdict is not None
    assert record.verdict.reward == 0.0


async def test_an_agent_that_stops_without_an_answer_made_no_submission(source: EpisodeSource) -> None:
    async def look(game):
        await game.call("listen", {})

    record = (await roll_out(FunctionAgent(look), source, BELL)).extra
    assert (record.outcome, record.calls, record.error) == ("no_submission", 1, None)


async def test_using_up_all_calls_is_no_submission_and_names_the_limit(source: EpisodeSource) -> None:
    async def wander(game):
        while not (await game.call("move", {"floors": -1})).over:
            pass

    record = (await roll_out(FunctionAgent(wander), source, BELL)).extra
    assert (record.outcome, record.state, record.calls) == ("no_submission", "out_of_calls", 5)
    assert record.limits_met == ["calls"]


async def test_an_agent_that_does_not_end_is_stopped_at_the_deadline(source: EpisodeSource) -> None:
    async def sleep(game):
        await game.call("listen", {})
        await anyio.sleep_forever()

    trajectory = await roll_out(FunctionAgent(sleep), source, BELL, seconds=0.5)
    assert trajectory.extra.outcome == "no_submission"
    assert trajectory.extra.limits_met == ["deadline_seconds"]
    assert trajectory.extra.error is None


async def test_an_exception_of_the_agent_is_the_agents_failure(source: EpisodeSource) -> None:
    async def stumble(game):
        await game.call("listen", {})
        raise KeyError("lost my way")

    trajectory = await roll_out(FunctionAgent(stumble), source, BELL)
    assert trajectory.extra.outcome == "no_submission"
    assert trajectory.extra.error is not None
    assert trajectory.extra.error.fault == "agent"
    assert trajectory.extra.error.kind == "KeyError"
    assert "in stumble" in (trajectory.extra.error.traceback or "")
    assert len(trajectory.steps) == 2


async def test_an_error_of_the_project_is_not_scored(source: EpisodeSource) -> None:
    async def broken(_):
        raise EnvironmentFaultError("solve", "the oracle is broken")

    record = (await roll_out(FunctionAgent(broken), source, BELL)).extra
    assert record.outcome == "failed"
    assert record.error is not None
    assert record.error.fault == "harness"


async def test_a_verdict_counts_whatever_happens_after_it(source: EpisodeSource) -> None:
    async def answer_and_stumble(game):
        await game.submit(2)
        raise KeyError("too late")

    record = (await roll_out(FunctionAgent(answer_and_stumble), source, BELL)).extra
    assert record.outcome == "correct"
    assert record.error is not None


async def test_an_episode_that_cannot_be_opened_has_failed(source: EpisodeSource) -> None:
    nowhere = Assignment(environment="counter", task="bell-9")
    record = (await roll_out(policy_agents.observe(), source, nowhere)).extra
    assert record.outcome == "failed"
    assert record.error is not None
    assert record.error.fault == "harness"
    assert "bell-9" in record.error.message


async def test_generated_tasks_are_played_by_difficulty_and_seed(source: EpisodeSource) -> None:
    assignment = Assignment(environment="counter", difficulty=1, seed=3, epoch=2)
    record = (await roll_out(policy_agents.observe(), source, assignment)).extra
    assert (record.key, record.task) == ("counter/d1-s3/2", "d1-s3")


@pytest.mark.parametrize("source", ["local", "served"], indirect=True)
async def test_no_episode_stays_open(source: EpisodeSource, episodes: EpisodeManager) -> None:
    async def look(game):
        await game.call("listen", {})

    await roll_out(FunctionAgent(look), source, BELL)
    assert episodes.open_count == 0


async def test_an_episode_whose_environment_fails_is_not_scored(
    bells: Environment, pool: SandboxPool, journal
) -> None:
    source = bells.program.source.replace("self.floor += floors", "return 'up'")
    broken = read_environment_source(source, name="counter", path="counter.py").with_tasks(bells.tasks)
    episodes = EpisodeManager(
        Catalog([EntryList([Entry("counter", "counter.py", lambda: broken)])]), pool, journal
    )

    async def move(game):
        await game.call("move", {"floors": 1})

    record = (await roll_out(FunctionAgent(move), InProcessEpisodes(episodes), BELL)).extra
    assert (record.outcome, record.state) == ("failed", "failed")
    assert record.error is not None
    assert record.error.fault == "harness"


async def test_a_server_that_ends_during_the_rollout_is_a_failure_without_score(mortal_server) -> None:
    address, server = mortal_server

    async def outlive(game):
        server.should_exit = True
        while True:
            await game.call("listen", {})

    async with ControlClient.connect(address.url, address.token) as control:
        served = ServedEpisodes(control, Limits(calls=100_000))
        record = (await roll_out(FunctionAgent(outlive), served, BELL, seconds=30)).extra
    assert record.outcome == "failed"
    assert record.error is not None
    assert record.error.fault == "harness"


async def test_another_servers_episodes_are_recorded_and_not_scored(
    episodes: EpisodeManager, server: ServerProcess
) -> None:
    async with InProcessEpisodes(episodes).open(BELL) as episode:
        url = f"{server.url}/episodes/{episodes.by_id(episode.id).token}/mcp"
        source = ThirdPartyEpisodes(url)
        trajectory = await roll_out(policy_agents.random(), source, Assignment(environment="mcp"))
    assert trajectory.extra.outcome == "unscored"
    assert trajectory.extra.verdict is None
    assert trajectory.extra.calls == 20


async def test_calls_of_another_servers_episode_are_limited(
    episodes: EpisodeManager, server: ServerProcess
) -> None:
    async def listen_for_ever(game: AsyncAgentContext) -> None:
        assert game.max_calls == 3
        while not (await game.call("listen")).over:
            pass
        assert (await game.call("listen")).over

    async with InProcessEpisodes(episodes).open(BELL) as episode:
        url = f"{server.url}/episodes/{episodes.by_id(episode.id).token}/mcp"
        source = ThirdPartyEpisodes(url, Limits(calls=3))
        trajectory = await roll_out(FunctionAgent(listen_for_ever), source, Assignment(environment="mcp"))
        assert episodes.by_id(episode.id).calls == 3
    record = trajectory.extra
    assert (record.outcome, record.limits_met, record.max_calls) == ("unscored", ["calls"], 3)
