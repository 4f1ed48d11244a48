"""`codegym-mcp synthesize` from end to end, with a scripted model server in a process of its own."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.synthesis.problem_outcomes import ProblemOutcome
from codegym_mcp.verification.audit.audit_files import current_audit
from tests.synthesis.author_process import AuthorProcess, author_process

HERE = Path(__file__).parent
SCRIPTS = HERE / "scripts"
PROBLEMS = HERE.parents[1] / "examples" / "problems.jsonl"
SECONDS = 900
"""Far more than a busy machine needs; ends only a run that hangs."""
POLL_SECONDS = 0.02
RIDGE = "summits"


@pytest.fixture
def author() -> Iterator[AuthorProcess]:
    with author_process(SCRIPTS, PROBLEMS) as server:
        yield server


def command(author, out, *options, problems=PROBLEMS):
    """Returns the command line; the seed lets the server tell the requests for oracles apart."""
    model = ("--model", "openai:author", "--base-url", f"{author.url}/v1", "--sampling-seed", "0")
    arguments = ("synthesize", str(problems), "--out", str(out), *model, "--json", *options)
    return [sys.executable, "-m", "codegym_mcp.cli", *arguments]


def synthesize(author, out, *options, **problems):
    """Runs the command to its end."""
    return subprocess.run(
        command(author, out, *options, **problems),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def scripts():
    told = [json.loads(file.read_text()) for file in sorted(SCRIPTS.glob("*/script.json"))]
    return {each["problem"]: each["expected"] for each in told}


def expected_funnel(problems):
    """Returns the expected outcome of each problem, in the order of the file."""
    ids = [json.loads(line)["id"] for line in problems.read_text().splitlines()]
    expected = scripts()
    return [(problem, expected[problem]) for problem in ids]


def check(funnel, out, problems):
    """Checks that the funnel and the output folder are as scripted."""
    expected = expected_funnel(problems)
    kept = [name for _, each in expected if each["stage"] == "kept" for name in each["environments"]]
    assert funnel["environments"] == kept
    assert (funnel["problems"], funnel["unfinished"]) == (len(expected), [])
    stages = {
        each["problem"]: (stage, each["reason"])
        for stage, problems in funnel["rejected"].items()
        for each in problems
    }
    assert {problem: stage for problem, (stage, _) in stages.items()} == {
        problem: each["stage"] for problem, each in expected if each["stage"] != "kept"
    }
    for problem, each in expected:
        assert each.get("reason", "") in stages.get(problem, ("", ""))[1]
    assert {entry.name for entry in Catalog.load([out]).entries} == set(kept)
    rejected = [
        ProblemOutcome.model_validate_json(file.read_bytes())
        for file in out.glob("synthesis/rejected/*.json")
    ]
    attempts = {outcome.problem: [a.stage for a in outcome.candidates[0].attempts] for outcome in rejected}
    assert attempts == {
        problem: each.get("attempts", [])
        for problem, each in expected
        if each["stage"] != "kept" or each.get("attempts")
    }


def some_problems(path, *ids):
    """Writes a file with some of the problems."""
    lines = PROBLEMS.read_text().splitlines()
    path.write_text("\n".join(line for line in lines if json.loads(line)["id"] in ids))
    return path


@pytest.fixture
def few(tmp_path):
    """Four problems: one is kept, the others are refused, rejected after repairs, and not solved."""
    return some_problems(tmp_path / "few.jsonl", RIDGE, "nested-boxes", "runoff-vote", "reef-count")


def test_ten_problems_go_through_the_funnel_as_scripted(author, tmp_path) -> None:
    problems = some_problems(tmp_path / "ten.jsonl", *scripts())
    out = tmp_path / "made"
    done = synthesize(author, out, problems=problems)
    assert done.returncode == 0, done.stderr
    funnel = json.loads(done.stdout)
    assert funnel["problems"] == 10
    check(funnel, out, problems)
    log = author.log()
    assert all(each["script"] for each in log)
    assert funnel["costs"]["requests"] == len(log)
    for entry in Catalog.load([out]).entries:
        environment = entry.read()
        assert len(environment.tasks) >= 8
        assert all(10 <= task.oracle_calls <= 256 for task in environment.tasks)
        assert environment.license == "MIT"
        audit = current_audit(entry)
        assert audit is not None
        assert audit.grade <= "B"
        provenance = json.loads((out / f"{entry.name}.provenance.json").read_text())
        assert provenance["problem"] in environment.origin
        assert provenance["costs"]["requests"] > 0
    # Everything again: the same, and nobody is asked.
    before = {file: file.read_bytes() for file in out.glob("*.*")}
    again = synthesize(author, out, problems=problems)
    assert json.loads(again.stdout) == funnel
    assert {file: file.read_bytes() for file in out.glob("*.*")} == before
    assert len(author.log()) == len(log)


def test_a_run_killed_while_waiting_sends_no_request_twice(author, tmp_path, few) -> None:
    answered = kills = 0
    while True:
        author.hold(answered + 3)
        process = start(author, tmp_path / "made", "--concurrency", "3", problems=few, stdout=subprocess.PIPE)
        try:
            if not wait_until_held(author, process, tmp_path / "made"):
                break
        finally:
            process.send_signal(signal.SIGKILL)
            output, _ = process.communicate()
        answered = wait_until_disconnected(author)
        kills += 1
    assert process.returncode == 0
    assert kills > 3
    check(json.loads(output), tmp_path / "made", few)
    check_asked_once(author, tmp_path / "made")


def test_a_run_killed_at_every_stage_sends_no_request_twice(author, tmp_path, few) -> None:
    for stage in ("environment", "tasks", "oracle", "length", "verification", "audit"):
        author.hold(None)
        process = start(author, tmp_path / "made", "--concurrency", "1", problems=few, stderr=subprocess.PIPE)
        try:
            assert any(line.rstrip().endswith(f": {stage}") for line in process.stderr)
            # What has been answered is kept before it is killed: no answer is under way.
            author.hold(0)
            wait_until_held(author, process, tmp_path / "made", waiting=0)
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        wait_until_disconnected(author)
    author.hold(None)
    done = synthesize(author, tmp_path / "made", problems=few)
    assert done.returncode == 0, done.stderr
    check(json.loads(done.stdout), tmp_path / "made", few)
    check_asked_once(author, tmp_path / "made")


def start(author, out, *options, problems, **pipes):
    """Starts the command as a process that the test kills."""
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **pipes}
    return subprocess.Popen(command(author, out, *options, problems=problems), text=True, **streams)


def check_asked_once(author, out):
    log = author.log()
    assert all(count == 1 for count in Counter(each["request"] for each in log).values())
    assert answers(out) == len(log)


def wait_until_held(author, process, out, waiting=1):
    """Waits until the server holds requests and what it has answered is kept; False if the process has ended."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            return False
        state = author.state()
        if state["waiting"] >= waiting and answers(out) == state["answered"]:
            return True
        time.sleep(POLL_SECONDS)
    raise TimeoutError("the process neither waits nor has ended")


