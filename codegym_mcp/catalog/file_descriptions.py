"""Descriptions of environment files, stored in the cache directory by content.

Reading an environment takes tens of milliseconds: its source is parsed, checked and compiled. Lists, searches
and the start of a server only need its description, so a file is read again only where it is used.
"""

from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ValidationError

from codegym_mcp.code_digest import code_digest
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.environment_definition.environment_info import EnvironmentInfo
from codegym_mcp.errors import UnwritableError
from codegym_mcp.storage.atomic_files import write_atomically
from codegym_mcp.storage.cache_directory import cache_directory
from codegym_mcp.storage.regular_files import open_regular_file

_READERS = ("answer_scoring", "environment_definition", "sandbox", "storage")
"""The packages that decide whether an environment can be used, and how it is described."""
_BLOCK = 1 << 20


class EnvironmentDescription(BaseModel):
    """What lists and grades need of an environment that can be used."""

    info: EnvironmentInfo
    content_digest: str
    """See `Environment.content_digest`."""

    @classmethod
    def of(cls, environment: Environment) -> Self:
        """Returns the description of an environment."""
        return cls(info=EnvironmentInfo.of(environment), content_digest=environment.content_digest)


def content_key(path: Path, name: str) -> str:
    """Returns a key of all that decides the description of an environment file.

    Args:
        path: the source; fixed tasks are in the `.jsonl` file beside it.
        name: the environment's name.

    Returns:
        SHA-256 in hexadecimal.

    Raises:
        SourceError: a file cannot be read.
    """
    digest = sha256(f"{code_digest(*_READERS)} {name}\n".encode(errors="surrogatepass"))
    tasks = path.with_suffix(".jsonl")
    for file in (path, tasks) if tasks.exists() else (path,):
        digest.update(_file_digest(file))
    return digest.hexdigest()


def _file_digest(path: Path) -> bytes:
    digest = sha256()
    with open_regular_file(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.digest()


def stored_description(key: str) -> EnvironmentDescription | None:
    """Returns the stored description with a key, or None if none is stored."""
    try:
        return EnvironmentDescription.model_validate_json(_place(key).read_bytes())
    except (OSError, ValidationError):
        return None


def store_description(key: str, description: EnvironmentDescription) -> None:
    """Stores a description; without a cache that can be written, nothing is stored."""
    with suppress(UnwritableError):
        write_atomically(_place(key), description.model_dump_json(), hint="")


def _place(key: str) -> Path:
    return cache_directory() / "environments" / key[:2] / f"{key}.json"
