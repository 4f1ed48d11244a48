"""The directory for files that save time and can be deleted at any time."""

import os
from pathlib import Path

from platformdirs import user_cache_path

DIRECTORY_VARIABLE = "CODEGYM_MCP_CACHE"


def cache_directory() -> Path:
    """Returns the cache directory that `CODEGYM_MCP_CACHE` names, otherwise the user's."""
    named = os.environ.get(DIRECTORY_VARIABLE)
    return Path(named) if named else user_cache_path("codegym-mcp", appauthor=False)
