"""The interface of policies: programs that play episodes without a model.

A policy plays any `EpisodeProtocol`: an episode in this process, or a connection over MCP.
"""

from typing import Protocol

from codegym_mcp.episode_protocol import EpisodeProtocol


class Policy(Protocol):
    """Plays episodes without a model."""

    async def play(self, episode: EpisodeProtocol) -> None:
        """Makes calls and submits at most one answer.

        Raises:
            CodegymError: the policy failed. A call or an answer that was refused is not an error.
        """
