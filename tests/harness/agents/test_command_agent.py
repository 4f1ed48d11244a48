"""Agent programs: real ones, that play, fail, look around and leave daemons behind."""

import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from secrets import token_hex

import anyio
import pytest
from click.testing import CliRunner, Result

from codegym_harness.agent_enclosure.enclosure_options import Enclosure, EnclosureOptions, Network
from codegym_harness.agent_enclosure.readable_paths import readable_paths
from codegym_harness.agents import command_agent
from codegym_harness.agents.agent_context import AsyncAgentContext
from codegym_harness.agents.command_agent import ProgramAgent
from codegym_harness.clients.control_client import ControlClient
from codegym_harness.episode_sources.episode_source import Assignment
from codegym_harness.episode_sources.in_process_episodes import InProcessEpisodes
from codegym_harness.episode_sources.mcp_episodes import ServedEpisodes
from codegym_harness.records.trajectory import ProgramRecord, Trajectory
from codegym_harness.rollouts.rollout import roll_out
from codegym_harness.runs.run_config import RunConfig
from codegym_harness.runs.run_directory_reader import read_trajectories
from codegym_harness.runs.run_execution import run_evaluation
from codegym_harness.runs.task_selection import Selection
from codegym_mcp.cli import main
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.errors import CodegymError, RunHaltedError
from tests.harness.agent_enclosure.enclosures import allows
from tests.harness.leftovers import running
from tests.waiting import until

BELL = Assignment(environment="counter", difficulty=2, seed=0)
"""The bell hangs three floors up: four times listening and three times moving find it."""

SHOW = "import json, os, sys; print(json.dumps(sys.argv[1:]))"


def python(script: str, *arguments: str | Path) -> str:
    """A command that runs a script, whatever it and its arguments are made of."""
    return shlex.join([sys.executable, "-c", script, *map(str, arguments)])


def agent(fixtures: Path, name: str, *arguments: str | Path) -> str:
    return shlex.join([sys.executable, str(fixtures / "agents" / name), "{mcp_url}", *map(str, arguments)])


@pytest.fixture(params=list(Enclosure))
def enclosure(request: pytest.FixtureRequest) -> Enclosure:
    found: Enclosure = request.param
    if not allows(found):
        pytest.skip(f"this system has no {found}")
    return found


@cache
def readable_paths_once(wanted: frozenset[Path], answers: frozenset[Path]) -> list[Path]:
    return readable_paths(wanted, answers)


@pytest.fixture(autouse=True)
def _one_search(monkeypatch):
    """The installation of Python, in which nothing changes, is searched once for all programs that run there."""

    def readable(wanted: Iterable[Path], answers: Iterable[Path]) -> list[Path]:
        return list(readable_paths_once(frozenset(wanted), frozenset(answers)))

    monkeypatch.setattr(command_agent, "readable_paths", readable)


@pytest.fixture
async def play(server, tmp_path, enclosure):
    """Lets a command play an episode."""
    workspaces = tmp_path / "workspaces"
    workspaces.mkdir()
    async with ControlClient.connect(server.url, server.token) as control:

        async def played(command: str, *, seconds: float = 60, calls: int = 20) -> Trajectory:
            player = ProgramAgent(command, workspaces=workspaces, _enclosures=[enclosure])
            source = ServedEpisodes(control, Limits(calls=calls))
            trajectory = await roll_out(player, source, BELL, seconds=seconds)
            assert list(workspaces.iterdir()) == []
            return trajectory

        yield played


@pytest.fixture
async def play_until(server, episodes, tmp_path, enclosure):
    """Lets a command play an episode until something holds; then its time is over."""
    workspaces = tmp_path / "workspaces"
    workspaces.mkdir()
    async with ControlClient.connect(server.url, server.token) as control:

        async def played(command: str, holds: Callable[[Episode], bool]) -> AsyncAgentContext:
            player = ProgramAgent(command, workspaces=workspaces, _enclosures=[enclosure])
            async with ServedEpisodes(control).open(BELL) as opened, anyio.create_task_group() as tasks:
                context = AsyncAgentContext(
                    opened.episode, address=opened.address, read_events=opened.read_events
                )
                tasks.start_soon(player.play, context)
                await until(lambda: holds(episodes.by_id(opened.id)))
                tasks.cancel_scope.cancel()
            return context

        yield played


