"""What the endpoints of all trainers' protocols share: the token, bounded bodies, errors.

Both protocols come from FastAPI servers, so errors have its form, `{"detail": "..."}`.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from codegym_mcp.errors import (
    CodegymError,
    LimitError,
    NotFoundError,
    SourceError,
    TaskError,
)
from codegym_mcp.server.bearer_tokens import has_token
from codegym_mcp.server.request_bodies import (
    MAX_BODY,
    BodyReader,
    BodyRefusedError,
    ClientGoneError,
)
from codegym_mcp.validation_messages import first_fault

logger = logging.getLogger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]
Model = TypeVar("Model", bound=BaseModel)


class TrainerRequestError(Exception):
    """A request of a trainer that is answered with an error.

    Attributes:
        status: the HTTP status.
        detail: what is wrong and what to do next.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class TrainerEndpoints:
    """Guards the endpoints of the protocols with the control plane's token, and reads their bodies."""

    def __init__(self, token: str, bodies: BodyReader) -> None:
        self._token = token
        self._bodies = bodies

    def guarded(self, endpoint: Endpoint) -> Endpoint:
        """Returns the endpoint for requests that carry the token; errors become responses."""

        async def guard(request: Request) -> Response:
            if not has_token(request.scope, self._token):
                return detail_response(
                    401,
                    "This address needs the control plane's token. Send it as 'Authorization: Bearer …' or "
                    "as 'X-API-Key: …'.",
                )
            try:
                return await endpoint(request)
            except TrainerRequestError as error:
                return detail_response(error.status, error.detail)
            except CodegymError as error:
                status = _status(error)
                if status == 500:
                    logger.warning("A trainer's request failed: %s", error)
                return detail_response(status, str(error))

        return guard

    async def read(self, request: Request, model: type[Model], *, limit: int = MAX_BODY) -> Model:
        """Reads the body of a request.

        Args:
            limit: the largest body, in bytes.

        Raises:
            TrainerRequestError: the body is too large, is not JSON, or does not fit the model.
        """
        try:
            async with self._bodies.read(request.scope, request.receive, limit=limit) as body:
                return model.model_validate_json(body)
        except BodyRefusedError as error:
            raise TrainerRequestError(error.status, f"{error.message} {error.hint}".strip()) from None
        except ClientGoneError:
            # Nobody reads the response.
            raise HTTPException(400) from None
        except ValidationError as error:
            fault = first_fault(error)
            raise TrainerRequestError(
                422, f"The request is wrong at {fault.path or 'the body'}: {fault.message}."
            ) from None


def detail_response(status: int, detail: str) -> Response:
    """Returns an error in the form of the protocols."""
    headers = {"www-authenticate": "Bearer"} if status == 401 else None
    return JSONResponse({"detail": detail}, status, headers=headers)


def _status(error: CodegymError) -> int:
    match error:
        case NotFoundError():
            return 404
        case TaskError() | SourceError():
            return 422
        case LimitError(limit="open_episodes"):
            return 429
    return 500
