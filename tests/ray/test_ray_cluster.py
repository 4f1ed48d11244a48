"""Runs and verification on a Ray cluster of three nodes, of which some are killed."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from codegym_harness.runs.run_directory_reader import read_trajectories
from tests.conftest import ModelServer
from tests.ray.conftest import add_node

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]
ROOT = Path(__file__).parents[2]
COUNTER = ROOT / "tests" / "fixtures" / "counter.py"
EPISODES = 200


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "codegym_mcp", *arguments]


def run_command(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), capture_output=True, text=True, check=False, cwd=cwd)


def oracle_run(path: Path, *further: str) -> list[str]:
    selection = ("--env", "ledger_audit", "--env", "leak_survey", "--difficulty", "1", "--seed", "0-99")
    return ["eval", "--agent", "oracle", *selection, "--out", str(path), "--json", *further]


def episodes_done(line: str) -> int:
    """Reads a line of the progress that a run prints. Ray prints lines of its own between them."""
    found = re.match(r"oracle: (\d+)/", line)
    return int(found[1]) if found else -1


def figures(printed: str) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(printed)
    return {key: value for key, value in summary.items() if key not in ("run", "seconds")}


def test_every_episode_is_played_once_although_two_nodes_are_killed(cluster: Any, tmp_path: Path) -> None:
    path = tmp_path / "on a cluster"
    nodes = sorted(cluster.list_all_nodes(), key=lambda node: bool(node.head))[:2]
    with subprocess.Popen(
        command(*oracle_run(path, "--ray", cluster.address, "--concurrency", "12")),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = ""
        killed = 0
        for line in process.stderr:
            said += line
            if killed < len(nodes) and episodes_done(line) > 40 * killed:
                cluster.remove_node(nodes[killed], allow_graceful=False)
                add_node(cluster)
                killed += 1
        assert process.stdout is not None
        printed = process.stdout.read()
    assert process.returncode == 0, said
    assert killed == 2
    assert "what it played is played again" in said
    played = Counter(trajectory.extra.key for trajectory in read_trajectories(path))
    assert set(played.values()) == {1}
    assert len(played) == EPISODES
    alone = run_command(*oracle_run(tmp_path / "alone"))
    assert figures(printed) == figures(alone.stdout)


def test_functions_and_models_play_on_the_nodes(
    cluster: Any, openai_server: ModelServer, tmp_path: Path
) -> None:
    (tmp_path / "agent.py").write_text("def play(game):\n    return 1\n")
    options = ("--environments", str(COUNTER), "--difficulty", "1", "--tasks", "4", "--json")
    where = ("--ray", cluster.address)
    function = run_command("eval", "--agent", "agent.py:play", *options, *where, cwd=tmp_path)
    assert function.returncode == 0, function.stderr
    alone = run_command("eval", "--agent", "agent.py:play", *options, cwd=tmp_path)
    assert figures(function.stdout) == figures(alone.stdout)
    model = ("--model", "openai:climber", "--base-url", f"{openai_server.url}/v1")
    played = run_command("eval", *model, *options, *where, cwd=tmp_path)
    assert played.returncode == 0, played.stderr
    assert json.loads(played.stdout)["reward"] == 1.0


def test_an_interrupted_run_is_resumed_without_the_cluster(cluster: Any, tmp_path: Path) -> None:
    path = tmp_path / "run"
    with subprocess.Popen(
        command(*oracle_run(path, "--ray", cluster.address)), stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if episodes_done(line) > 20:
                process.kill()
                break
        process.stderr.read()
    resumed = run_command("eval", "--resume", str(path), "--json")
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout)["episodes"] == EPISODES
    keys = [trajectory.extra.key for trajectory in read_trajectories(path)]
    assert len(set(keys)) == len(keys) == EPISODES


def test_verdicts_and_audits_are_those_without_a_cluster(cluster: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text(COUNTER.read_text().replace("return ", "return 1 + ", 1))
    unreadable = tmp_path / "unreadable.py"
    unreadable.write_text("def tool(:\n")
    names = [str(COUNTER), str(broken), str(unreadable), "ledger_audit", "leak_survey"]
    verify = ("verify", *names, "--no-cache", "--json")
    assert json.loads(run_command(*verify, "--ray", cluster.address).stdout) == json.loads(
        run_command(*verify).stdout
    )
    audits = [
        run_command("audit", "ledger_audit", "--again", "--out", str(tmp_path / where), "--json", *option)
        for where, option in (("cluster", ("--ray", cluster.address)), ("alone", ()))
    ]
    assert audits[0].returncode == 0, audits[0].stderr
    assert json.loads(audits[0].stdout) == json.loads(audits[1].stdout)
    assert [path.name for path in (tmp_path / "cluster").iterdir()] == [
        path.name for path in (tmp_path / "alone").iterdir()
    ]
