"""The code in docs/python-api.md and in README runs as it stands, one block after another."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def blocks(document: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / document).read_text(encoding="utf-8"), re.M | re.S)


def run(code: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{code}\n{done.stderr}"
    assert done.stderr == ""


def test_the_blocks_of_the_page_run_one_after_another(tmp_path: Path) -> None:
    for code in blocks("docs/python-api.md"):
        run(code, tmp_path)


@pytest.mark.parametrize("number", range(len(blocks("README.md"))))
def test_a_block_of_the_readme_runs(number: int, tmp_path: Path) -> None:
    run(blocks("README.md")[number], tmp_path)


def test_the_scripts_of_the_readme_have_at_most_ten_lines() -> None:
    code = blocks("README.md")
    assert len(code) == 4  # Playing and evaluating, each in blocking form and to be awaited.
    assert all(len(block.strip().splitlines()) <= 10 for block in code)
