"""The routes of the trainers' protocols that a server speaks."""

from collections.abc import Collection, Sequence

from starlette.routing import Route

from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.server.curriculum_openings import AdaptiveOpenings
from codegym_mcp.server.trainer_protocols.nemo_gym import NemoGymServer
from codegym_mcp.server.trainer_protocols.ors import OrsServer
from codegym_mcp.server.trainer_protocols.trainer_endpoints import TrainerEndpoints
from codegym_mcp.server.trainer_protocols.trainer_protocol import TrainerProtocol


def trainer_routes(
    protocols: Collection[TrainerProtocol],
    episodes: EpisodeManager,
    endpoints: TrainerEndpoints,
    others: Sequence[Route],
    adaptive: AdaptiveOpenings | None = None,
) -> list[Route]:
    """Returns the routes of the protocols, which follow all other routes.

    Args:
        others: the routes before these.
        adaptive: opens episodes whose difficulty the curriculum chooses; without it, they are refused.
    """
    routes: list[Route] = []
    if TrainerProtocol.ORS in protocols:
        routes += OrsServer(episodes, endpoints, adaptive).routes()
    if TrainerProtocol.NEMO_GYM in protocols:
        taken = frozenset(filter(None, map(_taken_name, (*others, *routes))))
        routes += NemoGymServer(episodes, endpoints, taken_names=taken).routes()
    return routes


def _taken_name(route: Route) -> str | None:
    """Returns the name of the tool whose address, `POST /{tool}`, a route has taken."""
    name = route.path.removeprefix("/")
    takes_post = route.methods is None or "POST" in route.methods
    return name if takes_post and name.isidentifier() else None
