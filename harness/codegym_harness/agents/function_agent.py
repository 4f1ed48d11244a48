"""Any async Python function as an agent."""

import importlib
import inspect
import sys
from collections.abc import Awaitable, Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from codegym_harness.records.trajectory import AgentInfo
from codegym_mcp.episode_interface import EpisodeProtocol
from codegym_mcp.errors import CodegymError

AgentFunction = Callable[[EpisodeProtocol], Awaitable[Any]]


class FunctionAgent:
    """An async function that is given what is played; what it returns, unless None, is submitted.

    Example:
        async def look(game):
            seen = await game.call("listen", {})
            return seen.value["floor"]
    """

    def __init__(self, function: AgentFunction, *, name: str = "", version: str = "-") -> None:
        self._function = function
        self.info = AgentInfo(name=name or getattr(function, "__name__", "function"), version=version)

    async def play(self, playable: EpisodeProtocol, epoch: int) -> None:
        answer = await self._function(playable)
        if answer is not None:
            await playable.submit(answer)


def load_function(place: str) -> FunctionAgent:
    """The agent at `module:function` or `path/to/file.py:function`; modules are also sought where one stands.

    Raises:
        CodegymError: there is none, importing it failed, or it is no async function.
    """
    where, _, name = place.rpartition(":")
    try:
        module = _load_file(Path(where)) if where.endswith(".py") else _load_module(where)
    except Exception as error:
        raise CodegymError(
            f"The agent {place} cannot be imported: {type(error).__name__}: {error}."
        ) from error
    function = getattr(module, name, None)
    if not inspect.iscoroutinefunction(function):
        raise CodegymError(
            f"The agent {place} is no async function.", hint=f"Define `async def {name}(game): …` in {where}."
        )
    return FunctionAgent(function, name=place)


def _load_module(name: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    return importlib.import_module(name)


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    specification = spec_from_file_location(path.stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
