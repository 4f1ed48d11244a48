"""The open files of the zygote, and the child that tells which layers a system has."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import cast

import anyio
import pytest

from codegym_mcp.sandbox.confinement.confine_process import ChildConfinement
from codegym_mcp.sandbox.confinement.confinement_layers import Layer
from codegym_mcp.sandbox.process import zygote
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


class _KilledProbe:
    """Confines children, the first of which are killed as by somebody else."""

    def __init__(self, folder: Path, kills: int) -> None:
        self._folder = folder
        self._kills = kills

    def steps(self, _memory: int, _descriptor: int) -> dict[Layer, Callable[[], object]]:
        return {Layer.RLIMITS: self._end, Layer.SECCOMP: self._refuse}

    def _end(self) -> None:
        begun = len(list(self._folder.iterdir()))
        (self._folder / str(begun)).touch()
        if begun < self._kills:
            os.kill(os.getpid(), signal.SIGKILL)

    def _refuse(self) -> None:
        raise OSError(1, "Operation not permitted")


@pytest.mark.parametrize("kills", [1, 2, 3])
def test_a_probe_that_is_killed_once_is_not_taken_for_a_missing_layer(kills: int, tmp_path: Path) -> None:
    probe = cast(ChildConfinement, _KilledProbe(tmp_path, kills))
    layers = zygote._probe(probe, ())
    assert layers[Layer.RLIMITS].active == (kills < 3)
    assert ("killed" in layers[Layer.SECCOMP].detail) == (kills == 3)
