"""Whether a run may be gone on with: only as what it was, so that its figures are of one thing."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from codegym_mcp.errors import RunError
from codegym_harness.runs.run_directory import Begun

FREE = frozenset(
    {
        "allow_unconfined",
        "concurrency",
        *(f"model.{name}" for name in ("attempts", "concurrency", "max_cost", "max_total_tokens")),
    }
)
"""Fields of a configuration that may change, since nothing that is measured depends on them."""

_DIFFERENCES_TOLD = 5


def check_configuration(path: Path, recorded: BaseModel, asked: BaseModel) -> None:
    """Whether what is asked for is what the run was begun with.

    Raises:
        RunError: it is not; the error says where.
    """
    pairs = _differences(recorded.model_dump(mode="json"), asked.model_dump(mode="json"))
    told = [f"{name} was {_brief(was)} and is now {_brief(now)}" for name, was, now in pairs]
    if told:
        raise RunError(
            path,
            f"{path} holds a run of another configuration: {_some(told)}.",
            hint="Give --resume alone to go on as it was begun, or begin another run.",
        )


def check_environments(path: Path, begun: Begun, served: Mapping[str, str]) -> None:
    """Whether the environments are what they were when the run was begun.

    Args:
        served: the digest of each environment that is to be played, by name.

    Raises:
        RunError: they are not; the error names them.
    """
    changed = [name for name, digest in served.items() if begun.environments.get(name) != digest]
    changed += [name for name in begun.environments if name not in served]
    if changed:
        raise RunError(
            path,
            f"Environments have changed since the run in {path} was begun: {_some(changed)}.",
            hint="Begin another run, so that all of it is of the same tasks.",
        )


def check_results(path: Path, keys: Collection[str], asked: Collection[str]) -> None:
    """Whether everything that the run has played is part of what it is to play.

    Raises:
        RunError: it is not.
    """
    strange = sorted(set(keys) - set(asked))
    if strange:
        raise RunError(
            path,
            f"{path} holds episodes that its configuration does not ask for: {_some(strange)}.",
            hint="Has somebody changed its files?",
        )


def _differences(
    recorded: dict[str, Any], asked: dict[str, Any], within: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    for name in sorted(recorded.keys() | asked.keys()):
        was, now = recorded.get(name), asked.get(name)
        if isinstance(was, dict) and isinstance(now, dict):
            yield from _differences(was, now, f"{within}{name}.")
        elif was != now and f"{within}{name}" not in FREE:
            yield f"{within}{name}", was, now


def _brief(value: Any) -> str:
    """A value in an error message; what has many parts and a name is told by its name."""
    return repr(value["name"] if isinstance(value, dict) and "name" in value else value)


def _some(items: list[str]) -> str:
    more = len(items) - _DIFFERENCES_TOLD
    return ", ".join(items[:_DIFFERENCES_TOLD]) + (f" and {more} more" if more > 0 else "")
