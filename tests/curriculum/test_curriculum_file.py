"""A curriculum in a file: shared by threads and processes, resumed, and never half written."""

import os
import pickle
import sys
import threading
from multiprocessing import get_context
from pathlib import Path

import pytest

from codegym_mcp.curriculum.curriculum_file import CurriculumFile
from codegym_mcp.curriculum.difficulty_rule import CurriculumRule
from codegym_mcp.errors import CodegymError

RULE = CurriculumRule(groups=2)


@pytest.fixture
def kept(tmp_path: Path) -> CurriculumFile:
    return CurriculumFile(path=tmp_path / "out" / "curriculum.json", rule=RULE)


def play(kept: CurriculumFile, seed: int, reward: float | None, episode: str = "a") -> int:
    difficulty = kept.choose("lift", seed, episode)
    kept.settle("lift", seed, episode, reward)
    return difficulty


def test_a_later_run_resumes_where_an_earlier_one_stopped(kept: CurriculumFile) -> None:
    assert [play(kept, seed, 1.0) for seed in range(5)] == [1, 1, 2, 2, 3]
    kept.choose("lift", 5, "killed with its process")
    later = CurriculumFile(path=kept.path, rule=RULE)
    assert [play(later, seed, 0.0) for seed in range(6, 10)] == [3, 3, 3, 2]


def test_a_file_that_does_not_exist_begins_a_curriculum(kept: CurriculumFile) -> None:
    assert kept.read().environments == {}
    assert not kept.path.parent.exists()


@pytest.mark.parametrize("text", ["", "{", '{"environments": {"lift": {"difficulty": 9}}}', '{"other": 1}'])
def test_a_damaged_file_is_an_error_and_stays_as_it_is(kept: CurriculumFile, text: str) -> None:
    kept.path.parent.mkdir()
    kept.path.write_text(text)
    with pytest.raises(CodegymError, match=r"curriculum.json is damaged: .*delete it"):
        kept.choose("lift", 0, "a")
    assert kept.path.read_text() == text


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CodegymError, match="cannot be"):
        CurriculumFile(path=tmp_path / "file" / "curriculum.json").choose("lift", 0, "a")


def test_an_error_within_a_change_leaves_the_file_as_it_was(kept: CurriculumFile) -> None:
    play(kept, 0, 1.0)
    before = kept.path.read_bytes()

    def fail() -> None:
        with kept.change() as curriculum:
            curriculum.environments.clear()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert kept.path.read_bytes() == before
    assert {path.name for path in kept.path.parent.iterdir()} == {"curriculum.json", "curriculum.json.lock"}


def test_threads_lose_no_reward(kept: CurriculumFile) -> None:
    def settle(number: int) -> None:
        play(kept, 0, 1.0, f"episode {number}")

    threads = [threading.Thread(target=settle, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept.read().environments["lift"].groups[0].rewards == [1.0] * 16


def play_in_child(pickled: bytes, number: int) -> None:
    kept = pickle.loads(pickled)
    for each in range(5):
        play(kept, 0, 1.0, f"{number}-{each}")
    os._exit(0)


@pytest.mark.skipif(sys.platform == "win32", reason="this system does not fork")
def test_processes_lose_no_reward(kept: CurriculumFile) -> None:
    context = get_context("fork")
    children = [
        context.Process(target=play_in_child, args=(pickle.dumps(kept), number)) for number in range(3)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert kept.read().environments["lift"].groups[0].rewards == [1.0] * 15