def program_of(trajectory: Trajectory) -> ProgramRecord:
    assert trajectory.extra.program is not None
    return trajectory.extra.program


# --- playing


async def test_a_program_that_plays_by_the_rules_is_scored_and_recorded(play, fixtures):
    trajectory = await play(agent(fixtures, "honest.py"))
    record = trajectory.extra
    assert (record.outcome, record.state, record.calls, record.error) == ("correct", "submitted", 7, None)
    assert program_of(trajectory).stdout == "The bell hangs at floor 3.\n"
    assert program_of(trajectory).exit_code == 0
    told, *steps = trajectory.steps
    assert "Answer with the floor of the bell." in told.message
    assert "submit_answer" in told.message
    calls = [(call.function_name, call.arguments) for step in steps for call in step.tool_calls or []]
    up = [("listen", {}), ("move", {"floors": 1})]
    assert calls == [*up, *up, *up, ("listen", {}), ("submit_answer", {"answer": 3})]
    results = [result for step in steps for result in step.observation.results]
    assert results[0].extra.structured == {"floor": 0, "sound": "above"}
    assert json.loads(results[0].content) == {"floor": 0, "sound": "above"}
    assert results[-1].extra.structured == {"received": True}
    assert [step.step_id for step in trajectory.steps] == list(range(1, 10))
    assert [step.timestamp for step in steps] == sorted(step.timestamp for step in steps)
    assert trajectory.agent.name.startswith("python")
    assert [each["function"]["name"] for each in trajectory.agent.tool_definitions or []] == [
        "move",
        "listen",
        "submit_answer",
    ]


async def test_what_a_program_says_counts_for_nothing(play):
    lie = "print('submit_answer(3) was correct, reward 1.0'); raise SystemExit(7)"
    trajectory = await play(python(lie, "{mcp_url}"))
    assert trajectory.extra.outcome == "no_submission"
    assert trajectory.extra.verdict is None
    assert trajectory.extra.error is not None
    assert trajectory.extra.error.fault == "agent"
    assert trajectory.extra.error.kind == "NeverCalled"
    assert trajectory.extra.error.message == (
        "The program ended with exit code 7 and never called a tool. "
        "The end of its output: submit_answer(3) was correct, reward 1.0"
    )
    assert len(trajectory.steps) == 1


async def test_a_program_that_never_connects_is_told_as_such_at_the_deadline(play):
    trajectory = await play(python("import signal; signal.pause()", "{mcp_url}"), seconds=0.2)
    assert trajectory.extra.outcome == "no_submission"
    assert trajectory.extra.limits_met == ["deadline_seconds"]
    assert trajectory.extra.error is not None
    assert trajectory.extra.error.message == (
        "The program was ended and never called a tool. It printed nothing."
    )
    assert program_of(trajectory).exit_code is None


async def test_what_was_done_until_the_program_was_ended_is_kept(play_until, episodes):
    script = """
import asyncio, signal, sys
from mcp import Client
async def play():
    async with Client(sys.argv[1]) as client:
        print("connected", flush=True)
        await client.call_tool("listen", {})
        await client.call_tool("fly", {"far": True})
        signal.pause()
asyncio.run(play())
"""
    context = await play_until(python(script, "{mcp_url}"), lambda episode: episode.calls == 2)
    steps = context.recorder.steps
    assert [call.function_name for step in steps for call in step.tool_calls or []] == ["listen", "fly"]
    assert steps[-1].observation.results[0].extra.is_error
    assert context.error is None
    assert context.program.exit_code is None
    assert context.program.stdout == "connected\n"


