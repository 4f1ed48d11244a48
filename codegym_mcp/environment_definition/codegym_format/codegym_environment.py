"""An environment in the CodeGym format."""

import ast
from collections.abc import Mapping
from typing import Any, ClassVar

from codegym_mcp.environment_definition.environment import Environment, Task


class CodegymEnvironment(Environment):
    """An environment whose tasks carry their options as the text of a Python literal."""

    reads_task_file: ClassVar[bool] = False

    def hidden_values(self, task: Task) -> dict[str, Any]:
        """Returns the options of a task."""
        options = ast.literal_eval(task.config["options"])
        return options if isinstance(options, dict) else {"options": options}

    def with_values(self, task: Task, values: Mapping[str, Any]) -> dict[str, Any]:
        """Returns a configuration with other options."""
        is_mapping = isinstance(ast.literal_eval(task.config["options"]), dict)
        return {"options": repr(dict(values) if is_mapping else values["options"])}
