"""What plays environments without a model: the oracle, and baselines that need no thought.

A player plays anything that is a `EpisodeProtocol`: an episode in this process, or a connection over MCP.
"""

from typing import Protocol

from codegym_mcp.episode_interface import EpisodeProtocol

__all__ = ["Policy"]


class Policy(Protocol):
    """Something that plays."""

    async def play(self, playable: EpisodeProtocol) -> None:
        """Makes calls and submits at most one answer; returns when it has nothing more to do.

        Raises:
            CodegymError: the player itself could not work. That a call or the answer was refused is no error.
        """