async def test_a_verdict_stands_however_the_program_ends(play):
    script = """
import asyncio, os, sys
from mcp import Client
async def play():
    async with Client(sys.argv[1]) as client:
        await client.call_tool("submit_answer", {"answer": 3})
        os.abort()
asyncio.run(play())
"""
    trajectory = await play(python(script, "{mcp_url}"))
    assert trajectory.extra.outcome == "correct"
    assert program_of(trajectory).exit_code == -6


# --- what a program is given


async def test_what_is_filled_in_is_one_argument_each_and_no_shell_sees_it(play, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    command = python(
        f"{SHOW}; print(open(sys.argv[1]).read(), open(sys.argv[4]).read(), sep='\\0')",
        *("{mcp_config}", "{mcp_url}", "{task}", "{task_file}", "{here}"),
        *("--config={mcp_config}", '{"url": "{mcp_url}"}', "{unknown}", "$HOME; `id` > *"),
    )
    trajectory = await play(command)
    shown, files = program_of(trajectory).stdout.split("\n", 1)
    config, url, task, task_file, here, option, nested, unknown, shell = json.loads(shown)
    written, told = files.split("\0")
    assert json.loads(written) == {"mcpServers": {"codegym": {"type": "http", "url": url}}}
    assert url.endswith("/mcp")
    assert task == trajectory.steps[0].message == told.removesuffix("\n")
    assert "\n" in task
    assert "`codegym`" in task
    assert Path(task_file).parent == Path(config).parent
    assert (here, option, json.loads(nested)) == (str(tmp_path), f"--config={config}", {"url": url})
    assert (unknown, shell) == ("{unknown}", "$HOME; `id` > *")


async def test_a_program_runs_in_an_empty_directory_of_its_own(play):
    script = "import os; print(os.getcwd(), os.environ['PWD'], *sorted(os.listdir()))"
    first, second = [program_of(await play(python(script, "{mcp_url}"))).stdout.split() for _ in range(2)]
    assert first[0] == first[1] != second[0]
    assert first[2:] == ["mcp.json", "task.txt"]


async def test_a_program_has_its_users_keys_and_not_the_token(play, monkeypatch):
    monkeypatch.setenv("PROVIDER_API_KEY", "mine")
    monkeypatch.setenv("CODEGYM_MCP_TOKEN", "of another server")
    trajectory = await play(python("import os; print(dict(os.environ))", "{mcp_url}"))
    assert "'PROVIDER_API_KEY': 'mine'" in program_of(trajectory).stdout
    assert "CODEGYM" not in program_of(trajectory).stdout
    assert "of another server" not in program_of(trajectory).stdout


async def test_a_program_has_a_home_and_a_temporary_folder_of_its_own(play, enclosure):
    script = "import os, tempfile; print(os.environ['HOME'], tempfile.gettempdir(), os.listdir(os.environ['HOME']))"
    trajectory = await play(python(script, "{mcp_url}"))
    home, temporary, entries = program_of(trajectory).stdout.split()
    assert home != str(Path.home())
    assert Path(home).parent == Path(temporary).parent
    assert entries == "[]"
    assert program_of(trajectory).enclosed is enclosure


async def test_what_may_be_read_in_the_home_folder_is_found_in_the_programs_own(
    server, tmp_path, monkeypatch, enclosure
):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".agent").mkdir()
    (tmp_path / ".agent" / "login.json").write_text("logged in")
    (tmp_path / ".agent" / "other.json").write_text("private")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "note").write_text("remember")
    script = """
import os, pathlib
home = pathlib.Path.home()
print((home / ".agent/login.json").read_text(), (home / "notes/note").read_text(), os.listdir(home / ".agent"))
(home / ".agent/login.json").write_text("changed")
"""
    player = ProgramAgent(
        python(script, "{mcp_url}"),
        options=EnclosureOptions(allow_read=(Path("~/.agent/login.json"), tmp_path / "notes")),
        _enclosures=[enclosure],
    )
    async with ControlClient.connect(server.url, server.token) as control:
        trajectory = await roll_out(player, ServedEpisodes(control), BELL, seconds=60)
    assert program_of(trajectory).stdout == "logged in remember ['login.json']\n"
    assert (tmp_path / ".agent" / "login.json").read_text() == "logged in"


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js here")
async def test_a_node_package_runs_with_its_dependencies(server, tmp_path, enclosure):
    packages = tmp_path / "prefix" / "lib" / "node_modules" / "agent"
    (packages / "node_modules" / "dependency").mkdir(parents=True)
    (packages / "node_modules" / "dependency" / "index.js").write_text("module.exports = 'depends'")
    (packages / "cli.js").write_text(
        "#!/usr/bin/env node\n"
        "const {execFileSync} = require('child_process');\n"
        "fetch(process.argv[2], {method: 'POST', body: '{}'}).then(response => console.log(\n"
        "  require('dependency'), execFileSync('sh', ['-c', 'echo child']).toString().trim(),\n"
        "  response.status < 500, process.env.HOME === require('os').homedir()));\n"
    )
    (packages / "cli.js").chmod(0o755)
    (tmp_path / "prefix" / "bin").mkdir()
    (tmp_path / "prefix" / "bin" / "agent").symlink_to("../lib/node_modules/agent/cli.js")
    player = ProgramAgent(f"{tmp_path}/prefix/bin/agent {{mcp_url}}", _enclosures=[enclosure])
    async with ControlClient.connect(server.url, server.token) as control:
        trajectory = await roll_out(player, ServedEpisodes(control), BELL, seconds=60)
    assert program_of(trajectory).stdout == "depends child true true\n", program_of(trajectory).stderr


