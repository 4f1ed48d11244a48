"""The index of a run, while the run grows, is replaced, is damaged, and cannot be written."""

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegym_harness.run_viewer.episode_index import UNREADABLE, EpisodeIndex
from codegym_harness.run_viewer.episode_queries import count_facets, list_episodes
from codegym_harness.runs.run_directory_writer import RunDirectory
from codegym_mcp.episode_viewer.episode_views import EpisodeListQuery, EpisodeRow
from codegym_mcp.storage import json_lines
from tests.made_runs import Configuration, made_call, made_run, made_trajectory

OUTCOMES = {
    f"lift/t{n}/1": outcome for n, outcome in enumerate(["correct", "incorrect", "failed", "correct"])
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    made_run(tmp_path / "run", OUTCOMES)
    return tmp_path / "run"


@pytest.fixture
def index(run: Path, tmp_path: Path) -> EpisodeIndex:
    return EpisodeIndex(run, tmp_path / "index.sqlite")


def rows(index: EpisodeIndex, **query: Any) -> list[EpisodeRow]:
    index.update()
    recorded = EpisodeListQuery(run="", **{"sort": "recorded", **query})
    with index.reader() as connection:
        found, total = list_episodes(connection, recorded)
    assert total >= len(found)
    return found


def ids(index: EpisodeIndex, **query: Any) -> list[str]:
    return [row.id for row in rows(index, **query)]


def append(run: Path, *lines: bytes) -> None:
    with (run / "trajectories.jsonl").open("ab") as file:
        file.writelines(lines)


def line(key: str, outcome: str = "correct", **record: Any) -> bytes:
    return made_trajectory(key, outcome, **record).to_json().encode() + b"\n"


def test_every_episode_has_a_row(index: EpisodeIndex) -> None:
    assert {row.id: row.outcome for row in rows(index)} == OUTCOMES
    assert index.is_current


def test_a_run_that_grows_is_followed_line_by_line(index: EpisodeIndex, run: Path) -> None:
    assert len(ids(index)) == 4
    whole = line("lift/t9/1")
    append(run, whole[:40])
    assert len(ids(index)) == 4
    assert index.state.incomplete == 40
    append(run, whole[40:])
    assert ids(index)[-1] == "lift/t9/1"
    assert index.state.incomplete == 0


def test_a_complete_last_line_without_its_line_feed_is_read_once(index: EpisodeIndex, run: Path) -> None:
    append(run, line("lift/t9/1").rstrip())
    assert len(ids(index)) == 5
    append(run, b"\n", line("lift/t10/1"))
    assert ids(index)[-2:] == ["lift/t9/1", "lift/t10/1"]


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 3000), max_size=6))
def test_however_a_file_was_written_its_rows_are_the_same(cuts: list[int]) -> None:
    content = b"".join(line(key, outcome) for key, outcome in OUTCOMES.items())
    with TemporaryDirectory() as name:
        folder = Path(name)
        index = EpisodeIndex(folder, folder / "index.sqlite")
        before = 0
        for cut in [*sorted(cuts), len(content)]:
            append(folder, content[before:cut])
            before = max(before, min(cut, len(content)))
            index.update()
        assert ids(index) == list(OUTCOMES)


def test_a_damaged_line_in_the_middle_is_a_row_of_its_own(index: EpisodeIndex, run: Path) -> None:
    append(run, b'{"steps": [broken\n', b"\n", line("lift/t9/1"))
    found = rows(index)
    assert [row.outcome for row in found[-2:]] == [UNREADABLE, "correct"]
    assert found[-2].task == "line 5"
    assert "not JSON" in found[-2].error


