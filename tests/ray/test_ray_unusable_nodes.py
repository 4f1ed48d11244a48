"""Nodes of a Ray cluster that lack the package, or have another version of it: they are named, and not used."""

import json
import os
from pathlib import Path
from typing import Any

import anyio
import pytest

from codegym_mcp.version import VERSION
from tests.conftest import FIXTURES
from tests.ray.conftest import add_node
from tests.ray.test_ray_cluster import run_command
from tests.ray.test_ray_serving import PATIENCE, opened, serving, solve

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]

WITHOUT_THE_PACKAGE = """
import sys


class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("codegym_mcp", "codegym_harness"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Missing())
"""
ANOTHER_VERSION = """
import codegym_mcp.version

codegym_mcp.version.VERSION = "0.0.1"
"""


@pytest.fixture
def mixed_cluster(started_cluster: Any, tmp_path: Path) -> Any:
    """A cluster whose head can be used, and two other nodes cannot."""
    for name, customization in (("without", WITHOUT_THE_PACKAGE), ("old", ANOTHER_VERSION)):
        folder = tmp_path / name
        folder.mkdir()
        # Python runs it at the start of every process of the node.
        (folder / "sitecustomize.py").write_text(customization)
        paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
        add_node(started_cluster, env_vars={"PYTHONPATH": os.pathsep.join(paths)})
    return started_cluster


async def test_the_rest_of_the_cluster_is_used(mixed_cluster: Any, tmp_path: Path) -> None:
    where = ("--ray", mixed_cluster.address)
    played = ("--environments", str(FIXTURES / "counter.py"), "--difficulty", "1", "--seed", "0-19")
    out = ("--out", str(tmp_path / "run"), "--json")
    done = run_command("eval", "--agent", "oracle", *played, "--concurrency", "3", *out, *where)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["episodes"] == 20
    async with serving(mixed_cluster, nodes=1) as (server, control):
        episode = await opened(control)
        await solve(episode)
        assert (await control.get(f"/episodes/{episode['id']}")).json()["reward"] == 1.0
        assert (await control.get("/health")).json()["nodes"] == {"count": 3, "ready": 1}
        told = (
            "A node of the Ray cluster lacks the package",
            f"version 0.0.1 of codegym-mcp, and not {VERSION}.",
        )
        said = server.said_first
        with anyio.fail_after(PATIENCE):
            while not all(sentence in said for sentence in told):
                said += await server.lines.receive()
