"""Harbor's own loader accepts the task folders."""

from pathlib import Path

import pytest

from codegym_harness.runs.task_selection import SeedRange
from codegym_harness.task_sets.harbor_tasks import write_harbor_tasks
from codegym_harness.task_sets.task_set_contents import TaskSelection
from codegym_mcp.catalog.catalog import Catalog
from tests.trainers.trainer_code import HarborTask, resolve_verifier_environment_definition

pytestmark = pytest.mark.trainers


async def test_harbor_loads_a_task_of_every_bundled_environment(tmp_path: Path) -> None:
    catalog = Catalog.of("bundled")
    parts = TaskSelection(difficulties=(1,), seeds=SeedRange(last=0)).tasks(catalog)
    await write_harbor_tasks(catalog, parts, tmp_path / "tasks")
    folders = sorted((tmp_path / "tasks").iterdir())
    assert len(folders) == len(catalog)
    for folder in folders:
        assert HarborTask.is_valid_dir(folder)
        task = HarborTask(folder)
        assert task.name == f"codegym-mcp/{folder.name}"
        assert "the MCP server `codegym`" in task.instruction
        (server,) = task.config.environment.mcp_servers
        assert (server.transport, server.url) == ("streamable-http", "http://codegym:8000/mcp")
        (hook,) = task.config.verifier.collect
        (artifact,) = task.config.artifacts
        assert hook.service == artifact.service == "codegym"
        verifier = resolve_verifier_environment_definition(task.config, task.paths)
        assert verifier.bundled_tests
        assert verifier.config.network_mode == "no-network"
        assert task.paths.discovered_solve_path is not None
