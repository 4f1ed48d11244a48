"""The blocks of code in the pages on trainers run as they are."""

import pytest
from skyrl_gym.envs.registration import deregister

from tests.docs.documented_commands import ROOT, blocks

pytestmark = pytest.mark.trainers


@pytest.mark.parametrize("page", ["gymnasium.md", "skyrl.md"])
def test_the_code_of_a_page_runs(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = blocks(ROOT / "docs" / page, "python")
    assert found
    for block in found:
        exec(compile(block, page, "exec"), {})
    assert "signs" in capsys.readouterr().out
    if page == "skyrl.md":
        deregister("codegym_mcp")
