"""Agents as a caller of `evaluate` configures them. They are opened when the evaluation starts."""

import shlex
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from codegym_harness.agent_enclosure.enclosure_options import EnclosureOptions
from codegym_harness.agents.model_agent import ModelAgentOptions
from codegym_mcp.errors import CodegymError
from codegym_mcp.validation_messages import first_fault


class ModelAgent:
    """A language model as an agent.

    Attributes:
        options: the model and how requests are made.

    Example:
        ModelAgent("openai:qwen3", base_url="http://127.0.0.1:8000/v1", temperature=0.8)
    """

    def __init__(self, name: str, /, **options: Any) -> None:
        """Configures an agent; nothing is requested yet.

        Args:
            name: the model with its provider: "provider:name".
            options: fields of `ModelAgentOptions`: base_url, api_key_variable, system_prompt, temperature,
                top_p, max_tokens, seed, reasoning_effort, tool_choice, turns, concurrency, attempts,
                request_seconds, max_total_tokens, max_cost, …

        Raises:
            CodegymError: an option does not exist, or its value is not valid.
        """
        try:
            self.options = ModelAgentOptions(name=name, **options)
        except ValidationError as error:
            raise CodegymError(f"The model agent {name} cannot be used: {first_fault(error)}.") from None

    def __repr__(self) -> str:
        return f"ModelAgent({self.options.name!r})"


class CommandAgent:
    """A program as an agent. It is started for each episode and connects over MCP.

    Attributes:
        command: the command line.
        enclosure: how the program is separated from the machine.

    Example:
        CommandAgent("claude -p {task} --mcp-config {mcp_config}", allow_read=["~/.claude/.credentials.json"])
    """

    def __init__(self, command: str | Sequence[str], **enclosure: Any) -> None:
        """Configures an agent; nothing is started yet.

        Args:
            command: the program and its arguments, in which `{mcp_config}`, `{mcp_url}`, `{task}`,
                `{task_file}` and `{here}` are replaced.
            enclosure: fields of `EnclosureOptions`: allow_read, pass_env, network, allow_unenclosed.

        Raises:
            CodegymError: an option does not exist, or its value is not valid.
        """
        self.command = command if isinstance(command, str) else shlex.join(command)
        try:
            self.enclosure = EnclosureOptions(**enclosure)
        except ValidationError as error:
            raise CodegymError(
                f"The command agent {self.command} cannot be used: {first_fault(error)}."
            ) from None

    def __repr__(self) -> str:
        return f"CommandAgent({self.command!r})"
