"""The configuration of a run, as its directory records it."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from codegym_harness.agent_enclosure.enclosure_options import EnclosureOptions
from codegym_harness.agents.agent_registry import BASELINE_NAMES, NEEDS_SOURCES
from codegym_harness.agents.model_agent import ModelAgentOptions
from codegym_harness.rollouts.rollout import DEFAULT_SECONDS
from codegym_harness.runs.concurrent_rollouts import DEFAULT_CONCURRENCY
from codegym_harness.runs.run_directory_reader import CONFIGURATION, read_configuration
from codegym_harness.runs.task_selection import Selection
from codegym_mcp.episode_limits import Limits
from codegym_mcp.errors import CodegymError, RunError
from codegym_mcp.models.retries import PATIENCE_SECONDS
from codegym_mcp.version import VERSION

if TYPE_CHECKING:
    # It would load the MCP client for every run.
    from codegym_harness.clients.mcp_client import Target

MODEL = "model"
"""The value of `RunConfig.agent` for a language model."""
COMMAND = "command"
"""The value of `RunConfig.agent` for a program."""


class RunConfig(BaseModel):
    """The configuration of a run. It is stored as `run.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    agent: str = MODEL
    """The name of a built-in agent, `module:function`, `file.py:function`, "model" or "command"."""
    model: ModelAgentOptions | None = None
    """The language model that plays, for the agent "model"."""
    command: str | None = None
    """The program that plays and its arguments, for the agent "command"."""
    enclosure: EnclosureOptions = EnclosureOptions()
    """How that program is separated from the machine."""
    custom_agent: bool = False
    """Whether the agent was given as an object. A resumed run needs the object again."""
    paths: tuple[Path, ...] = ()
    """Files, folders and sets of environments; the bundled environments if empty."""
    selection: Selection = Selection()
    limits: Limits = Limits()
    """The limits of every episode."""
    concurrency: int = Field(default=DEFAULT_CONCURRENCY, ge=1)
    """The maximum number of open episodes."""
    seconds: float = Field(default=DEFAULT_SECONDS, gt=0)
    """The agent's time for one episode in seconds."""
    seed: int = 0
    """Seeds agents that act at random."""
    count_oracle_calls: bool = True
    """Whether the oracle plays each generated task once, to record how many calls it needs."""
    server_url: str | None = None
    """The address of the server that holds the episodes; a server of the run's own without it."""
    mcp_url: str | None = None
    """The address of another MCP server, whose tools are played and not scored."""
    mcp_command: str | None = None
    """The command that starts such a server, once for each episode."""
    over_mcp: bool = False
    """Whether an agent plays over MCP that would otherwise play without a protocol. Programs always do."""
    prompt: str = ""
    """The task text for such a server; its instructions if empty."""
    allow_unconfined: bool = False
    """Whether environments also run on a system that cannot confine them."""
    version: str = VERSION

    @model_validator(mode="after")
    def _has_one_agent(self) -> Self:
        if (self.agent == MODEL) != (self.model is not None):
            raise ValueError("the agent `model` needs a model, and no other agent takes one")
        if (self.agent == COMMAND) != (self.command is not None):
            raise ValueError("the agent `command` needs a command, and no other agent takes one")
        return self

    @property
    def agent_name(self) -> str:
        """The name of the agent or of its model."""
        return self.model.name if self.model is not None else self.agent

    @property
    def episode_limits(self) -> Limits:
        """The limits of the episodes. While a model is waited for, no episode expires."""
        if self.model is None:
            return self.limits
        # One request may wait for another, and each for a provider that fails before it responds.
        longest = 2 * (PATIENCE_SECONDS + self.model.request_seconds)
        return self.limits.model_copy(update={"idle_seconds": max(self.limits.idle_seconds, longest)})

    @property
    def episode_concurrency(self) -> int:
        """The maximum number of open episodes, at most two for each concurrent request to the model."""
        requests = self.model.concurrency if self.model is not None else None
        return min(self.concurrency, 2 * requests) if requests is not None else self.concurrency

    @property
    def open_limit(self) -> int:
        """The number of open episodes that the server must allow."""
        return max(1000, 2 * self.concurrency)

    def target(self) -> "Target | None":
        """Returns the other MCP server that is played, or None if environments of this project are played.

        Raises:
            CodegymError: two servers are given, the URL is none, or the agent cannot play another server.
        """
        if self.mcp_url is None and self.mcp_command is None:
            return None
        if self.mcp_url is not None and self.mcp_command is not None:
            raise CodegymError("An MCP server has a URL or a command, not both.")
        if self.agent in NEEDS_SOURCES:
            raise CodegymError(
                f"The agent {self.agent} needs the source of an environment; another MCP server has none.",
                hint="Use random, observe, or a function of your own.",
            )
        if self.command is not None:
            raise CodegymError("An agent program can play only environments of this project.")
        if self.mcp_url is not None:
            return _checked_address(self.mcp_url)
        try:
            command, *arguments = shlex.split(self.mcp_command or "")
        except ValueError as error:
            raise CodegymError(f"The command {self.mcp_command!r} cannot be parsed: {error}.") from None
        from mcp import StdioServerParameters

        return StdioServerParameters(command=command, args=arguments)

    def baselines(self) -> list["RunConfig"]:
        """Returns the configurations by which each baseline plays the same tasks.

        Raises:
            CodegymError: the run plays another MCP server, which scores nothing.
        """
        if self.target() is not None:
            raise CodegymError(
                "Baselines play environments of this project; another MCP server scores nothing."
            )
        return [
            RunConfig(
                agent=name,
                paths=self.paths,
                selection=self.selection,
                limits=self.limits,
                seconds=self.seconds,
                seed=self.seed,
                allow_unconfined=self.allow_unconfined,
            )
            for name in BASELINE_NAMES
        ]


def recorded_config(path: Path) -> RunConfig:
    """Reads the configuration of the run in a directory.

    Raises:
        RunError: the directory holds no run, or a run that this version cannot resume.
    """
    configuration, _ = read_configuration(path)
    version = configuration.get("version")
    if version != VERSION:
        raise RunError(
            path,
            f"{path} was started by version {version}; this is version {VERSION}.",
            hint="Start another run.",
        )
    try:
        return RunConfig.model_validate(configuration)
    except ValidationError as error:
        raise RunError(
            path, f"{path / CONFIGURATION} is not a valid configuration of a run: {error}."
        ) from None


def _checked_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise CodegymError(
            f"{url!r} is not the address of an MCP server.",
            hint="Write it with http:// or https://, for example http://127.0.0.1:8000/mcp.",
        )
    return url
