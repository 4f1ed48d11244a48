"""What is taken out of the files that a program needs, since it holds answers."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from codegym_harness.agent_enclosure.readable_paths import (
    Mount,
    other_places,
    read_mounts,
    readable_paths,
)

ANSWER = '{"id": "a", "config": {"start": 0, "bell": 2}, "comment": "long enough to be compared"}\n'


@pytest.fixture
def top(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "top"
    folder.mkdir()
    return folder


def write(path: Path, text: str = "harmless") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def covers(paths: list[Path], path: Path) -> bool:
    return any(path.is_relative_to(shown) for shown in paths)


def test_a_folder_without_answers_is_shown_whole(top: Path) -> None:
    write(top / "deep" / "file")
    assert readable_paths([top, top / "deep"], [top.parent / "other"]) == [top]


def test_a_folder_is_shown_without_the_answers_in_it(top: Path) -> None:
    answer, harmless = write(top / "deep" / "answers" / "answer"), write(top / "deep" / "harmless")
    other = write(top / "other" / "file")
    shown = readable_paths([top], [answer.parent])
    assert shown == [other.parent, harmless]


def test_nothing_below_an_answer_is_shown(top: Path) -> None:
    assert readable_paths([write(top / "answers" / "part" / "agent.py").parent], [top / "answers"]) == []


def test_answers_that_will_be_written_later_are_not_shown(top: Path) -> None:
    write(top / "runs" / "old" / "file")
    shown = readable_paths([top], [top / "runs" / "new"])
    assert not covers(shown, top / "runs" / "new" / "trajectories.jsonl")
    assert covers(shown, top / "runs" / "old" / "file")


@pytest.mark.parametrize("name", [".git", ".hg", ".svn", ".jj"])
def test_a_history_is_not_shown(top: Path, name: str) -> None:
    write(top / "project" / name / "objects" / "pack")
    harmless = write(top / "project" / "file")
    assert readable_paths([top], []) == [harmless]


def test_a_work_trees_link_to_its_history_and_a_bare_repository_are_not_shown(top: Path) -> None:
    subprocess.run(["git", "init", "-q", "--bare", str(top / "bare.git")], check=True)
    write(top / "tree" / ".git", "gitdir: elsewhere")
    harmless = write(top / "tree" / "file")
    assert readable_paths([top], []) == [harmless]


def test_runs_and_journals_are_not_shown_wherever_they_lie(top: Path) -> None:
    write(top / "elsewhere" / "run.json")
    write(top / "elsewhere" / "trajectories.jsonl")
    write(top / "data" / "journal.sqlite")
    write(top / "venv" / "site-packages" / "codegym_mcp" / "environments" / "night.jsonl")
    write(top / "dist" / "codegym_mcp-0.1.0-py3-none-any.whl")
    harmless = write(top / "run.json")
    shown = readable_paths([top], [])
    assert covers(shown, harmless)
    for path in ("elsewhere/run.json", "data/journal.sqlite", "dist/codegym_mcp-0.1.0-py3-none-any.whl"):
        assert not covers(shown, top / path)
    assert not covers(shown, top / "venv/site-packages/codegym_mcp/environments/night.jsonl")


@pytest.mark.parametrize("how", ["copy", "hard link", "symbolic link"])
def test_an_answer_under_another_name_is_not_shown(top: Path, tmp_path: Path, how: str) -> None:
    answer = write(tmp_path / "answers" / "night.jsonl", ANSWER)
    harmless, other = write(top / "harmless"), top / "other"
    if how == "copy":
        shutil.copy(answer, other)
    elif how == "hard link":
        os.link(answer, other)
    else:
        other.symlink_to(answer)
    shown = readable_paths([top], [answer.parent])
    assert covers(shown, harmless)
    assert not covers(shown, answer)
    # A link is shown as a link, which leads nowhere.
    assert covers(shown, other) == (how == "symbolic link")


def test_an_answer_behind_a_link_is_not_shown_at_the_place_it_leads_to(top: Path) -> None:
    answer = write(top / "store" / "answers" / "night.jsonl", ANSWER)
    (top / "environments").symlink_to("store/answers")
    assert not covers(readable_paths([top], [top / "environments"]), answer)


def test_mounts_that_show_an_answer_elsewhere_are_found() -> None:
    mounts = [
        Mount("8:1", Path("/"), Path("/")),
        Mount("8:2", Path("/"), Path("/other")),
        Mount("8:1", Path("/work"), Path("/mnt/work")),
        Mount("8:1", Path("/work/answers/part"), Path("/mnt/part")),
        Mount("8:1", Path("/work/harmless"), Path("/mnt/harmless")),
    ]
    assert other_places(Path("/work/answers"), mounts) == {Path("/mnt/work/answers"), Path("/mnt/part")}
    assert other_places(Path("/other/answers"), mounts) == set()


def test_the_mounts_of_this_machine_are_read() -> None:
    assert any(mount.place == Path("/") for mount in read_mounts())
    assert all(mount.root.is_absolute() or ":" in str(mount.root) for mount in read_mounts())