def wait_until_disconnected(author):
    """Waits until the server has noticed the disconnection; returns how many requests it has answered."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        state = author.state()
        if not state["waiting"]:
            return state["answered"]
        time.sleep(POLL_SECONDS)
    raise TimeoutError("a request still waits")


def answers(out):
    """Returns how many responses are stored."""
    path = out / "synthesis" / "answers.sqlite"
    if not path.exists():
        return 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
        try:
            return connection.execute("SELECT count(*) FROM answers").fetchone()[0]
        except sqlite3.OperationalError:
            return -1


def test_a_run_that_reached_its_ceiling_continues_with_a_higher_one(author, tmp_path, few) -> None:
    first = synthesize(
        author, tmp_path / "made", "--max-total-tokens", "3000", "--concurrency", "1", problems=few
    )
    assert first.returncode == 1
    assert "--max-total-tokens" in first.stderr
    asked = len(author.log())
    assert 0 < asked < 10
    again = synthesize(
        author, tmp_path / "made", "--max-total-tokens", "3000", "--concurrency", "1", problems=few
    )
    assert again.returncode == 1
    assert len(author.log()) == asked
    whole = synthesize(author, tmp_path / "made", "--max-total-tokens", "1000000", problems=few)
    assert whole.returncode == 0, whole.stderr
    check(json.loads(whole.stdout), tmp_path / "made", few)


@pytest.fixture
def ridge(tmp_path):
    """Writes a file with the one problem that is solved without a repair."""
    return some_problems(tmp_path / "ridge.jsonl", RIDGE)


def test_a_second_environment_of_a_problem_is_kept_only_if_it_differs(author, tmp_path, ridge) -> None:
    done = synthesize(author, tmp_path / "made", "--samples", "2", problems=ridge)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["environments"] == ["ridge_in_fog"]
    (file,) = (tmp_path / "made" / "synthesis" / "rejected").iterdir()
    first, second = ProblemOutcome.model_validate_json(file.read_bytes()).candidates
    assert (first.rejected_at, second.rejected_at, second.sample) == (None, "duplicate", 1)
    # The second was written anew, and what rests on the same file was not asked for again.
    assert Counter(each["file"].split(".")[0] for each in author.log()) == {
        "environment": 2,
        "tasks": 1,
        "oracle": 2,
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The model and the folder of a finished run over the one problem; for reading."""
    folder = tmp_path_factory.mktemp("finished")
    with author_process(SCRIPTS, PROBLEMS) as author:
        done = synthesize(author, folder / "made", problems=some_problems(folder / "ridge.jsonl", RIDGE))
        assert done.returncode == 0, done.stderr
        yield author, folder / "made"


