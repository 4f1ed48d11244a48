"""The options of the HTTP server."""

from dataclasses import dataclass
from pathlib import Path

from codegym_mcp.server.trainer_protocols.trainer_protocol import TrainerProtocol

DEFAULT_GATEWAY_EPISODES = 100
"""Episodes that one caller may have open through the gateway."""


@dataclass(frozen=True)
class HttpOptions:
    """How to serve over HTTP.

    Attributes:
        token: bearer token of the control plane.
        json_responses: answer with plain JSON instead of event streams: twice as fast, but progress and log
            notifications are lost.
        gateway: offer `/mcp`, through which agents open episodes themselves.
        gateway_token: bearer token of the gateway; without one, everybody who reaches the server may use it.
        gateway_episodes: episodes that one client address may have open through the gateway.
        reveal: tell agents the verdict when they submit.
        refuse_reveal: refuse to open episodes that tell agents the verdict.
        public_url: the address under which clients know the server, for example behind a proxy.
        allowed_hosts: further names of the server in the Host header; "*" allows every name.
        allowed_origins: origins whose pages may send requests and read responses; "*" allows every origin.
        curriculum: the file of adaptive difficulties; None keeps them in memory.
        protocols: protocols of trainers to speak, behind the token of the control plane.
    """

    token: str
    json_responses: bool = False
    gateway: bool = True
    gateway_token: str | None = None
    gateway_episodes: int = DEFAULT_GATEWAY_EPISODES
    reveal: bool = False
    refuse_reveal: bool = False
    public_url: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    curriculum: Path | None = None
    protocols: frozenset[TrainerProtocol] = frozenset()
