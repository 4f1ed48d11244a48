"""The data that the page gets of runs: whole, in progress, killed, empty, unreadable; and who gets them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from codegym_harness.records.trajectory import Metrics, MetricsExtra, Step
from codegym_harness.run_viewer.index_location import IndexLocation
from codegym_harness.run_viewer.run_folders import RunFolders
from codegym_harness.runs.evaluate import evaluate
from codegym_harness.runs.run_directory_reader import RunStart
from codegym_harness.runs.run_directory_writer import RunDirectory
from codegym_mcp.episode_viewer.episode_views import EXCERPT_CHARACTERS, STEPS_PER_REQUEST
from codegym_mcp.errors import RunError
from tests.made_runs import AT, Configuration, made_call, made_run, made_trajectory

from .conftest import Get

OUTCOMES = {"lift/low/1": "correct", "lift/high/1": "incorrect", "vault/red/1": "failed"}


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def read(get: Get, run: str, id: str, **parameters: Any) -> Any:
    return get("episode", run=run, episode=id, **parameters)


def only_run(get: Get) -> str:
    (run,) = get("runs")
    id = run["id"]
    assert isinstance(id, str)
    return id


# --- who gets them


@pytest.mark.parametrize("given", [None, "Bearer wrong", "Basic a-token-of-the-viewer", "Bearer "])
@pytest.mark.parametrize("name", ["runs", "episodes", "facets", "episode", "text", "attempts"])
def test_nothing_is_told_without_the_token(client: TestClient, given: str | None, name: str) -> None:
    response = client.get(f"/view/api/{name}", headers={"authorization": given or ""})
    assert response.status_code == 401


def test_the_oracle_does_not_play_without_the_token_or_by_a_link(client: TestClient) -> None:
    assert client.post("/view/api/oracle", headers={"authorization": ""}).status_code == 401
    assert client.get("/view/api/oracle").status_code == 405


@pytest.mark.parametrize(
    "headers", [{"host": "evil.example"}, {"origin": "https://evil.example"}, {"origin": "null"}]
)
def test_pages_of_other_origins_and_rebound_names_are_refused(
    client: TestClient, headers: dict[str, str]
) -> None:
    assert client.get("/view/api/runs", headers=headers).status_code in (403, 421)


# --- the list of runs


def test_runs_and_their_baselines_are_listed(runs: Path, get: Get) -> None:
    made_run(runs / "mine", OUTCOMES, agent="someone")
    made_run(runs / "mine" / "baselines" / "random", {"lift/low/1": "incorrect"}, agent="random")
    listed = get("runs")
    shown = ("agent", "state", "episodes", "solved", "unsolved", "failed")
    assert [tuple(run[name] for name in shown) for run in listed] == [
        ("someone", "failed", 3, 1, 1, 1),
        ("random", "finished", 1, 0, 1, 0),
    ]


def test_episodes_of_a_run_without_a_summary_are_counted_alike(runs: Path, get: Get) -> None:
    with RunDirectory.create(runs / "live", Configuration(), RunStart(at=AT, episodes=9)) as directory:
        for key, outcome in OUTCOMES.items():
            directory.append(made_trajectory(key, outcome))
        get("episodes", run=only_run(get))
        (run,) = get("runs")
    assert (run["solved"], run["unsolved"], run["failed"]) == (1, 1, 1)


def test_episodes_are_sorted_by_name_unless_asked_otherwise(runs: Path, get: Get) -> None:
    made_run(runs / "mine", OUTCOMES)
    run = only_run(get)
    listed = get("episodes", run=run)
    assert listed["sort"] == "environment"
    assert [row["task"] for row in listed["rows"]] == ["high", "low", "red"]
    recorded = get("episodes", run=run, sort="recorded")
    assert [row["task"] for row in recorded["rows"]] == ["low", "high", "red"]


def test_a_run_that_starts_later_appears(runs: Path, get: Get) -> None:
    assert get("runs") == []
    made_run(runs / "late", OUTCOMES)
    assert len(get("runs")) == 1


def test_a_run_that_cannot_be_read_is_listed_with_the_reason(runs: Path, get: Get) -> None:
    (runs / "broken").mkdir()
    (runs / "broken" / "run.json").write_text("{")
    (listed,) = get("runs")
    assert listed["state"] == "unreadable"
    assert "run.json" in listed["problem"]
    page = get("episodes", run=listed["id"])
    assert page["rows"] == []
    assert "run.json" in page["progress"]["problems"][0]


def test_a_path_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="There is no directory"):
        RunFolders([tmp_path / "nowhere"], IndexLocation(tmp_path / "cache"))


# --- runs in every condition


def test_a_run_in_progress_is_followed(runs: Path, get: Get) -> None:
    with RunDirectory.create(runs / "live", Configuration(), RunStart(at=AT, episodes=3)) as directory:
        directory.append(made_trajectory("lift/low/1"))
        run = only_run(get)
        first = get("episodes", run=run)
        assert (first["total"], first["progress"]["live"], first["run"]["state"]) == (1, True, "in progress")
        directory.append(made_trajectory("lift/high/1"))
        second = get("episodes", run=run)
        assert second["total"] == 2
        assert second["progress"]["version"] != first["progress"]["version"]
    assert get("episodes", run=run)["run"]["state"] == "interrupted"


def test_the_incomplete_line_of_a_killed_run_is_told(runs: Path, get: Get) -> None:
    with RunDirectory.create(runs / "killed", Configuration(), RunStart(at=AT, episodes=9)) as directory:
        directory.append(made_trajectory("lift/low/1"))
    with (runs / "killed" / "trajectories.jsonl").open("ab") as file:
        file.write(made_trajectory("lift/high/1").to_json().encode()[:300])
    page = get("episodes", run=only_run(get))
    assert page["total"] == 1
    assert "300 bytes" in page["progress"]["problems"][0]
    # Nothing remains to be read.
    assert page["progress"]["read_bytes"] == page["progress"]["total_bytes"]


def test_an_empty_run_is_shown(runs: Path, get: Get) -> None:
    with RunDirectory.create(runs / "empty", Configuration()):
        pass
    assert get("episodes", run=only_run(get))["total"] == 0


def test_a_damaged_line_is_shown_as_it_stands(runs: Path, get: Get) -> None:
    made_run(runs / "damaged", OUTCOMES)
    with (runs / "damaged" / "trajectories.jsonl").open("ab") as file:
        file.write(
            b'{"steps": [\xff<script>alert(1)</script>\n'
            + made_trajectory("lift/z/1").to_json().encode()
            + b"\n"
        )
    run = only_run(get)
    rows = get("episodes", run=run, outcome="unreadable")["rows"]
    view = read(get, run, rows[0]["id"])
    assert "<script>" in view["line"]["text"]
    assert "not JSON" in view["problems"][0]
    assert get("text", run=run, episode=rows[0]["id"], part="line")["text"].startswith('{"steps"')


def test_a_run_on_a_read_only_disk_is_shown_and_not_changed(runs: Path, tmp_path: Path, get: Get) -> None:
    made_run(runs / "mine", OUTCOMES)
    before = sorted((path, path.stat().st_mtime_ns) for path in (runs / "mine").rglob("*"))
    assert get("episodes", run=only_run(get))["total"] == 3
    assert sorted((path, path.stat().st_mtime_ns) for path in (runs / "mine").rglob("*")) == before
    assert list((tmp_path / "cache").glob("*.sqlite"))


def test_a_cache_that_cannot_be_written_is_replaced_by_a_temporary_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    location = IndexLocation(tmp_path / "file" / "cache")
    folder = location.folder
    assert folder.is_dir()
    location.close()
    assert not folder.exists()


def test_unknown_runs_episodes_texts_and_parameters_are_errors(
    runs: Path, client: TestClient, get: Get
) -> None:
    made_run(runs / "mine", OUTCOMES)
    run = only_run(get)
    get("episodes", run=run)
    asked = {
        ("episodes", "run=nothing"): 404,
        ("episode", f"run={run}&episode=nothing"): 404,
        ("text", f"run={run}&episode=lift/low/1&part=message&step=99"): 404,
        ("text", f"run={run}&episode=lift/low/1&part=result&step=1&call=4"): 404,
        ("text", f"run={run}&episode=lift/low/1&part=nonsense"): 422,
        ("episodes", f"run={run}&limit=100000"): 422,
        ("episodes", f"run={run}&unknown=1"): 422,
        ("episodes", ""): 422,
        ("episode", "run=oracle&episode=unplayed"): 404,
    }
    for (name, query), status in asked.items():
        response = client.get(f"/view/api/{name}?{query}")
        assert response.status_code == status, (name, query)
        assert response.json()["error"]["message"]


# --- an episode


def test_an_episode_has_its_steps_calls_results_and_figures(runs: Path, get: Get) -> None:
    played = [
        made_call("look", {}, "a bell"),
        made_call("move", {"floors": 2}, "too far", error=True),
        made_call("jump", {}, "There is no tool jump.", error=True, invalid="unknown_tool"),
    ]
    trajectory = made_trajectory("lift/low/1", "correct", played, tokens=(100, 7), difficulty=2)
    trajectory.steps[1].reasoning_content = "I should look."
    with RunDirectory.create(runs / "mine", Configuration()) as directory:
        directory.append(trajectory)
    run = only_run(get)
    get("episodes", run=run)
    view = read(get, run, "lift/low/1", search="BELL")
    assert [step["number"] for step in view["steps"]] == [1, 2, 3, 4]
    assert view["failures"] == [3, 4]
    # The task says it too.
    assert view["matches"] == [1, 2]
    look, move, jump = (step["calls"][0] for step in view["steps"][1:])
    assert view["steps"][1]["reasoning"]["text"] == "I should look."
    assert (look["name"], look["result"]["text"], look["is_error"]) == ("look", "a bell", False)
    assert (json.loads(move["arguments"]["text"]), move["is_error"]) == ({"floors": 2}, True)
    assert (jump["invalid"], jump["by_agent"]) == ("unknown_tool", True)
    assert (view["steps"][3]["prompt_tokens"], view["steps"][3]["completion_tokens"]) == (100, 7)
    assert view["row"]["reward"] == 1


def test_a_long_text_is_sent_in_parts_that_make_the_whole(runs: Path, get: Get) -> None:
    long = "".join(chr(0x1F600 + n % 50) if n % 7 == 0 else "abcdef\n"[n % 7] for n in range(600_000))
    with RunDirectory.create(runs / "mine", Configuration()) as directory:
        directory.append(made_trajectory("lift/low/1", played=[made_call("look", {}, long)]))
    run = only_run(get)
    get("episodes", run=run)
    result = read(get, run, "lift/low/1")["steps"][1]["calls"][0]["result"]
    assert EXCERPT_CHARACTERS / 2 <= len(result["text"]) <= EXCERPT_CHARACTERS
    assert result["length"] == 600_000
    parts, offset = [result["text"]], result["next_offset"]
    while offset is not None:
        part = get("text", run=run, episode="lift/low/1", part="result", step=2, offset=offset)
        assert len(part["text"]) <= 250_000
        parts.append(part["text"])
        offset = part["next_offset"]
    assert "".join(parts) == long


def test_the_submission_is_shown_with_the_facts_of_the_episode(runs: Path, get: Get) -> None:
    answer = "x" * 300_000
    played = [made_call("look", {}), made_call("submit_answer", {"answer": answer}, "received")]
    with RunDirectory.create(runs / "mine", Configuration()) as directory:
        directory.append(made_trajectory("lift/low/1", "incorrect", played))
        directory.append(made_trajectory("lift/high/1", "no_submission", played[:1]))
    run = only_run(get)
    get("episodes", run=run)
    submitted = read(get, run, "lift/low/1")["submitted"]
    assert submitted["text"].startswith('{"answer":"xxx')
    rest = get("text", run=run, episode="lift/low/1", part="submitted", offset=submitted["next_offset"])
    assert rest["length"] == 300_013
    look, submit = (step["calls"][0] for step in read(get, run, "lift/low/1")["steps"][1:])
    assert (look["answer_correct"], submit["answer_correct"]) == (None, False)
    assert read(get, run, "lift/high/1")["submitted"] is None


def test_an_episode_of_many_steps_is_sent_in_parts(runs: Path, get: Get) -> None:
    trajectory = made_trajectory("lift/low/1")
    metrics = Metrics(prompt_tokens=1, extra=MetricsExtra())
    for number in range(2, STEPS_PER_REQUEST + 52):
        trajectory.steps.append(
            Step(step_id=number, timestamp=AT, source="agent", message="I wait.", metrics=metrics)
        )
    with RunDirectory.create(runs / "mine", Configuration()) as directory:
        directory.append(trajectory)
    run = only_run(get)
    get("episodes", run=run)
    first = read(get, run, "lift/low/1")
    rest = read(get, run, "lift/low/1", first=first["next_step"])
    numbers = [step["number"] for step in first["steps"] + rest["steps"]]
    assert numbers == list(range(1, STEPS_PER_REQUEST + 52))
    assert rest["next_step"] is None


def test_other_attempts_at_a_task_are_found_in_all_runs(runs: Path, get: Get) -> None:
    made_run(runs / "a", {"lift/low/1": "correct", "lift/low/2": "incorrect"}, agent="someone")
    made_run(runs / "b", {"lift/low/1": "incorrect", "lift/high/1": "correct"}, agent="other")
    first, second = (run["id"] for run in get("runs"))
    get("episodes", run=first)
    get("episodes", run=second)
    found = get("attempts", run=first, episode="lift/low/1")
    assert [(each["run"], each["id"]) for each in found["attempts"]] == [
        (first, "lift/low/2"),
        (second, "lift/low/1"),
    ]
    assert "lift" in found["oracle"]


def test_runs_without_the_task_are_not_read_for_its_attempts(runs: Path, tmp_path: Path, get: Get) -> None:
    made_run(runs / "a", {"lift/low/1": "correct"}, tasks={"lift": ["low"]})
    made_run(runs / "b", {"vault/red/1": "correct"}, tasks={"vault": ["red"]})
    first, _ = (run["id"] for run in get("runs"))
    get("episodes", run=first)
    assert get("attempts", run=first, episode="lift/low/1")["attempts"] == []
    assert len(list((tmp_path / "cache").glob("*.sqlite"))) == 1


# --- the oracle


async def test_the_oracle_plays_the_task_of_an_episode(runs: Path, client: TestClient, get: Get) -> None:
    await evaluate("observe", "leak_survey", tasks=1, out=runs / "mine")
    run = only_run(get)
    (row,) = get("episodes", run=run)["rows"]
    assert get("attempts", run=run, episode=row["id"])["oracle"] == ""
    view = get("oracle", "POST", run=run, episode=row["id"])
    assert (view["run"], view["row"]["outcome"]) == ("oracle", "correct")
    assert view["row"]["calls"] == row["oracle_calls"]
    task = get("text", run="oracle", episode=view["row"]["id"], part="message", step=1)
    assert task["text"] == read(get, run, row["id"])["steps"][0]["message"]["text"]
    # After a change of the environment, it would be another task.
    configuration = json.loads((runs / "mine" / "run.json").read_text())
    configuration["begun"]["environments"] = {"leak_survey": "another digest"}
    (runs / "mine" / "run.json").write_text(json.dumps(configuration))
    refused = client.post("/view/api/oracle", params={"run": run, "episode": row["id"]})
    assert refused.status_code == 409
    assert "has changed" in refused.json()["error"]["message"]


def test_the_run_of_an_index_may_vanish(runs: Path, client: TestClient, get: Get) -> None:
    made_run(runs / "mine", OUTCOMES)
    run = only_run(get)
    get("episodes", run=run)
    shutil.rmtree(runs / "mine")
    response = client.get("/view/api/episode", params={"run": run, "episode": "lift/low/1"})
    assert response.status_code == 409
    assert get("runs") == []
