"""Synthesis on a Ray cluster of three nodes, of which some are killed."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from codegym_mcp.synthesis.problem_reader import CodingProblem
from tests.ray.conftest import add_node
from tests.ray.test_ray_cluster import command, run_command
from tests.synthesis.author_process import author_process

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]
ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "tests" / "synthesis" / "scripts"
WRITTEN = ROOT / "examples" / "problems.jsonl"

RECORDS = """
def is_{word}(a, b):
    return a {sign} b


def {word}_places(heights):
    places = []
    best = 0
    for place in range(len(heights)):
        if is_{word}(heights[place], heights[best]):
            best = place
            places.append(place)
    return places
"""
HIGHER = ("[3, 1, 4, 1, 5]) == [2, 4]", "[2, 7, 1, 8]) == [1, 3]", "[9, 1]) == []")
LOWER = ("[3, 1, 4, 1, 5]) == [1]", "[7, 2, 8, 1]) == [1, 3]", "[1, 9]) == []")
SUMS = """
def {name}(numbers):
    total = {start}
    sums = []
    for number in numbers:
        total = total + number
        sums.append(total)
    return sums
"""


def problem(id: str, statement: str, solution: str, tests: list[str]) -> CodingProblem:
    return CodingProblem(id=id, statement=statement, solution=solution, tests=tuple(tests))


PROBLEMS = [
    problem(
        "highest",
        "Find the places of record heights.",
        RECORDS.format(word="higher", sign=">"),
        [f"assert higher_places({each}" for each in HIGHER],
    ),
    problem("broken", "Return the number.", "def same(number):\n    return (\n", ["assert same(1) == 1"]),
    # This environment and the next one repeat the first one, whichever of them is finished first.
    problem(
        "again",
        "Write down where a height is a new record.",
        RECORDS.format(word="higher", sign=">"),
        [f"assert higher_places({each}" for each in HIGHER],
    ),
    problem(
        "lowest",
        "Find the places of the lowest depths.",
        RECORDS.format(word="lower", sign="<"),
        [f"assert lower_places({each}" for each in LOWER],
    ),
    problem("constant", "Return one.", "def one(x):\n    return 1\n", ["assert one(3) == 1"]),
    problem(
        "sums",
        "Return the running totals of a list.",
        SUMS.format(name="totals", start=0),
        [
            "assert totals([1, 2, 3]) == [1, 3, 6]",
            "assert totals([5]) == [5]",
            "assert totals([4, -1]) == [4, 3]",
        ],
    ),
]


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    path = tmp_path / "problems.jsonl"
    path.write_text("".join(each.model_dump_json() + "\n" for each in PROBLEMS))
    return path


def tracing(problems: Path, out: Path, *further: str) -> list[str]:
    return ["synthesize", str(problems), "--out", str(out), "--method", "trace", "--json", *further]


def made(out: Path) -> dict[str, bytes]:
    """Returns the files of a synthesis, without the database and the lock."""
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.suffix in (".py", ".json", ".jsonl")
    }


def kill_a_node_after_the_first_problem(cluster: Any, arguments: list[str]) -> tuple[str, str]:
    """Runs a synthesis on a cluster that loses two nodes; returns what it printed to stdout and stderr."""
    nodes = sorted(cluster.list_all_nodes(), key=lambda node: bool(node.head))[:2]
    with subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if nodes and line.startswith("["):
                cluster.remove_node(nodes.pop(), allow_graceful=False)
                add_node(cluster)
        assert process.stdout is not None
        printed = process.stdout.read()
    assert process.returncode == 0, said
    assert not nodes
    return printed, said


def test_traced_environments_are_the_same_bytes_although_nodes_are_killed(
    cluster: Any, tmp_path: Path, problems: Path
) -> None:
    alone = run_command(*tracing(problems, tmp_path / "alone"))
    assert alone.returncode == 0, alone.stderr
    funnel = json.loads(alone.stdout)
    assert funnel["kept"] >= 2
    assert [each["problem"] for each in funnel["rejected"]["duplicate"]] == ["again", "lowest"]
    on_cluster = tracing(problems, tmp_path / "cluster", "--ray", cluster.address)
    printed, _ = kill_a_node_after_the_first_problem(cluster, on_cluster)
    assert json.loads(printed) == funnel
    assert made(tmp_path / "cluster") == made(tmp_path / "alone")


def test_a_killed_synthesis_is_continued_with_and_without_a_cluster(
    cluster: Any, tmp_path: Path, problems: Path
) -> None:
    out = tmp_path / "made"
    on_cluster = tracing(problems, out, "--ray", cluster.address)
    with subprocess.Popen(command(*on_cluster), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("["):
                process.kill()
                break
        process.stderr.read()
    continued = run_command(*tracing(problems, out))
    assert continued.returncode == 0, continued.stderr
    again = run_command(*on_cluster)
    assert again.returncode == 0, again.stderr
    alone = run_command(*tracing(problems, tmp_path / "alone"))
    assert json.loads(again.stdout) == json.loads(continued.stdout) == json.loads(alone.stdout)
    assert made(out) == made(tmp_path / "alone")


def test_what_a_model_writes_is_verified_on_the_nodes_and_no_request_is_sent_twice(
    cluster: Any, tmp_path: Path
) -> None:
    wanted = ("summits", "runoff-vote", "reef-count")
    problems = tmp_path / "problems.jsonl"
    lines = WRITTEN.read_text().splitlines()
    problems.write_text("\n".join(line for line in lines if json.loads(line)["id"] in wanted))
    with author_process(SCRIPTS, WRITTEN) as author:
        model = ("--model", "openai:author", "--base-url", f"{author.url}/v1", "--sampling-seed", "0")
        options = ("synthesize", str(problems), *model, "--json")
        alone = run_command(*options, "--out", str(tmp_path / "alone"))
        assert alone.returncode == 0, alone.stderr
        requests = len(author.log())
        done = run_command(*options, "--out", str(tmp_path / "cluster"), "--ray", cluster.address)
        assert done.returncode == 0, done.stderr
        assert len(author.log()) == 2 * requests
    assert json.loads(done.stdout) == json.loads(alone.stdout)
    assert json.loads(done.stdout)["kept"] >= 1
    assert made(tmp_path / "cluster") == made(tmp_path / "alone")


def test_a_cluster_that_does_not_exist_is_named(tmp_path: Path, problems: Path) -> None:
    done = run_command(*tracing(problems, tmp_path / "made", "--ray", "127.0.0.1:1"))
    assert done.returncode == 1
    assert "There is no Ray cluster at 127.0.0.1:1." in done.stderr