def test_an_existing_environment_is_not_made_again(author, tmp_path, ridge, made) -> None:
    second = synthesize(author, tmp_path / "two", "--against", str(made[1]), problems=ridge)
    assert second.returncode == 0
    (rejected,) = json.loads(second.stdout)["rejected"]["duplicate"]
    assert "the same as ridge_in_fog" in rejected["reason"]


def test_a_folder_with_another_recipe_is_refused(ridge, made) -> None:
    author, folder = made
    other = synthesize(author, folder, "--oracles", "2", problems=ridge)
    assert other.returncode == 1
    assert "another recipe: options differ" in other.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--field", "statement"), "--field takes NAME=FIELD"),
        (("--field", "mood=x"), "no field 'mood'"),
        (("--temperature", "-1"), "temperature"),
        (("--model", "nobody:x"), "nobody"),
        (("--model", "maintainers"), "without its provider"),
    ],
)
def test_invalid_options_are_reported_before_any_request(author, tmp_path, ridge, options, message) -> None:
    done = synthesize(author, tmp_path / "made", *options, problems=ridge)
    assert done.returncode != 0
    assert message in done.stderr
    assert author.log() == []
    # A folder with a recipe would refuse the corrected command.
    assert not (tmp_path / "made").exists()


def test_a_failing_provider_leaves_problems_unfinished(author, tmp_path, openai_server) -> None:
    name = openai_server.script({"status": 500, "body": {"error": {"message": "a bad day"}}})
    options = ("--base-url", f"{openai_server.url}/v1", "--model", f"openai:{name}", "--attempts", "1")
    done = synthesize(author, tmp_path, *options, "--limit", "2")
    assert done.returncode == 1
    funnel = json.loads(done.stdout)
    assert len(funnel["unfinished"]) == 2
    assert "a bad day" in funnel["unfinished"][0]["reason"]
    assert funnel["kept"] == 0
