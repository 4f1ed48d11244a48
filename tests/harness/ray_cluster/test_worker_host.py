"""What an actor on a node does, without Ray."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from codegym_harness.processes.worker_service import ResponseStatus
from codegym_harness.ray_cluster.worker_host import WorkerHost
from codegym_mcp.errors import CodegymError
from codegym_mcp.version import VERSION


class Options(BaseModel):
    refuses: bool = False


class Doubler:
    ready = Options()
    closed = False

    async def execute(self, operation: str, *arguments: Any) -> str:
        if operation != "double":
            raise ValueError(operation)
        return str(2 * arguments[0])


@asynccontextmanager
async def open_doubler(options: Options) -> AsyncIterator[Doubler]:
    if options.refuses:
        raise CodegymError("It cannot be opened.", hint="Open another one.")
    Doubler.closed = False
    yield Doubler()
    Doubler.closed = True


async def test_operations_are_executed_until_the_service_is_closed(tmp_path: Path) -> None:
    host = WorkerHost()
    opened = await host.open(open_doubler, Options(), VERSION, tmp_path / "missing")
    assert (opened.status, opened.value) == (ResponseStatus.OK, {"refuses": False})
    assert (await host.execute("double", 4)).value == "8"
    failed = await host.execute("triple", 4)
    assert failed.status is ResponseStatus.ERROR
    assert failed.error is not None
    assert failed.error.kind == "ValueError"
    await host.close()
    assert Doubler.closed


async def test_a_service_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    response = await WorkerHost().open(open_doubler, Options(refuses=True), VERSION, tmp_path / "missing")
    assert response.error is not None
    assert (response.error.message, response.error.hint) == ("It cannot be opened.", "Open another one.")


async def test_another_version_on_a_node_is_refused(tmp_path: Path) -> None:
    response = await WorkerHost().open(open_doubler, Options(), "0.0.1", tmp_path / "missing")
    assert response.error is not None
    assert f"has version {VERSION} of codegym-mcp, and not 0.0.1" in response.error.message
