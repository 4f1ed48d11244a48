"""The messages of NeMo Gym's resources servers, as its release 0.7.0 defines them.

Source: `nemo_gym/base_resources_server.py`, `nemo_gym/episode_types.py` and `nemo_gym/config_types.py`.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

RESERVED_TOOL_NAMES = frozenset({"verify", "seed_session", "close_session", "aggregate_metrics", "mcp"})
"""Names of addresses of a resources server, which tools cannot have."""
TASK_INDEX = "_ng_task_index"
"""The field of a rollout that says to which task it belongs."""
ROLLOUT_INDEX = "_ng_rollout_index"
"""The field of a rollout that says which of the rollouts of its task it is."""


class _ProtocolModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class JsonObject(RootModel[dict[str, Any]]):
    """A body of which only the form is known: a row, a row with its response, or arguments of a tool."""


class EpisodeIdentity(_ProtocolModel):
    """One attempt at a rollout."""

    rollout_id: str = Field(min_length=1, max_length=1000)
    attempt: int = Field(default=0, ge=0)


class TaskIdentity(_ProtocolModel):
    """One task of a set of tasks."""

    taskset: str = Field(min_length=1)
    task_id: str = Field(min_length=1)


class SeedRequest(_ProtocolModel):
    """The body of `POST /seed_session` from an Environment Server, which chooses the session's id."""

    resources_session_id: str = Field(min_length=1, max_length=1000)
    episode_id: EpisodeIdentity
    task_id: TaskIdentity
    task_data: dict[str, Any]
    """The row."""


class CloseRequest(_ProtocolModel):
    """The body of `POST /close_session` from an Environment Server."""

    resources_session_id: str = Field(min_length=1, max_length=1000)
    episode_id: EpisodeIdentity


class VerifyRequest(_ProtocolModel):
    """The body of `POST /verify` from an Environment Server."""

    episode_id: EpisodeIdentity
    task_id: TaskIdentity
    verification_input: dict[str, Any]
    """The request to the model, and its response."""


class McpMetadata(_ProtocolModel):
    """Where an agent finds the tools of its session over MCP."""

    server_name: str = "codegym"
    url_path: str
    transport: Literal["http"] = "http"
    headers: dict[str, str]


class SeedResponse(_ProtocolModel):
    """The response to a `SeedRequest`."""

    resources_session_id: str
    resources_tools: McpMetadata
    sandbox_access: None = None


class SessionVerdict(_ProtocolModel):
    """What the response to `POST /verify` adds to the row and the response of the model."""

    reward: float
    """From 0 to 1; 0 if the sample is masked."""
    mask_sample: bool = False
    """Whether the episode was not scored: the reward means nothing then."""
    failure_kind: str | None = None
    """Why the episode was not scored, from NeMo Gym's own list of kinds."""
    failure_reason: str | None = None
    codegym_episode: str | None = None
    """The id of the episode on the control plane."""
    codegym_outcome: str | None = None
    codegym_calls: int = 0


class AggregateRequest(BaseModel):
    """The body of `POST /aggregate_metrics`."""

    verify_responses: list[dict[str, Any]]
    """What `POST /verify` responded, for all rollouts of a run."""


class AggregateMetrics(_ProtocolModel):
    """The response to `POST /aggregate_metrics`."""

    group_level_metrics: list[dict[str, Any]] = []
    """The metrics of each task."""
    agent_metrics: dict[str, Any] = {}
    """The metrics of all rollouts."""
    key_metrics: dict[str, Any] = {}
    """The most important ones of `agent_metrics`."""
