"""Corrects responses of servers that speak Google's API, before Google's package reads them.

The package takes an error in a successful response for a reply without candidates.
"""

import json

from codegym_mcp.models.chat_response import unwrap_error
from codegym_mcp.models.corrected_responses import CorrectedResponses, error_status


class GenerationsTransport(CorrectedResponses):
    """A transport to a server that speaks Google's API."""

    def correct(self, sent: bytes, content: bytes, status: int) -> tuple[int, bytes]:
        """Returns the status and the body that a successful response should have had."""
        try:
            body = unwrap_error(json.loads(content))
        except (ValueError, RecursionError):
            return status, content
        if isinstance(body, dict) and body.get("error"):
            return error_status(body), json.dumps(body).encode()
        return status, content
