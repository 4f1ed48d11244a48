"""The description of a format that a viewer opens: whole runs, also what failed in them."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from codegym_harness.export.conversion_counts import LossCounts
from codegym_harness.records.episode_result import EpisodeResult
from codegym_harness.records.trajectory import Trajectory

WriteEpisode = Callable[[Trajectory, EpisodeResult, LossCounts], object]
"""Writes an episode and counts what the format cannot hold."""

_NAME_LENGTH = 100


@dataclass(frozen=True)
class ExportedRun:
    """A run that is exported.

    Attributes:
        name: a name for files, distinct among the exported runs.
        agent: the name of the agent or of its model.
        started: ISO 8601 in UTC; empty if unknown.
        configuration: the recorded configuration.
        environments: the digest of each environment, by name.
    """

    name: str
    path: Path
    agent: str
    started: str
    configuration: Mapping[str, Any]
    environments: Mapping[str, str]


OpenRun = Callable[[ExportedRun], AbstractContextManager[WriteEpisode]]
"""Begins a run. What was written is complete when the block is left without an error."""


@dataclass(frozen=True)
class ViewerFormat:
    """Writes runs for a viewer.

    Attributes:
        open: opens the target, a path or an address, and yields what begins a run. It raises
            `CodegymError` if the target is unfit, and `MissingExtraError` if a library is missing.
    """

    open: Callable[[str], AbstractContextManager[OpenRun]]


def file_name(text: str) -> str:
    """Returns a name for a file, equal for equal texts and distinct for different ones."""
    safe = "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "_" for letter in text
    )
    if safe == text and text and text[0] != "." and len(text) <= _NAME_LENGTH:
        return text
    return f"{safe[:_NAME_LENGTH].lstrip('.')}-{blake2b(text.encode(), digest_size=4).hexdigest()}"


def episode_name(key: str) -> str:
    """Returns a name for the files of an episode, distinct for each key."""
    return file_name(key if "__" in key else key.replace("/", "__"))