def test_a_path_to_read_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(CodegymError, match=r"missing .* does not exist\. Correct the path of --allow-read"):
        ProgramAgent("true {mcp_url}", options=EnclosureOptions(allow_read=(tmp_path / "missing",)))


@pytest.mark.parametrize("network", [Network.NONE, Network.LOOPBACK])
async def test_an_episode_is_played_without_any_other_network(server, fixtures, enclosure, network):
    player = ProgramAgent(
        agent(fixtures, "honest.py"), options=EnclosureOptions(network=network), _enclosures=[enclosure]
    )
    async with ControlClient.connect(server.url, server.token) as control:
        trajectory = await roll_out(player, ServedEpisodes(control), BELL, seconds=60)
    assert trajectory.extra.outcome == "correct", program_of(trajectory).stderr
    assert program_of(trajectory).network is (network if enclosure is not Enclosure.NONE else Network.HOST)


async def test_daemons_are_gone_when_the_rollout_is_over(play, fixtures):
    trajectory = await play(agent(fixtures, "daemons.py", ".", "leave", unique := token_hex(8)))
    assert program_of(trajectory).exit_code == 0
    assert "daemons are up" in program_of(trajectory).stdout
    assert running(unique) == []
    assert trajectory.extra.outcome == "no_submission"


@pytest.mark.parametrize("how", ["stay", "fork"])
async def test_daemons_are_gone_when_the_program_was_ended(play_until, fixtures, tmp_path, how):
    def up(_: Episode) -> bool:
        return any(len(list(folder.glob("*/work/*.beat"))) == 3 for folder in tmp_path.glob("workspaces"))

    context = await play_until(agent(fixtures, "daemons.py", ".", how, unique := token_hex(8)), up)
    assert context.program.exit_code is None
    assert running(unique) == []


# --- runs


async def test_episodes_without_an_address_are_not_for_programs(episodes, tmp_path):
    player = ProgramAgent("true {mcp_url}", workspaces=tmp_path)
    trajectory = await roll_out(player, InProcessEpisodes(episodes), BELL)
    assert trajectory.extra.outcome == "failed"
    assert trajectory.extra.error is not None
    assert trajectory.extra.error.fault == "harness"


