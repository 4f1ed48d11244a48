"""The servers on the nodes, as the control plane in front of them knows them, and where each episode is."""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass

_MAX_KNOWN_EPISODES = 1_000_000


@dataclass(eq=False)
class NodeServer:
    """A place for a server on a node: one server after another runs there.

    Attributes:
        name: the address of the node and a number, which name the server in figures, messages and its folder.
        url: where the server listens, without a path, or None while none runs there.
        open_episodes: how many episodes were open there when they were counted last.
        opening: how many episodes are being opened there.
        losses: how many servers were lost there.
    """

    name: str
    url: str | None = None
    open_episodes: int = 0
    opening: int = 0
    losses: int = 0

    @property
    def load(self) -> int:
        """About how many episodes the server has."""
        return self.open_episodes + self.opening


class NodeDirectory:
    """All places for servers.

    Attributes:
        token: the bearer token of the control planes on the nodes; clients do not know it.
        keeps_episodes: whether the episodes of a server that is lost continue when one runs there again.
        servers: the places, by name. Whoever starts and watches the servers changes them.
    """

    def __init__(self, token: str, *, keeps_episodes: bool) -> None:
        self.token = token
        self.keeps_episodes = keeps_episodes
        self.servers: dict[str, NodeServer] = {}
        self._servers_of_episodes: OrderedDict[str, NodeServer] = OrderedDict()

    @property
    def running(self) -> list[NodeServer]:
        """The places where a server runs."""
        return [server for server in self.servers.values() if server.url is not None]

    @property
    def has_losses(self) -> bool:
        """Whether a server was lost."""
        return any(server.losses for server in self.servers.values())

    def choose(self, without: Collection[NodeServer] = ()) -> NodeServer | None:
        """Returns the running server with the fewest open episodes, or None if none runs.

        Args:
            without: servers that are not considered.
        """
        candidates = [server for server in self.running if server not in without]
        return min(candidates, key=lambda server: server.load, default=None)

    def assign(self, episode: str, server: NodeServer) -> None:
        """Notes the server that holds an episode."""
        known = self._servers_of_episodes
        known[episode] = server
        known.move_to_end(episode)
        if len(known) > _MAX_KNOWN_EPISODES:
            known.popitem(last=False)

    def server_of(self, episode: str) -> NodeServer | None:
        """Returns the server that holds an episode, or None if it is not known."""
        return self._servers_of_episodes.get(episode)
