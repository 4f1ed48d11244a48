"""Tokens in the headers of requests."""

import secrets

from starlette.types import Scope


def has_bearer_token(scope: Scope, token: str) -> bool:
    """Checks whether a request carries this bearer token, in constant time."""
    given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    scheme, _, sent = given.partition(b" ")
    return scheme.lower() == b"bearer" and secrets.compare_digest(sent.strip(), token.encode())


def has_token(scope: Scope, token: str) -> bool:
    """Checks whether a request carries this token, as a bearer token or in the header X-API-Key."""
    given = next((value for name, value in scope["headers"] if name == b"x-api-key"), b"")
    return has_bearer_token(scope, token) or secrets.compare_digest(given.strip(), token.encode())
