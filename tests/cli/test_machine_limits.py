"""Commands on a machine that gives them too little end with a message that says what is missing."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "codegym_mcp"]
EVALUATE = ["eval", "--agent", "oracle", "--env", "leak_survey", "--tasks", "1", "--out", "run"]


@pytest.mark.parametrize(("arguments", "files"), [(["doctor"], 14), (EVALUATE, 16)], ids=["doctor", "eval"])
def test_a_low_limit_of_open_files_is_named(arguments: list[str], files: int, tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=tmp_path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "ulimit -n" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_current_folder_that_was_removed_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    script = f"cd {folder}; rmdir {folder}; exec " + " ".join([*COMMAND, *EVALUATE])
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "The current folder does not exist any more." in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_cannot_be_written_whole_is_an_error(unbuffered: str, tmp_path: Path) -> None:
    with (tmp_path / "listed").open("w") as listed:
        done = subprocess.run(
            [*COMMAND, "list", "--json"],
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024)),
            stdout=listed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "The output cannot be written: File too large." in done.stderr