def test_a_line_that_is_too_long_is_a_row_of_its_own(
    index: EpisodeIndex, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codegym_harness.run_viewer.trajectory_files.MAX_LINE", 5000)
    append(run, b"x" * 12_000 + b"\n", line("lift/t9/1"))
    assert [row.outcome for row in rows(index)[-2:]] == [UNREADABLE, "correct"]
    assert json_lines.MAX_LINE > 5000


def test_a_replaced_file_is_read_again(index: EpisodeIndex, run: Path) -> None:
    assert len(ids(index)) == 4
    other = run / "other"
    other.write_bytes(line("lift/new/1") * 1 + line("lift/newer/1"))
    os.replace(other, run / "trajectories.jsonl")
    assert ids(index) == ["lift/new/1", "lift/newer/1"]


@pytest.mark.parametrize("content", [b"", line("lift/a/1") + line("lift/b/1") * 1])
def test_a_file_that_was_written_anew_in_place_is_read_again(
    index: EpisodeIndex, run: Path, content: bytes
) -> None:
    assert len(ids(index)) == 4
    (run / "trajectories.jsonl").write_bytes(content)
    assert len(ids(index)) == content.count(b"\n")


def test_failures_that_were_played_again_are_hidden_until_they_are_wanted(
    index: EpisodeIndex, run: Path
) -> None:
    assert len(ids(index)) == 4
    with RunDirectory.resume(run) as directory:
        directory.set_failures_aside()
        directory.append(made_trajectory("lift/t2/1", "correct"))
    assert sorted(ids(index)) == sorted(OUTCOMES)
    everything = rows(index, superseded=True)
    assert [row.outcome for row in everything if row.superseded] == ["failed"]
    assert len({row.id for row in everything}) == 5


def test_an_empty_run_has_no_rows(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path / "run", Configuration()):
        pass
    assert ids(EpisodeIndex(tmp_path / "run", tmp_path / "index.sqlite")) == []


def test_filters_and_sorting(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path / "run", Configuration()) as directory:
        for number in range(6):
            directory.append(
                made_trajectory(
                    f"lift/t{number}/1",
                    "correct" if number % 2 else "incorrect",
                    difficulty=number % 3 + 1,
                    tags=["odd"] if number % 2 else ["even", "round"],
                    calls=10 - number,
                )
            )
        directory.append(made_trajectory("vault/red/1", "no_submission", limits_met=["calls"], calls=3))
    index = EpisodeIndex(tmp_path / "run", tmp_path / "index.sqlite")
    assert ids(index, environment=["vault"]) == ["vault/red/1"]
    assert ids(index, outcome=["correct"], sort="calls") == ["lift/t5/1", "lift/t3/1", "lift/t1/1"]
    assert ids(index, tag=["round"], descending=True) == ["lift/t4/1", "lift/t2/1", "lift/t0/1"]
    assert ids(index, difficulty=[3], failures=True) == ["lift/t2/1"]
    assert ids(index, ended=["calls"]) == ["vault/red/1"]
    assert ids(index, min_reward=0.5) == ["lift/t1/1", "lift/t3/1", "lift/t5/1"]
    assert ids(index, max_reward=0, limit=1, offset=3) == ["vault/red/1"]
    # Tasks of unknown difficulty come last, whatever the direction.
    assert ids(index, sort="difficulty", descending=True)[-1] == "vault/red/1"
    with index.reader() as connection:
        facets = count_facets(connection, searchable=True)
    assert {each.value: each.count for each in facets.outcome} == {
        "correct": 3,
        "incorrect": 3,
        "no_submission": 1,
    }
    assert {each.value: each.count for each in facets.tag} == {"even": 3, "round": 3, "odd": 3}


def test_texts_are_found_by_the_beginnings_of_their_words(tmp_path: Path) -> None:
    played = [made_call("look", {"name": "Sable House"}, "an émeraude bell")]
    with RunDirectory.create(tmp_path / "run", Configuration()) as directory:
        directory.append(made_trajectory("lift/a/1", played=played))
        directory.append(made_trajectory("lift/b/1"))
    index = EpisodeIndex(tmp_path / "run", tmp_path / "index.sqlite")
    for search in ("sable", "HOUS", "emeraude", "bell sable", "look", 'sa"ble" OR x', "(sable)"):
        expected = [] if "OR" in search else ["lift/a/1"]
        assert ids(index, search=search) == expected, search
    assert ids(index, search="'); DROP TABLE episodes; --") == []
    assert len(ids(index)) == 2


def test_two_viewers_that_read_a_run_at_once_make_one_index(index: EpisodeIndex, run: Path) -> None:
    append(run, *(line(f"vault/t{number}/1") for number in range(200)))
    others = [EpisodeIndex(run, index._file) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda each: each.update(), others))
    assert len(ids(index, limit=1000)) == 204


@pytest.mark.parametrize("damage", [b"no database at all" * 400, b""])
def test_a_damaged_index_is_built_anew(index: EpisodeIndex, run: Path, damage: bytes) -> None:
    assert len(ids(index)) == 4
    for suffix in ("-wal", "-shm"):
        index._file.with_name(index._file.name + suffix).unlink(missing_ok=True)
    index._file.write_bytes(damage)
    assert len(ids(EpisodeIndex(run, index._file))) == 4


def test_an_index_of_another_version_is_built_anew(index: EpisodeIndex, run: Path) -> None:
    assert len(ids(index)) == 4
    connection = sqlite3.connect(index._file)
    connection.execute("PRAGMA user_version = 99")
    connection.execute("DROP TABLE episodes")
    connection.commit()
    connection.close()
    assert len(ids(EpisodeIndex(run, index._file))) == 4


def test_a_file_that_cannot_be_read_is_a_problem_of_the_run(index: EpisodeIndex, run: Path) -> None:
    (run / "trajectories.jsonl").unlink()
    os.mkfifo(run / "trajectories.jsonl")
    assert ids(index) == []
    assert "is a pipe" in index.state.problem