async def test_a_run_shows_no_answer_to_its_program(fixtures, tmp_path):
    counter = tmp_path / "counter.py"
    counter.write_text((fixtures / "counter.py").read_text())
    counter.with_suffix(".jsonl").write_text('{"id": "a", "config": {"start": 0, "bell": 2}}\n')
    counter.with_suffix(".audit.json").write_text('{"commonest": 2}')
    (tmp_path / "harmless").write_text("harmless")
    script = "import os, sys; print(sorted(os.listdir(sys.argv[2])))"
    job = RunConfig(
        agent="command",
        command=python(script, "{mcp_url}", tmp_path),
        paths=(counter,),
        selection=Selection(epochs=2),
        concurrency=2,
        enclosure=EnclosureOptions(network=Network.NONE),
    )
    summary = await run_evaluation(job, out=tmp_path / "run")
    assert summary.verdicts["no_submission"] == 2
    for trajectory in read_trajectories(tmp_path / "run"):
        assert program_of(trajectory).stdout == "['harmless']\n"
        assert program_of(trajectory).network is Network.NONE
    recorded = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (recorded["command"], recorded["enclosure"]["network"]) == (job.command, "none")


async def test_a_program_that_the_system_cannot_start_halts_the_run(fixtures, tmp_path):
    broken = tmp_path / "broken"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    job = RunConfig(
        agent="command",
        command=f"{broken} {{mcp_url}}",
        paths=(fixtures / "counter.py",),
        selection=Selection(difficulties=(1,), epochs=3),
    )
    with pytest.raises(RunHaltedError, match="broken cannot be started: No such file"):
        await run_evaluation(job, out=tmp_path / "run")
    assert list(read_trajectories(tmp_path / "run")) == []


async def test_an_agent_given_as_an_object_is_shown_no_answer_of_its_run(fixtures, tmp_path):
    counter = tmp_path / "counter.py"
    counter.write_text((fixtures / "counter.py").read_text())
    player = ProgramAgent(python("import os, sys; print(os.listdir(sys.argv[2]))", "{mcp_url}", tmp_path))
    config = RunConfig(
        agent="mine", custom_agent=True, paths=(counter,), selection=Selection(difficulties=(1,))
    )
    (tmp_path / "harmless").touch()
    await run_evaluation(config, agent=player, out=tmp_path / "run")
    (trajectory,) = read_trajectories(tmp_path / "run")
    assert program_of(trajectory).stdout == "['harmless']\n"


async def test_a_run_that_cannot_begin_writes_nothing(fixtures, tmp_path):
    for job, words in (
        (
            RunConfig(agent="command", command="no-such-program {mcp_url}"),
            "no-such-program cannot be started",
        ),
        (
            RunConfig(agent="command", command="true {mcp_url}", mcp_url="http://127.0.0.1:9/mcp"),
            "only environments of this project",
        ),
    ):
        with pytest.raises(CodegymError, match=words):
            await run_evaluation(job, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_job_has_a_command_just_where_one_plays():
    with pytest.raises(ValueError, match="`command` needs a command"):
        RunConfig(agent="command")
    with pytest.raises(ValueError, match="`command` needs a command"):
        RunConfig(agent="observe", command="true {mcp_url}")


# --- the command line


def evaluate(*options: str | Path) -> Result:
    return CliRunner().invoke(main, ["eval", *map(str, options)])


def test_a_program_is_evaluated_from_the_command_line(fixtures, tmp_path):
    result = evaluate(
        *("--agent", "command", "--command", agent(fixtures, "honest.py"), "--environments"),
        *(fixtures / "counter.py", "--difficulty", "2", "--out", tmp_path / "run", "--json"),
    )
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert (summary["episodes"], summary["reward"]) == (1, 1.0)
    (trajectory,) = read_trajectories(tmp_path / "run")
    assert trajectory.extra.outcome == "correct"


@pytest.mark.parametrize(
    "options", [("--agent", "command"), ("--agent", "observe", "--command", "x"), ("--command", "x")]
)
def test_an_agent_program_and_its_command_go_together(options):
    result = evaluate(*options)
    assert result.exit_code == 2
    assert "Usage: " in result.output


def test_a_program_that_is_not_there_is_told_in_one_line(tmp_path):
    result = evaluate("--agent", "command", "--command", "no-such-agent {mcp_url}", "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert result.output == (
        "Error: The program no-such-agent cannot be started: there is no executable file of that name "
        "on the PATH. Install it, or write its path.\n"
    )
    assert os.listdir(tmp_path) == []
