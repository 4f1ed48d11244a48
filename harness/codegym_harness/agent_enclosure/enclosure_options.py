"""What separates an agent program from the machine: the choices that a run makes, and what was in place."""

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class Enclosure(StrEnum):
    """The mechanism that separated an agent program from the machine."""

    NAMESPACES = "namespaces"
    """A root of its own that contains only what the program needs, and its own processes."""
    LANDLOCK = "landlock"
    """The machine's root, of which the kernel lets the program read only what it needs."""
    NONE = "none"
    """Nothing: the program could read what its user can read."""


class Network(StrEnum):
    """What an agent program can reach over the network."""

    NONE = "none"
    """Its own episode."""
    LOOPBACK = "loopback"
    """Its own episode, and what listened on this machine's loopback address when the program was started."""
    HOST = "host"
    """Everything that the machine can reach."""


class EnclosureOptions(BaseModel):
    """How a run encloses its agent programs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    allow_read: tuple[Path, ...] = ()
    """Files and folders that the program may read besides what its command needs."""
    pass_env: tuple[str, ...] = ()
    """Environment variables that the program receives besides the usual ones; may contain wildcards."""
    network: Network = Network.HOST
    allow_unenclosed: bool = False
    """Whether to run the program also where the system refuses namespaces."""
