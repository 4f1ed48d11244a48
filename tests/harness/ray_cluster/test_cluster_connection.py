"""Errors before anything is done on a cluster. `tests/ray` has a real one."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from codegym_harness.ray_cluster.cluster_connection import connect_to_cluster
from codegym_harness.runs.run_config import RunConfig
from codegym_harness.runs.run_execution import run_evaluation
from codegym_mcp.errors import CodegymError, MissingExtraError


async def test_without_ray_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match="Ray cluster needs an optional part") as raised:
        async with connect_to_cluster("auto"):
            pass
    assert "codegym-mcp[ray]" in raised.value.hint


class NoRay(ModuleType):
    """Stands in for the installed library, which is not reached."""

    @staticmethod
    def is_initialized() -> bool:
        return False


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:9", "There is no Ray cluster at 127.0.0.1:9"),
        ("127.0.0.1:99999999", "There is no Ray cluster at"),
        ("somewhere", "'somewhere' is not the address of a Ray cluster"),
        (":6379", "is not the address of a Ray cluster"),
        ("ray://127.0.0.1:10001", "is an address of the Ray client"),
    ],
)
async def test_wrong_addresses_are_refused_at_once(
    address: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", NoRay("ray"))
    with pytest.raises(CodegymError, match=message):
        async with connect_to_cluster(address):
            pass


@pytest.mark.parametrize(
    "config",
    [
        RunConfig(agent="random", mcp_url="http://127.0.0.1:1/mcp"),
        RunConfig(agent="oracle", server_url="http://127.0.0.1:1"),
    ],
)
async def test_what_nodes_cannot_play_is_refused(config: RunConfig, tmp_path: Path) -> None:
    with pytest.raises(CodegymError, match="nodes of a Ray cluster open the agent"):
        await run_evaluation(config, out=tmp_path / "run", ray_address="auto")
    assert not (tmp_path / "run").exists()
