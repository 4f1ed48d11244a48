"""What a worker process is told when it starts."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from codegym_mcp.runtime.runtime_assembly import RuntimeOptions
from codegym_mcp.server.http_options import HttpOptions


class WorkerSettings(BaseModel):
    """The settings of one worker. They hold tokens, and are sent over a pipe."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    paths: list[Path]
    """Where the environments are; the bundled ones if there are none."""
    runtime: RuntimeOptions
    """How episodes are run; `shard` says which worker it is."""
    http: HttpOptions
    host: str | None
    """The address that the supervisor process is bound to; None for a Unix socket."""
    channel: int
    """The descriptor of the worker's end of the channel."""
    table: int
    """The descriptor of the table of open episodes."""
    lost_episodes: bool = False
    """Whether a worker before this one has ended and its episodes are lost."""
