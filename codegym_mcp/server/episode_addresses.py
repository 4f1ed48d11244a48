"""Serves the addresses of episodes before the routes of other requests are tried: most requests are calls."""

import logging
from typing import cast

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.errors import JournalError, NotFoundError
from codegym_mcp.server.error_responses import error_response
from codegym_mcp.server.request_scheduling import EPISODE

logger = logging.getLogger(__name__)

EPISODE_PATH = "/episodes/{token}/mcp"
_BEFORE_TOKEN, _AFTER_TOKEN = EPISODE_PATH.split("{token}")


class EpisodeAddresses:
    """ASGI middleware that serves every episode at its address.

    An address that is not one of an episode is answered with 404, before the body is read.
    """

    def __init__(self, app: ASGIApp, *, endpoint: ASGIApp, episodes: EpisodeManager) -> None:
        """
        Args:
            app: serves all other addresses.
            endpoint: serves the episode that `requested_episode` returns.
        """
        self._app = app
        self._endpoint = endpoint
        self._episodes = episodes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = _token_of(scope["path"]) if scope["type"] == "http" else None
        if token is None:
            await self._app(scope, receive, send)
            return
        try:
            if EPISODE not in scope:
                scope[EPISODE] = self._episodes.by_token(token)
            await self._endpoint(scope, receive, send)
        except NotFoundError as error:
            await error_response(404, error.message, error.hint)(scope, receive, send)
        except JournalError as error:
            logger.error("%s", error)
            await error_response(500, "The server cannot read this episode.", "Try again.")(
                scope, receive, send
            )
        except ClientDisconnect:
            return


def _token_of(path: str) -> str | None:
    """Returns the token in the path of an episode, or None if the path is another one."""
    if not (path.startswith(_BEFORE_TOKEN) and path.endswith(_AFTER_TOKEN)):
        return None
    token = path[len(_BEFORE_TOKEN) : -len(_AFTER_TOKEN)]
    return token if "/" not in token else None


def requested_episode(scope: Scope) -> Episode:
    """Returns the episode to whose address a request was sent."""
    return cast(Episode, scope[EPISODE])
