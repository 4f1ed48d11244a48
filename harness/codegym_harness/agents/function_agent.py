"""A Python function as an agent."""

import importlib
import inspect
import sys
from collections.abc import Awaitable, Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from codegym_harness.agents.agent_context import AsyncAgentContext
from codegym_harness.agents.blocking_context import AgentContext, run_blocking
from codegym_harness.records.trajectory import AgentInfo
from codegym_mcp.errors import CodegymError

AgentFunction = Callable[[AsyncAgentContext], Awaitable[Any]] | Callable[[AgentContext], Any]


class FunctionAgent:
    """A function that plays an episode. What it returns is submitted; None submits nothing.

    An async function receives an `AsyncAgentContext`. Any other function runs in a thread and receives an
    `AgentContext`, whose calls block.

    Example:
        def find_bell(episode: AgentContext) -> int:
            while episode.call("listen").value["sound"] != "here":
                episode.call("move", floors=1)
            return episode.call("listen").value["floor"]
    """

    def __init__(self, function: AgentFunction, *, name: str = "", version: str = "-") -> None:
        """Makes an agent of a function.

        Args:
            name: the agent's name in records; the function's own name without it.

        Raises:
            CodegymError: the function cannot be called.
        """
        if not callable(function):
            raise CodegymError(
                f"The agent {function!r} is not a function.",
                hint="Give a function that takes the episode and returns the answer.",
            )
        self._function = function
        self._is_async = _is_async(function)
        self.info = AgentInfo(name=name or getattr(function, "__name__", "function"), version=version)

    async def play(self, context: AsyncAgentContext) -> None:
        """Runs the function and submits what it returns."""
        if self._is_async:
            answer = await cast(Callable[[AsyncAgentContext], Awaitable[Any]], self._function)(context)
        else:
            answer = await run_blocking(cast(Callable[[AgentContext], Any], self._function), context)
            if inspect.iscoroutine(answer):
                answer.close()
                raise TypeError(f"{self.info.name} returned a coroutine; define it with `async def`")
        if answer is not None:
            await context.submit(answer)


def load_function(location: str) -> FunctionAgent:
    """Loads the agent at `module:function` or `path/to/file.py:function`.

    Modules are also looked up in the working directory.

    Raises:
        CodegymError: the module cannot be imported, or it has no such function.
    """
    where, _, name = location.rpartition(":")
    try:
        module = _load_file(Path(where)) if where.endswith(".py") else _load_module(where)
    except Exception as error:
        raise CodegymError(
            f"The agent {location} cannot be imported: {type(error).__name__}: {error}."
        ) from error
    function = getattr(module, name, None)
    if not callable(function) or inspect.isclass(function):
        raise CodegymError(
            f"The agent {location} cannot be used: {where} has no function {name!r}.",
            hint=f"Define `def {name}(episode): …` or `async def {name}(episode): …` in {where}.",
        )
    return FunctionAgent(function, name=location)


def _is_async(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - an instance whose `__call__` is async
    )


def _load_module(name: str) -> ModuleType:
    directory = str(Path.cwd())
    if directory not in sys.path:
        sys.path.insert(0, directory)
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
