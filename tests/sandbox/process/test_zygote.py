"""The open files of the zygote."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import anyio
import pytest

from codegym_mcp.sandbox.process.pool import SandboxPool


def test_a_zygote_has_no_open_file_of_the_server(tmp_path: Path) -> None:
    stray = tmp_path / "stray"
    with stray.open("w") as file:
        os.set_inheritable(file.fileno(), True)

        async def held() -> set[str]:
            # uvloop passes on whatever can be inherited.
            async with SandboxPool.open():
                return {name for process in below(os.getpid()) for name in open_files(process)}

        names = anyio.run(held, backend_options={"use_uvloop": True})
    assert any(name.startswith("socket:") for name in names)
    assert str(stray) not in names


def below(process: int) -> list[int]:
    """All processes that a process has started, and those that they have started."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [each for child in map(int, children) for each in (child, *below(child))]


def open_files(process: int) -> Iterator[str]:
    """What a process holds open."""
    try:
        for descriptor in Path(f"/proc/{process}/fd").iterdir():
            with suppress(FileNotFoundError):
                yield os.readlink(descriptor)
    except PermissionError:
        pytest.skip("only root sees what a confined process holds open")
