"""Runs the functions and the class of an environment of the native dialect, for one role."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


class NativeAdapter:
    """An environment of the native dialect in the process of one role.

    Args:
        names: the namespace in which the code of the role has run.
        one_config: whether functions receive the configuration as one argument instead of one for each value.
    """

    refusals_raise = True
    """Whether a refused call of the oracle raises ValueError."""
    submits_by_call = False
    """Whether the oracle submits by a call instead of returning an answer."""

    def __init__(self, names: Mapping[str, Any], *, one_config: bool = False) -> None:
        self._names = names
        self._one_config = one_config

    def open(self, config: Mapping[str, Any]) -> Any:
        """Returns an `Environment` for a configuration."""
        return self._names["Environment"](**self._arguments(config))

    def act(self, environment: Any, name: str, arguments: Mapping[str, Any]) -> Any:
        """Calls a tool and returns its result."""
        return getattr(environment, name)(**arguments)

    def reference(self, config: Mapping[str, Any]) -> Any:
        """Returns the reference answer."""
        return self._names["reference"](**self._arguments(config))

    def judge(self, config: Mapping[str, Any], submitted: Sequence[Any]) -> Any:
        """Returns what `accepts` says about an answer, a final state, or both."""
        return self._names["accepts"](*submitted, **self._arguments(config))

    def mistakes(self, config: Mapping[str, Any]) -> Any:
        """Returns what misunderstandings lead to, by the name of the misunderstanding."""
        return self._names["mistakes"](**self._arguments(config))

    def generate(self, random: Any, difficulty: int) -> Any:
        """Returns the configuration of a new task."""
        return self._names["generate"](random, difficulty)

    def solve(
        self,
        call: Callable[[str, dict[str, Any]], Any],
        parameters: Mapping[str, list[str]],
        public: Mapping[str, Any],
    ) -> Any:
        """Runs `solve` and returns its answer.

        Args:
            call: calls a tool; raises ValueError if the tool refuses.
            parameters: the parameter names of each tool, in order.
            public: the public values of the task.
        """
        return self._names["solve"](OracleTools(call, parameters), **public)

    def _arguments(self, config: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"config": config} if self._one_config else config


class OracleTools:
    """The tools of an oracle: each attribute is a function that calls the tool of that name."""

    def __init__(
        self, call: Callable[[str, dict[str, Any]], Any], parameters: Mapping[str, list[str]]
    ) -> None:
        self._call = call
        self._parameters = parameters

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") or name not in self._parameters:
            raise AttributeError(f"there is no tool named {name}")

        def call(*positional: Any, **arguments: Any) -> Any:
            if len(positional) > len(self._parameters[name]):
                raise TypeError(f"{name} takes {len(self._parameters[name])} arguments")
            arguments = dict(zip(self._parameters[name], positional, strict=False)) | arguments
            return self._call(name, arguments)

        return call
