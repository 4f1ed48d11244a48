"""A class in the CodeGym format, as the roles drive it: always through its own `step`, never past it.

`step` takes a JSON text and answers with a text; it may convert what it passes on, so calling a tool's method
is not the same. What the class raises inside `step` comes back as a text that begins with `Error:`.
"""

import ast
import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

_REFUSED = "Error:"
_INFINITY = {"Infinity": math.inf, "-Infinity": -math.inf}


class CodegymAdapter:
    """A class in the CodeGym format in the process of one role.

    Args:
        cls: the class, as the environment's code made it.
        infinite: the parameters, by tool, in which the words for infinity stand for the numbers.
    """

    refusals_raise = False
    """Whether a refused call of the oracle raises ValueError; `step` returns the text of the refusal."""
    submits_by_call = True
    """Whether the oracle submits by a call, so that `solve` returns nothing."""

    def __init__(self, cls: Any, infinite: Mapping[str, Collection[str]]) -> None:
        self._cls = cls
        self._infinite = infinite

    def open(self, config: Mapping[str, Any]) -> Any:
        """An instance whose first reset has the task's options, as if they had been in its `env_str`.

        The class's own way in, a literal cut out of a string at every "@", cannot carry all options; its
        `reset` can.
        """
        options = ast.literal_eval(config["options"])
        cls, reset = self._cls, self._cls.reset

        def first_reset(environment: Any, *_ignored: Any, **_options: Any) -> Any:
            cls.reset = reset
            return reset(environment, options)

        # Not a subclass: the guards know the environment's own classes only.
        cls.reset = first_reset
        environment = cls()
        if cls.reset is first_reset:
            environment.reset()
        return environment

    def act(self, environment: Any, name: str, arguments: Mapping[str, Any]) -> str:
        """Calls a tool.

        Raises:
            ValueError: the class refused; in its words.
        """
        numeric = self._infinite.get(name, ())
        parameters = {
            key: _from_words(value) if key in numeric else value for key, value in arguments.items()
        }
        reply = str(environment.step(json.dumps({"name": name, "parameters": parameters}))[1])
        if reply.startswith(_REFUSED):
            raise ValueError(reply)
        return reply

    def judge(self, config: Mapping[str, Any], submitted: Sequence[Any]) -> bool:
        """Whether the class's own `Done` pays for an answer, on a fresh instance of the task."""
        (answer,) = submitted
        environment = self.open(config)
        parameter = self._cls.Done.__code__.co_varnames[1]
        try:
            self.act(environment, "Done", {parameter: answer})
        except ValueError:
            if not getattr(environment, "_done", False):
                # `Done` broke. If the reference cannot be had either, the answer is not to blame.
                self.open(config).get_ref_answer()
        return bool(environment._reward == 1)

    def reference(self, config: Mapping[str, Any]) -> Any:
        """The class's reference answer, with infinity in words."""
        return _into_words(self.open(config).get_ref_answer())

    def generate(self, _random: Any, _difficulty: int) -> Any:
        """Raises NotImplementedError: the format has no function that generates tasks."""
        raise NotImplementedError("A class in the CodeGym format generates no tasks.")

    def mistakes(self, _config: Mapping[str, Any]) -> Any:
        """Raises NotImplementedError: the format has no function that names misunderstandings."""
        raise NotImplementedError("A class in the CodeGym format names no misunderstandings.")

    def solve(
        self,
        call: Callable[[str, dict[str, Any]], Any],
        _parameters: Mapping[str, Collection[str]],
        _public: Mapping[str, Any],
    ) -> None:
        """Runs the class's `solve` on an instance without a task, which can only call `step`."""

        def step(_environment: Any, action: str) -> tuple[bool, str]:
            request = json.loads(action)
            return True, str(call(request["name"], _into_words(request.get("parameters", {}))))

        self._cls.step = step
        self._cls.__new__(self._cls).solve()


def _into_words(value: Any) -> Any:
    """JSON cannot say infinity; the words of `json.dumps` for it travel as strings."""
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list | tuple):
        return [_into_words(item) for item in value]
    if isinstance(value, dict):
        return {key: _into_words(item) for key, item in value.items()}
    return value


def _from_words(value: Any) -> Any:
    if isinstance(value, str):
        return _INFINITY.get(value, value)
    if isinstance(value, list):
        return [_from_words(item) for item in value]
    if isinstance(value, dict):
        return {key: _from_words(item) for key, item in value.items()}
    return value
